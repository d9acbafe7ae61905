"""One edit of one file of the library: shown as a diff, done atomically."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import EditError
from ..files import write_atomically
from ..texts import diff_of, summary_of
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
        return summary_of(self.before, self.after, self.path.name)

    @property
    def diff(self) -> str:
        return diff_of(self.before, self.after, self.path.name)

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


def read(path: Path) -> str | None:
    """Text with its line ends as they are; None where there is no file."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise EditError(f"{path.name} can't be read: {error}") from None
