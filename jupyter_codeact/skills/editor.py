"""The agent's file editor: view, create, str_replace, insert, undo, on modules of the own skill library.

The arguments come from a model, so every path is confined to the library and every error says what to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import EditError, SkillError
from ..protocols import PlannedEdit
from ..texts import changed, check_syntax, numbered
from .edits import FileEdit, read
from .library import Library, check_name


class LibraryEditor:
    """Edits the first folder of a library. ``undone`` files go back one change at a time."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._past: dict[Path, list[FileEdit]] = {}

    def view(self, arguments: dict[str, Any]) -> str | None:
        """The text of a file with line numbers, or the names in the library; None for other commands."""
        if arguments.get("command") != "view":
            return None
        if arguments.get("path") in (".", "", "/"):
            return "\n".join(f"{skill.name}.py  {skill.summary}" for skill in self._library.list()) or "No skills yet."
        name = self._path(arguments).name
        folders = [folder for folder in self._library.folders if _is_here(folder / name)]
        return numbered(self._text((folders or [self._library.own])[0] / name), name)

    def plan(self, arguments: dict[str, Any]) -> PlannedEdit:
        """What the command would do. Raises EditError where it is impossible."""
        path = self._path(arguments)
        before = read(path)
        if arguments.get("command") == "undo":
            return self._undo(path, before)
        after = changed(arguments, before, path.name)
        check_syntax(path, after)
        return FileEdit(path, before, after, self._past.setdefault(path, []).append)

    def _undo(self, path: Path, before: str | None) -> FileEdit:
        past = self._past.get(path)
        if not past:
            raise EditError(f"There is no edit of {path.name} to undo.")
        if past[-1].after != before:
            raise EditError(f"{path.name} was changed by somebody else since your edit of it: view it and edit again.")
        return FileEdit(path, before, past[-1].before, lambda _edit: past.pop())

    def _path(self, arguments: dict[str, Any]) -> Path:
        given = str(arguments.get("path", ""))
        stem = given.removeprefix(str(self._library.own)).lstrip("/").removesuffix(".py")
        try:
            check_name(stem)
        except SkillError as error:
            raise EditError(f"{given!r} is not a file of the library, such as gp_fit.py. {error}") from None
        path = self._library.own / f"{stem}.py"
        if path.is_symlink() and not _is_here(path):
            raise EditError(f"{path.name} is a link to a file outside of the library.")
        return path

    def _text(self, path: Path) -> str:
        text = read(path)
        if text is None:
            raise EditError(f"There is no {path.name}. View '.' to see what there is.")
        return text


def _is_here(path: Path) -> bool:
    """Whether a file is there, and not a link to one in another folder."""
    return path.is_file() and path.resolve().parent == path.parent.resolve()
