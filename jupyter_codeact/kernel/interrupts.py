"""Interrupts that the sandbox's kernel does not come to, and the signal in their place.

ipykernel answers one control request after the other, and some of them wait: for a debugger that never answers, for the
end of the very cell that is to be interrupted. A plain kernel's interrupt is a signal, which waits for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from .requests import Key, Requests

DEAF = "The interrupt has not been answered: what runs can't be stopped just now. Wait, or restart the kernel.\n"
SIGNAL_S = 1.0
ANSWER_S = 5.0


class Interrupts:
    """Those of one kernel. Belongs to the proxy's thread.

    requests: what the sandbox was asked. signal: interrupts the sandbox's kernel at once.
    """

    def __init__(self, requests: Requests, signal: Callable[[], None]) -> None:
        self._requests = requests
        self._signal = signal
        self._meant: frozenset[Key] = frozenset()
        self._asked_at = 0.0
        self._signal_at: float | None = None

    def asked(self) -> float:
        """One is about to be passed on. Returns until when, in monotonic time, the sandbox is to act on it.

        Later the signal has been sent in its place, and it would hit another cell.
        """
        now, running = time.monotonic(), self._requests.running()
        if self._meant.isdisjoint(running):
            self._asked_at, self._signal_at = now, None
        self._meant = running
        self._signal_at = self._signal_at or now + SIGNAL_S
        return self._signal_at

    def answered(self, in_time: bool) -> None:
        """The sandbox's kernel has interrupted itself, or it came to that too late and left it to the signal."""
        if in_time:
            self._meant = frozenset()

    def is_deaf(self) -> bool:
        """Whether one has had no effect for long, the signal neither; True once. Sends the signal where it is time.

        What it is meant for runs still: the next cell, which is not begun before the end of that, is not hit.
        """
        if not self._meant or self._meant.isdisjoint(self._requests.running()):
            self._meant = frozenset()
            return False
        now = time.monotonic()
        if self._signal_at is not None and now > self._signal_at:
            self._signal_at = None
            self._signal()
        late = now > self._asked_at + ANSWER_S
        if late:
            self._meant = frozenset()
        return late
