"""Two paths change places, and whether somebody still writes to a file: what the system does, and what else can."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
from contextlib import suppress
from pathlib import Path

# <linux/fs.h> and <fcntl.h>
NOREPLACE, EXCHANGE, HERE = 1, 2, -100
# What a file is called while two renames do the work of one.
ASIDE = "~"
# No such call, and file systems that don't know it.
_UNKNOWN = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def swap(beside: Path, path: Path) -> None:
    """``beside`` and ``path`` change places; either may be nothing. Raises OSError."""
    while True:
        # One that comes or goes meanwhile is met as it is then.
        with suppress(FileExistsError, FileNotFoundError):
            match os.path.lexists(beside), os.path.lexists(path):
                case True, True:
                    _exchange(beside, path)
                case True, False:
                    _move(beside, path)
                case False, True:
                    _move(path, beside)
            return


def being_written(path: Path) -> bool:
    """Whether somebody has a file open for writing. It must have no other name; False where that can't be known.

    A lease for reading is given by the system only where nobody does. Who holds one of their own may be writing.
    """
    try:
        return _is_open_for_writing(path)
    except BlockingIOError:
        return True
    except OSError:
        return False


def _is_open_for_writing(path: Path) -> bool:
    """Raises BlockingIOError where somebody's lease, or what they write, has us wait, and OSError."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if os.fstat(file.fileno()).st_nlink > 1:
            return False
        # What would be told of the lease's end is a signal that does nothing.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    return False


def _exchange(beside: Path, path: Path) -> None:
    if _rename(beside, path, EXCHANGE):
        return
    aside = beside.with_name(beside.name + ASIDE)
    # A file has its old name until it has the new one; a folder has none for a moment, see ``writing.mend``.
    try:
        os.link(path, aside, follow_symlinks=False)
    except OSError:
        os.rename(path, aside)
    os.replace(beside, path)
    os.rename(aside, beside)


def _move(old: Path, new: Path) -> None:
    if not _rename(old, new, NOREPLACE):
        os.rename(old, new)


def _rename(old: Path, new: Path, how: int) -> bool:
    """Linux's renameat2; False where it can't be had. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    if libc.renameat2(HERE, os.fsencode(old), HERE, os.fsencode(new), how) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), str(new))
