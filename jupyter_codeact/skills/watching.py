"""Whether anything has happened in folders of skills since they were looked through: the system says so (inotify).

Its silence is trusted only where it tells of everything: not of file systems of other machines, not where files have
other names or are links. There, and where nothing can be watched, folders have to be looked through each time.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

from .files import is_name

# <sys/inotify.h>: modify, attributes, close after writing, moved from and to, create, delete, and the folder itself.
_CHANGES = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800
# <linux/magic.h>: ext2 to 4, xfs, btrfs, tmpfs, overlayfs, f2fs, bcachefs, and zfs.
_LOCAL = {0xEF53, 0x58465342, 0x9123683E, 0x01021994, 0x794C7630, 0xF2F52010, 0xCA451A4E, 0x2FC12FC1}


class Watch:
    """Over some folders and the packages in them. Used under a lock."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._folders: dict[str, object] = {}

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._folders = -1, {}

    def begin(self, folders: Sequence[Path]) -> None:
        """From here on every change is known: the folders are looked through after it."""
        self._folders = {}
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if self._descriptor < 0:
                self._descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
            while self._descriptor >= 0 and self._heard():
                pass
            if self._descriptor >= 0 and all(_watched(libc, self._descriptor, str(folder)) for folder in folders):
                self._folders = {str(folder): _identity(folder) for folder in folders}
        except (OSError, AttributeError):
            # No such system call here, or a folder that went while it was looked at.
            self.close()

    def quiet(self) -> bool:
        """Whether nothing has happened since ``begin``. False where that can't be known."""
        same = all(_identity(folder) == before for folder, before in self._folders.items())
        return bool(self._folders) and same and not self._heard()

    def _heard(self) -> bool:
        """Whether something was told that nobody has asked for yet. What it was does not matter."""
        try:
            return bool(os.read(self._descriptor, 4096))
        except BlockingIOError:
            return False


def _watched(libc: ctypes.CDLL, descriptor: int, folder: str) -> bool:
    """Whether all that may change in a folder will be told. One that is not there yet is known by that."""
    if not os.path.isdir(folder):
        return True
    name, room = os.fsencode(folder), ctypes.create_string_buffer(256)
    if libc.statfs(name, room) or ctypes.c_long.from_buffer(room).value & 0xFFFFFFFF not in _LOCAL:
        return False
    # It is watched before it is looked through.
    if libc.inotify_add_watch(descriptor, name, _CHANGES) < 0:
        return False
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                return False
            is_package = is_name(entry.name) and entry.is_dir()
            if is_package and not _watched(libc, descriptor, entry.path):
                return False
    return True


def _identity(folder: str | Path) -> object:
    """Another one where the folder is replaced, or has changed."""
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns
