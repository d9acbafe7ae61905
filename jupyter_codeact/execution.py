"""One execute_request, watched from its reply and outputs to its end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

from .events import Outcome, Ran, Status
from .inside import state_in
from .kept import Kept

SHOWN = ("stream", "display_data", "execute_result", "error")


class RunStopped(asyncio.CancelledError):
    """A Stop came while an action ran. A cancellation like any other, with what had come of it until then."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Execution:
    """Collects the messages of one request. Lives in the host's event loop.

    started: resolved with the source that is about to run. begun: resolved once the sandbox runs it, or it has ended.
    ended: resolved once reply and idle have both come, which is when every output has come.
    """

    def __init__(self, proposed: str = "") -> None:
        loop = asyncio.get_running_loop()
        self.proposed = proposed
        self.started: asyncio.Future[str] = loop.create_future()
        self.begun: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[Status] = loop.create_future()
        self._kept = Kept()
        self._clear = False
        self._reply: Status | None = None
        self._state: dict[str, Any] | None = None
        self._idle = False
        self._began = 0.0

    def hear(self, kind: str, content: dict[str, Any]) -> None:
        """Take one message in; messages after the end are ignored."""
        if self.ended.done():
            return
        if kind == "execute_request":
            self._start(str(content.get("code", "")))
        elif kind == "execute_input":
            self._begin()
        elif kind in SHOWN:
            self._add(kind, content)
        elif kind == "update_display_data":
            self._update(content)
        elif kind == "clear_output":
            self._clear_outputs(bool(content.get("wait")))
        elif kind == "execute_reply":
            self._reply, self._state = _status(content), state_in(content)
        elif kind == "status":
            self._idle = self._idle or content.get("execution_state") == "idle"
        elif kind == "sandbox_died":
            self._reply, self._idle = "died", True
        self._end()

    def result(self) -> Ran:
        """What ran and what came of it. Call after ``ended``."""
        source = self.started.result()
        seconds = time.monotonic() - self._began
        outputs = self._kept.all()
        interrupted = any(output.get("ename") == "KeyboardInterrupt" for output in outputs)
        ran = Ran(source, outputs, self.ended.result(), source != self.proposed, seconds, interrupted)
        return replace(ran, state=self._state, unkept=self._kept.unkept)

    def _start(self, source: str) -> None:
        if not self.started.done():
            self._began = time.monotonic()
            self.started.set_result(source)

    def _begin(self) -> None:
        if not self.begun.done():
            self.begun.set_result(None)

    def _add(self, kind: str, content: dict[str, Any]) -> None:
        if self._clear:
            self._clear_outputs(wait=False)
        self._kept.add({"output_type": kind, **content})

    def _update(self, content: dict[str, Any]) -> None:
        wanted = (content.get("transient") or {}).get("display_id")
        if wanted is not None:
            self._kept.update(wanted, content.get("data", {}))

    def _clear_outputs(self, wait: bool) -> None:
        self._clear = wait
        if not wait:
            self._kept = Kept()

    def _end(self) -> None:
        if self._reply is not None and self._idle:
            # One that was aborted before it began has not been edited either.
            self._start(self.proposed)
            self._begin()
            self.ended.set_result(self._reply)


def _status(reply: dict[str, Any]) -> Status:
    status = reply.get("status")
    return status if status in ("ok", "error", "aborted") else "error"
