"""How much one sandbox may take, and the watch that ends one which takes more memory.

Processes and open files are limited by the kernel (``prefix`` sets that, where it counts this sandbox's processes
alone, before any of its code runs), and so are the folders in memory that are the sandbox's temp. Memory is what its
processes hold together, for which Linux has no limit that an ordinary user can set: it is measured from outside, and
the whole sandbox ends.
"""

from __future__ import annotations

import os
import re
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .paths import systems
from .usage import Meter

GB = 2**30
# Of what the machine, or the container that we are in, has.
SHARE = 0.75
OPEN_FILES = 4096
# Bytes of one message of the kernel's. A page that is given more than this at once does not recover.
OUTPUT_LIMIT = 100_000_000
# The watch's pause, and how much of a core it may take where measuring is slow.
PERIOD_S = 0.2
BUSY = 0.05


class Limits(NamedTuple):
    """memory: bytes of all processes and temp folders together. processes: threads count as well."""

    memory: int
    processes: int
    open_files: int = OPEN_FILES

    @classmethod
    def of(cls, memory_gb: float | None = None) -> Limits:
        """With so much memory; without a wish, the share of this machine's."""
        memory = int((memory_gb or 0) * GB) or int(machine_memory() * SHARE)
        # Libraries start a thread for each core, and a pool a process for each, with such threads of its own.
        return cls(memory, 512 + 64 * (os.cpu_count() or 1))

    @property
    def temp(self) -> int:
        """Bytes of each temp folder. They are memory, and count as memory."""
        return self.memory // 2

    @property
    def allowance(self) -> int:
        """Bytes that it may make the trusted process hold. What is on its way in belongs to none of its processes."""
        return min(self.memory, 2 * GB)

    @property
    def cause(self) -> str:
        """What is said of a sandbox that passed the memory limit."""
        return f"The sandbox used more than {self.memory / GB:.3g} GB and was ended."

    def prefix(self) -> list[str]:
        """The words of a command line before the program that is to be limited, for good.

        --data is no limit of the sandbox but what no process can be given at all: asking for it is a MemoryError.
        """
        wishes = {
            "core": (resource.RLIMIT_CORE, 0),
            "data": (resource.RLIMIT_DATA, max(self.memory, machine_memory())),
            "nofile": (resource.RLIMIT_NOFILE, self.open_files),
            "nproc": (resource.RLIMIT_NPROC, self.processes + _processes_elsewhere()),
        }
        most = {name: _at_most(which, wish) for name, (which, wish) in wishes.items()}
        return [systems("prlimit"), *(f"--{name}={limit}:{limit}" for name, limit in most.items()), "--"]


class Watch(threading.Thread):
    """Measures a sandbox until it passes its memory, then calls ``end`` once."""

    def __init__(self, pid: int, memory: int, end: Callable[[], None], home: str | None = None) -> None:
        super().__init__(name="codeact-memory", daemon=True)
        self._meter = Meter(pid, home)
        self._memory = memory
        self._end = end
        self._over = threading.Event()

    def run(self) -> None:
        pause = PERIOD_S
        try:
            while not self._over.wait(pause):
                began = time.thread_time()
                if self._meter.exceeds(self._memory):
                    self._end()
                    return
                pause = max(PERIOD_S, (time.thread_time() - began) / BUSY)
        finally:
            self._meter.close()

    def stop(self) -> None:
        """Returns once it has ended. ``end`` may still be called before that."""
        self._over.set()
        if self.is_alive() and self is not threading.current_thread():
            self.join()


def machine_memory() -> int:
    """Bytes of memory, the container's where that is less."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *_container_memory()])


def _container_memory() -> list[int]:
    """What control groups say, of either version, from the process's own group up."""
    found = []
    for line in _text("/proc/self/cgroup").splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers in ("", "memory"):
            base = Path("/sys/fs/cgroup", controllers)
            file = "memory.limit_in_bytes" if controllers else "memory.max"
            own = base / group.strip("/")
            found += [_text(folder / file).strip() for folder in (own, *own.parents) if folder.is_relative_to(base)]
    return [int(limit) for limit in found if limit.isdigit()]


def _at_most(which: int, wish: int) -> int:
    """A limit that we are under ourselves can't be passed."""
    hard = resource.getrlimit(which)[1]
    return wish if hard == resource.RLIM_INFINITY else min(wish, hard)


def _processes_elsewhere() -> int:
    """Before Linux 5.14 a user's processes are counted together, in the sandbox and out of it."""
    major, minor = (int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    if (major, minor) >= (5, 14) or os.geteuid() == 0:
        return 0
    mine = (p for p in Path("/proc").iterdir() if p.name.isdigit() and _owner(p) == os.getuid())
    return sum(_entries(p / "task") for p in mine)


def _owner(path: Path) -> int:
    try:
        return path.stat().st_uid
    except OSError:
        return -1


def _entries(folder: Path) -> int:
    try:
        return len(os.listdir(folder))
    except OSError:
        return 0


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
