"""Outputs of a size that front ends can take: prints go on in pieces while they are written, and nothing is endless.

ipykernel collects what is printed for 0.2 s, whatever its size. In pieces, who reads begins at once, no message
outgrows what one may have, and a cell that prints faster than anybody reads waits.
"""

import sys
from typing import Any

from ipykernel import iostream

PIECE = 2**20  # characters
# Found once: a cell may print ten thousand times, and super() is looked up each time.
_write = iostream.OutStream.write


class OutStream(iostream.OutStream):
    """As ipykernel's, but flushed after each ``PIECE``. Code knows by its name that it runs in Jupyter."""

    _unsent = 0

    def write(self, string: Any) -> int:
        """Write all of ``string``; more than a piece of it goes in several."""
        if not isinstance(string, str) or self._unsent + len(string) < PIECE:
            _write(self, string)
            self._unsent += len(string)
            return len(string)
        for start in range(0, len(string), PIECE):
            super().write(string[start : start + PIECE])
            self.flush()
        return len(string)

    def flush(self) -> None:
        """Send what there is."""
        self._unsent = 0
        super().flush()


def limit_outputs(most: int) -> None:
    """Say so instead of sending an output of more than ``most`` bytes, which no page could show; 0 is no limit."""
    send = iostream.IOPubThread.send_multipart

    def send_or_say(self: Any, frames: Any, *arguments: Any, **options: Any) -> None:
        size = sum(memoryview(frame).nbytes for frame in frames)
        if size <= most:
            send(self, frames, *arguments, **options)
        else:
            text = f"Held back: an output of {size // 10**6} MB; one output may have {most // 10**6} MB.\n"
            sys.stderr.write(text)

    if most:
        setattr(iostream.IOPubThread, "send_multipart", send_or_say)  # noqa: B010
