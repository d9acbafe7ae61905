"""A save by the agent: shown as a diff, tried in a sandbox once the person agrees, and made a version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import EditError, SkillConflict, SkillError
from ..events import Checked
from ..protocols import Tell, unheard
from ..texts import summary_of
from .alone import works_here_alone
from .checks import CHECKS, PASSED, Trial, checked, warnings
from .history import Note
from .library import Library, changes
from .skill import Files


@dataclass(frozen=True)
class Saving:
    """A Change: ``after`` becomes the skill, in the place of what was there ``before``, once it passes its checks.

    handed: what a function of statements hands back, in words. work: the working folder, whose modules it may import.
    """

    library: Library
    folder: Path
    name: str
    before: Files
    after: Files
    note: Note
    trial: Trial | None
    handed: str = ""
    work: Path | None = None

    @property
    def changes(self) -> bool:
        return True

    @property
    def diff(self) -> str:
        return changes(self.before, self.after)

    @property
    def summary(self) -> str:
        """With what she may not have meant to save."""
        path = min(self.after)
        said = summary_of(self.before.get(path), self.after[path], path)
        where = " in the shared library" if self.folder != self.library.own else ""
        first = f"{said}{where}: {self.handed}" if self.handed else said + where
        alone = works_here_alone(self.after, self.library, self.folder, self.work) if self.work else []
        return ". Look at ".join([first, *warnings(self.after), *alone])

    async def apply(self, tell: Tell = unheard) -> str:
        """What fails is not saved: nothing stands on it yet."""
        wrong, tried = await checked(self.name, self.after, self.trial, tell)
        if wrong:
            lines = [f"- {line}" for line in wrong]
            raise EditError("\n".join(["Nothing was saved, since its checks failed:", *lines]))
        note = self.note._replace(about={**self.note.about, CHECKS: PASSED})
        try:
            self.library.write(self.name, self.after, note, base=self.before, folder=self.folder)
        except SkillConflict as conflict:
            raise EditError(f"{conflict.beside(self.diff)}\nRead it and save again.") from None
        except SkillError as error:
            raise EditError(str(error)) from None
        return "\n".join(filter(None, [f"{self.summary}: done.", self.diff, f"Checked: {tried}." if tried else ""]))

    async def checks(self, tell: Tell = unheard) -> Checked:
        """They came before it."""
        return Checked()
