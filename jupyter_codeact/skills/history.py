"""Every version of every skill of one library, in a git repository that lies beside it.

A skill has a branch of its own, ``refs/skills/<name>``, so that a save touches nothing of the others, however many
there are. What the library's folder holds is the truth, and may be edited by hand: what differs from the newest version
is taken in as a version before anything else is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, cast

from ..errors import SkillError, SkillFailed
from .repository import begin, begun_in, commits_of, head_of, made, read_tree, ref_of, store_tree, unlocked
from .skill import Files

if TYPE_CHECKING:
    from dulwich.objects import Commit, ObjectID
    from dulwich.repo import Repo

HAND = "by hand"
# Facts that a commit has of its place, so that nobody has to count: in its skill's history, and among those of the
# skills of its name in all libraries, whose clocks may stand still or be set back.
NUMBER, TURN = "Version", "Turn"


class Note(NamedTuple):
    """What is remembered of a version: who made it, why, and from what.

    about: facts such as ``{"Notebook": "fit.ipynb", "Cells": "3, 5", "Run": "1f2e"}``, each one line.
    """

    by: str = "you"
    message: str = ""
    about: Mapping[str, str] = {}


class Version(NamedTuple):
    """One version. number: 1 is the oldest. removed: the skill was taken away.

    turn: higher than that of every version of its name that there was in any library; 0 where that was not written.
    """

    number: int
    commit: str
    when: datetime
    note: Note
    removed: bool = False
    turn: int = 0

    @property
    def moment(self) -> tuple[int, datetime]:
        """What puts versions of several libraries in order."""
        return self.turn, self.when


class History:
    """The versions of one library's skills. Writers hold the library's lock; readers need none.

    Whoever asks several things of it asks them within ``opened``. One is used in one thread. others: the histories of
    libraries that may have skills of the same names.
    """

    def __init__(self, folder: Path, others: Iterable[Path] = ()) -> None:
        self.folder = folder
        self._others = [History(other) for other in others]
        self._open: Repo | None = None

    @contextlib.contextmanager
    def opened(self) -> Iterator[Self]:
        """The repository stays open to the end of the block: opening it takes longer than most of what is asked."""
        with self._repository() as repository:
            self._open = repository
            try:
                yield self
            finally:
                self._open = None

    @contextlib.contextmanager
    def recording(self, name: str, files: Files, note: Note) -> Iterator[None]:
        """``files`` are the newest version of a skill once the block is left well.

        What takes room is written before the block: on a full disk it is not entered. Where the writer is killed in
        it, the version has ``begun``. Raises SkillError, OSError.
        """
        with self._repository() as repository:
            parent = head_of(repository, name)
            turn = 1 + max(history.turn(name) for history in (self, *self._others))
            tree = unlocked(lambda: store_tree(repository, files))
            commit = _commit(tree, parent, note, turn)
            unlocked(lambda: repository.object_store.add_object(commit))
            begin(repository, name, commit.id)
            try:
                yield
                _put(repository, name, commit)
            except BaseException:
                # Where the disk takes not even that, the next writer does it.
                with contextlib.suppress(OSError):
                    begin(repository, name, None)
                raise

    def begun(self, name: str) -> Files | None:
        """What would be the newest version if its writer had not been killed; None where that is none."""
        with self._repository() as repository:
            commit = begun_in(repository, name)
            return dict(read_tree(repository, commit.tree)) if commit else None

    def settle(self, name: str, *, stands: bool) -> None:
        """What has ``begun`` is the newest version, or is forgotten. Raises OSError."""
        with self._repository() as repository:
            commit = begun_in(repository, name)
            if commit and stands:
                _put(repository, name, commit)
            begin(repository, name, None)

    def turn(self, name: str) -> int:
        """The turn of the newest version; 0 where there is none."""
        newest = self.newest(name) if self._open or self.folder.is_dir() else None
        return newest.turn if newest else 0

    def add(self, name: str, version: Version, about: Mapping[str, str]) -> None:
        """More facts of a version, where it is still the newest. Raises SkillError, OSError."""
        with self._repository() as repository:
            head = head_of(repository, name)
            if head is not None and head.id.decode() == version.commit:
                commit = cast("Commit", head.copy())
                commit.message = head.message + _facts(about).encode()
                unlocked(lambda: repository.object_store.add_object(commit))
                unlocked(lambda: repository.refs.set_if_equals(ref_of(name), head.id, commit.id))

    def log(self, name: str) -> list[Version]:
        """The versions of a skill, the newest first; none for one that never was."""
        return [*self.versions(name)]

    def versions(self, name: str) -> Iterator[Version]:
        """As ``log``, one after the other."""
        with self._repository() as repository:
            for commit in commits_of(repository, name):
                yield _version(repository, commit)

    def newest(self, name: str) -> Version | None:
        """The newest version; None where there is none. Takes as long however many there are."""
        with self._repository() as repository:
            head = head_of(repository, name)
            return None if head is None else _version(repository, head)

    def files(self, name: str, number: int) -> Files:
        """The files of one version. Raises SkillError where there is none of that number."""
        with self._repository() as repository:
            # The newest come first, and are what is mostly asked for.
            found = next((commit for commit in commits_of(repository, name) if _number(commit) == number), None)
            if found is None:
                newest = head_of(repository, name)
                there = f"versions 1 to {_number(newest)}" if newest else "no versions"
                raise SkillError(f"There is no version {number} of {name}: it has {there}.")
            return dict(read_tree(repository, found.tree))

    def content(self, version: Version) -> Files:
        """The files of a version."""
        with self._repository() as repository:
            commit = repository[version.commit.encode()]
            return dict(read_tree(repository, commit.tree))  # type: ignore[attr-defined]  # that is what a version is

    @contextlib.contextmanager
    def _repository(self) -> Iterator[Repo]:
        from dulwich.errors import NotGitRepository
        from dulwich.repo import Repo

        if self._open is not None:
            yield self._open
            return
        try:
            repository = Repo(str(self.folder))
        except NotGitRepository:
            repository = made(self.folder)
        with repository:
            yield repository


def _put(repository: Repo, name: str, commit: Commit) -> None:
    """Make it the newest version, where it follows the one that is that now."""
    before = commit.parents[0] if commit.parents else None
    if not unlocked(lambda: repository.refs.set_if_equals(ref_of(name), before, commit.id)):
        raise SkillFailed(f"{name} was saved by somebody who holds no lock. Try again.")


def _commit(tree: ObjectID, parent: Commit | None, note: Note, turn: int) -> Commit:
    from dulwich.objects import Commit

    commit = Commit()
    commit.tree = tree
    commit.parents = [parent.id] if parent is not None else []
    commit.author = commit.committer = _one_line(note.by).encode() + b" <>"
    commit.author_time = commit.commit_time = int(datetime.now(UTC).timestamp())
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    number = _number(parent) + 1 if parent is not None else 1
    about = {NUMBER: str(number), TURN: str(turn), **note.about}
    commit.message = f"{_one_line(note.message)}\n\n{_facts(about)}".encode()
    return commit


def _facts(about: Mapping[str, str]) -> str:
    return "".join(f"{key}: {_one_line(value)}\n" for key, value in about.items() if value)


def _number(commit: Commit) -> int:
    return int(_said(commit)[1][NUMBER])


def _said(commit: Commit) -> tuple[str, dict[str, str]]:
    """The message of a commit, and the facts below it."""
    message, _, facts = commit.message.decode(errors="replace").partition("\n\n")
    return message, dict(line.split(": ", 1) for line in facts.splitlines() if ": " in line)


def _version(repository: Repo, commit: Commit) -> Version:
    message, about = _said(commit)
    number, turn = int(about.pop(NUMBER)), int(about.pop(TURN, 0))
    by = commit.author.decode(errors="replace").removesuffix(" <>")
    when = datetime.fromtimestamp(commit.commit_time, UTC)
    removed = not [*read_tree(repository, commit.tree)]
    return Version(number, commit.id.decode(), when, Note(by, message, about), removed, turn)


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("<", "(").replace(">", ")") or "no words"
