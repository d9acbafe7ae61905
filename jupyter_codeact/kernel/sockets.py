"""The five sockets towards the front end and the four towards the sandbox."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections import OrderedDict
from typing import Any

import zmq

from ..sandbox.limits import OUTPUT_LIMIT
from .incoming import has_header
from .outlet import QUEUE, Outlet, send
from .wire import Message, Signer, split

# Long enough for a last reply to leave, short enough that a front end which is gone holds nothing up.
LINGER_MS = 1000
# An honest kernel sends no output of more than OUTPUT_LIMIT; a message has more to it than that.
FRAME_LIMIT = 2 * OUTPUT_LIMIT
# Requests that are known again, as many as jupyter_client has it.
TAKEN = 2**16


class Front:
    """Bound for front ends, as an ordinary kernel's sockets are.

    connection: the content of the connection file. Its `listeners`, if it has them, are descriptors by channel of
    sockets that listen there already, and are this object's from now on.
    """

    def __init__(self, context: zmq.Context[Any], connection: dict[str, Any]) -> None:
        self.signer = Signer(str(connection["key"]), str(connection.get("signature_scheme", "hmac-sha256")))
        self.ports = {name: port for name, port in connection.items() if name.endswith("_port")}
        self.shell = _bound(context, zmq.ROUTER, connection, "shell")
        self.control = _bound(context, zmq.ROUTER, connection, "control")
        self.stdin = _bound(context, zmq.ROUTER, connection, "stdin")
        self.iopub = _bound(context, zmq.XPUB, connection, "iopub")
        self.outlet = Outlet(self.iopub)
        self.heartbeat = _bound(context, zmq.ROUTER, connection, "hb")
        self.iopub.setsockopt(zmq.XPUB_VERBOSE, 1)
        self._taken: OrderedDict[bytes, None] = OrderedDict()

    def answering(self, channel: str) -> zmq.Socket[Any]:
        """Where requests of this channel, shell or control, come from and are answered."""
        return self.shell if channel == "shell" else self.control

    def receive(self, socket: zmq.Socket[Any]) -> Message | None:
        """The next message, or None where it is none, its signature is not the front end's, or it was here before."""
        with contextlib.suppress(ValueError, zmq.Again):
            frames = socket.recv_multipart(zmq.NOBLOCK)
            message = split(frames)
            if self.signer.trusts(frames) and has_header(message) and self._is_new(message):
                return message
        return None

    def _is_new(self, message: Message) -> bool:
        """As any kernel, it takes nothing twice: somebody without the key may have repeated it."""
        mark = hashlib.sha256(b"\0".join(message.parts)).digest()
        if mark in self._taken:
            return False
        self._taken[mark] = None
        if len(self._taken) > TAKEN:
            self._taken.popitem(last=False)
        return True

    def echo(self) -> None:
        """Answer a heartbeat with itself. A REP would wait for a well-formed one, and lose its place at others."""
        with contextlib.suppress(zmq.Again):
            self.heartbeat.send_multipart(self.heartbeat.recv_multipart(zmq.NOBLOCK), zmq.NOBLOCK)

    def subscribed(self) -> bytes | None:
        """What somebody subscribes to on iopub; None where the next event there is another one."""
        with contextlib.suppress(zmq.Again):
            first = self.iopub.recv_multipart(zmq.NOBLOCK)[0]
            return first[1:] if first[:1] == b"\x01" else None
        return None

    def send(self, socket: zmq.Socket[Any], message: Message) -> None:
        frames = self.signer.frames(message)
        if socket is self.iopub:
            self.outlet.put(frames)
        else:
            send(socket, frames)

    def answer(self, socket: zmq.Socket[Any], message: Message) -> None:
        """Send an answer of the sandbox's. Where it names ports, they are made ours."""
        if message.type == "connect_reply":
            message = message.with_content(**self.ports)
        self.send(socket, message)

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
        self.sockets = (self.shell, self.control, self.stdin, self.iopub)

    def send(self, socket: zmq.Socket[Any], message: Message) -> None:
        send(socket, self.signer.frames(message))

    def close(self) -> None:
        for socket in self.sockets:
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
        socket.sndhwm = QUEUE
    if "curve_secretkey" in connection:
        # Who knows the connection file has the keys: both ends use the same pair, as with any kernel.
        socket.curve_secretkey = connection["curve_secretkey"].encode()
        socket.curve_publickey = connection["curve_publickey"].encode()
        socket.curve_server = True
        socket.sndhwm = QUEUE
    if (listener := connection.get("listeners", {}).get(channel)) is not None:
        socket.setsockopt(zmq.USE_FD, listener)
    socket.bind(endpoint(connection, channel))
    return socket


def _connected(
    context: zmq.Context[Any], kind: int, connection: dict[str, Any], channel: str, identity: bytes = b""
) -> zmq.Socket[Any]:
    socket: zmq.Socket[Any] = context.socket(kind)
    socket.linger = 0
    # The sandbox binds a little later than we connect: ask again soon.
    socket.reconnect_ivl = 5
    # One frame of more than this breaks the connection, before it is here.
    socket.maxmsgsize = FRAME_LIMIT
    if kind == zmq.DEALER:
        socket.identity = identity
        # A sandbox that reads nothing must not make us wait.
        socket.sndhwm = 0
    else:
        # Beyond these the sandbox waits: its own end of iopub drops nothing (``bootstrap.py``).
        socket.rcvhwm = QUEUE
        socket.subscribe(b"")
    socket.connect(endpoint(connection, channel))
    return socket
