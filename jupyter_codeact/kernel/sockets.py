"""The five sockets towards the front end and the four towards the sandbox."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

import zmq

from .wire import Message, Signer, split

# Long enough for a last reply to leave, short enough that a front end which is gone holds nothing up.
LINGER_MS = 1000


class Front:
    """Bound for front ends, as an ordinary kernel's sockets are."""

    def __init__(self, context: zmq.Context[Any], connection: dict[str, Any]) -> None:
        self.signer = Signer(str(connection["key"]))
        self.shell = _bound(context, zmq.ROUTER, connection, "shell")
        self.control = _bound(context, zmq.ROUTER, connection, "control")
        self.stdin = _bound(context, zmq.ROUTER, connection, "stdin")
        self.iopub = _bound(context, zmq.XPUB, connection, "iopub")
        self.heartbeat = _bound(context, zmq.REP, connection, "hb")
        self.iopub.setsockopt(zmq.XPUB_VERBOSE, 1)

    def receive(self, socket: zmq.Socket[Any]) -> Message | None:
        """The next message, or None where its signature is not the front end's."""
        with contextlib.suppress(ValueError):
            frames = socket.recv_multipart()
            return split(frames) if self.signer.trusts(frames) else None
        return None

    def send(self, socket: zmq.Socket[Any], message: Message) -> None:
        socket.send_multipart(self.signer.frames(message))

    def close(self) -> None:
        for socket in (self.shell, self.control, self.stdin, self.iopub, self.heartbeat):
            socket.close()


class Back:
    """Connected to the sandbox's kernel. All three DEALERs share an identity, or stdin would not find us."""

    def __init__(self, context: zmq.Context[Any], connection: dict[str, Any]) -> None:
        self.signer = Signer(str(connection["key"]))
        identity = uuid.uuid4().hex.encode()
        self.shell = _connected(context, zmq.DEALER, connection, "shell", identity)
        self.control = _connected(context, zmq.DEALER, connection, "control", identity)
        self.stdin = _connected(context, zmq.DEALER, connection, "stdin", identity)
        self.iopub = _connected(context, zmq.SUB, connection, "iopub")

    def send(self, socket: zmq.Socket[Any], message: Message) -> None:
        socket.send_multipart(self.signer.frames(message))

    def close(self) -> None:
        for socket in (self.shell, self.control, self.stdin, self.iopub):
            socket.close(linger=0)


def endpoint(connection: dict[str, Any], channel: str) -> str:
    """The address of one channel of a connection file, such as ``tcp://127.0.0.1:5555``."""
    separator = ":" if connection["transport"] == "tcp" else "-"
    return f"{connection['transport']}://{connection['ip']}{separator}{connection[channel + '_port']}"


def _bound(context: zmq.Context[Any], kind: int, connection: dict[str, Any], channel: str) -> zmq.Socket[Any]:
    socket: zmq.Socket[Any] = context.socket(kind)
    socket.linger = LINGER_MS
    if kind == zmq.ROUTER:
        # A front end that comes back with its old identity takes it over.
        socket.router_handover = 1
    if kind == zmq.XPUB:
        socket.sndhwm = 0
    socket.bind(endpoint(connection, channel))
    return socket


def _connected(
    context: zmq.Context[Any], kind: int, connection: dict[str, Any], channel: str, identity: bytes = b""
) -> zmq.Socket[Any]:
    socket: zmq.Socket[Any] = context.socket(kind)
    socket.linger = 0
    # The sandbox binds a little later than we connect: ask again soon.
    socket.reconnect_ivl = 5
    if kind == zmq.DEALER:
        socket.identity = identity
    else:
        socket.rcvhwm = 0
        socket.subscribe(b"")
    socket.connect(endpoint(connection, channel))
    return socket
