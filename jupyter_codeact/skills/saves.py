"""A save by the agent: shown as a diff, tried in a sandbox once the person agrees, and made a version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import EditError, SkillConflict, SkillError
from ..events import Checked
from ..protocols import Tell, unheard
from ..texts import summary_of
from .alone import to_look_at
from .checks import CHECKS, Trial, checked, passed_with
from .history import Note
from .library import Library, changes
from .skill import Files


@dataclass(frozen=True)
class Saving:
    """A Change: ``after`` becomes the skill, in the place of what was there ``before``, once it passes its checks.

    handed: what a function of statements hands back, in words. work: the working folder, whose modules it may import.
    left: what cells did to its values, and it does not.
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
    left: tuple[str, ...] = ()

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
        return ". Look at ".join([first, *self._to_look_at])

    @property
    def _to_look_at(self) -> list[str]:
        return [*to_look_at(self.after, self.library, self.folder, self.work), *self.left]

    async def apply(self, tell: Tell = unheard) -> str:
        """What fails is not saved: nothing stands on it yet."""
        wrong, tried = await checked(self.name, self.after, self.trial, tell)
        if wrong:
            lines = [f"- {line}" for line in wrong]
            raise EditError("\n".join(["Nothing was saved, since its checks failed:", *lines]))
        note = self.note._replace(about={**self.note.about, CHECKS: passed_with(self._to_look_at)})
        try:
            saved = self.library.write(self.name, self.after, note, base=self.before, folder=self.folder)
        except SkillConflict as conflict:
            raise EditError(f"{conflict.beside(self.diff)}\nRead it and save again.") from None
        except SkillError as error:
            raise EditError(str(error)) from None
        done = " ".join([f"{self.summary}: done.", *saved.unlinked])
        return "\n".join(filter(None, [done, self.diff, f"Checked: {tried}." if tried else ""]))

    async def checks(self, tell: Tell = unheard) -> Checked:
        """They came before it."""
        return Checked()
