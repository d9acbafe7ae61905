"""A folder copied by descriptors: what is swapped for a link meanwhile is neither read through nor written through."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Collection

from ..files import FOLDER, Identity, by_descriptor, opened

PIECE = 2**20
# What opening, reading and making say of a name that is no longer what it was a moment ago.
CHANGED = (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EEXIST, errno.EINVAL, errno.ENXIO)


def copy_tree(source: int, target: int, without: Collection[Identity] = ()) -> None:
    """Copy all that is in the folder ``source`` into ``target``, both open, with modes, times and attributes.

    Links stay links. Sockets, FIFOs and devices are left out, and so are the folders ``without``. Raises OSError, also
    where something becomes something else meanwhile.
    """
    for name in os.listdir(source):
        try:
            kind = os.lstat(name, dir_fd=source).st_mode
            if stat.S_ISDIR(kind):
                _copy_folder(name, source, target, without)
            elif stat.S_ISLNK(kind):
                _copy_link(name, source, target)
            elif stat.S_ISREG(kind):
                copy_file(name, source, target)
        except OSError as error:
            if error.filename is None or error.errno not in CHANGED:
                raise
            raise OSError(error.errno, f"{name!r} was changed while it was copied") from None
    _keep(source, target)


def copy_file(name: str, source: int, target: int) -> None:
    """Copy a plain file from one folder into another, in which nothing has its name. Raises OSError."""
    # Of a FIFO nothing is waited for.
    with opened(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, source) as read:
        found = os.fstat(read)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no file", name)
        with opened(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, target) as written:
            with open(written, "wb", closefd=False) as file:
                left = found.st_size
                # One that grows as fast as it is read would have no end.
                while left and (piece := os.read(read, min(left, PIECE))):
                    file.write(piece)
                    left -= len(piece)
            _keep(read, written)


def _copy_folder(name: str, source: int, target: int, without: Collection[Identity]) -> None:
    with opened(name, FOLDER | os.O_NOFOLLOW, source) as read:
        if Identity.of(read) in without:
            return
        os.mkdir(name, 0o700, dir_fd=target)
        with opened(name, FOLDER | os.O_NOFOLLOW, target) as written:
            copy_tree(read, written, without)


def _copy_link(name: str, source: int, target: int) -> None:
    found = os.lstat(name, dir_fd=source)
    os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
    os.utime(name, ns=(found.st_atime_ns, found.st_mtime_ns), dir_fd=target, follow_symlinks=False)


def _keep(read: int, written: int) -> None:
    """Modes, times and attributes."""
    shutil.copystat(by_descriptor(read), by_descriptor(written))
