"""smolagents' CodeAgent with its own Python interpreter: no kernel, no sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smolagents import CodeAgent, LogLevel, OpenAIModel
from turns import KEY, MODEL, PROMPT, STEPS, serve


@contextmanager
def prepare(address: str) -> Iterator[Callable[[], None]]:
    model = OpenAIModel(MODEL, api_base=f"{address}/v1", api_key=KEY)
    agent = CodeAgent(tools=[], model=model, verbosity_level=LogLevel.OFF, max_steps=STEPS)

    def run() -> None:
        agent.run(PROMPT)

    yield run


serve(prepare)
