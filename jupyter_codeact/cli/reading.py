"""What she types in the terminal, a line at a time."""

from __future__ import annotations

import os
import sys
import termios


def forget_typed() -> None:
    """What was typed before a question was shown is no answer to it."""
    termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


async def read_line() -> str:
    """The next line, stripped; Ctrl-C ends the wait. Raises EOFError at the end of the input.

    Not ``input``, in which a Ctrl-C between prompt and wait is lost, and which holds up the event loop.
    """
    # Heavy, and not needed for most commands.
    import asyncio

    descriptor = sys.stdin.fileno()
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
    # A terminal hands over a whole line at a time.
    line = os.read(descriptor, 4096)
    if not line:
        raise EOFError
    return line.decode(errors="replace").strip()
