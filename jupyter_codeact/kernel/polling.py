"""The proxy's event loop: sockets and pipes with their handlers, and calls from other threads."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import zmq

# What it returns is not looked at.
Handler = Callable[[], object]


class Polling:
    """Watches zmq sockets and file descriptors. All but ``post`` belongs to the thread that calls ``turn``."""

    def __init__(self) -> None:
        self._poller = zmq.Poller()
        self._handlers: dict[Any, Handler] = {}
        self._held: set[Any] = set()
        self._posts: deque[Handler] = deque()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self.watch(self._wake_read, self._on_wake)

    def turn(self, timeout_ms: int) -> None:
        """Wait for something to happen, at most ``timeout_ms``, and handle it."""
        for key, _ in self._poller.poll(timeout_ms):
            # A handler before this one may have closed the socket.
            if (handler := self._handlers.get(key)) is not None:
                handler()

    def watch(self, key: Any, handler: Handler) -> None:
        """Call ``handler`` whenever the socket or descriptor ``key`` has something to read."""
        self._handlers[key] = handler
        self._poller.register(key, zmq.POLLIN)

    def forget(self, key: Any) -> None:
        """Watch ``key`` no longer; one that isn't watched is no error."""
        self.hold((key,), False)
        if self._handlers.pop(key, None) is not None:
            self._poller.unregister(key)

    def hold(self, keys: Iterable[Any], held: bool) -> None:
        """Leave what comes at ``keys``, which are watched, where it is; or go on with it."""
        for key in keys:
            if held and key not in self._held:
                self._held.add(key)
                self._poller.unregister(key)
            elif not held and key in self._held:
                self._held.remove(key)
                self._poller.register(key, zmq.POLLIN)

    def watches(self, key: Any) -> bool:
        return key in self._handlers

    def post(self, call: Handler) -> None:
        """Run ``call`` in the loop's thread, soon. The only method that other threads may use."""
        self._posts.append(call)
        # A full pipe means that the thread is being woken already.
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"1")

    def close(self) -> None:
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _on_wake(self) -> None:
        os.read(self._wake_read, 4096)
        while self._posts:
            self._posts.popleft()()
