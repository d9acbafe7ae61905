"""A kernel that runs nothing: it answers every cell with the sentence that says why there is no sandbox."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import zmq

from .incoming import misfit
from .sockets import Front
from .wire import Message, build

TICK_MS = 500


def refuse_from_start(connection: dict[str, Any], reason: str, orphaned: Callable[[], bool]) -> None:
    """As ``refuse``, where there was no kernel before."""
    context: zmq.Context[Any] = zmq.Context()
    front = Front(context, connection)
    refuse(front, reason, orphaned)
    front.close()
    context.term()


def refuse(
    front: Front, reason: str, orphaned: Callable[[], bool], held: Iterable[tuple[zmq.Socket[Any], Message]] = ()
) -> None:
    """Serve until shut down, or ``orphaned``. A kernel that died at once would only be restarted, without a word.

    held: requests that were read already, each with the socket that it came from.
    """
    poller = zmq.Poller()
    for socket in (front.shell, front.control, front.heartbeat, front.iopub):
        poller.register(socket, zmq.POLLIN)
    refusal = Refusal(front, reason)
    for socket, message in held:
        refusal.reply(socket, message)
    while not refusal.ended and not orphaned():
        for socket, _ in poller.poll(TICK_MS):
            refusal.answer(socket)


class Refusal:
    """Answers kernel_info, execute and shutdown; everything else gets an empty reply."""

    def __init__(self, front: Front, reason: str) -> None:
        self.front = front
        self.reason = reason
        self.session = uuid.uuid4().hex
        self.count = 0
        self.ended = False

    def answer(self, socket: Any) -> None:
        if socket is self.front.heartbeat:
            self.front.echo()
        elif socket is self.front.iopub:
            if (topic := self.front.subscribed()) is not None:
                self._publish("iopub_welcome", {"subscription": topic.decode(errors="replace")}, b"{}", topic)
        else:
            message = self.front.receive(socket)
            if message is not None and not misfit(message):
                self.reply(socket, message)

    def reply(self, socket: Any, message: Message) -> None:
        header, kind = message.parts[0], message.type
        self._publish("status", {"execution_state": "busy"}, header)
        content: dict[str, Any] = {"status": "ok"}
        if kind == "kernel_info_request":
            content |= _kernel_info(self.reason)
        elif kind == "execute_request":
            content = self._refuse_cell(message)
        elif kind == "shutdown_request":
            content |= {"restart": bool(message.content.get("restart"))}
            self.ended = True
        elif kind == "is_complete_request":
            content = {"status": "complete"}
        reply = build(kind.replace("_request", "_reply"), content, self.session, header, idents=message.idents)
        self.front.send(socket, reply)
        self._publish("status", {"execution_state": "idle"}, header)

    def _refuse_cell(self, message: Message) -> dict[str, Any]:
        self.count += 1
        error = {"ename": "SandboxUnavailable", "evalue": self.reason, "traceback": [self.reason]}
        if not message.content.get("silent"):
            self._publish("error", error, message.parts[0])
        return {"status": "error", "execution_count": self.count, **error}

    def _publish(self, kind: str, content: dict[str, Any], parent: bytes, topic: bytes = b"") -> None:
        message = build(kind, content, self.session, parent, idents=[topic or f"kernel.codeact.{kind}".encode()])
        self.front.send(self.front.iopub, message)


def _kernel_info(banner: str) -> dict[str, Any]:
    version = platform.python_version()
    mode = {"name": "ipython", "version": 3}
    language = {"name": "python", "version": version, "mimetype": "text/x-python", "codemirror_mode": mode}
    language |= {"file_extension": ".py", "pygments_lexer": "ipython3", "nbconvert_exporter": "python"}
    return {
        "protocol_version": "5.4",
        "implementation": "jupyter_codeact",
        "implementation_version": version,
        "language_info": language,
        "banner": banner,
        "help_links": [],
    }
