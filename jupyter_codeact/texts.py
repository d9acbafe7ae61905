"""What an editor's command makes of a text: pure functions, with errors that say to the model what to do."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from .errors import EditError

COMMANDS = ("view", "create", "str_replace", "insert", "undo")


def changed(arguments: dict[str, Any], before: str | None, name: str) -> str:
    """The text after create, str_replace or insert. ``before`` is None where there is no file."""
    command = arguments.get("command")
    if command == "create":
        return _argument(arguments, "file_text")
    if command not in COMMANDS:
        raise EditError(f"There is no command {command!r}; there are {', '.join(COMMANDS)}.")
    if before is None:
        raise EditError(f"There is no {name}. View '.' to see what there is.")
    return _replaced(before, arguments, name) if command == "str_replace" else _inserted(before, arguments)


def numbered(text: str, name: str) -> str:
    """The lines of a file with their numbers."""
    lines = (line.rstrip("\r\n") for line in lines_of(text))
    rows = (f"{number:4}  {line}" for number, line in enumerate(lines, start=1))
    return "\n".join(rows) or f"{name} is empty."


def diff_of(before: str | None, after: str | None, name: str) -> str:
    """A unified diff of three lines of context; None is no file."""
    lines = [*difflib.unified_diff(lines_of(before or ""), lines_of(after or ""), name, name)][2:]
    whole = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(whole).removesuffix("\n") or "(no change)"


def summary_of(before: str | None, after: str | None, name: str) -> str:
    """``Create gp_fit.py``, ``Change gp_fit.py``."""
    verb = "Remove" if after is None else "Create" if before is None else "Change"
    return f"{verb} {name}"


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


def lines_of(text: str) -> list[str]:
    """Its lines with their ends, as Python counts them: str.splitlines knows more ends of lines."""
    *lines, last = text.split("\n")
    return [*(line + "\n" for line in lines), *([last] if last else [])]


@contextmanager
def unwarned() -> Iterator[None]:
    """What Python warns of in somebody else's code is nothing that this process should say, or fail by."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@unwarned()
def check_syntax(path: PurePath, text: str) -> None:
    """Raises EditError with the line where the text would not compile."""
    try:
        compile(text.encode(), path.name, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise EditError(f"Not saved: {path.name} would not compile, line {error.lineno}: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise EditError(f"Not saved: {path.name} would not compile: {error}.") from None
