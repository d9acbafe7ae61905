"""The agent's own hand on the library: it searches, reads and tests skills, and saves what cells have defined.

The arguments come from a model, so every error says what to do. Skills are changed with the editor (``editor.py``).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..errors import EditError, SkillError
from ..events import RanCell
from ..protocols import Change
from .alone import to_look_at
from .checks import Trial, problems, report
from .docstrings import with_stubs
from .history import Note
from .itself import Into
from .library import Library
from .offers import offer_of
from .outlines import module_name
from .saves import Saving
from .search import Search
from .selection import chosen, left_out_of, listed, module_from
from .skill import Skill, check_name, files_of
from .slicing import definer_of
from .wrap import handed_back

Ran = Callable[[], tuple[list[RanCell], tuple[str, ...]]]
"""The cells that ran, oldest first, and the ids of those of the present run."""
COMMANDS = ("search", "read", "test", "save")
# Of what is found.
MOST = 5
# What of a save names cells, and no function.
_CELLS = re.compile(r"\d+(-\d+)?|last")


class SkillTool:
    """note: what is remembered of its saves.

    trial: where a skill is tried once it may be saved. test: where one is tried that is stored, which nobody is asked
    for: nothing of the person's is there. None for either: it is only read. work: the working folder that cells have.
    """

    def __init__(
        self,
        library: Library,
        search: Search,
        ran: Ran,
        *,
        trial: Trial | None = None,
        test: Trial | None = None,
        work: Path | None = None,
    ) -> None:
        self._library = library
        self._search = search
        self._ran = ran
        self._trial = trial
        self._test = test
        self._work = work
        self.note = Note("agent")

    async def answer(self, arguments: dict[str, Any]) -> str | Change:
        """The answer, or a save that is not made yet. Raises EditError."""
        command = arguments.get("command")
        try:
            match command:
                case "search":
                    found = await asyncio.to_thread(self._search.find, _text(arguments, "name"), most=MOST)
                    return "\n".join(map(offer_of, found)) or "No skill fits these words."
                case "read":
                    return _read(self._library.get(_name(arguments)), _text(arguments, "name"))
                case "test":
                    return await self._tested(self._library.get(_name(arguments)).name)
                case "save":
                    return self._saving(arguments)
        except (SkillError, OSError) as error:
            raise EditError(str(error)) from None
        raise EditError(f"There is no command {command!r}; there are {', '.join(COMMANDS)}.")

    async def _tested(self, name: str) -> str:
        folder = self._library.folder_of(name)
        files = files_of(folder, name)
        said = (await report(name, files, self._test)).text
        return "\n".join([said, *(f"- {line}" for line in to_look_at(files, self._library, folder, self._work))])

    def _saving(self, arguments: dict[str, Any]) -> str | Change:
        """Raises EditError, SkillError."""
        name, what = _text(arguments, "name").removesuffix(".py"), _list(arguments, "what")
        wrap = str(arguments.get("wrap") or "")
        ran, last = self._ran()
        ids = {cell.cell_id for cell in ran} - {""}
        words = [word for word in what if _CELLS.fullmatch(word) or word in ids]
        names = [word for word in what if word not in words]
        if not what and not wrap:
            raise EditError("save needs what: functions and classes that cells have defined, such as f,g.")
        check_name(name)
        # A name may come from any cell; statements are those of this run, where none are named.
        cells = [*chosen(ran, words or ["last" if wrap else f"1-{ran[-1].count if ran else 1}"], last)]
        folder = self._library.shared if arguments.get("shared") is True else self._library.own
        into = Into.of(self._library, folder, name)
        files = {f"{name}.py": with_stubs(module_from(ran, cells, names, into, wrap))}
        if found := problems(files):
            raise EditError("\n".join(["Nothing was saved. Mend this:", *(f"- {problem}" for problem in found)]))
        before = files_of(folder, name)
        if dict(before) == files:
            return f"{name} is already like this."
        about = {"Cells": ", ".join(_defining(cells, [] if wrap else names))}
        note = self.note._replace(message="Saved from cells by the agent", about={**self.note.about, **about})
        handed = handed_back(files[f"{name}.py"], wrap)
        left = () if wrap else tuple(left_out_of(ran, cells, names, into))
        return Saving(self._library, folder, name, before, files, note, self._trial, handed, self._work, left)


def _defining(cells: Sequence[RanCell], names: Sequence[str]) -> list[str]:
    """The counts of the cells that the names come from, or of all."""
    sources = {str(cell.count): cell.source for cell in cells}
    found = {definer_of(sources, name) for name in names}
    return [count for count in sources if count in found or not names]


def _name(arguments: dict[str, Any]) -> str:
    """A skill's name; of a package also with what is imported of it."""
    return _dotted(_text(arguments, "name")).split(".")[0]


def _dotted(name: str) -> str:
    return name.removesuffix(".py").replace("/", ".")


def _read(skill: Skill, name: str) -> str:
    """The skill, or one module of a package. Raises EditError with those that there are."""
    modules = {module_name(path): text for path, text in skill.texts.items()}
    wanted = _dotted(name)
    if len(modules) == 1 or wanted in (skill.name, skill.module):
        return skill.read
    if wanted not in modules:
        raise EditError(f"{skill.name} has no module {wanted}; it has {', '.join(sorted(modules))}.")
    return modules[wanted]


def _text(arguments: dict[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise EditError(f"{arguments.get('command')} needs {name}, a text.")
    return value.strip()


def _list(arguments: dict[str, Any], name: str) -> list[str]:
    """Some models write lists as lists."""
    value = arguments.get(name) or ""
    return listed(value if isinstance(value, str) else ",".join(map(str, value)) if isinstance(value, list) else "")
