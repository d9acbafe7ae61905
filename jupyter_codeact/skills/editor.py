"""The agent's file editor: view, create, str_replace, insert, undo, on modules of the own skill library.

The arguments come from a model, so every path is confined to the library and every error says what to do.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EditError, SkillError
from ..protocols import PlannedEdit
from .library import Library, check_name, write_atomically

COMMANDS = ("view", "create", "str_replace", "insert", "undo")


class LibraryEditor:
    """Edits the first folder of a library. ``undone`` files go back one change at a time."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._before: dict[Path, list[str | None]] = {}

    def view(self, arguments: dict[str, Any]) -> str | None:
        """The text of a file with line numbers, or the names in the library; None for other commands."""
        if arguments.get("command") != "view":
            return None
        if arguments.get("path") in (".", "", "/"):
            return "\n".join(f"{skill.name}.py  {skill.summary}" for skill in self._library.list()) or "No skills yet."
        text = self._text(self._path(arguments))
        return "\n".join(f"{number:4}  {line}" for number, line in enumerate(text.split("\n"), start=1))

    def plan(self, arguments: dict[str, Any]) -> PlannedEdit:
        """What the command would do. Raises EditError where it is impossible."""
        command = arguments.get("command")
        if command not in COMMANDS:
            raise EditError(f"There is no command {command!r}; there are {', '.join(COMMANDS)}.")
        path = self._path(arguments)
        before = _read(path)
        after = getattr(self, f"_{command}")(arguments, path, before)
        return FileEdit(self, path, before, after, undoes=command == "undo")

    def _create(self, arguments: dict[str, Any], _path: Path, _before: str | None) -> str:
        return _argument(arguments, "file_text")

    def _str_replace(self, arguments: dict[str, Any], path: Path, _before: str | None) -> str:
        text, old = self._text(path), _argument(arguments, "old_str")
        count = text.count(old) if old else 0
        if count != 1:
            raise EditError(f"old_str occurs {count} times in {path.name}; it must occur exactly once. View the file.")
        return text.replace(old, str(arguments.get("new_str") or ""))

    def _insert(self, arguments: dict[str, Any], path: Path, _before: str | None) -> str:
        lines = self._text(path).splitlines(keepends=True)
        at, new = arguments.get("insert_line"), _argument(arguments, "new_str")
        if not isinstance(at, int) or not 0 <= at <= len(lines):
            raise EditError(f"insert_line must be a number from 0 to {len(lines)}.")
        end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
        if at and not lines[at - 1].endswith("\n"):
            lines[at - 1] += end
        return "".join([*lines[:at], new if new.endswith("\n") else new + end, *lines[at:]])

    def _undo(self, _arguments: dict[str, Any], path: Path, _before: str | None) -> str | None:
        if not self._before.get(path):
            raise EditError(f"There is no edit of {path.name} to undo.")
        return self._before[path][-1]

    def _path(self, arguments: dict[str, Any]) -> Path:
        given = str(arguments.get("path", ""))
        name = Path(given.removeprefix(str(self._library.own)).lstrip("/")).as_posix()
        stem = name.removesuffix(".py")
        try:
            check_name(stem)
        except SkillError as error:
            raise EditError(f"{given!r} is not a file of the library, such as gp_fit.py. {error}") from None
        return self._library.own / f"{stem}.py"

    def _text(self, path: Path) -> str:
        text = _read(path)
        if text is None:
            raise EditError(f"There is no {path.name} in the library. View '.' to see what there is.")
        return text

    def done(self, edit: FileEdit) -> None:
        """Remember an edit that was made, so that it can be undone."""
        past = self._before.setdefault(edit.path, [])
        if edit.undoes:
            past.pop()
        else:
            past.append(edit.before)


@dataclass
class FileEdit:
    """A PlannedEdit of one file; None stands for no file."""

    editor: LibraryEditor
    path: Path
    before: str | None
    after: str | None
    undoes: bool = False

    @property
    def summary(self) -> str:
        """``Create gp_fit.py``, ``Change gp_fit.py``."""
        verb = "Remove" if self.after is None else "Create" if self.before is None else "Change"
        return f"{verb} {self.path.name}"

    @property
    def diff(self) -> str:
        """A unified diff of three lines of context."""
        before, after = (self.before or "").splitlines(), (self.after or "").splitlines()
        lines = list(difflib.unified_diff(before, after, self.path.name, self.path.name, lineterm=""))
        return "\n".join(lines[2:]) or "(no change)"

    def apply(self) -> str:
        if _read(self.path) != self.before:
            raise EditError(f"{self.path.name} was changed by somebody else meanwhile: view it and edit again.")
        if self.after is None:
            self.path.unlink()
        else:
            _check_syntax(self.path, self.after)
            write_atomically(self.path, self.after)
        self.editor.done(self)
        return f"{self.summary}: done.\n{self.diff}"


def _check_syntax(path: Path, text: str) -> None:
    try:
        compile(text, path.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise EditError(f"Not saved: {path.name} would not compile, line {line}: {error}.") from None


def _read(path: Path) -> str | None:
    """Text with its line ends as they are; None where there is no file."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise EditError(f"{path.name} can't be read: {error}") from None


def _argument(arguments: dict[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str):
        raise EditError(f"{arguments.get('command')} needs {name}, a text.")
    return value
