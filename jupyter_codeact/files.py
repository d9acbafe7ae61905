"""Files that must not be half written, and files where the sandbox can write: a link put there leads nowhere."""

from __future__ import annotations

import io
import os
import stat
import tempfile
from pathlib import Path

LARGEST = 16 * 2**20
# Of our folders for a while. The process whose they are follows: the next start removes those of one that was killed.
PREFIX = "codeact-"


def temporary(kind: str) -> tempfile.TemporaryDirectory[str]:
    """A folder for a while, called for what it is there."""
    return tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-{kind}-")


def write_atomically(path: Path, text: str, mode: int = 0o600, errors: str = "strict") -> None:
    """Replace a file by a whole new one; a kill at any moment leaves the old one. Raises OSError, UnicodeError.

    errors: "surrogateescape" for text that may stand for bytes that are no UTF-8.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".saving-", suffix=".tmp")
    try:
        with open(descriptor, "w", encoding="utf-8", errors=errors, newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_in(folder: Path, path: Path) -> str:
    """The text of a file, as ``bytes_in`` reads it. Raises OSError, UnicodeError."""
    with io.TextIOWrapper(io.BytesIO(bytes_in(folder, path)), encoding="utf-8") as text:
        return text.read()


def bytes_in(folder: Path, path: Path, largest: int = LARGEST) -> bytes:
    """The content of ``path``. Where it lies in ``folder`` by name, it must be a plain file that really lies there.

    What is opened is what is looked at, so nothing can be swapped between. Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        inside = Path(os.path.normpath(path)).is_relative_to(os.path.normpath(folder))
        if not stat.S_ISREG(found.st_mode) or (inside and not _lies_in(folder, path, descriptor)):
            raise PermissionError(f"{path} is no plain file of this folder")
        if found.st_size > largest:
            raise PermissionError(f"{path} is larger than {largest // 2**20} MB")
        return file.read(largest)


def _lies_in(folder: Path, path: Path, descriptor: int) -> bool:
    """By the kernel's own name of what was opened; elsewhere than on Linux, by its path."""
    place = f"/proc/self/fd/{descriptor}"
    name = os.readlink(place) if os.path.lexists(place) else os.path.realpath(path)
    return Path(name).is_relative_to(os.path.realpath(folder))
