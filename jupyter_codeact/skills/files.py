"""The modules in a folder of skills, and whether they are what they were."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LARGEST = 2**20


class Module(NamedTuple):
    """name: as it is imported. stamp: size, time and inode, of which a change changes one.

    has_others: the file has other names, by which it may be changed.
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
        return _stamped(name, entry.path, folder, entry.stat()) if is_file else _package(name, entry, folder)
    except OSError:
        return None


def is_name(name: str) -> bool:
    """Whether a module or a package of that name is a skill."""
    return name.isidentifier() and not name.startswith("__")


def _package(name: str, entry: os.DirEntry[str], folder: Path) -> Module | None:
    for file, module in (("api.py", f"{name}.api"), ("__init__.py", name)):
        path = os.path.join(entry.path, file)
        if entry.is_dir() and os.path.isfile(path):
            return _stamped(module, path, folder, os.stat(path))
    return None


def _stamped(name: str, path: str, folder: Path, found: os.stat_result) -> Module | None:
    if not stat.S_ISREG(found.st_mode):
        return None
    return Module(name, path, folder, (found.st_size, found.st_mtime_ns, found.st_ino), found.st_nlink > 1)


def read_text(path: str) -> str:
    """The text of a file as far as it can be read; "" of one that is gone meanwhile."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(LARGEST)
    except OSError:
        return ""
