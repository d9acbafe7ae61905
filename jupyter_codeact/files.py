"""Files that must not be half written, and files where the sandbox can write: a link put there leads nowhere."""

from __future__ import annotations

import errno
import io
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

LARGEST = 16 * 2**20
# As many as Linux follows.
LINKS = 40
# Of our folders for a while. The process whose they are follows: the next start removes those of one that was killed.
PREFIX = "codeact-"
FOLDER = os.O_RDONLY | os.O_DIRECTORY
# Names for one command, whose line is no longer than that takes.
_AT_ONCE = 1000
_WITHOUT_WAITING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)


@contextmanager
def temporary(kind: str) -> Iterator[str]:
    """A folder for a while, called for what it is there; by its true name. Raises OSError."""
    folder = os.path.realpath(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-{kind}-"))
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: str) -> None:
    """As deep as it goes, whatever a sandbox has closed in it, and through no link.

    tempfile's own way sets, before Python 3.11.8 and 3.12.1, the mode of what a link in a closed folder leads to.
    """
    _run("chmod", "-R", "u+rwX", folder)
    _run("rm", "-rf", "--one-file-system", folder)


def empty(folder: int) -> None:
    """Remove all that is in an open folder, as ``temporary`` does."""
    place = by_descriptor(folder)
    # Of a link that is named, and not found on the way, the mode would be set of what it leads to.
    _run("chmod", "-R", "u+rwX", ".", folder=place)
    names = os.listdir(folder)
    for start in range(0, len(names), _AT_ONCE):
        _run("rm", "-rf", "--one-file-system", "--", *names[start : start + _AT_ONCE], folder=place)


def _run(*command: str, folder: Path | None = None) -> None:
    with suppress(OSError):
        subprocess.run(command, cwd=folder, capture_output=True, check=False, env={"PATH": os.defpath})


def write_atomically(path: Path, content: str | bytes, mode: int = 0o600, errors: str = "strict") -> None:
    """Replace a file by a whole new one; a kill at any moment leaves the old one. Raises OSError, UnicodeError.

    errors: "surrogateescape" for text that may stand for bytes that are no UTF-8.
    """
    data = content.encode("utf-8", errors) if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".saving-", suffix=".tmp")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            # By its name it would be that of whatever a link leads to.
            os.fchmod(file.fileno(), mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class Identity(NamedTuple):
    """Which folder it is, whatever its name leads to by now."""

    device: int
    number: int

    @classmethod
    def of(cls, folder: Path | str | int) -> Identity:
        """Raises OSError."""
        found = os.stat(folder)
        return cls(found.st_dev, found.st_ino)


@contextmanager
def opened(name: Path | str, flags: int, within: int | None = None) -> Iterator[int]:
    """A descriptor, for a while. Raises OSError."""
    descriptor = os.open(name, flags, 0o600, dir_fd=within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def folder_in(folder: Path, *names: str, make: bool = False) -> Iterator[int]:
    """The folder ``folder/name/…``, opened step by step: a link in the place of a name is an OSError.

    ``folder`` is as she named it, and may be one; ``Path()`` is the one this process works in, whatever its name
    leads to by now. ``make``: those that are not there.
    """
    with opened(folder, FOLDER) as start, _below(start, names, FOLDER, make) as found:
        yield found


@contextmanager
def found_in(folder: int, *names: str) -> Iterator[int]:
    """What ``name/…`` is in an open folder, to be looked at and not read: a link in place of a name is an OSError."""
    with _below(folder, names, os.O_PATH) as found:
        if stat.S_ISLNK(os.fstat(found).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), names[-1])
        yield found


@contextmanager
def found_at(place: str) -> Iterator[int]:
    """As ``found_in``, from the root: ``place`` is a true name, and a link on the way is an OSError."""
    with opened("/", os.O_PATH | os.O_DIRECTORY) as root, found_in(root, *Path(place).parts[1:]) as found:
        yield found


@contextmanager
def _below(folder: int, names: Iterable[str], flags: int, make: bool = False) -> Iterator[int]:
    """Opened one step after the other, so that no link is followed."""
    descriptor = os.dup(folder)
    try:
        for name in names:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=descriptor)
            inner = os.open(name, flags | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def by_descriptor(descriptor: int) -> Path:
    """A name that leads to what is open, and to nothing else."""
    return Path(f"/proc/self/fd/{descriptor}")


class Content(NamedTuple):
    """What was read, and where it lies, whatever its name leads to by now."""

    data: bytes
    place: str

    @property
    def text(self) -> str:
        """Raises UnicodeError."""
        with io.TextIOWrapper(io.BytesIO(self.data), encoding="utf-8") as text:
            return text.read()


def read_in(folder: Path, path: Path) -> str:
    """The text of a file, as ``bytes_in`` reads it. Raises OSError, UnicodeError."""
    return content_of(path, folder).text


def bytes_in(folder: Path, path: Path, largest: int = LARGEST) -> bytes:
    """The content of ``path``. Where it leads into ``folder`` by any name, it must be a plain file that lies there.

    Raises OSError.
    """
    return content_of(path, folder, largest).data


def content_of(path: Path, folder: Path | None = None, largest: int = LARGEST) -> Content:
    """As ``bytes_in``; without a ``folder`` a link is her wish. Nothing is waited for that never comes (FIFOs).

    What is opened is what is looked at, so nothing can be swapped between; what is named in the folder is opened from
    there, which for ``Path()`` is the one this process works in, whatever its name leads to by now. Raises OSError.
    """
    if folder is None:
        with opened(path, _WITHOUT_WAITING) as found:
            return _content(found, path, largest)
    with opened(folder, os.O_PATH | os.O_DIRECTORY) as start:
        name, real = named_in(folder, path), _place_of(start, folder)
        with opened(name or path, _WITHOUT_WAITING, start if name else None) as found:
            is_in = name is not None or _leads_into(path, Path(real))
            if is_in and not _is_of(real, path, _place_of(found, path)):
                raise PermissionError(errno.EPERM, "it is no plain file of this folder", str(path))
            return _content(found, path, largest)


def _content(descriptor: int, path: Path, largest: int) -> Content:
    place, found = _place_of(descriptor, path), os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) and not _is_of_the_shell(path, place):
        raise PermissionError(errno.EPERM, "it is no file", str(path))
    os.set_blocking(descriptor, True)
    with open(descriptor, "rb", closefd=False) as file:
        data = file.read(largest + 1) if found.st_size <= largest else b""
    if max(found.st_size, len(data)) > largest:
        raise PermissionError(errno.EPERM, f"it is larger than {largest // 2**20} MB", str(path))
    return Content(data, place)


