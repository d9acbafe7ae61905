"""One execute_request, watched from its reply and outputs to its end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

from .events import Outcome, Output, Ran, Status
from .inside import state_in
from .kept import CELL, Kept

SHOWN = ("stream", "display_data", "execute_result", "error")
# Output widgets whose contexts lie in one another.
NESTED = 100


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
        # That they come from a fresh sandbox stands above its outputs, also where code clears those.
        self._above: tuple[Output, ...] = ()
        self._clear: set[str] = set()
        # The Output widgets whose context is entered, by their comms; the last one takes what comes.
        self._takers: list[str] = []
        self._reply: Status | None = None
        self._state: dict[str, Any] | None = None
        self._idle = False
        self._began = 0.0

    def hear(self, kind: str, content: dict[str, Any]) -> None:  # noqa: C901  a table
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
        elif kind in ("comm_open", "comm_msg"):
            self._follow(content)
        elif kind == "execute_reply":
            self._reply, self._state = _status(content), state_in(content)
        elif kind == "status":
            self._idle = self._idle or content.get("execution_state") == "idle"
        elif kind == "sandbox_replaced":
            self._above = ({"output_type": "stream", **content},)
        elif kind == "sandbox_died":
            self._reply, self._idle = "died", True
        self._end()

    def result(self) -> Ran:
        """What ran and what came of it. Call after ``ended``."""
        source = self.started.result()
        seconds = time.monotonic() - self._began
        outputs = (*self._above, *self._kept.all())
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
        if self._owner in self._clear:
            self._clear_outputs(wait=False)
        self._kept.add({"output_type": kind, **content}, self._owner)

    @property
    def _owner(self) -> str:
        return self._takers[-1] if self._takers else CELL

    def _follow(self, content: dict[str, Any]) -> None:
        """An Output widget says which request's outputs are its own from now on, or what it shows.

        Only such a model has these two. One that was made by an earlier cell is opened in none of our messages.
        """
        comm, data = content.get("comm_id"), content.get("data")
        state = data.get("state") if isinstance(data, dict) else None
        if not isinstance(comm, str) or not isinstance(state, dict):
            return
        if isinstance(state.get("outputs"), list):
            self._kept.clear(comm)
            for output in filter(_is_output, state["outputs"]):
                self._kept.add({**output}, comm)
        if isinstance(state.get("msg_id"), str):
            others = [taker for taker in self._takers if taker != comm]
            self._takers = [*others, comm][-NESTED:] if state["msg_id"] else others

    def _update(self, content: dict[str, Any]) -> None:
        wanted = (content.get("transient") or {}).get("display_id")
        if wanted is not None:
            self._kept.update(wanted, content.get("data", {}))

    def _clear_outputs(self, wait: bool) -> None:
        """Of the cell, or of the widget that takes what comes."""
        if wait:
            self._clear.add(self._owner)
        else:
            self._clear.discard(self._owner)
            self._kept.clear(self._owner)

    def _end(self) -> None:
        if self._reply is not None and self._idle:
            # One that was aborted before it began has not been edited either.
            self._start(self.proposed)
            self._begin()
            self.ended.set_result(self._reply)


def _is_output(output: Any) -> bool:
    if not isinstance(output, dict) or output.get("output_type") not in SHOWN:
        return False
    return isinstance(output.get("data", {}), dict) and isinstance(output.get("traceback", []), list)


def _status(reply: dict[str, Any]) -> Status:
    status = reply.get("status")
    return status if status in ("ok", "error", "aborted") else "error"
