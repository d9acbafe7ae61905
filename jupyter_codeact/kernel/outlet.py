"""What is published, on its way to every subscriber: nothing is lost to one that pauses, and none holds up the rest.

zmq keeps a queue for each subscriber. While one of them is full nothing is sent, and the proxy stops reading from the
sandbox, whose prints wait in turn: so a flood takes the trusted process no more memory than one queue. A subscriber
that has read nothing for ``PATIENCE_S`` is passed over, until it reads again.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import zmq

# Messages in the queue of one subscriber. Prints come in pieces of a megabyte at most.
QUEUE = 64
PATIENCE_S = 10.0
MORE = int(zmq.SNDMORE)
NOBLOCK = int(zmq.NOBLOCK)
# Bytes from which on handing a frame over is cheaper than copying it.
LARGE = 65536


def send(socket: zmq.Socket[Any], frames: list[bytes], flags: int = 0) -> None:
    """As ``send_multipart``, with plain numbers as flags and no copy of large frames: floods come through here."""
    for frame in frames[:-1]:
        socket.send(frame, flags | MORE, copy=len(frame) < LARGE)
    socket.send(frames[-1], flags, copy=len(frames[-1]) < LARGE)


class Outlet:
    """The only sender on ``socket``, an XPUB with queues of ``QUEUE``. Belongs to the proxy's thread."""

    def __init__(self, socket: zmq.Socket[Any], patience_s: float = PATIENCE_S) -> None:
        self._socket = socket
        self._patience_s = patience_s
        self._waiting: deque[list[bytes]] = deque()
        self._since = 0.0
        socket.setsockopt(zmq.XPUB_NODROP, 1)

    @property
    def blocked(self) -> bool:
        """Whether somebody has to read before more can be sent."""
        return bool(self._waiting)

    def put(self, frames: list[bytes]) -> None:
        """Send a message after all that were put before it."""
        if self._waiting or not self._sent(frames):
            self._since = self._since if self._waiting else time.monotonic()
            self._waiting.append(frames)
            self.push()

    def push(self) -> None:
        """Try again to send what waits. zmq does not tell when there is room."""
        while self._waiting:
            if not self._sent(self._waiting[0]):
                if time.monotonic() - self._since < self._patience_s:
                    return
                self._pass_over(self._waiting[0])
            self._waiting.popleft()
            self._since = time.monotonic()

    def _sent(self, frames: list[bytes]) -> bool:
        try:
            send(self._socket, frames, NOBLOCK)
        except zmq.Again:
            return False
        return True

    def _pass_over(self, frames: list[bytes]) -> None:
        """Send to whoever has room. zmq leaves the others out from now on, until they have read half of their queue."""
        self._socket.setsockopt(zmq.XPUB_NODROP, 0)
        send(self._socket, frames, NOBLOCK)
        self._socket.setsockopt(zmq.XPUB_NODROP, 1)
