"""Whose turn it is: one request of the front ends at a time runs, until its reply and its idle have both come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .queue import ExecuteQueue, Request
from .voice import Voice
from .wire import EMPTY, Message


class Turns:
    """See the module. Belongs to the proxy's thread.

    begin: starts the request whose turn has come. ready: whether a sandbox hears us; nothing begins before.
    """

    def __init__(self, voice: Voice, begin: Callable[[Request], None]) -> None:
        self.queue = ExecuteQueue()
        self.ready = False
        self._voice = voice
        self._begin = begin

    @property
    def ours(self) -> Request | None:
        """The cell of ours that is at work."""
        current = self.queue.current
        return current if current is not None and current.ours else None

    def add(self, request: Request) -> None:
        self.queue.add(request)
        self.go_on()

    def go_on(self) -> None:
        if self.ready and (request := self.queue.next()) is not None:
            self._begin(request)

    # ---- what the sandbox says of the current one

    def idle(self, message: Message, shown: bool) -> None:
        """Something in the sandbox has ended; ``shown``: front ends were told."""
        if shown:
            self.stay_busy()
        if (request := self._asked_by(message)) is not None:
            request.idle = True
            self._finish_if_done(request)

    def replied(self, message: Message) -> None:
        if (request := self._asked_by(message)) is not None:
            request.reply = message
            self._finish_if_done(request)

    def _asked_by(self, message: Message) -> Request | None:
        current = self.queue.current
        if current is not None and not current.ours and message.executed_id == current.id:
            return current
        return None

    # ---- its end

    def fail(self, request: Request, name: str, text: str, count: int = 0) -> None:
        """End the current request, whose number was ``count``, with an error that is a sentence, not a traceback."""
        error = {"ename": name, "evalue": text, "traceback": [text]}
        self._voice.publish("error", error, request.message.parts[0])
        self.answer(request, {"status": "error", "execution_count": count, **error})

    def fail_all(self, name: str, text: str) -> None:
        """End the current request and those that wait: nothing runs that they could wait for."""
        while (request := self.queue.current or self.queue.next()) is not None:
            self.fail(request, name, text)

    def answer(self, request: Request, content: dict[str, Any]) -> None:
        """End the current request with a reply of ours, and go on with the queue."""
        self._voice.executed(request.message, content, request.started)
        self._voice.status("idle", request.message.parts[0])
        self._finish(content.get("status") == "error")

    def _finish_if_done(self, request: Request) -> None:
        if request.reply is not None and request.idle:
            self._finish(request.reply.content.get("status") == "error")

    def _finish(self, failed: bool) -> None:
        for aborted in self.queue.finish(failed):
            self._voice.abort(aborted.message)
        self.go_on()

    def stay_busy(self) -> None:
        """Each step in the sandbox ends with idle; the agent's cell is still at work.

        It is said of no request: at all that is said of a cell JupyterLab's debugger asks for the variables, and the
        idle of that would have us say it again, for ever.
        """
        if self.ours is not None:
            self._voice.status("busy", EMPTY)
