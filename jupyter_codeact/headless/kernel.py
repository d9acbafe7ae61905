"""A sandbox's kernel without a front end: code goes in, executions come out. One that dies is followed by another."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Self

import zmq.asyncio

from .. import inside
from ..errors import ConfigError, SandboxDied, SandboxError, SandboxUnavailable
from ..execution import Execution
from ..kernel.answers import take_answer
from ..kernel.cell import ANSWER_S
from ..kernel.requests import of_ours
from ..kernel.wire import Message
from ..sandbox.launch import Sandbox
from .line import Line

GONE = "The sandbox ended, and no other one could be opened."


class SandboxKernel:
    """A Runner. ``async with`` opens the sandbox, and closes it with all that is in it.

    Entering and ``restart`` raise SandboxUnavailable. ``open_sandbox`` is called for every fresh sandbox.
    """

    def __init__(self, open_sandbox: Callable[[], Sandbox]) -> None:
        self._open_sandbox = open_sandbox
        self._session = uuid.uuid4().hex
        self._line: Line | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._gone = GONE

    async def __aenter__(self) -> Self:
        self._context = zmq.asyncio.Context()
        try:
            await self._open()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()
        self._context.term()

    # ---- a Runner

    def run(self, source: str, action_id: str = "") -> Execution:
        execution = Execution(source)
        execution.hear("execute_request", {"code": source})

        def listen(message: Message) -> None:
            execution.hear(message.type, message.content)

        if self._line is None:
            execution.hear("error", {"ename": "SandboxDied", "evalue": self._gone, "traceback": [self._gone]})
            execution.hear("sandbox_died", {})
        else:
            request = self._line.ask(
                "execute_request", of_ours(source, silent=False, expressions=inside.with_state()), listen
            )
            execution.ended.add_done_callback(lambda _: self._forget(request))
        return execution

    def interrupt(self) -> None:
        if self._line is not None:
            self._line.ask("interrupt_request", {})

    async def evaluate(self, expression: str) -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def listen(message: Message) -> None:
            if message.type in ("execute_reply", "sandbox_died") and not answer.done():
                take_answer(answer, message)

        if self._line is None:
            raise SandboxDied(self._gone)
        request = self._line.ask("execute_request", of_ours("", silent=True, expressions={"x": expression}), listen)
        try:
            # Not wait_for: in Python 3.11 a Stop that comes together with the answer would be lost in it.
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError:
            raise SandboxError("The sandbox does not answer: something still runs in it.") from None
        finally:
            self._forget(request)

    async def restart(self) -> None:
        await self._close()
        await self._open()

    # ---- the sandbox

    async def _open(self) -> None:
        line = Line(self._open_sandbox(), self._context, self._session)
        try:
            await line.ready
        except BaseException:
            await line.close()
            raise
        self._line = line
        self._keeper = asyncio.create_task(self._keep(line))

    async def _keep(self, line: Line) -> None:
        """Once the sandbox has died, open a fresh one; whoever waits for the dead one is told when that is there."""
        await line.ended
        self._line = None
        try:
            await self._open()
        except (SandboxUnavailable, ConfigError) as error:
            self._gone = f"{GONE} {error}"
        finally:
            await line.close()

    async def _close(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    def _forget(self, request: str) -> None:
        if self._line is not None:
            self._line.forget(request)
