"""What is said with one sandbox, from its start to its end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import zmq.asyncio

from ..errors import SandboxUnavailable
from ..kernel.border import Border
from ..kernel.comms import Comms
from ..kernel.sockets import Back
from ..kernel.taps import Listener
from ..kernel.wire import Message, build
from ..sandbox.launch import Sandbox
from ..sandbox.probe import explain

KEPT_LOG = 8192


class Line:
    """Sends requests to a sandbox, and hands what comes back to whoever asked. Lives in one event loop.

    ready: done once its outputs are heard; raises SandboxUnavailable where it ended before, or has another working
    folder than it was opened for.
    ended: done once its process is gone.
    """

    def __init__(self, sandbox: Sandbox, context: zmq.asyncio.Context, session: str) -> None:
        loop = asyncio.get_running_loop()
        self.sandbox = sandbox
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._session = session
        self._back = Back(context, sandbox.connection)
        self._border = Border(Comms(), session)
        self._listeners: dict[str, Listener] = {}
        self._log = b""
        self._end = os.pidfd_open(sandbox.process.pid)
        self._pipes = [pipe.fileno() for pipe in (sandbox.process.stdout, sandbox.process.stderr) if pipe]
        loop.add_reader(self._end, self._on_end)
        for pipe in self._pipes:
            os.set_blocking(pipe, False)
            loop.add_reader(pipe, self._on_log, pipe)
        self._tasks = [
            asyncio.create_task(self._hear(self._back.iopub, self._border.published)),
            asyncio.create_task(self._hear(self._back.shell, lambda frames: self._border.replied(frames, "shell"))),
        ]

    def ask(self, kind: str, content: dict[str, Any], listener: Listener | None = None) -> str:
        """Send a request; ``listener`` hears all that belongs to it. Returns its id."""
        message = build(kind, content, self._session)
        if listener is not None:
            self._listeners[message.id] = listener
        channel = "shell" if kind == "execute_request" else "control"
        self._border.requests.add(message, channel, hers=False)
        self._back.send(getattr(self._back, channel), message)
        return message.id

    def forget(self, request: str) -> None:
        """Nobody waits for that request any more."""
        self._listeners.pop(request, None)

    async def close(self) -> None:
        """End the sandbox, and leave nothing of it. Whoever still waits hears that it died."""
        self._leave_loop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._back.close()
        self.sandbox.close()
        listeners, self._listeners = self._listeners, {}
        for listener in listeners.values():
            text = self.sandbox.obituary
            listener(build("error", {"ename": "SandboxDied", "evalue": text, "traceback": [text]}, self._session))
            listener(build("sandbox_died", {}, self._session))

    async def _hear(self, socket: Any, admit: Callable[[list[bytes]], Message | None]) -> None:
        receive: Callable[[], Awaitable[list[bytes]]] = socket.recv_multipart
        while True:
            message = admit(await receive())
            if message is None:
                continue
            if message.type == "iopub_welcome" and not self.ready.done():
                self._on_welcome()
            if listener := self._listeners.get(message.parent_id):
                listener(message)

    def _on_welcome(self) -> None:
        try:
            self.sandbox.check_place()
        except SandboxUnavailable as other_folder:
            self.ready.set_exception(other_folder)
        else:
            self.ready.set_result(None)

    def _on_end(self) -> None:
        self._leave_loop()
        if not self.ready.done():
            self.ready.set_exception(
                SandboxUnavailable(explain(self._log.decode(errors="replace"), self.sandbox.cause))
            )
        self.ended.set_result(None)

    def _on_log(self, pipe: int) -> None:
        """What the sandbox writes to its terminal is kept for the message that explains its end."""
        data = _read(pipe)
        self._log = (self._log + data)[-KEPT_LOG:]
        if not data:
            asyncio.get_running_loop().remove_reader(pipe)

    def _leave_loop(self) -> None:
        if self._end < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._end)
        os.close(self._end)
        self._end = -1
        for pipe in self._pipes:
            self._on_log(pipe)
            loop.remove_reader(pipe)


def _read(pipe: int) -> bytes:
    try:
        return os.read(pipe, 65536)
    except BlockingIOError:
        return b""
