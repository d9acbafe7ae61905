"""The git repository of the working folder, which code in the sandbox may read and not change.

Any `git status` of hers obeys it: its settings name programs, `commondir` names other settings, and in each folder
that its index has as a submodule git obeys the repository that it finds there.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from ..errors import SandboxUnavailable
from ..files import bytes_in, folder_in
from ..leading import inside, shown, users_home
from .paths import drop_nested

# How a submodule stands in an index: only where these bytes are in one is it worth being read.
_SUBMODULE = stat.S_IFDIR | stat.S_IFLNK
# Where there was no repository a cell may have made one, of any size: so much is read of each kind of file, so many
# folders are looked at, and so many kept. A `.git` that is a file has one line.
_INDEX, _SETTINGS, _LINE = 256 * 2**20, 2**20, 2**12
_LOOKED_AT, _MOST = 10_000, 500
# What is kept, and each folder above it, is a mount, of which bubblewrap makes so many: 500 submodules in one folder,
# each with its `.git`, and some more.
_MOUNTS = 1200
_UNREAD = (
    "{path} can't be read ({why}), so that it can't be known which folders git obeys, and has to be kept from code in "
    "the sandbox. Nothing was run. Make it readable, or remove it if it is not yours (another program may hold it: "
    "then try again in a minute), or put the notebook into another folder."
)
# In the way of a folder that is to be made: a link or a file, where git looks for none, a disk nobody writes to, or a
# name that no folder has.
_IN_THE_WAY = (errno.ENOTDIR, errno.ELOOP, errno.EROFS, errno.ENAMETOOLONG)
_SHARED = "sharedindex."


def kept(work: str) -> list[str]:
    """What is read-only for cells in the working folder; nothing where that is her home, whose dot files are covered.

    A `.git` that is a file (a worktree's, a submodule's) is kept too, and what it names; a link is left as it is. Where
    a submodule has no repository in its folder, all of the folder is kept, and made where it is missing, as git does:
    a cell could make one there. Where all that would be too many mounts, what lies deepest is kept with all that is in
    the folders above it. Raises SandboxUnavailable where something can't be read: what it has is not nothing.
    """
    home = users_home()
    found: list[str] = []
    repositories = [] if home == work else [work]
    for folder in islice(repositories, _MOST):
        git = os.path.join(folder, ".git")
        if not _is_there(git):
            continue
        place = _place(git)
        found += [git, place]
        if not place:
            continue
        modules = [path for path in _of_modules(place) if _is_there(os.path.join(path, ".git"))]
        for path in islice([*modules, *_of_index(place, folder)], _MOST):
            if path not in repositories and _is_below(path, folder) and (_is_there(path) or _is_made(path, work)):
                repositories.append(path)
                found += [] if os.path.lexists(os.path.join(path, ".git")) else [path]
    hers = home if inside(home, work) else os.devnull
    below = [path for path in found if _is_below(path, work) and not inside(path, hers)]
    return _in_few_mounts(drop_nested(below), work)


def _in_few_mounts(paths: list[str], work: str) -> list[str]:
    """Those, or as wholes folders above them, so many steps below the working folder that the mounts are few enough."""
    steps = [Path(path).relative_to(work).parts for path in paths]
    for depth in range(max(map(len, steps), default=0), 0, -1):
        cut = {path[:depth] for path in steps}
        if depth == 1 or len({path[:end] for path in cut for end in range(1, len(path) + 1)}) <= _MOUNTS:
            return sorted(os.path.join(work, *path) for path in cut)
    return []


def _place(git: str) -> str:
    """The folder that a `.git` is, or names; "" where it names none."""
    if os.path.isdir(git):
        return git
    with suppress(ValueError), _if_there(git):
        mark, _, named = os.fsdecode(_line(git)).partition(":")
        place = os.path.realpath(os.path.join(os.path.dirname(git), named.strip()))
        # Any other folder a cell could have named, to keep her from changing it in cells.
        return place if mark == "gitdir" and _exists(os.path.join(place, "HEAD"), by_cells=False) else ""
    return ""


def _line(git: str) -> bytes:
    try:
        return _read(git, _LINE)
    except OSError as error:
        # No file, or one so large that what it names has no path: git doesn't obey it either.
        if error.errno == errno.EPERM:
            return b""
        raise


def _of_modules(place: str) -> Iterator[str]:
    """The folders of the submodules whose repositories lie in that of the whole."""
    waiting, left = [os.path.join(place, "modules")], _LOOKED_AT
    while waiting:
        folder, entries = waiting.pop(), list[os.DirEntry[str]]()
        with _if_there(folder, by_cells=False), os.scandir(folder) as found:
            entries = [*islice(found, left)]
        left -= len(entries)
        for entry in entries:
            if _exists(os.path.join(entry.path, "HEAD"), by_cells=False):
                yield from _worktree(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)


def _worktree(place: str) -> Iterator[str]:
    from dulwich.config import ConfigFile

    path = os.path.join(place, "config")
    with suppress(ValueError, KeyError), _if_there(path, by_cells=False):
        settings = ConfigFile.from_file(io.BytesIO(_read(path, _SETTINGS)), expand_includes=False)
        yield os.path.normpath(os.path.join(place, os.fsdecode(settings.get("core", "worktree"))))


def _of_index(place: str, folder: str) -> Iterator[str]:
    """The folders that an index has as submodules."""
    whole = _index(os.path.join(place, "index"))
    for index in (whole, *map(_index, _shared(place, whole))):
        if _SUBMODULE.to_bytes(4, "big") in index:
            yield from (os.path.normpath(os.path.join(folder, path)) for path in _submodules(index))


def _index(path: str) -> bytes:
    """What is no file is none to git either."""
    index = b""
    with _if_there(path, by_cells=False):
        if stat.S_ISREG(os.stat(path).st_mode):
            index = _read(path, _INDEX)
    return index


def _shared(place: str, index: bytes) -> Iterator[str]:
    """The index that this one is a part of, which it names; git keeps those from before for two weeks."""
    names: list[str] = []
    with _if_there(place, by_cells=False):
        names = os.listdir(place)
    for name in names:
        with suppress(ValueError):
            if name.startswith(_SHARED) and bytes.fromhex(name.removeprefix(_SHARED)) in index:
                yield os.path.join(place, name)


def _submodules(index: bytes) -> Iterator[str]:
    """Nothing, or less, where the index is none: git does not obey it either."""
    from dulwich.index import read_index
    from dulwich.object_format import SHA1, SHA256

    for hashing in (SHA1, SHA256):
        with suppress(Exception):
            for entry in read_index(io.BytesIO(index), hashing):
                if entry.mode == _SUBMODULE:
                    yield os.fsdecode(entry.name)


@contextmanager
def _if_there(path: str, by_cells: bool = True) -> Iterator[None]:
    """What is not there is no error. Raises SandboxUnavailable for what is there and can't be read.

    by_cells: whether a cell can have moved it there. In a repository none can, and what is another's and closed to her
    is none to her git, as is a link that leads in circles.
    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        if not by_cells and (error.errno == errno.ELOOP or _is_closed_by_others(path, error)):
            return
        raise SandboxUnavailable(_UNREAD.format(path=shown(path), why=error.strerror or error)) from None


