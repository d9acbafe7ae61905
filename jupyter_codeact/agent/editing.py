"""The file editor: a module of the skill library as ``skill:NAME.py``, any other path in the working folder.

The library is written by this process. Files of the working folder are read and written where the code runs, with its
rights: what it swaps for a link leads to nothing that it could not reach itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ..errors import EditError
from ..events import Checked, EditAction, SkillAction
from ..protocols import Change, Editor, Environment, PlannedEdit, Tell, unheard
from ..texts import changed, check_syntax, diff_of, numbered, summary_of

SKILL = "skill:"


def place_of(action: EditAction) -> str:
    """What an action is about, as the editor's paths say it."""
    if isinstance(action, SkillAction):
        return f"{SKILL}{action.arguments.get('name')}.py"
    return str(action.arguments.get("path", ""))


@dataclass
class SkillChange:
    """A change of the library."""

    planned: PlannedEdit

    @property
    def changes(self) -> bool:
        return self.planned.before != self.planned.after

    @property
    def diff(self) -> str:
        return self.planned.diff

    @property
    def summary(self) -> str:
        return self.planned.summary

    async def apply(self, tell: Tell = unheard) -> str:
        return self.planned.apply()

    async def checks(self, tell: Tell = unheard) -> Checked:
        return await self.planned.checks(tell)


@dataclass
class WorkChange:
    """A change in the working folder; None stands for no file."""

    path: str
    before: str | None
    after: str | None
    root: str
    env: Environment
    done: Callable[[WorkChange], object]

    @property
    def changes(self) -> bool:
        return self.before != self.after

    @property
    def diff(self) -> str:
        return diff_of(self.before, self.after, self.path)

    @property
    def summary(self) -> str:
        return summary_of(self.before, self.after, self.path)

    async def apply(self, tell: Tell = unheard) -> str:
        wrong = await self.env.inside(
            "write_text", root=self.root, path=self.path, before=self.before, after=self.after
        )
        if wrong:
            raise EditError(f"{self.path} {wrong}.")
        self.done(self)
        return f"{self.summary}: done.\n{self.diff}"

    async def checks(self, tell: Tell = unheard) -> Checked:
        return Checked()


class FileEditor:
    """Both; it remembers what it did in the working folder, so that it can be undone."""

    def __init__(self, library: Editor | None) -> None:
        self._library = library
        self._past: dict[str, list[WorkChange]] = {}

    async def edit(self, arguments: dict[str, Any], env: Environment, root: str) -> str | Change:
        """The answer to a view, or a change that is not made yet. ``root``: the working folder. Raises EditError."""
        path = str(arguments.get("path", ""))
        if path.startswith(SKILL):
            return self._skill(arguments | {"path": path.removeprefix(SKILL) or "."})
        return await self._work(arguments, path.removeprefix(f"{root}/") or ".", env, root)

    def _skill(self, arguments: dict[str, Any]) -> str | Change:
        if self._library is None:
            raise EditError("There is no skill library here.")
        seen = self._library.view(arguments)
        return seen if seen is not None else SkillChange(self._library.plan(arguments))

    async def _work(self, arguments: dict[str, Any], path: str, env: Environment, root: str) -> str | Change:
        found = await env.inside("read_text", root=root, path=path)
        found = found if isinstance(found, dict) else {"error": "can't be read"}
        if "error" in found:
            raise EditError(f"{path} {found['error']}.")
        before = None if found.get("text") is None else str(found["text"])
        if arguments.get("command") == "view":
            return _seen(found, before, path)
        if "names" in found:
            raise EditError(f"{path} is a folder.")
        if arguments.get("command") == "undo":
            return self._undo(path, before, root, env)
        after = changed(arguments, before, path)
        _check(path, before, after)
        return WorkChange(path, before, after, root, env, self._past.setdefault(path, []).append)

    def _undo(self, path: str, before: str | None, root: str, env: Environment) -> WorkChange:
        past = self._past.get(path)
        if not past:
            raise EditError(f"There is no edit of {path} to undo.")
        if past[-1].after != before:
            raise EditError(f"{path} was changed by somebody else since your edit of it: view it and edit again.")
        return WorkChange(path, before, past[-1].before, root, env, lambda _change: past.pop())


def _seen(found: dict[str, Any], text: str | None, path: str) -> str:
    if "names" in found:
        return "\n".join(map(str, found["names"])) or f"{path} is empty."
    if text is None:
        raise EditError(f"There is no {path}. View '.' to see what there is.")
    return numbered(text, path)


def _check(path: str, before: str | None, after: str) -> None:
    """Python that would not compile is refused, unless it did not before."""
    if path.endswith(".py") and (before is None or _compiles(path, before)):
        check_syntax(PurePosixPath(path), after)


def _compiles(path: str, text: str) -> bool:
    try:
        check_syntax(PurePosixPath(path), text)
    except EditError:
        return False
    return True
