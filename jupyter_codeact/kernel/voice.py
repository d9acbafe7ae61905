"""Messages of our own to front ends: outputs, status, replies, questions."""

from __future__ import annotations

from typing import Any

import zmq

from .sockets import Front
from .wire import EMPTY, Message, build


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

    def reply(self, request: Message, socket: zmq.Socket[Any], kind: str, content: dict[str, Any]) -> str:
        """Answer ``request``, or ask whoever sent it; returns the message's id."""
        message = build(kind, content, self._session, request.parts[0] or EMPTY, idents=request.idents)
        self._front.send(socket, message)
        return message.id
