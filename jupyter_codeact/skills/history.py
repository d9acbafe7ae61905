"""Every version of every skill of one library, in a git repository that lies beside it.

A skill has a branch of its own, ``refs/skills/<name>``, so that a save touches nothing of the others, however many
there are. What the library's folder holds is the truth, and may be edited by hand: what differs from the newest version
is taken in as a version before anything else is written.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar, cast

from ..errors import SkillError, SkillFailed
from .skill import Files

if TYPE_CHECKING:
    from dulwich.objects import Commit, ObjectID
    from dulwich.refs import Ref
    from dulwich.repo import Repo

Result = TypeVar("Result")
HAND = "by hand"
# The fact that a commit has of its place, so that nobody has to count.
NUMBER = "Version"
_FILE, _FOLDER = 0o100644, 0o40000


class Note(NamedTuple):
    """What is remembered of a version: who made it, why, and from what.

    about: facts such as ``{"Notebook": "fit.ipynb", "Cells": "3, 5", "Run": "1f2e"}``, each one line.
    """

    by: str = "you"
    message: str = ""
    about: Mapping[str, str] = {}


class Version(NamedTuple):
    """One version. number: 1 is the oldest. removed: the skill was taken away."""

    number: int
    commit: str
    when: datetime
    note: Note
    removed: bool = False


class History:
    """The versions of one library's skills. Writers hold the library's lock; readers need none.

    Whoever asks several things of it asks them within ``opened``. One is used in one thread.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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

        What takes room is written before the block: on a full disk it is not entered. Raises SkillError, OSError.
        """
        with self._repository() as repository:
            parent = _head(repository, name)
            tree = _unlocked(lambda: _store_tree(repository, files))
            commit = _commit(tree, parent, note)
            _unlocked(lambda: repository.object_store.add_object(commit))
            yield
            before = parent.id if parent is not None else None
            if not _unlocked(lambda: repository.refs.set_if_equals(_ref(name), before, commit.id)):
                raise SkillFailed(f"{name} was saved by somebody who holds no lock. Try again.")

    def log(self, name: str) -> list[Version]:
        """The versions of a skill, the newest first; none for one that never was."""
        return [*self.versions(name)]

    def versions(self, name: str) -> Iterator[Version]:
        """As ``log``, one after the other."""
        with self._repository() as repository:
            for commit in _commits(repository, name):
                yield _version(repository, commit)

    def newest(self, name: str) -> Version | None:
        """The newest version; None where there is none. Takes as long however many there are."""
        with self._repository() as repository:
            head = _head(repository, name)
            return None if head is None else _version(repository, head)

    def files(self, name: str, number: int) -> Files:
        """The files of one version. Raises SkillError where there is none of that number."""
        with self._repository() as repository:
            found = [commit for commit in _commits(repository, name) if _number(commit) == number]
            if not found:
                newest = _head(repository, name)
                there = f"versions 1 to {_number(newest)}" if newest else "no versions"
                raise SkillError(f"There is no version {number} of {name}: it has {there}.")
            return dict(_read_tree(repository, found[0].tree))

    def content(self, version: Version) -> Files:
        """The files of a version."""
        with self._repository() as repository:
            commit = repository[version.commit.encode()]
            return dict(_read_tree(repository, commit.tree))  # type: ignore[attr-defined]  # that is what a version is

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
            repository = _made(self.folder)
        with repository:
            yield repository


def _unlocked(write: Callable[[], Result]) -> Result:
    """Write where a writer that was killed has left its lock: nobody else writes, since writers hold the library's."""
    from dulwich.file import FileLocked

    while True:
        try:
            return write()
        except FileLocked as error:
            os.unlink(error.lockfilename)


def _made(folder: Path) -> Repo:
    """A fresh repository, which appears under its name when it is whole."""
    from dulwich.repo import Repo

    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-")
    with contextlib.closing(Repo.init_bare(fresh)) as repository:
        config = repository.get_config()
        # A version that was said to be saved outlives a power cut.
        config.set(b"core", b"fsyncObjectFiles", True)
        config.write_to_path()
    os.replace(fresh, folder)
    return Repo(str(folder))


def _ref(name: str) -> Ref:
    return cast("Ref", b"refs/skills/" + name.encode())


def _head(repository: Repo, name: str) -> Commit | None:
    from dulwich.objects import Commit

    try:
        found = repository[repository.refs[_ref(name)]]
    except KeyError:
        return None
    assert isinstance(found, Commit)
    return found


def _commits(repository: Repo, name: str) -> Iterator[Commit]:
    """From the newest to the oldest."""
    from dulwich.objects import Commit

    commit = _head(repository, name)
    while commit is not None:
        yield commit
        parent = repository[commit.parents[0]] if commit.parents else None
        assert parent is None or isinstance(parent, Commit)
        commit = parent


def _commit(tree: ObjectID, parent: Commit | None, note: Note) -> Commit:
    from dulwich.objects import Commit

    commit = Commit()
    commit.tree = tree
    commit.parents = [parent.id] if parent is not None else []
    commit.author = commit.committer = _one_line(note.by).encode() + b" <>"
    commit.author_time = commit.commit_time = int(datetime.now(UTC).timestamp())
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    about = {NUMBER: str(_number(parent) + 1 if parent is not None else 1), **note.about}
    facts = "".join(f"{key}: {_one_line(value)}\n" for key, value in about.items() if value)
    commit.message = f"{_one_line(note.message)}\n\n{facts}".encode()
    return commit


def _number(commit: Commit) -> int:
    return int(_said(commit)[1][NUMBER])


def _said(commit: Commit) -> tuple[str, dict[str, str]]:
    """The message of a commit, and the facts below it."""
    message, _, facts = commit.message.decode(errors="replace").partition("\n\n")
    return message, dict(line.split(": ", 1) for line in facts.splitlines() if ": " in line)


def _version(repository: Repo, commit: Commit) -> Version:
    message, about = _said(commit)
    number = int(about.pop(NUMBER))
    by = commit.author.decode(errors="replace").removesuffix(" <>")
    when = datetime.fromtimestamp(commit.commit_time, UTC)
    removed = not [*_read_tree(repository, commit.tree)]
    return Version(number, commit.id.decode(), when, Note(by, message, about), removed)


def _store_tree(repository: Repo, files: Files) -> ObjectID:
    """Store the files, and the folders that they lie in; returns the id of the outermost."""
    from dulwich.objects import Blob, Tree

    tree, inner = Tree(), dict[str, dict[str, str]]()
    for path, text in files.items():
        first, _, rest = path.partition("/")
        if rest:
            inner.setdefault(first, {})[rest] = text
            continue
        blob = Blob.from_string(text.encode("utf-8", "surrogateescape"))
        repository.object_store.add_object(blob)
        tree.add(first.encode(), _FILE, blob.id)
    for folder, own in inner.items():
        tree.add(folder.encode(), _FOLDER, _store_tree(repository, own))
    repository.object_store.add_object(tree)
    return tree.id


def _read_tree(repository: Repo, tree: ObjectID, prefix: str = "") -> Iterator[tuple[str, str]]:
    from dulwich.objects import Blob, Tree

    for name, _, item in repository[tree].items():  # type: ignore[attr-defined]  # a tree, as its commit says
        found, path = repository[item], prefix + name.decode()
        if isinstance(found, Tree):
            yield from _read_tree(repository, item, f"{path}/")
        elif isinstance(found, Blob):
            yield path, found.data.decode("utf-8", "surrogateescape")


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("<", "(").replace(">", ")") or "no words"
