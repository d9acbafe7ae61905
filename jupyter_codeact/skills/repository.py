"""What is kept in a git repository: branches of commits, and trees of texts (dulwich)."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from .skill import Files

if TYPE_CHECKING:
    from dulwich.objects import Commit, ObjectID
    from dulwich.refs import Ref
    from dulwich.repo import Repo

Result = TypeVar("Result")
_FILE, _FOLDER = 0o100644, 0o40000


def made(folder: Path) -> Repo:
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


def unlocked(write: Callable[[], Result]) -> Result:
    """Write where a writer that was killed has left its lock: nobody else writes, since writers hold the library's."""
    from dulwich.file import FileLocked

    while True:
        try:
            return write()
        except FileLocked as error:
            os.unlink(error.lockfilename)


def ref_of(name: str) -> Ref:
    return cast("Ref", b"refs/skills/" + name.encode())


def head_of(repository: Repo, name: str) -> Commit | None:
    return _commit_at(repository, ref_of(name))


def _begun(name: str) -> Ref:
    return cast("Ref", b"refs/begun/" + name.encode())


def _commit_at(repository: Repo, ref: Ref) -> Commit | None:
    from dulwich.objects import Commit

    try:
        found = repository[repository.refs[ref]]
    except KeyError:
        return None
    assert isinstance(found, Commit)
    return found


def begin(repository: Repo, name: str, commit: ObjectID | None) -> None:
    """Write down that a version is being made; None where none is."""
    if commit is not None:
        unlocked(lambda: repository.refs.set_if_equals(_begun(name), None, commit))
    elif _begun(name) in repository.refs:
        unlocked(lambda: repository.refs.remove_if_equals(_begun(name), None))


def begun_in(repository: Repo, name: str) -> Commit | None:
    """The version whose writer was killed; None for one that became the newest."""
    head, commit = head_of(repository, name), _commit_at(repository, _begun(name))
    return commit if commit and commit.parents == ([head.id] if head else []) else None


def commits_of(repository: Repo, name: str) -> Iterator[Commit]:
    """From the newest to the oldest."""
    from dulwich.objects import Commit

    commit = head_of(repository, name)
    while commit is not None:
        yield commit
        parent = repository[commit.parents[0]] if commit.parents else None
        assert parent is None or isinstance(parent, Commit)
        commit = parent


def store_tree(repository: Repo, files: Files) -> ObjectID:
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
        tree.add(folder.encode(), _FOLDER, store_tree(repository, own))
    repository.object_store.add_object(tree)
    return tree.id


def read_tree(repository: Repo, tree: ObjectID, prefix: str = "") -> Iterator[tuple[str, str]]:
    from dulwich.objects import Blob, Tree

    for name, _, item in repository[tree].items():  # type: ignore[attr-defined]  # a tree, as its commit says
        found, path = repository[item], prefix + name.decode()
        if isinstance(found, Tree):
            yield from read_tree(repository, item, f"{path}/")
        elif isinstance(found, Blob):
            yield path, found.data.decode("utf-8-sig", "surrogateescape")