def named_in(folder: Path, path: Path) -> Path | None:
    """What ``path`` is called in the folder; None where its name does not begin there. By names alone.

    Both may be relative: where this process works is asked for once, since its name may be another one then.
    """
    here = current_folder()
    whole, above = (Path(os.path.normpath(os.path.join(here, name))) for name in (path, folder))
    return whole.relative_to(above) if whole.is_relative_to(above) else None


def current_folder() -> str:
    """The one this process works in, by its name, to be shown; of one that is gone, the name that it had."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return os.readlink("/proc/self/cwd")


def inside(path: Path, folder: Path) -> bool:
    """Whether ``path`` leads into the folder by any of its names, wherever it goes from there.

    A link to the folder, as a home often is one, is one of its names.
    """
    return _leads_into(path, Path(os.path.realpath(folder)))


def _leads_into(path: Path, real: Path) -> bool:
    place = Path(current_folder())
    steps, links = [*reversed(path.parts)], LINKS
    while steps:
        step = steps.pop()
        place = place.parent if step == ".." else place / step
        if step != ".." and place != real and place.is_relative_to(real):
            return True
        if links and place.is_symlink():
            steps += reversed(Path(os.readlink(place)).parts)
            place, links = place.parent, links - 1
    return place == real


def _is_of(real: str, path: Path, place: str) -> bool:
    """Whether it lies in the folder, and not in a dot entry of her home there, unless she named one.

    In her home cells can make links to those, and can't see them.
    """
    named, home = os.path.expanduser("~"), os.path.realpath(os.path.expanduser("~"))
    is_hidden = Path(home).is_relative_to(real) and place.startswith(f"{home}/.")
    is_named = os.path.abspath(path).startswith((f"{home}/.", f"{named}/."))
    return Path(place).is_relative_to(real) and (is_named or not is_hidden)


def innermost(path: Path, *folders: Path) -> Path | None:
    """The innermost of the folders into which ``path`` leads; None where it leads into none."""
    around = (folder for folder in folders if inside(path, folder))
    return max(around, key=lambda folder: len(Path(os.path.abspath(folder)).parts), default=None)


def _place_of(descriptor: int, path: Path) -> str:
    """By the kernel's own name of what was opened; elsewhere than on Linux, by its path."""
    name = f"/proc/self/fd/{descriptor}"
    return os.readlink(name) if os.path.lexists(name) else os.path.realpath(path)


def _is_of_the_shell(path: Path, place: str) -> bool:
    """A pipe as `<(…)` and `|` make them: it has no path, and is named as a descriptor."""
    return place.startswith("pipe:") and path.is_relative_to("/dev")
