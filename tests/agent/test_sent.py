"""Whatever happens in a conversation, no service refuses what it is sent: over HTTP, by the rules of both providers.

The scripted server holds every request to them (``servers/rules.py``), in the tests with real kernels too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import Answer, Failure, ModelServer, Reply, ToolCall

from jupyter_codeact.agent.history import result_message, text_message
from jupyter_codeact.agent.ledger import next_request
from jupyter_codeact.agent.loop import Agent
from jupyter_codeact.agent.pictures import ImageParsing, image_part
from jupyter_codeact.agent.processors import (
    AnyProcessor,
    CacheControl,
    ClosedWindow,
    Compact,
    Identity,
    LastNObservations,
    RemoveRegex,
    TagToolCallObservations,
    default_processors,
)
from jupyter_codeact.errors import SandboxDied
from jupyter_codeact.events import Ran, Rejected
from jupyter_codeact.execution import RunStopped
from jupyter_codeact.models import retry
from jupyter_codeact.parts import ModelConfig, open_model
from jupyter_codeact.protocols import Model

from .test_observing import plotting, png
from .twins import ScriptedCells, agent_of, printing, run, valid

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


async def test_a_turn_that_began_with_another_model_is_gone_on_with_without_thinking(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service refuses it in the middle of a turn; with the next prompt it is asked for again."""
    monkeypatch.setenv("ANTHROPIC_API_BASE", server.anthropic_base)
    server.reset()
    act, thinking = Reply("I look.", tool_calls=[RUN]), Reply("I look.", thinking="Hm.", tool_calls=[RUN])
    server.add(act, Failure(404, "gone"), act, Reply("Done."), thinking, act, Reply("Done."))
    agent = agent_of(opened(server, "openai/o3-mini", reasoning_effort="low", fallbacks=(CLAUDE,)))
    await run(agent)
    await run(agent, prompt="Again.")
    assert not server.refused
    claude = [request.json for request in server.requests if request.path == "/v1/messages"]
    assert ["thinking" in body for body in claude] == [False, False, True, True, True]


async def test_the_ledger_knows_which_thinking_goes_back(server: ModelServer) -> None:
    """Of a model that is asked to think no more, none does."""
    server.reset()
    server.add(Reply("I look.", thinking="Hm.", tool_calls=[RUN]), Reply("Done."), Reply("Once more."))
    agent = agent_of(opened(server, CLAUDE, reasoning_effort="low"))
    await run(agent)
    shown = [text_of_all(agent)]
    agent.model = opened(server, CLAUDE)
    shown.append(text_of_all(agent))
    await run(agent, prompt="Again.")
    sent = json.dumps(server.requests[-1].json)
    assert ["Hm." in text for text in (*shown, sent)] == [True, False, False]


def text_of_all(agent: Agent) -> str:
    return "\n".join(part.text for part in next_request(agent, {}, {}))


PICTURE = "![plot](data:image/png;base64,AAAA)"
SAID = st.sampled_from(
    ["3", "<diff>a</diff>", PICTURE, f"a {PICTURE}\n{PICTURE}", f"<diff>{PICTURE}</diff>", "long " * 99]
)
# Some services count the calls of each reply anew.
IDS = st.sampled_from(["c0", "c1", "c2"])
CALLED = st.sampled_from(['{"code": "x"}', '{"command": "view", "path": "a"}', "{}"])
CALLS = st.dictionaries(
    IDS, st.tuples(st.sampled_from(["run_cell", "edit_file"]), CALLED, SAID), min_size=1, max_size=3
)
CHAIN = st.lists(
    st.one_of(
        st.just(Identity()),
        st.builds(
            LastNObservations, n=st.integers(1, 3), polling=st.integers(1, 3), shortest=st.sampled_from([0, 200])
        ),
        st.builds(TagToolCallObservations, tags=st.sampled_from([("keep_output",), ("remove_output",)])),
        st.builds(ClosedWindow, tool=st.sampled_from(["edit_file", "run_cell"])),
        st.builds(CacheControl, last_n_messages=st.integers(0, 3)),
        st.builds(RemoveRegex, remove=st.sampled_from([("<diff>.*?</diff>",), (".",), (".+", "x*")])),
        st.just(ImageParsing()),
        st.just(Compact()),
    ),
    max_size=6,
)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Prompts, and turns with words or calls of the model's, and summaries of what is before them."""
    messages = [
        text_message("system", "Act.", "system_prompt", "main"),
        text_message("user", draw(SAID), "instance", "main"),
    ]
    covered = [1]
    for kind in draw(st.lists(st.sampled_from(["calls", "calls", "words", "summary"]), max_size=5)):
        if kind == "calls":
            calls = draw(CALLS)
            made = [
                {"id": call, "type": "function", "function": {"name": name, "arguments": arguments}}
                for call, (name, arguments, _) in calls.items()
            ]
            text = draw(st.sampled_from(["", "So.", "<diff>a</diff>"]))
            messages.append(text_message("assistant", text, "action", "main", tool_calls=made))
            messages += [result_message(call, seen, "main") for call, (_, _, seen) in calls.items()]
            if draw(st.booleans()):
                pictures = [image_part("data:image/png;base64,AAAA")]
                messages.append(text_message("user", pictures, "images", "main", tags=["images"]))
        elif kind == "words":
            messages.append(text_message("assistant", draw(SAID), "thought", "main"))
            messages.append(text_message("user", draw(SAID), "instance", "main"))
        else:
            covers = draw(st.sampled_from(covered))
            messages.append(text_message("user", draw(SAID), "summary", "main", covers=covers))
        covered.append(len(messages))
    return messages


def test_every_processor_that_we_ship_is_in_some_chain() -> None:
    kinds: set[type] = set()

    @given(CHAIN)
    def collect(chain: list[Any]) -> None:
        kinds.update(map(type, chain))

    collect()
    assert kinds == {*get_args(AnyProcessor)}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(messages=conversations(), chain=CHAIN)
@pytest.mark.parametrize("name", [CLAUDE, GPT])
async def test_nothing_that_is_sent_is_refused_whatever_the_processors(
    server: ModelServer, name: str, messages: list[dict[str, Any]], chain: list[Any]
) -> None:
    server.reset()
    server.add(Reply("Done."))
    agent = agent_of(opened(server, name), history_processors=chain)
    agent.history = messages
    async for _ in agent.model.query(agent.messages, []):
        pass
    assert server.refused == []
    assert valid(agent.messages)


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
