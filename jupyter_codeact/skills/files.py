"""The modules in a folder of skills, and whether they are what they were."""

from __future__ import annotations

import contextlib
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import SkillFailed

LARGEST = 2**20
# As many links as Linux follows on one way.
MOST_LINKS = 40


class Module(NamedTuple):
    """name: as it is imported. stamp: size, time and inode, of which a change changes one; of all files of a package.

    has_others: a file has other names, by which it may be changed.
    """

    name: str
    path: str
    folder: Path
    stamp: tuple[int, int, int]
    has_others: bool = False


def modules_in(folder: Path) -> Iterator[Module]:
    """Every module; of a package its ``api``, where it has one, or else what its name imports."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found = _module(entry, folder)
                if found is not None:
                    yield found
    except OSError:
        return


def _module(entry: os.DirEntry[str], folder: Path) -> Module | None:
    # Ten thousand of them are looked at for each prompt: no more calls than there have to be.
    name = entry.name
    is_file = name.endswith(".py")
    name = name[:-3] if is_file else name
    if not is_name(name):
        return None
    try:
        return _plain(name, entry, folder) if is_file else _package(name, entry, folder)
    except OSError:
        return None


def is_name(name: str) -> bool:
    """Whether a module or a package of that name is a skill."""
    return name.isidentifier() and not name.startswith("__")


def lies_in(folder: Path, path: str | Path) -> bool:
    """Whether a place in a library, with or without something there, is the library's own: no link leads out of it.

    Not even to come back: what lies outside may be writable for cells, and lead elsewhere once it is opened.
    """
    here, ahead, links = folder, [*Path(path).relative_to(folder).parts], 0
    while ahead:
        # Below the folder, which may be a link, there is none in ``here``: ``..`` is what stands before it.
        part = ahead.pop(0)
        here = here.parent if part == ".." else here / part
        if not here.is_relative_to(folder) or links > MOST_LINKS:
            return False
        if here != folder and os.path.islink(here):
            target = here.readlink()
            known = [root for root in (folder, folder.resolve()) if target.is_relative_to(root)]
            if target.is_absolute() and not known:
                return False
            here = folder if known else here.parent
            ahead, links = [*(target.relative_to(known[0]) if known else target).parts, *ahead], links + 1
    return True


def is_own(folder: Path, path: Path) -> bool:
    """Whether a file is there, and is the library's own."""
    return path.is_file() and lies_in(folder, path)


def left_out(folder: Path) -> list[str]:
    """The links that would be modules or packages if they did not lead out of the library, by their paths in it."""
    found = []
    for here, folders, files in os.walk(folder):
        folders[:] = filter(is_name, folders)
        places = (Path(here, name) for name in (*folders, *files) if name in folders or name.endswith(".py"))
        found += [place.relative_to(folder).as_posix() for place in places if not lies_in(folder, place)]
    return sorted(found)


def _plain(name: str, entry: os.DirEntry[str], folder: Path) -> Module | None:
    if entry.is_symlink() and not lies_in(folder, entry.path):
        return None
    found = entry.stat()
    if not stat.S_ISREG(found.st_mode):
        return None
    return Module(name, entry.path, folder, (found.st_size, found.st_mtime_ns, found.st_ino), found.st_nlink > 1)


def _package(name: str, entry: os.DirEntry[str], folder: Path) -> Module | None:
    is_theirs = entry.is_symlink() and not lies_in(folder, entry.path)
    parts = dict(_parts(entry.path, folder)) if entry.is_dir() and not is_theirs else {}
    for file, module in (("api.py", f"{name}.api"), ("__init__.py", name)):
        path = os.path.join(entry.path, file)
        if path in parts:
            return Module(module, path, folder, _stamp(parts), any(part.st_nlink > 1 for part in parts.values()))
    return None


def _stamp(parts: dict[str, os.stat_result]) -> tuple[int, int, int]:
    """What is shown of a package may stand in any of its files."""
    each = [(path, part.st_size, part.st_mtime_ns, part.st_ino) for path, part in parts.items()]
    return sum(row[1] for row in each), max(row[2] for row in each), zlib.crc32(repr(each).encode())


def _parts(package: str, folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The modules of a package, which is the own of the library ``folder``, in the order of their paths."""
    for here, folders, files in os.walk(package):
        folders[:] = sorted(filter(is_name, folders))
        for path in sorted(os.path.join(here, file) for file in files if file.endswith(".py")):
            with contextlib.suppress(OSError):
                found = os.lstat(path)
                if stat.S_ISLNK(found.st_mode) and lies_in(folder, path):
                    found = os.stat(path)
                if stat.S_ISREG(found.st_mode):
                    yield path, found


def texts_beside(path: str, folder: Path) -> dict[str, str]:
    """The modules of the package that ``path`` lies in, by their paths in the library ``folder``; {} for no package."""
    package = os.path.dirname(path)
    if Path(package) == folder:
        return {}
    return {os.path.relpath(part, folder).replace(os.sep, "/"): read_text(part) for part, _ in _parts(package, folder)}


def read_text(path: str) -> str:
    """The text of a file as far as it can be read; "" of one that is gone meanwhile. Raises SkillFailed."""
    try:
        with open(path, encoding="utf-8-sig", errors="replace", opener=at_once) as file:
            return file.read(LARGEST)
    except OSError:
        return ""


def at_once(path: str, flags: int) -> int:
    """An ``opener`` that waits for nobody: who has a lease could keep us waiting. Raises OSError, SkillFailed."""
    try:
        return os.open(path, flags | os.O_NONBLOCK)
    except BlockingIOError:
        raise SkillFailed(
            f"{path} is held by another program, which has a lease on it: close that program, or try again in a minute."
        ) from None