def _is_closed_by_others(path: str, error: OSError) -> bool:
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return error.errno == errno.EACCES and os.lstat(path).st_uid != os.geteuid()


def _read(path: str, largest: int) -> bytes:
    return bytes_in(Path("/"), Path(path), largest)


def _exists(path: str, by_cells: bool = True) -> bool:
    found: list[os.stat_result] = []
    with _if_there(path, by_cells):
        found.append(os.stat(path))
    return bool(found)


def _is_there(path: str) -> bool:
    """And is it, by no link."""
    return _exists(path) and os.path.realpath(path) == path


def _is_made(path: str, work: str) -> bool:
    """Made where nothing is, below folders that are no links."""
    with _if_there(path):
        try:
            with folder_in(Path(work), *Path(path).relative_to(work).parts, make=True):
                return True
        except OSError as error:
            if error.errno not in _IN_THE_WAY and not _is_nobodys_to_make(path, work):
                raise
    return False


def _is_nobodys_to_make(path: str, work: str) -> bool:
    """Whether all that is there of the way is another's, where she writes nothing: so no cell puts anything there."""
    while path != work and not os.path.lexists(path):
        path = os.path.dirname(path)
    steps = [path, *(str(step) for step in Path(path).parents if inside(str(step), work))]
    writes = [os.access(step, os.W_OK, effective_ids=True) for step in steps]
    return not any(writes) and all(os.lstat(step).st_uid != os.geteuid() for step in steps)


def _is_below(path: str, folder: str) -> bool:
    return path != folder and inside(path, folder)
