"""Messages of our own to front ends: outputs, status, replies, questions."""

from __future__ import annotations

from typing import Any

import zmq

from ..guard import replies
from .requests import Asked
from .sockets import Front
from .taps import Tap, Way
from .wire import EMPTY, Message, build, now


class Voice:
    """Speaks as the kernel, in one session. Belongs to the proxy's thread."""

    def __init__(self, front: Front, session: str) -> None:
        self._front = front
        self._session = session

    def publish(
        self, kind: str, content: dict[str, Any], parent: bytes, metadata: dict[str, Any] | None = None
    ) -> None:
        """Send an iopub message; ``parent`` is the header of the request that it belongs to."""
        topic = [f"kernel.codeact.{kind}".encode()]
        message = build(kind, content, self._session, parent, metadata=metadata, idents=topic)
        self._front.send(self._front.iopub, message)

    def status(self, state: str, parent: bytes) -> None:
        """Say busy or idle."""
        self.publish("status", {"execution_state": state}, parent)

    def welcome(self, topic: bytes) -> None:
        """Greet a new subscriber of iopub."""
        content = {"subscription": topic.decode(errors="replace")}
        self._front.send(self._front.iopub, build("iopub_welcome", content, self._session, idents=[topic]))

    def reply(
        self,
        request: Message,
        socket: zmq.Socket[Any],
        kind: str,
        content: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> str:
        """Answer ``request``, or ask whoever sent it; returns the message's id."""
        parent = request.parts[0] or EMPTY
        message = build(kind, content, self._session, parent, metadata=metadata, idents=request.idents)
        self._front.send(socket, message)
        return message.id

    def executed(self, request: Message, content: dict[str, Any], started: str = "", channel: str = "shell") -> None:
        """Answer an execute_request. The metadata is an ipykernel's; front ends show how long a cell took by it."""
        if content["status"] != "aborted":
            # Consoles count on a number with every other answer; 0 is that of what never ran.
            content = {"execution_count": 0, **content}
        metadata = {"started": started or now(), "dependencies_met": True, "engine": self._session}
        metadata |= {"status": content["status"]}
        self.reply(request, self._front.answering(channel), "execute_reply", content, metadata)

    def abort(self, request: Message) -> None:
        """Answer an execute_request that is not to run."""
        self.status("busy", request.parts[0])
        self.executed(request, {"status": "aborted"})
        self.status("idle", request.parts[0])

    def refuse(self, asked: Asked, name: str, text: str) -> None:
        """Answer a request with an error, which is a sentence: with what is missing of a reply and idle."""
        error = {"ename": name, "evalue": text, "traceback": [text]}
        if not asked.busy:
            self.status("busy", asked.header)
        if asked.kind == "execute_request" and not asked.replied:
            self.publish("error", error, asked.header)
            content = {"status": "error", "execution_count": asked.count, **error}
            self.executed(asked.message, content, channel=asked.channel)
        elif asked.wants_reply and not asked.replied:
            content = replies.refused(asked.reply, name, text)
            self.reply(asked.message, self._front.answering(asked.channel), asked.reply, content)
        self.status("idle", asked.header)

    def explain(self, tap: Tap, text: str) -> None:
        """Say in a step's cell, and to the agent, why it runs in another sandbox than the step before."""
        content = {"name": "stderr", "text": text}
        self.publish("stream", content, _shown_under(tap))
        tap.listener(build("sandbox_replaced", content, self._session))

    def mourn(self, tap: Tap, obituary: str, count: int = 0) -> None:
        """Say in a step's cell, of that number, and to the agent, what became of the sandbox that ran it."""
        error = {"ename": "SandboxDied", "evalue": obituary, "traceback": [obituary]}
        if tap.way is not Way.SWALLOW:
            self.publish("error", error, _shown_under(tap))
            tap.listener(build("error", error, self._session))
        if tap.request is not None:
            self.executed(tap.request, {"status": "error", "execution_count": count, **error})
            self.status("idle", tap.request.parts[0])
        tap.listener(build("sandbox_died", {}, self._session))


def _shown_under(tap: Tap) -> bytes:
    """The header that a step's outputs belong to."""
    return tap.request.parts[0] if tap.request else tap.parent
