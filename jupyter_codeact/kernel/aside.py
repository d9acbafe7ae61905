"""Long messages are checked in a thread of their own, so that the proxy's goes on with what doesn't wait for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

from .shape import is_long
from .wire import Message

# Of the processor's time, since a busy machine takes long for anything. Longer than all but what was made to take long;
# the rest of it can't be stopped, only not be waited for.
PATIENCE_S = 20.0
LATE = "The sandbox was ended, since an output of its code was made to take too long to check."

Check = Callable[[list[bytes]], Message | None]
Admitted = Callable[[Message], None]


class Aside:
    """Has messages checked, here or aside. All but the checks themselves belongs to the proxy's thread.

    post: runs a call in the proxy's thread.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None], patience_s: float = PATIENCE_S) -> None:
        self._post = post
        self._patience_s = patience_s
        self._open: dict[object, float] = {}
        self._waiting: SimpleQueue[Callable[[], None]] | None = None
        self._clock = time.CLOCK_MONOTONIC

    @property
    def busy(self) -> bool:
        """Whether something is being checked aside; what came behind it has to wait, or it would overtake."""
        return bool(self._open)

    def admit(self, check: Check, frames: list[bytes], then: Admitted) -> None:
        """Call ``then`` with what ``check``, which raises nothing, makes of a message; not where it refuses it."""
        if is_long(frames):
            self._begin(check, frames, then)
        elif (message := check(frames)) is not None:
            then(message)

    def fault(self) -> str:
        """Why the sandbox has to end, as a sentence; "" while it need not."""
        spent = time.clock_gettime(self._clock) if self._open else 0.0
        return LATE if any(spent - began > self._patience_s for began in self._open.values()) else ""

    def forget(self) -> None:
        """What is being checked is not wanted any more, and nothing waits for its end."""
        self._open.clear()
        self._waiting = None

    def _begin(self, check: Check, frames: list[bytes], then: Admitted) -> None:
        if self._waiting is None:
            self._waiting = SimpleQueue()
            thread = threading.Thread(target=_run, args=(self._waiting,), name="codeact-aside", daemon=True)
            thread.start()
            self._clock = time.pthread_getcpuclockid(thread.ident or 0)
        ticket = object()
        self._open[ticket] = time.clock_gettime(self._clock)
        self._waiting.put(lambda: self._post(partial(self._done, ticket, check(frames), then)))

    def _done(self, ticket: object, message: Message | None, then: Admitted) -> None:
        if self._open.pop(ticket, None) is not None and message is not None:
            then(message)


def _run(waiting: SimpleQueue[Callable[[], None]]) -> None:
    while True:
        waiting.get()()
