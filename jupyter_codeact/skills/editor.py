"""The agent's file editor: view, create, str_replace, insert, undo, on modules of the own skill library.

The arguments come from a model, so every path is confined to the library and every error says what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import EditError, SkillError
from ..protocols import PlannedEdit
from ..texts import changed, check_syntax, numbered
from .checks import Trial
from .docstrings import with_stubs
from .edits import FileEdit, read
from .files import is_own, lies_in
from .history import Note
from .library import Library
from .skill import API, INIT, MARK, Skill, check_name

# What a package of skills begins with.
PARTS = (INIT, API, "impl.py")


class LibraryEditor:
    """Edits the first folder of a library. ``undone`` files go back one change at a time.

    note: what is remembered of its edits. trial: where an edited skill is tried; without one, it is only read.
    work: the working folder that cells have.
    """

    def __init__(self, library: Library, trial: Trial | None = None, work: Path | None = None) -> None:
        self._library = library
        self._past: dict[str, list[FileEdit]] = {}
        self.note = Note("agent")
        self._trial = trial
        self._work = work

    def view(self, arguments: dict[str, Any]) -> str | None:
        """The text of a file with line numbers, or the names in the library; None for other commands."""
        if arguments.get("command") != "view":
            return None
        if arguments.get("path") in (".", "", "/"):
            return "\n".join(map(_listed, self._library.list())) or "No skills yet."
        path = self._path(arguments)
        folders = [folder for folder in self._library.folders if is_own(folder, folder / path)]
        return numbered(self._text((folders or [self._library.own])[0] / path), path)

    def plan(self, arguments: dict[str, Any]) -> PlannedEdit:
        """What the command would do. Raises EditError where it is impossible."""
        path = self._path(arguments)
        before = read(self._library.own / path)
        if arguments.get("command") == "undo":
            return self._undo(path, before)
        after = changed(arguments, before, path).removeprefix(MARK)
        check_syntax(self._library.own / path, after)
        after = with_stubs(after)
        return self._edit(path, before, after, self._past.setdefault(path, []).append)

    def _undo(self, path: str, before: str | None) -> FileEdit:
        past = self._past.get(path)
        if not past:
            raise EditError(f"There is no edit of {path} to undo.")
        if past[-1].after != before:
            raise EditError(f"{path} was changed by somebody else since your edit of it: view it and edit again.")
        return self._edit(path, before, past[-1].before, lambda _edit: past.pop())

    def _edit(self, path: str, before: str | None, after: str | None, done: Callable[[FileEdit], object]) -> FileEdit:
        return FileEdit(self._library, path, before, after, self.note, done, self._trial, self._work)

    def _path(self, arguments: dict[str, Any]) -> str:
        """A module of the library, such as ``gp_fit.py``, or of a package in it, such as ``pkg/api.py``."""
        given = str(arguments.get("path", ""))
        inside = given.removeprefix(str(self._library.own)).lstrip("/")
        name, *inner = inside.removesuffix(".py").split("/")
        try:
            check_name(name)
        except SkillError as error:
            raise EditError(f"{given!r} is not a file of the library, such as gp_fit.py. {error}") from None
        path = "/".join([name, *inner]) + ".py"
        file = self._library.own / path
        if inner and not (len(inner) == 1 and (f"{inner[0]}.py" in PARTS or file.is_file())):
            raise EditError(f"{given!r} is not a file of the library, such as gp_fit.py or gp_fit/api.py.")
        if not lies_in(self._library.own, file):
            raise EditError(f"{path} is a link to a file outside of the library.")
        return path

    def _text(self, path: Path) -> str:
        text = read(path)
        if text is None:
            raise EditError(f"There is no {path.name}. View '.' to see what there is.")
        return text


def _listed(skill: Skill) -> str:
    file = f"{skill.name}.py" if skill.module == skill.name else f"{skill.name}/{skill.path.name}"
    return f"{file}  {skill.summary}"
