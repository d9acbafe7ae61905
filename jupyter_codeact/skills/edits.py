"""One edit of one file of a skill: shown as a diff, and made a version."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import EditError, SkillConflict, SkillError
from ..events import Checked
from ..protocols import Tell, unheard
from ..texts import diff_of, summary_of
from .alone import to_look_at
from .checks import CHECKS, FAILED, Trial, passed_with, report
from .history import Note, Version
from .library import Library
from .skill import INIT, Files, exactly, files_of, readable

EMPTY = " An empty __init__.py beside it makes it a package."


@dataclass
class FileEdit:
    """A PlannedEdit of a file of the own library; None stands for no file. ``done`` is told once it is made.

    work: the working folder, whose modules it may import.
    """

    library: Library
    path: str
    before: str | None
    after: str | None
    note: Note
    done: Callable[[FileEdit], object]
    trial: Trial | None = None
    work: Path | None = None
    _version: Version | None = None

    @property
    def summary(self) -> str:
        """With what she may not have meant to save."""
        said = summary_of(self.before, self.after, self.path)
        return ". Look at ".join([said, *self._to_look_at(_one(self.path, self.after))])

    @property
    def diff(self) -> str:
        return diff_of(self.before, self.after, self.path)

    def apply(self) -> str:
        name = self._name
        try:
            here = files_of(self.library.own, name)
            others = {path: text for path, text in here.items() if path != self.path}
            # A folder of modules without an __init__.py is no skill yet.
            is_new = not here and "/" in self.path
            added = is_new and not self.path.endswith(f"/{INIT}")
            base = {} if is_new else {**others, **_one(self.path, self.before)}
            files = _package({**others, **_one(self.path, self.after)}, name)
            saved = self.library.write(name, files, self.note, base=base)
        except SkillConflict as conflict:
            raise EditError(f"{conflict.beside(self.diff)}\nView it and edit again.") from None
        except (SkillError, OSError) as error:
            raise EditError(str(error)) from None
        self._version = saved.version
        self.done(self)
        said = " ".join([f"{self.summary}: done.{EMPTY if added else ''}", *saved.unlinked])
        return f"{said}\n{self.diff}"

    async def checks(self, tell: Tell = unheard) -> Checked:
        """The version remembers what they say."""
        files = files_of(self.library.own, self._name)
        if not files:
            return Checked()
        said = "stopped"
        try:
            found = await report(self._name, files, self.trial, tell)
            failed = f"{FAILED}: {'; '.join(found.problems)}" if found.problems else ""
            said = failed or passed_with(self._to_look_at(files))
        finally:
            self._remember(said)
        return found

    def _to_look_at(self, files: Files) -> list[str]:
        return to_look_at(files, self.library, self.library.own, self.work)

    def _remember(self, said: str) -> None:
        """That it can't be written is no reason to tell the agent that its edit is not there."""
        if self._version is not None:
            with suppress(SkillError):
                self.library.add(self._name, self._version, {CHECKS: said})

    @property
    def _name(self) -> str:
        return self.path.split("/", maxsplit=1)[0].removesuffix(".py")


def _package(files: Files, name: str) -> Files:
    """Modules of a package with the file that makes them one; without any, nothing is left of it."""
    init = f"{name}/{INIT}"
    if f"{name}.py" in files or not files:
        return files
    return {} if files == {init: ""} else {init: "", **files}


def _one(path: str, text: str | None) -> dict[str, str]:
    return {} if text is None else {path: text}


def read(path: Path) -> str | None:
    """Text with its line ends as they are; None where there is no file."""
    try:
        return readable(exactly(path), path.name)
    except FileNotFoundError:
        return None
    except SkillError as error:
        raise EditError(str(error)) from None
    except OSError as error:
        raise EditError(f"{path.name} can't be read: {error}") from None
