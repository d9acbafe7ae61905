"""What the sandbox writes to its terminal: kept for the message that explains its end."""

from __future__ import annotations

import contextlib
import os
import subprocess
from functools import partial

from .polling import Polling

KEPT = 8192


class Log:
    """The last of what ``process`` wrote to its stdout and stderr. Belongs to the proxy's thread."""

    def __init__(self, polling: Polling, process: subprocess.Popen[bytes]) -> None:
        self._polling = polling
        self._pipes = [pipe.fileno() for pipe in (process.stdout, process.stderr) if pipe is not None]
        self._tail = b""
        for pipe in self._pipes:
            os.set_blocking(pipe, False)
            polling.watch(pipe, partial(self._read, pipe))

    @property
    def text(self) -> str:
        """With what was written last, which nobody has read where the process has ended just now."""
        for pipe in self._pipes:
            self._read(pipe)
        return self._tail.decode(errors="replace")

    def close(self) -> None:
        """Before the pipes are closed."""
        for pipe in self._pipes:
            self._polling.forget(pipe)

    def _read(self, pipe: int) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(pipe, 65536)
            if not data:
                self._polling.forget(pipe)
            self._tail = (self._tail + data)[-KEPT:]
