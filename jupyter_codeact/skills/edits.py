"""One edit of one file: shown as a diff, checked, done atomically."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import EditError
from ..files import write_atomically
from .library import READABLE


@dataclass
class FileEdit:
    """A PlannedEdit of one file; None stands for no file. ``done`` is told once it is made."""

    path: Path
    before: str | None
    after: str | None
    done: Callable[[FileEdit], object]

    @property
    def summary(self) -> str:
        """``Create gp_fit.py``, ``Change gp_fit.py``."""
        verb = "Remove" if self.after is None else "Create" if self.before is None else "Change"
        return f"{verb} {self.path.name}"

    @property
    def diff(self) -> str:
        """A unified diff of three lines of context."""
        before, after = lines_of(self.before or ""), lines_of(self.after or "")
        lines = [*difflib.unified_diff(before, after, self.path.name, self.path.name)][2:]
        whole = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
        return "".join(whole).removesuffix("\n") or "(no change)"

    def apply(self) -> str:
        if read(self.path) != self.before:
            raise EditError(f"{self.path.name} was changed by somebody else meanwhile: view it and edit again.")
        try:
            if self.after is None:
                self.path.unlink()
            else:
                write_atomically(self.path, self.after, READABLE)
        except OSError as error:
            raise EditError(f"{self.path.name} can't be written: {error}") from None
        self.done(self)
        return f"{self.summary}: done.\n{self.diff}"


def lines_of(text: str) -> list[str]:
    """Its lines with their ends, as Python counts them: str.splitlines knows more ends of lines."""
    *lines, last = text.split("\n")
    return [*(line + "\n" for line in lines), *([last] if last else [])]


def check_syntax(path: Path, text: str) -> None:
    """Raises EditError with the line where the text would not compile."""
    try:
        compile(text.encode(), path.name, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise EditError(f"Not saved: {path.name} would not compile, line {error.lineno}: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise EditError(f"Not saved: {path.name} would not compile: {error}.") from None


def read(path: Path) -> str | None:
    """Text with its line ends as they are; None where there is no file."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise EditError(f"{path.name} can't be read: {error}") from None
