"""One edit of one file of a skill: shown as a diff, and made a version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import EditError, SkillConflict, SkillError
from ..events import Checked
from ..texts import diff_of, summary_of
from .checks import Trial, report
from .history import Note
from .library import Library
from .skill import exactly, files_of


@dataclass
class FileEdit:
    """A PlannedEdit of a file of the own library; None stands for no file. ``done`` is told once it is made."""

    library: Library
    path: str
    before: str | None
    after: str | None
    note: Note
    done: Callable[[FileEdit], object]
    trial: Trial | None = None

    @property
    def summary(self) -> str:
        return summary_of(self.before, self.after, self.path)

    @property
    def diff(self) -> str:
        return diff_of(self.before, self.after, self.path)

    def apply(self) -> str:
        name = _skill(self.path)
        try:
            others = {path: text for path, text in files_of(self.library.own, name).items() if path != self.path}
            base, files = ({**others, **_one(self.path, text)} for text in (self.before, self.after))
            self.library.write(name, files, self.note, base=base)
        except SkillConflict:
            raise EditError(f"{self.path} was changed by somebody else meanwhile: view it and edit again.") from None
        except (SkillError, OSError) as error:
            raise EditError(str(error)) from None
        self.done(self)
        return f"{self.summary}: done.\n{self.diff}"

    async def checks(self) -> Checked:
        name = _skill(self.path)
        files = files_of(self.library.own, name)
        return await report(name, files, self.trial) if files else Checked()


def _skill(path: str) -> str:
    return path.split("/", maxsplit=1)[0].removesuffix(".py")


def _one(path: str, text: str | None) -> dict[str, str]:
    return {} if text is None else {path: text}


def read(path: Path) -> str | None:
    """Text with its line ends as they are; None where there is no file."""
    try:
        exactly(path).encode()
        return exactly(path)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise EditError(f"{path.name} can't be read: {error}") from None
