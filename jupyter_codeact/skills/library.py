"""Folders of ordinary Python modules that agents and cells import. Only the trusted process writes here.

Every write is a version. Writers, of which there may be several in several processes, hold a lock; a kill or a full
disk at any moment leaves the old files or the new ones, and what was there before stays in the history.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import NamedTuple

from ..errors import SkillConflict, SkillError, SkillFailed
from ..texts import diff_of
from ..words import reason
from .files import Module, lies_in
from .history import HAND, History, Note, Version
from .skill import Files, Skill, check_name, files_of, has_skill, module_of, skills_in
from .writing import Meanwhile, laid, mend

LOCK_S, POLL_S = 30.0, 0.01
# The facts of a version that a search looks at, of how many versions, and how much of it.
SEARCHED = ("Prompt", "Notebook", "From")
NOTED, LONGEST_NOTE = 10, 4000


class Saved(NamedTuple):
    """What a write has made. before: the version that it took the place of; None where there was none.

    path: of the skill, or where it was. unlinked: a sentence about each link that was in its place.
    """

    path: Path
    version: Version
    before: Version | None
    unlinked: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The library that was written to."""
        return self.path.parent


class Library:
    """Skills in ``folders``: the first is the person's own, the second is shared, the others are read.

    history: where versions are kept, outside of all of them; by default beside the first.
    """

    def __init__(self, *folders: Path, history: Path | None = None) -> None:
        self.folders = folders
        self._histories = history or folders[0].parent / "history"

    @property
    def own(self) -> Path:
        return self.folders[0]

    @property
    def shared(self) -> Path:
        return self.folders[1]

    @property
    def kept(self) -> tuple[Path, ...]:
        """Those that are written here, and of whose skills versions are kept."""
        return self.folders[:2]

    # ---- reading

    def list(self) -> list[Skill]:
        """Every skill, by name; a name that stands in several folders counts once, from the first."""
        found: dict[str, Skill] = {}
        for folder in self.folders:
            found = {**skills_in(folder), **found}
        return [found[name] for name in sorted(found)]

    def get(self, name: str) -> Skill:
        """Raises SkillError, with the nearest names, where there is none."""
        skills = {skill.name: skill for skill in self.list()}
        if name not in skills:
            raise SkillError(_unknown(name, list(skills)))
        return skills[name]

    def folder_of(self, name: str) -> Path:
        """The folder that a skill is imported from; of one that is nowhere any more, where it was removed last."""
        for folder in self.folders:
            if name in skills_in(folder):
                return folder
        if gone := self._removed_last(name, self.kept):
            return gone
        raise SkillError(_unknown(name, [skill.name for skill in self.list()]))

    def undone_in(self, name: str) -> Path:
        """The folder whose versions can be gone back to: a skill that was removed hides behind the next of its name.

        It is that from which it was removed, where the one that is imported now has not changed since.
        """
        folder = self.folder_of(name)
        now = self.history(folder).newest(name)
        if not has_skill(folder, name):
            return folder
        before = takewhile(lambda kept: kept != folder, self.kept)
        return self._removed_last(name, before, now) or folder

    def _removed_last(self, name: str, folders: Iterable[Path], since: Version | None = None) -> Path | None:
        """Of the folders that a skill was in, the one that it was taken from last; None where none was, since then."""
        newest = {folder: self.history(folder).newest(name) for folder in folders}
        gone = {
            folder: last.moment
            for folder, last in newest.items()
            if last and (since is None or (last.removed and since.moment <= last.moment))
        }
        # Of those that are as old, the shared one comes to light when the own one is gone.
        return max(reversed(gone), key=lambda folder: gone[folder], default=None)

    def keeps(self, name: str) -> bool:
        """Whether there are versions of it: not of what is only read here."""
        return self.folder_of(name) in self.kept

    def history(self, folder: Path) -> History:
        others = [self._history_of(other) for other in self.kept if other != folder]
        return History(self._history_of(folder), others)

    def _history_of(self, folder: Path) -> Path:
        return self._histories / f"{folder.parent.name}-{folder.name}"

    def log(self, name: str, folder: Path | None = None) -> Sequence[Version]:
        """The versions of a skill, the newest first, changes by hand among them. Raises SkillError.

        folder: one of ``kept``; by default the one that it is imported from.
        """
        folder = folder or self.folder_of(name)
        if folder not in self.kept:
            raise SkillError(f"{name} lies in {folder}, which is only read here: no versions of it are kept.")
        with self._locked(folder, name) as history:
            _take_in(history, folder, name)
            return history.log(name)

    def newest(self, skills: Iterable[Skill]) -> dict[str, Version]:
        """The newest version of each, by name; none of what was put there by hand and never looked at."""
        found: dict[str, Version] = {}
        for folder in self.kept:
            history = self.history(folder)
            if history.folder.is_dir():
                with history.opened():
                    versions = {skill.name: history.newest(skill.name) for skill in skills if skill.folder == folder}
                found |= {name: version for name, version in versions.items() if version}
        return found

    def notes(self, modules: Sequence[Module]) -> dict[str, str]:
        """By path, the words of a skill's versions: why each was made, on which prompt, in which notebook."""
        found: dict[str, str] = {}
        for folder in self.kept:
            history = self.history(folder)
            if history.folder.is_dir():
                # Who asks for a history hears that it is damaged; who looks for skills does without.
                with contextlib.suppress(Exception), history.opened():
                    there = [module for module in modules if module.folder == folder]
                    found |= {module.path: _words_of(history, module.name.split(".")[0]) for module in there}
        return found

    # ---- writing

    def write(
        self, name: str, files: Files, note: Note, *, base: Files | None = None, folder: Path | None = None
    ) -> Saved:
        """Make ``files`` the newest version of a skill; none of them stands for its removal.

        base: what the writer has seen: where the skill is not that any more, nothing is written. folder: the own one,
        or the shared one. Raises SkillError, and SkillConflict with the difference.
        """
        check_name(name)
        folder = folder or self.own
        here: Files | None = None
        try:
            with self._locked(folder, name) as history:
                _uncover(history, folder, name)
                here = _take_in(history, folder, name)
                if base is not None and dict(here) != dict(base):
                    raise SkillConflict(name, changes(base, here))
                before = history.newest(name)
                links: tuple[str, ...] = ()
                if dict(here) != dict(files) or before is None:
                    links = tuple(_links(folder, name, here, files))
                    with laid(folder, name, here, files) as put, history.recording(name, files, note):
                        put()
                now = history.newest(name)
                assert now is not None
                return Saved(_shown(folder, name, files), now, before, links)
        except Meanwhile:
            raise SkillConflict(name, changes(here or {}, files_of(folder, name))) from None
        except (OSError, UnicodeError) as error:
            path = _shown(folder, name, files)
            raise SkillFailed(f"{path} can't be written: {reason(error)}. {_left(folder, name, here)}") from None

    def add(self, name: str, version: Version, about: Mapping[str, str], folder: Path | None = None) -> None:
        """More facts of a version that is still the newest, such as what its checks have said. Raises SkillError."""
        try:
            with self._locked(folder or self.own, name) as history:
                history.add(name, version, about)
        except OSError as error:
            raise SkillFailed(f"What is remembered of {name} can't be written: {reason(error)}.") from None

    @contextlib.contextmanager
    def _locked(self, folder: Path, name: str) -> Iterator[History]:
        """Alone with one folder, among all kernels; its history, open, in which the skill's last writer is done."""
        from filelock import FileLock, Timeout

        self._histories.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            history = self.history(folder)
            with FileLock(f"{history.folder}.lock", timeout=LOCK_S, poll_interval=POLL_S), history.opened():
                mend(folder)
                _settle(history, folder, name)
                yield history
        except Timeout:
            raise SkillFailed(f"Somebody has been writing to {folder} for {LOCK_S:.0f} seconds. Try again.") from None


