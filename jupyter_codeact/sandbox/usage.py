"""What a sandbox's processes hold of the machine's memory, read from /proc without asking them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

# Folders of the sandbox that lie in memory, the home only where it isn't kept.
HOME = "/home/sandbox"
TEMP = ("/tmp", "/dev/shm", HOME)
# What the kernel keeps for an empty file there.
INODE = 1024
# A socket's queue is memory that no process is charged for. So many sockets are anybody's; each more counts.
FREE_SOCKETS = 512
SOCKET = 416 * 1024
# Nor is what is in a pipe: two pages, once a user has many, which one open end keeps. So many open files are
# anybody's, of all processes together; each more counts as a pipe, and what the kernel keeps for it.
FREE_FILES = 16384
OPEN_FILE = 9 * 1024
KB = 1024


class Meter:
    """Measures all descendants of one process. ``home`` is where their home is kept on disk, if it is."""

    def __init__(self, pid: int, home: str | None = None) -> None:
        self._pid = pid
        self._on_disk = {HOME: home or HOME}
        self._temp: list[int] = []

    def exceeds(self, limit: int) -> bool:
        """Whether they hold more than ``limit`` bytes.

        Pages that processes share are first counted once for each, which is quick; only where that is too much are
        they divided among them, for which the kernel has to walk through all of them.
        """
        pids = list(descendants(self._pid))
        if not pids:
            return False
        temp = self._temp_bytes(pids)
        sockets = _socket_bytes(pids[0])
        return _held(pids, temp, sockets, _resident) > limit and _held(pids, temp, sockets, _proportional) > limit

    def close(self) -> None:
        """Let go of the temp folders; held, they would outlive the sandbox."""
        while self._temp:
            os.close(self._temp.pop())

    def _temp_bytes(self, pids: list[int]) -> int:
        if not self._temp:
            self._temp = _open_temp(pids, self._on_disk)
        return sum(map(_folder_bytes, self._temp))


def own_bytes() -> int:
    """What this process holds privately."""
    return _resident(os.getpid()).private


def descendants(pid: int) -> Iterator[int]:
    """Every process below ``pid``; what loses its parent in the sandbox is the sandbox's init's."""
    waiting = [pid]
    while waiting:
        for child in _children(waiting.pop()):
            yield child
            waiting.append(child)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    # Processes end while they are looked at.
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    return found


class Figures(NamedTuple):
    """private, shared: bytes. files: how many are open."""

    private: int
    shared: int
    files: int


def _held(pids: list[int], temp: int, sockets: int, figures: Callable[[int], Figures]) -> int:
    """Mapped shared memory may be files of the temp folders: the larger counts, not both."""
    private = shared = files = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            found = figures(pid)
            private, shared, files = private + found.private, shared + found.shared, files + found.files
    return private + max(shared, temp) + sockets + max(0, files - FREE_FILES) * OPEN_FILE


def _resident(pid: int) -> Figures:
    status = _read(f"/proc/{pid}/status")
    found = _table(status)
    private = sum(found.get(name, 0) for name in ("RssAnon", "VmSwap", "VmPTE"))
    return Figures(private, found.get("RssShmem", 0), _open_files(pid, status))


def _proportional(pid: int) -> Figures:
    """As _resident, with shared pages divided; a process that hides this from us is counted in full."""
    try:
        found = _table(_read(f"/proc/{pid}/smaps_rollup"))
    except PermissionError:
        return _resident(pid)
    status = _read(f"/proc/{pid}/status")
    private = found.get("Pss_Anon", 0) + found.get("SwapPss", 0) + _table(status).get("VmPTE", 0)
    return Figures(private, found.get("Pss_Shmem", 0), _open_files(pid, status))


def _open_files(pid: int, status: str) -> int:
    """Without listing them, which takes long where they are many. Before Linux 6.2 it is for how many there is room."""
    return os.stat(f"/proc/{pid}/fd").st_size or int(status.partition("\nFDSize:")[2].split(None, 1)[0])


def _table(text: str) -> dict[str, int]:
    """The lines `Name:  123 kB` of a file in /proc, in bytes."""
    lines = (line.split() for line in text.splitlines())
    return {words[0][:-1]: int(words[1]) * KB for words in lines if words[-1:] == ["kB"]}


def _open_temp(pids: list[int], on_disk: dict[str, str]) -> list[int]:
    """The temp folders as open files, by way of the first process that lets us in."""
    for pid in pids:
        with ExitStack() as undo, contextlib.suppress(OSError):
            if _same_place(f"/proc/{pid}/root", "/"):
                continue  # not in the sandbox yet
            opened = []
            for folder in TEMP:
                path = f"/proc/{pid}/root{folder}"
                # One that is the working folder, or a kept home, is the person's own disk.
                if not _same_place(path, on_disk.get(folder, folder)):
                    opened.append(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW))
                    undo.callback(os.close, opened[-1])
            undo.pop_all()
            return opened
    return []


def _same_place(path: str, host: str) -> bool:
    """Whether both are one file system, which two namespaces' folders of one name need not be."""
    return os.path.exists(host) and os.stat(path).st_dev == os.stat(host).st_dev


def _folder_bytes(descriptor: int) -> int:
    found = os.fstatvfs(descriptor)
    return (found.f_blocks - found.f_bfree) * found.f_frsize + (found.f_files - found.f_ffree) * INODE


def _socket_bytes(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        # sockets: used 12
        count = int(_read(f"/proc/{pid}/net/sockstat").split(None, 3)[2])
        return max(0, count - FREE_SOCKETS) * SOCKET
    return 0


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()
