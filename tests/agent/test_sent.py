"""Whatever happens in a conversation, no service refuses what it is sent: over HTTP, by the rules of both providers.

The scripted server holds every request to them (``servers/rules.py``), in the tests with real kernels too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import Answer, Failure, ModelServer, Reply, ToolCall

from jupyter_codeact.agent.processors import CacheControl, Compact, LastNObservations, default_processors
from jupyter_codeact.errors import SandboxDied
from jupyter_codeact.events import Ran, Rejected
from jupyter_codeact.execution import RunStopped
from jupyter_codeact.models import retry
from jupyter_codeact.parts import ModelConfig, open_model
from jupyter_codeact.protocols import Model

from .test_observing import plotting, png
from .twins import ScriptedCells, agent_of, printing, run

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
CLAUDE, GPT, OTHER = "anthropic/claude-sonnet-4-5", "openai/gpt-4o", "openai/local-model"
TEXTS = st.sampled_from(
    ["", " ", "So. ", "\n\n", "It is so.", "```python\nx = 1\n```", "```python\nx", "é\u2028\x00🤖"]
)
RUN = ToolCall("run_cell", {"code": "x = 1"})
USED = st.sampled_from([(10, 5), (900, 5)])
GOOD = st.sampled_from([RUN, ToolCall("edit_file", {"command": "view", "path": "."})])
# One of these voids a reply.
BAD = st.sampled_from(
    [
        *(ToolCall("run_cell", {"code": code}) for code in ("def", "input()", "", " ")),
        *(ToolCall("run_cell", text) for text in ("", "{", "[]", '{"code": 1}', '{"code": "cut')),
        ToolCall("bash", {"command": "ls"}),
        ToolCall("", {}),
    ]
)
FENCED = st.sampled_from(["Hm.\n```python\nx = 1\n```", '```edit_file\n{"command": "view", "path": "."}\n```'])
ACTS = st.builds(
    Reply,
    text=FENCED,
    thinking=st.sampled_from(["", "Hm."]),
    tool_calls=st.lists(GOOD, min_size=1, max_size=3),
    usage=USED,
)
ODD = st.builds(
    Reply,
    text=TEXTS,
    thinking=st.sampled_from(["", "Hm."]),
    tool_calls=st.lists(GOOD | BAD, max_size=3),
    usage=USED,
    ending=st.sampled_from(["", "", "", "length", "max_tokens", "content_filter", "refusal"]),
    cut_after=st.sampled_from([None, None, None, 1]),
)
TOO_LONG = Failure(400, {"error": {"message": "This model's maximum context length is 128000 tokens."}})
POLICY = Failure(400, "content_policy_violation: rejected as a result of our safety system")
ANSWERS = st.one_of(ACTS, ACTS, ACTS, ODD, ODD, st.sampled_from([Failure(429), Failure(500), TOO_LONG, POLICY]))
OUTCOMES = st.sampled_from(
    [
        *(printing(""), printing("1"), printing(" \n"), printing("long " * 99)),
        *(Ran("", (), "died"), Ran("", (), "error", timed_out=True), Rejected(""), Rejected("no")),
        *[plotting(png(9, 9))] * 6,
        SandboxDied("Gone."),
        RuntimeError("No."),
        asyncio.CancelledError(),
        RunStopped(Ran("", (), "error", interrupted=True)),
    ]
)
PROCESSORS = (Compact(tokens=800), LastNObservations(n=1, polling=2, shortest=20), CacheControl(last_n_messages=3))


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with pytest.MonkeyPatch.context() as patch, ModelServer() as server:
        patch.setattr(retry, "FIRST_WAIT_S", 0.0)
        patch.setenv("ANTHROPIC_API_KEY", "sk-test")
        yield server


def opened(server: ModelServer, name: str, **options: Any) -> Model:
    base = server.anthropic_base if name == CLAUDE else server.openai_base
    return open_model(ModelConfig(name=name, api_base=base, **options))


async def converse(server: ModelServer, name: str, answers: list[Answer], outcomes: list[Any], prompts: int) -> None:
    """Several prompts, until the script has no more answers; what the person sees as an error is one here."""
    server.reset()
    server.add(*answers, *[Reply("Done.")] * (prompts + 4))
    thinks = {"reasoning_effort": "low"} if name == CLAUDE else {}
    agent = agent_of(opened(server, name, **thinks), history_processors=PROCESSORS, max_steps=6)
    cells = ScriptedCells(*outcomes, read_text={"text": None})
    for number in range(prompts):
        with suppress(asyncio.CancelledError):
            await run(agent, cells, f"Prompt {number}")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(answers=st.lists(ANSWERS, max_size=9), outcomes=st.lists(OUTCOMES, max_size=9), prompts=st.integers(1, 3))
@pytest.mark.parametrize("name", [CLAUDE, GPT, OTHER])
async def test_nothing_that_is_sent_is_refused(
    server: ModelServer, name: str, answers: list[Answer], outcomes: list[Any], prompts: int
) -> None:
    await converse(server, name, answers, outcomes, prompts)
    assert server.refused == []


@pytest.mark.parametrize("name", [CLAUDE, GPT, OTHER])
async def test_each_request_continues_the_one_before_but_where_outputs_are_left_out(
    server: ModelServer, name: str
) -> None:
    """Byte for byte, or no service's cache would hit; marks for a cache are no part of what is cached."""
    server.reset()
    act = Reply("I act.\n```python\nx = 1\n```" if name == OTHER else "", tool_calls=[] if name == OTHER else [RUN])
    server.add(*[act] * 17, Reply("Done."))
    agent = agent_of(opened(server, name), history_processors=list(default_processors()))
    await run(agent, ScriptedCells(*[printing(f"{n} " * 150) for n in range(17)]))
    bodies = [unmarked(request.json) for request in server.requests]
    assert len({json.dumps([body.get("system"), body.get("tools")]) for body in bodies}) == 1
    sent = [json.dumps(body["messages"]).removesuffix("]") for body in bodies]
    changed = [outputs for outputs, (a, b) in enumerate(pairwise(sent), start=1) if not b.startswith(a)]
    assert changed == [8, 16]


def unmarked(value: Any) -> Any:
    """Without marks for a cache, and with texts that stand alone as litellm sends those without a mark."""
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: unmarked(item) for key, item in value.items() if key != "cache_control"}
