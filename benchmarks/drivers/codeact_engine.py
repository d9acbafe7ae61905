"""Our engine with a kernel in the real sandbox, and nothing between them: no proxy, no notebook."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from turns import KEY, MODEL, PROMPT, STEPS, serve_async, timed

from jupyter_codeact import inside
from jupyter_codeact.agent import Agent, AgentConfig, Limits, TextProblem
from jupyter_codeact.events import CodeAction, Ran
from jupyter_codeact.execution import Execution
from jupyter_codeact.parts import ModelConfig
from jupyter_codeact.sandbox.launch import open_sandbox

ROUND_TRIPS, SAVES = 50, 3


class Kernel:
    """An environment: actions run unasked, with a client of the sandbox's kernel."""

    def __init__(self, connection: dict[str, Any]) -> None:
        self._client = AsyncKernelClient()
        self._client.load_connection_info(connection)
        self._executions: dict[str, Execution] = {}
        self._answers: dict[str, asyncio.Future[str]] = {}

    async def open(self) -> None:
        self._client.start_channels(hb=False)
        await self._client.wait_for_ready(timeout=60)
        channels = (self._client.get_shell_msg, self._client.get_iopub_msg)
        self._listeners = [asyncio.create_task(self._listen(receive)) for receive in channels]

    def close(self) -> None:
        for listener in self._listeners:
            listener.cancel()
        self._client.stop_channels()

    async def _listen(self, receive: Any) -> None:
        while True:
            message = await receive(timeout=None)
            request, kind, content = message["parent_header"].get("msg_id"), message["msg_type"], message["content"]
            if request in self._executions:
                self._executions[request].hear(kind, content)
            elif request in self._answers and kind == "execute_reply":
                self._answers.pop(request).set_result(content["user_expressions"]["x"]["data"]["text/plain"])

    async def run(self, action: CodeAction, timeout_s: float | None) -> Ran:
        execution = Execution(action.source)
        execution.hear("execute_request", {"code": action.source})
        wishes: dict[str, Any] = {"user_expressions": inside.with_state(), "allow_stdin": False, "stop_on_error": False}
        request = self._client.execute(action.source, **wishes)
        self._executions[request] = execution
        await execution.ended
        return self._executions.pop(request).result()

    async def round_trips_s(self) -> list[float]:
        """The floor: what one action takes between this client and the kernel."""
        clock = [time.perf_counter()]
        for _ in range(ROUND_TRIPS):
            await self.run(CodeAction("", 0, "pass"), None)
            clock.append(time.perf_counter())
        return [end - start for start, end in pairwise(clock)]

    async def inside(self, function: str, **arguments: Any) -> Any:
        expressions = {"x": inside.expression(function, arguments)}
        request = self._client.execute("", silent=True, user_expressions=expressions, allow_stdin=False)
        self._answers[request] = answer = asyncio.get_running_loop().create_future()
        return inside.value(await answer)


@asynccontextmanager
async def prepare(address: str) -> AsyncIterator[Callable[[], Awaitable[dict[str, Any]]]]:
    sandbox = open_sandbox("bubblewrap", sys.executable, os.getcwd())
    limits = replace(Limits(), max_steps=STEPS, cost_usd=None)
    model = ModelConfig(name=f"openai/{MODEL}", api_base=f"{address}/v1", api_key=KEY)
    kernel = Kernel(sandbox.connection)
    try:
        agent = Agent.from_config(AgentConfig(model=model, limits=limits))
        await kernel.open()

        async def run() -> dict[str, Any]:
            await agent.run(kernel, TextProblem(PROMPT), Path("runs"))
            assert agent.traj_path is not None
            saves = timed(agent.save_trajectory, SAVES)
            trips = await kernel.round_trips_s()
            return {"record_bytes": agent.traj_path.stat().st_size, "save_s": saves, "round_trip_s": trips}

        yield run
        kernel.close()
    finally:
        sandbox.close()


serve_async(prepare)
