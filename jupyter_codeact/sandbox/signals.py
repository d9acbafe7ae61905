"""SIGINT from outside, for a sandbox's kernel and what that started in its process group: what Ctrl-C is in a terminal.

A number that was read may be another process's a moment later, one of the person's. So each process is held first, and
what is read of it then is its own, or the signal reaches nobody.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .usage import descendants

# Its number in the sandbox: 1 is bubblewrap's own init.
KERNEL = "2"
# The PID namespace and the process group, by their numbers.
Place = tuple[int, int]


def interrupt(bubblewrap: int) -> None:
    """Send it to nobody but processes in the sandbox; to none where Python or Linux is too old to hold them."""
    place = _kernels_place(bubblewrap)
    for pid in descendants(bubblewrap) if place else ():
        with suppress(OSError), _held(pid) as descriptor:
            if _place(pid) == place:
                signal.pidfd_send_signal(descriptor, signal.SIGINT)


def _kernels_place(bubblewrap: int) -> Place | None:
    for pid in descendants(bubblewrap) if hasattr(os, "pidfd_open") else ():
        with suppress(OSError), _held(pid) as descriptor:
            if _number_inside(pid) == KERNEL:
                place = _place(pid)
                # Only if it is still there was that its own.
                signal.pidfd_send_signal(descriptor, 0)
                return place
    return None


@contextmanager
def _held(pid: int) -> Iterator[int]:
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _place(pid: int) -> Place:
    return os.stat(f"/proc/{pid}/ns/pid").st_ino, os.getpgid(pid)


def _number_inside(pid: int) -> str:
    """In the innermost namespace that it is in."""
    with open(f"/proc/{pid}/status") as file:
        return next(line.split()[-1] for line in file if line.startswith("NSpid:"))
