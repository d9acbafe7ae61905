"""What can be wrong with a sandbox that still runs: its end is cut off, it buries us, or it never begins."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import zmq

from ..sandbox.probe import SILENT
from ..sandbox.usage import own_bytes
from .polling import Polling
from .sockets import FRAME_LIMIT, Back

CUT = (
    "The sandbox was ended, since its connection broke: code in it closed its sockets, or sent more than "
    f"{FRAME_LIMIT // 10**6} MB at once."
)
BURIED = "The sandbox sent more than this kernel can hold, and was ended."
# A sandbox that dies closes its sockets a little earlier.
GRACE_S = 1.0
# A start takes one second, on slow disks some. With a second try it is over before front ends give up, after a minute.
START_S = 25.0
# Between two looks at our own memory: at rest, and once half of the allowance is used. A gigabyte may come in a second.
PERIOD_S = 0.5
CLOSE_S = 0.02


class Vigil:
    """Watches our end of one sandbox. Belongs to the proxy's thread.

    allowance: bytes by which this process may grow while the sandbox runs, with messages that it is sent.
    period_s: how soon ``fault`` wants to be asked again.
    """

    def __init__(self, polling: Polling, back: Back, allowance: int) -> None:
        self._polling = polling
        self._back = back
        self._monitors: list[zmq.Socket[Any]] = []
        self._start_until: float | None = time.monotonic() + START_S
        self._cut_at: float | None = None
        self._look_at = 0.0
        self._most = own_bytes() + allowance
        self._much = self._most - allowance // 2
        self.period_s = PERIOD_S

    def open(self) -> None:
        """The sandbox has answered: from here on its sockets stay connected."""
        self._start_until = None
        for socket in self._back.sockets:
            monitor = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            self._monitors.append(monitor)
            self._polling.watch(monitor, partial(self._on_cut, monitor))

    def hang_up(self) -> None:
        """Close our end, and watch nothing of it any more."""
        for socket in (*self._back.sockets, *self._monitors):
            self._polling.forget(socket)
        for socket, monitor in zip(self._back.sockets, self._monitors, strict=False):
            socket.disable_monitor()
            monitor.close()
        self._monitors.clear()
        self._back.close()

    def fault(self) -> str:
        """Why the sandbox has to end, as a sentence; "" while it need not."""
        now = time.monotonic()
        if self._cut_at is not None and now > self._cut_at + GRACE_S:
            return CUT
        if self._start_until is not None and now > self._start_until:
            return f"{SILENT} within {START_S:g} seconds"
        if now >= self._look_at:
            held = own_bytes()
            if held > self._most:
                return BURIED
            self.period_s = CLOSE_S if held > self._much else PERIOD_S
            self._look_at = now + self.period_s
        return ""

    def _on_cut(self, monitor: zmq.Socket[Any]) -> None:
        monitor.recv_multipart()
        self._cut_at = self._cut_at or time.monotonic()
