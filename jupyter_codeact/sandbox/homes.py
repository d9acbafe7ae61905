"""Homes of sandboxes, kept from kernel to kernel: caches, what `%pip install` brought, settings of libraries.

What a sandbox writes into its home later ones obey. So a home is shared only by kernels of one environment and one
working folder, which share that folder's code anyway. Here nothing is opened that lies inside a home: its size is taken
and its end made by programs that follow no links.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .paths import SYSTEMS, remove

# Bytes that all of them may hold together before those that nobody uses go, the longest unused first.
BUDGET = 10 * 2**30
# Which working folder a home belongs to, in the bytes of its name.
OWNER = "folder.txt"


class Home:
    """path: what the sandbox is to see as its home. While it is open, it is not tidied away.

    place: where the home is kept that kernels of its environment and folder have.
    """

    def __init__(self, folder: Path, place: Path, held: int) -> None:
        self.place = place
        self._folder = folder
        self._held = held

    @property
    def path(self) -> str:
        return str(self._folder / "home")

    @property
    def in_place(self) -> bool:
        """Whether the next kernel would have it, too."""
        with contextlib.suppress(OSError):
            return os.path.samestat(os.fstat(self._held), os.stat(self.place))
        return False

    def settle(self) -> str:
        """Be the one that is kept, after a trial. Returns where the one before lies now, with all that is in it.

        Where that can't be moved, it is where it was, and the trial goes on.
        """
        kept = str(self.place / "home")
        with contextlib.suppress(OSError):
            aside = tempfile.mkdtemp(prefix=f"{self.place.name}-", dir=self.place.parent)
            self.place.rename(aside)
            kept = os.path.join(aside, "home")
            self._folder.rename(self.place)
            self._folder = self.place
        return kept

    def close(self) -> None:
        """Safe to call twice."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1


def open_home(homes: str, python: str, work: str, empty: bool = False) -> Home | None:
    """The home of an environment and a working folder, made where it isn't there; None where none can be had.

    ``empty``: one on trial instead, which is tidied away unless it settles.
    """
    name = hashlib.sha256(f"{python}\0{work}".encode(errors="surrogateescape")).hexdigest()[:20]
    place = folder = Path(homes, name)
    try:
        if empty:
            folder = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=homes))
        while True:
            (folder / "home").mkdir(mode=0o700, parents=True, exist_ok=True)
            held = _hold(folder, fcntl.LOCK_SH)
            if held >= 0:
                break
        os.utime(folder)
        if not (folder / OWNER).exists():
            (folder / OWNER).write_bytes(os.fsencode(work))
    except OSError:
        return None
    return Home(folder, place, held)


def tidy(homes: str, budget: int = BUDGET) -> None:
    """Remove the homes of folders that are gone, and those longest unused where all hold more than ``budget`` bytes.

    Takes as long as reading all their folders does.
    """
    held = 0
    for folder in sorted(_folders(homes), key=_last_used, reverse=True):
        held += _bytes(folder)
        if held > budget or not _is_wanted(folder):
            _remove(folder)


def _folders(homes: str) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from [Path(entry.path) for entry in os.scandir(homes) if entry.is_dir(follow_symlinks=False)]


def _last_used(folder: Path) -> float:
    with contextlib.suppress(OSError):
        return folder.stat().st_mtime
    return 0.0


def _is_wanted(folder: Path) -> bool:
    """A disk that isn't mounted now may come back: gone is what is missing in a folder that is there."""
    if folder.name.startswith("."):
        return False  # removed, but for the end of it
    try:
        work = Path(os.fsdecode((folder / OWNER).read_bytes()))
    except OSError:
        return True  # being made
    return work.is_dir() or not work.parent.is_dir()


def _remove(folder: Path) -> None:
    """Unless a kernel uses it. It is out of the way before its content goes, which takes a while."""
    held = _hold(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if held < 0:
        return
    gone = folder.with_name(f".{folder.name}-{os.getpid()}")
    try:
        folder.rename(gone)
    finally:
        os.close(held)
    remove(gone)


def _hold(folder: Path, how: int) -> int:
    """A descriptor with the lock; -1 where others have it, or the folder was removed meanwhile."""
    descriptor = -1
    with contextlib.suppress(BlockingIOError, FileNotFoundError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(descriptor, how)
        if os.path.samestat(os.fstat(descriptor), os.stat(folder)):
            return descriptor
    if descriptor >= 0:
        os.close(descriptor)
    return -1


def _bytes(folder: Path) -> int:
    command = ["du", "-sx", "-B1", str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=SYSTEMS)
    size = answer.stdout.split("\t")[0]
    return int(size) if size.isdigit() else 0
