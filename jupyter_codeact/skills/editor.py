"""The agent's file editor: view, create, str_replace, insert, undo, on modules of the own skill library.

The arguments come from a model, so every path is confined to the library and every error says what to do.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..errors import EditError, SkillError
from ..protocols import PlannedEdit
from .edits import FileEdit, check_syntax, lines_of, read
from .library import Library, check_name

COMMANDS = ("view", "create", "str_replace", "insert", "undo")


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
        lines = lines_of(self._text((folders or [self._library.own])[0] / name))
        numbered = (f"{number:4}  {line}" for number, line in enumerate(map(_bare, lines), start=1))
        return "\n".join(numbered) or f"{name} is empty."

    def plan(self, arguments: dict[str, Any]) -> PlannedEdit:
        """What the command would do. Raises EditError where it is impossible."""
        command, path = arguments.get("command"), self._path(arguments)
        before = read(path)
        match command:
            case "undo":
                return self._undo(path, before)
            case "create":
                after = _argument(arguments, "file_text")
            case "str_replace":
                after = _replaced(self._text(path), arguments, path.name)
            case "insert":
                after = _inserted(self._text(path), arguments)
            case _:
                raise EditError(f"There is no command {command!r}; there are {', '.join(COMMANDS)}.")
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
            raise EditError(f"There is no {path.name} in the library. View '.' to see what there is.")
        return text


def _bare(line: str) -> str:
    return line.rstrip("\r\n")


def _is_here(path: Path) -> bool:
    """Whether a file is there, and not a link to one in another folder."""
    return path.is_file() and path.resolve().parent == path.parent.resolve()


def _replaced(text: str, arguments: dict[str, Any], name: str) -> str:
    old, new = (_as_in(text, word) for word in (_argument(arguments, "old_str"), str(arguments.get("new_str") or "")))
    count = text.count(old) if old else 0
    if count != 1:
        raise EditError(f"old_str occurs {count} times in {name}; it must occur exactly once. View the file.")
    return text.replace(old, new)


def _inserted(text: str, arguments: dict[str, Any]) -> str:
    lines, at = lines_of(text), arguments.get("insert_line")
    new = _as_in(text, _argument(arguments, "new_str"))
    if type(at) is not int or not 0 <= at <= len(lines):
        raise EditError(f"insert_line must be a number from 0 to {len(lines)}.")
    end = _as_in(text, "\n")
    if at and not lines[at - 1].endswith("\n"):
        lines[at - 1] += end
    return "".join([*lines[:at], new if new.endswith("\n") else new + end, *lines[at:]])


def _as_in(text: str, new: str) -> str:
    """``new`` with CRLF at its line ends where every line of ``text`` has it."""
    crlf = 0 < text.count("\n") == text.count("\r\n")
    return re.sub(r"\r?\n", "\r\n", new) if crlf else new


def _argument(arguments: dict[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str):
        raise EditError(f"{arguments.get('command')} needs {name}, a text.")
    return value
