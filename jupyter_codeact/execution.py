"""One execute_request, watched from its reply and outputs to its end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

from .events import Outcome, Output, Ran, Status
from .inside import state_in

# The whole output is in the notebook; what is kept here is for the model, and a flood must not fill the memory.
KEPT_CHARACTERS = 200_000
KEPT_IN_ALL = 10 * KEPT_CHARACTERS
KEPT_OUTPUTS = 400
CUT = "\n[… cut here: the cell printed more …]\n"
_CUT_OUTPUT: Output = {"output_type": "stream", "name": "cut", "text": CUT}
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
        self.outputs: list[Output] = []
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
        edited = source != self.proposed
        ran = Ran(source, tuple(self.outputs), self.ended.result(), edited, seconds, self._interrupted())
        return replace(ran, state=self._state)

    def _interrupted(self) -> bool:
        return any(o.get("ename") == "KeyboardInterrupt" for o in self.outputs)

    def _start(self, source: str) -> None:
        if not self.started.done():
            self._began = time.monotonic()
            self.started.set_result(source)

    def _begin(self) -> None:
        if not self.begun.done():
            self.begun.set_result(None)

    def _add(self, kind: str, content: dict[str, Any]) -> None:
        if self._clear:
            self.outputs.clear()
            self._clear = False
        last = self.outputs[-1] if self.outputs else {}
        output = {"output_type": kind, **content}
        if kind == "stream":
            output["text"] = _bounded(str(content.get("text", "")))
        if kind == "stream" and last.get("output_type") == "stream" and last.get("name") == content.get("name"):
            last["text"] = _bounded(last["text"] + output["text"])
        else:
            self.outputs.append(output)
            self._cut_middle()

    def _cut_middle(self) -> None:
        """Let go of outputs between the first ones and the newest, for as long as there are too many."""
        while len(self.outputs) > KEPT_OUTPUTS or sum(map(_size, self.outputs)) > KEPT_IN_ALL:
            if not any(output is _CUT_OUTPUT for output in self.outputs):
                self.outputs.insert(len(self.outputs) // 2, _CUT_OUTPUT)
            oldest = self.outputs.index(_CUT_OUTPUT) + 1
            if oldest >= len(self.outputs) - 1:
                return
            del self.outputs[oldest]

    def _update(self, content: dict[str, Any]) -> None:
        wanted = (content.get("transient") or {}).get("display_id")
        for output in self.outputs:
            if wanted is not None and (output.get("transient") or {}).get("display_id") == wanted:
                output["data"] = content.get("data", {})

    def _clear_outputs(self, wait: bool) -> None:
        self._clear = wait
        if not wait:
            self.outputs.clear()

    def _end(self) -> None:
        if self._reply is not None and self._idle:
            # One that was aborted before it began has not been edited either.
            self._start(self.proposed)
            self._begin()
            self.ended.set_result(self._reply)


def _size(output: Output) -> int:
    """Its characters, about."""
    texts = [output.get("text"), *output.get("data", {}).values(), *output.get("traceback", ())]
    return sum(len(text) for text in texts if isinstance(text, str))


def _status(reply: dict[str, Any]) -> Status:
    status = reply.get("status")
    return status if status in ("ok", "error", "aborted") else "error"


def _bounded(text: str) -> str:
    """Head and tail of a text that is too long to keep; cut in strides, so that a flood costs little."""
    if len(text) <= 2 * KEPT_CHARACTERS:
        return text
    half = KEPT_CHARACTERS // 2
    return text[:half].removesuffix(CUT) + CUT + text[-half:]