def _settle(history: History, folder: Path, name: str) -> None:
    """A save whose writer was killed is a version where its files are in place, and else is forgotten."""
    begun = history.begun(name)
    if begun is None:
        return
    newest = history.newest(name)
    known = [begun, dict(history.content(newest)) if newest else {}]
    here, hidden = dict(files_of(folder, name)), dict(module_of(folder, name))
    if hidden.keys() - here.keys() and hidden in known and here in known:
        # Of a module and a package, one was to take the place of the other.
        with contextlib.suppress(Meanwhile), laid(folder, name, {**hidden, **here}, here) as put:
            put()
    history.settle(name, stands=dict(files_of(folder, name)) == begun)


def _take_in(history: History, folder: Path, name: str) -> Files:
    """What lies there, which is a version from now on if somebody changed it by hand."""
    here = files_of(folder, name)
    _record(history, name, here)
    return here


def _record(history: History, name: str, here: Files) -> None:
    newest = history.newest(name)
    if dict(here) != dict(history.content(newest) if newest else {}):
        with history.recording(name, here, Note(HAND, "Changed by hand" if here else "Removed by hand")):
            pass


def _uncover(history: History, folder: Path, name: str) -> None:
    """A module that a package of its name hides is a version, and goes: it would come to light after the package."""
    hidden, here = module_of(folder, name), files_of(folder, name)
    if hidden.keys() - here.keys():
        _record(history, name, hidden)
        _record(history, name, here)
        with laid(folder, name, {**hidden, **here}, here) as put:
            put()


def _links(folder: Path, name: str, here: Files, files: Files) -> Iterator[str]:
    """What will be no link any more. Nothing is written through one: cells may be able to put another in its place."""
    changed = {Path(path) for path in {*here, *files} if here.get(path) != files.get(path)}
    changed |= {path for path in (Path(name), Path(f"{name}.py")) if not lies_in(folder, folder / path)}
    for place in sorted({place for path in changed for place in (path, *path.parents)} - {Path()}):
        with contextlib.suppress(OSError):
            target = os.readlink(folder / place)
            yield f"`{place}` was a link to `{target}`: that stays as it was, and the skill has no link to it any more."


def _left(folder: Path, name: str, before: Files | None) -> str:
    """How it is after a write that failed."""
    with contextlib.suppress(OSError):
        if before is None or dict(files_of(folder, name)) == dict(before):
            return "It is as it was."
    return f"It may not be as it was: `%skill diff {name}` shows that, and `%skill rollback` brings a version back."


def _shown(folder: Path, name: str, files: Files) -> Path:
    return folder / (f"{name}.py" if f"{name}.py" in files or not files else f"{name}/")


def _words_of(history: History, name: str) -> str:
    """Of the newest versions; what several say is said once."""
    versions = islice(history.versions(name), NOTED)
    said = [text for v in versions for text in (v.note.message, *(v.note.about.get(key, "") for key in SEARCHED))]
    return "\n".join(filter(None, dict.fromkeys(said)))[:LONGEST_NOTE]


def changes(before: Files, after: Files) -> str:
    """The diff of each file that differs, below its path; "" of none."""
    changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    return "\n".join(f"{path}\n{diff_of(before.get(path), after.get(path), path)}" for path in changed)


def _unknown(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else " `%skill list` shows what there is."
    return f"There is no skill called {name}.{hint}"
