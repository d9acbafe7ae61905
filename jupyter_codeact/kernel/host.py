"""The thread that thinks: an event loop in which our own cells are answered.

The proxy calls ``start``, ``stop`` and ``on_comm`` from its thread; everything else happens in this one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Protocol

from ..errors import CodeActError
from ..events import RanCell
from ..protocols import FrontEnd
from .cell import RequestCell
from .comms import CommMessage
from .proxy import Proxy
from .queue import Request
from .taps import Tap, Way
from .wire import Message


class Answers(Protocol):
    """What our own cells mean. Called in the host's thread."""

    async def answer(self, host: Host, cell: RequestCell) -> None:
        """Answer a whole cell."""

    def assist(self, host: Host, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        """The content of the reply to a complete_request or inspect_request in a cell of ours."""


class Host:
    """Answers our own cells with ``answers``, one at a time.

    front_end: whoever shows the present run in the extension; None between runs.
    leader: the comm of the front end that executed or attached last, with the header its answers belong to.
    """

    def __init__(self, proxy: Proxy, answers: Answers, warm_up: Callable[[], None]) -> None:
        self.proxy = proxy
        self.answers = answers
        self.warm_up = warm_up
        self.front_end: FrontEnd | None = None
        self.comms: dict[str, tuple[str, bytes]] = {}
        self.leader = ""
        self._left: set[str] = set()
        self.cell: RequestCell | None = None
        self.writing: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="codeact-host", daemon=True)

    # ---- called by the proxy, in its thread

    def open(self) -> None:
        self._thread.start()

    def start(self, request: Request) -> None:
        self._soon(self._start, request)

    def stop(self) -> None:
        self._soon(self.cancel)

    def on_comm(self, message: CommMessage) -> None:
        self._soon(self._on_comm, message)

    def assist(self, message: Message) -> None:
        self._soon(self._assist, message)

    def is_being_written(self, cell_id: str) -> bool:
        return cell_id in self.writing

    def _soon(self, call: Callable[..., Any], *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(call, *arguments)

    # ---- this thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_later(0.5, self._warm_up_aside)
        self._loop.run_forever()

    def _warm_up_aside(self) -> None:
        """Heavy imports happen in a thread of their own, so that a first `%%agent` need not wait for all."""
        threading.Thread(target=self.warm_up, name="codeact-warm-up", daemon=True).start()

    def _start(self, request: Request) -> None:
        cell = self.cell = RequestCell(self, request)
        self.leader = self.comm_of(request.session) or self.leader
        self._task = self._loop.create_task(self._answer(cell, request))
        # A task that is cancelled before its first step runs nothing of itself: its end has to be heard from outside.
        self._task.add_done_callback(lambda task: self._end(cell, request, task))

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _answer(self, cell: RequestCell, request: Request) -> None:
        cell.count = await self._count(request)
        if not request.silent:
            # The next cell's number, where this one takes none: as ipykernel has it.
            code = {"code": request.code, "execution_count": cell.count + (not request.is_stored)}
            self.post(self.proxy.voice.publish, "execute_input", code, cell.header)
        await self.answers.answer(self, cell)
        if expressions := request.expressions:
            reply = await self._run_unseen("", silent=True, expressions=expressions)
            cell.expressions = reply.get("user_expressions", {})

    def _end(self, cell: RequestCell, request: Request, task: asyncio.Task[None]) -> None:
        """Send the reply, however the cell ended."""
        self.cell = self.front_end = self._task = None
        self.writing.clear()
        while self._left:
            self.tell(self._left.pop(), {"op": "over"})
        reply = _reply(cell, task)
        if reply["status"] == "error" and not task.cancelled():
            self.post(self.proxy.voice.publish, "error", _shown(reply), cell.header)
        self.post(self.proxy.finish, request, {**reply, "execution_count": cell.count})

    def _assist(self, message: Message) -> None:
        content = self.answers.assist(self, message.type, message.content)
        self.post(self.proxy.answer_assist, message, content)

    async def _count(self, request: Request) -> int:
        """The execution count of a cell of ours, from the sandbox's own counter; its history then has her words."""
        comment = "\n".join(f"# {line}" for line in request.code.splitlines()) if request.is_stored else ""
        reply = await self._run_unseen(comment, silent=not request.is_stored)
        return reply.get("execution_count") or 0

    async def _run_unseen(self, code: str, **options: Any) -> dict[str, Any]:
        """The content of the sandbox's reply; nothing where it died."""
        got: asyncio.Future[dict[str, Any]] = self._loop.create_future()

        def listen(message: Any) -> None:
            if message.type in ("execute_reply", "sandbox_died"):
                self._soon(_resolve, got, message.content)

        self.post(lambda: self.proxy.submit(code, Tap(Way.SWALLOW, listen), record=False, **options))
        return await got

    def post(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Have the proxy do something, in order."""
        self.proxy.post(lambda: call(*arguments))

    def ran(self) -> list[RanCell]:
        """The cells that ran in this kernel, oldest first."""
        return list(self.proxy.ledger.cells)

    @property
    def trusts_outputs(self) -> bool:
        """Whether active content of the sandbox's is shown."""
        return self.proxy.border.trusted

    def trust_outputs(self, trusted: bool) -> None:
        """The person's word on it."""
        self.post(setattr, self.proxy.border, "trusted", trusted)

    # ---- front ends with our extension

    def _on_comm(self, message: CommMessage) -> None:
        if message.closed:
            self.comms.pop(message.comm_id, None)
        elif message.data.get("op") == "attach":
            self.comms[message.comm_id] = (message.session, message.header)
            self._attach(message.comm_id)
        elif self.front_end is not None:
            self.front_end.on_message(message.data)

    def _attach(self, comm_id: str) -> None:
        """The last front end to attach leads: a page that was reloaded goes on with the run, and with its outputs."""
        last, self.leader = self.leader, comm_id
        under_way = self.cell if self.front_end is not None else None
        run = {"cell": under_way.id, "request": under_way.request_id} if under_way is not None else {}
        self.tell(comm_id, {"op": "attached", **run})
        if self.front_end is not None:
            if under_way is not None and last not in ("", comm_id):
                self._left.add(last)
                self.tell(last, {"op": "moved", "cell": under_way.id})
            self._left.discard(comm_id)
            self.front_end.replay()

    def comm_of(self, session: str) -> str:
        """The comm that a front end opened last; "" where it has no extension."""
        return next((comm for comm, (owner, _) in reversed(self.comms.items()) if owner == session), "")

    def show_run(self, front_end: FrontEnd, session: str) -> None:
        """A run begins that the front end of ``session`` asked for, with ``front_end`` for what shows it.

        Between her Shift+Enter and this a page may have been opened anew. It was told of no run then, and is now.
        """
        self.front_end = front_end
        asker, last = self.comm_of(session), self.leader
        if asker and last != asker:
            self.leader = asker
            if last in self.comms:
                self._attach(last)

    def tell(self, comm_id: str, data: dict[str, Any]) -> None:
        if comm_id in self.comms:
            _, header = self.comms[comm_id]
            self.post(self.proxy.voice.publish, "comm_msg", {"comm_id": comm_id, "data": data}, header)


def _resolve(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _reply(cell: RequestCell, task: asyncio.Task[None]) -> dict[str, Any]:
    if task.cancelled():
        return _error("KeyboardInterrupt", "Stopped by you.")
    match task.exception():
        case None:
            return {"status": "ok", "payload": cell.payload, "user_expressions": cell.expressions}
        case CodeActError() as error:
            return _error(type(error).__name__, str(error))
        case error:
            # A defect of ours must end in the cell, not in a dead thread.
            return _defect(error)


def _error(name: str, text: str) -> dict[str, Any]:
    return {"status": "error", "ename": name, "evalue": text, "traceback": [text]}


def _shown(reply: dict[str, Any]) -> dict[str, Any]:
    return {key: reply[key] for key in ("ename", "evalue", "traceback")}


def _defect(error: BaseException) -> dict[str, Any]:
    import traceback

    text = f"A defect of jupyter_codeact: {type(error).__name__}: {error}. Your variables and cells are untouched."
    return {**_error(type(error).__name__, text), "traceback": [text, *traceback.format_exception(error)]}
