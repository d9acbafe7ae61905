"""freeact with its defaults: code runs in an IPython kernel behind a gateway, without a sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from freeact import Agent, ApprovalRequest
from freeact.config.resolve import resolve
from freeact.config.schema import AgentSection, FreeactConfig
from turns import KEY, MODEL, PROMPT, serve_async


@asynccontextmanager
async def prepare(address: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    reached = {"base_url": f"{address}/v1", "api_key": KEY}
    section = AgentSection(model=f"openai-chat:{MODEL}", model_settings={}, provider_settings=reached)
    async with Agent(resolve(FreeactConfig(agent=section))) as agent:

        async def run() -> None:
            async for event in agent.stream(PROMPT):
                if isinstance(event, ApprovalRequest):
                    event.approve(True)

        yield run


serve_async(prepare)
