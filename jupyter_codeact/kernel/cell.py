"""Our own cell, as the kernel offers it to magics and notebook: outputs, the extension, the sandbox, stdin."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .. import inside
from ..errors import SandboxError
from ..events import CodeAction, MimeBundle
from ..execution import Execution
from ..guard import bundle
from .answers import take_answer
from .queue import Request
from .taps import Listener, Tap, Way
from .wire import Message

if TYPE_CHECKING:
    from .host import Host


# How long an unseen question may take: what it asks for is small.
ANSWER_S = 60.0
# What clients send for Ctrl-D at a question (jupyter_client, jupyter_console).
END_OF_INPUT = "\x04"


class RequestCell:
    """An AgentCell made of an execute_request."""

    def __init__(self, host: Host, request: Request) -> None:
        self._host = host
        self._proxy = host.proxy
        self._request = request
        self.id = request.cell_id
        self.code = request.code
        self.header = request.message.parts[0]
        self.count = 0
        self.payload: list[dict[str, Any]] = []
        self.expressions: dict[str, Any] = {}
        self._shown = 0

    @property
    def attached(self) -> bool:
        return self._host.comm_of(self._request.session) != ""

    @property
    def request_id(self) -> str:
        """What the outputs of this cell name as their parent."""
        return str(self._request.message.header["msg_id"])

    @property
    def can_ask(self) -> bool:
        return bool(self._request.message.content.get("allow_stdin"))

    def display(self, data: MimeBundle, display_id: str = "", update: bool = False) -> None:
        kind = "update_display_data" if update else "display_data"
        transient = {"display_id": display_id} if display_id else {}
        # What is shown here are mostly the model's words, and the model is as little trusted as the sandbox.
        content = {"data": bundle.clean(data), "metadata": {}, "transient": transient}
        self._host.post(self._proxy.voice.publish, kind, content, self.header)
        self._shown += not update

    def withdraw(self, display_id: str) -> None:
        if self._shown > 1:
            # What stands above it stays, and so does its place.
            self.display({"text/markdown": "", "text/plain": ""}, display_id, update=True)
            return
        # An output that was made empty would be in the saved notebook for ever.
        self._host.post(self._proxy.voice.publish, "clear_output", {"wait": True}, self.header)
        self._shown = 0

    def become(self, text: str) -> None:
        self.payload = [{"source": "set_next_input", "text": text, "replace": True}]

    def tell(self, **message: Any) -> None:
        self._host.tell(self._host.leader, message)

    def expect(self, action: CodeAction) -> Execution:
        execution = Execution(action.source)
        self._host.writing.discard(action.id)
        self._host.post(self._proxy.proposals.__setitem__, action.id, self._listener(execution))
        return execution

    def opening(self, action_id: str) -> None:
        """The cell is still being written: a run of it, by accident or Run All, is turned away."""
        self._host.writing.add(action_id)

    def closed(self, action_id: str) -> None:
        """The cell is not being written any more."""
        self._host.writing.discard(action_id)

    def forget(self, action: CodeAction) -> None:
        self._host.post(self._proxy.proposals.pop, action.id, None)

    def run(self, source: str, action_id: str) -> Execution:
        execution = Execution(source)
        execution.hear("execute_request", {"code": source})
        tap = Tap(Way.REPARENT, self._listener(execution), self.header)
        self._host.post(lambda: self._proxy.submit(source, tap, action_id, expressions=inside.with_state()))
        return execution

    def interrupt(self) -> None:
        self._host.post(self._proxy.interrupt_sandbox)

    async def evaluate(self, expression: str) -> str:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()

        def settle(message: Message) -> None:
            if message.type in ("execute_reply", "sandbox_died") and not answer.done():
                take_answer(answer, message)

        def listen(message: Message) -> None:
            loop.call_soon_threadsafe(settle, message)

        tap = Tap(Way.SWALLOW, listen)
        self._host.post(lambda: self._proxy.submit("", tap, silent=True, record=False, expressions={"x": expression}))
        try:
            # Not wait_for: in Python 3.11 a Stop that comes together with the answer would be lost in it.
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError:
            raise SandboxError("The sandbox does not answer: something still runs in it.") from None

    async def restart(self) -> None:
        self._host.post(self._proxy.restart_sandbox)
        await self.evaluate("1")

    async def ask(self, prompt: str) -> str:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()

        def settle(text: str) -> None:
            if not answer.done():
                answer.set_result(text)

        def answered(text: str) -> None:
            loop.call_soon_threadsafe(settle, text)

        self._host.post(self._proxy.question.ask, self._request.message, prompt, answered)
        text = await answer
        if text == END_OF_INPUT:
            self.stop()
            await asyncio.Event().wait()
        return text

    def lead(self, front_end: Any) -> None:
        """From here on, what the person does in the extension goes to ``front_end``."""
        self._host.show_run(front_end, self._request.session)

    def stop(self) -> None:
        self._host.cancel()

    def _listener(self, execution: Execution) -> Listener:
        loop = asyncio.get_running_loop()

        def listen(message: Message) -> None:
            loop.call_soon_threadsafe(execution.hear, message.type, message.content)

        return listen
