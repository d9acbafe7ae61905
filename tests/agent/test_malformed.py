"""Whatever a model writes ends in another query or in a clean exit, and what is sent can always be sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_codeact.errors import ContentPolicy, ModelBusy, ModelError
from jupyter_codeact.events import CallDelta, Reply, Retrying, TextDelta, ThinkingDelta, ToolCall, Usage

from .reading import LINES, streamed
from .twins import ScriptedCells, StreamModel, agent_of, run, valid, words

EXITS = {"submitted", "exit_format", "exit_api", "exit_steps", "exit_forfeit", "exit_cost"}
ODD = st.text(max_size=30) | st.sampled_from(["\x00", "\ud800", "\u2028", "\u202e", "🤖" * 9, "\r\n" * 5, " ", "\t```"])
FENCES = st.lists(LINES, max_size=10).map("\n".join)
CODE = st.sampled_from(["x = 1", "def", "input()", "", "  ", "x\x00", "print('''\n```\n''')", "é = '\udc80'"]) | ODD
JSON = st.one_of(
    CODE.map(lambda code: json.dumps({"code": code})),
    CODE.map(lambda code: json.dumps({"code": code})[:-3]),
    ODD,
    st.sampled_from(
        ["{}", "[]", "null", '{"code": 1}', '{"answer": ""}', '{"answer": "x", "gave_up": true}', "{" * 99]
    ),
    st.sampled_from(['{"command": "view", "path": "."}', '{"command": "create"}', '{"path": {"a": []}}']),
)
NAMES = st.sampled_from(["run_cell", "edit_file", "submit", "bash", "", "RUN_CELL", "run_cell "])
CALLS = st.lists(st.tuples(st.sampled_from(["a", "b", ""]), NAMES, JSON), max_size=3)
ENDS = st.sampled_from([None, None, None, ModelError("cut"), ModelBusy("cut"), ContentPolicy("no"), "no reply"])


@st.composite
def streams(draw: Any) -> list[Any]:
    """A reply in pieces that may or may not say what its end says."""
    text, calls = draw(FENCES | ODD), draw(CALLS)
    deltas: list[Any] = [ThinkingDelta(draw(ODD))] if draw(st.booleans()) else []
    deltas += [TextDelta(piece) for piece in (text[:7], text[7:])]
    for index, (_, name, arguments) in enumerate(calls):
        cut = draw(st.integers(0, 20))
        deltas += [CallDelta(index, name, arguments[:cut]), CallDelta(index, "", arguments[cut:])]
    if draw(st.booleans()):
        deltas.insert(draw(st.integers(0, len(deltas))), Retrying("Busy.", 0.0, Usage(1, 1, 0, 0.0, 1)))
    end = draw(ENDS)
    if end is None:
        kept = calls if draw(st.booleans()) else calls[:1]
        reply = Reply(text, tuple(ToolCall(*call) for call in kept), Usage(1, 1, 0, 0.1, 1))
        return [*deltas, reply]
    return deltas if end == "no reply" else [*deltas, end]


@settings(max_examples=60)
@given(replies=st.lists(streams(), max_size=8), takes_tools=st.booleans(), submits=st.booleans())
async def test_no_reply_is_a_traceback(replies: list[Any], takes_tools: bool, submits: bool) -> None:
    model = StreamModel(*replies, *[words("Done.")] * 9, takes_tools=takes_tools)
    agent, cells = agent_of(model, max_steps=5, submits=submits), ScriptedCells(read_text={"text": None}, write_text="")
    events = await run(agent, cells)
    status = str(agent.info["exit_status"]).removeprefix("submitted (").removesuffix(")")
    assert status in EXITS, agent.trajectory[-1]
    assert all(map(valid, model.asked))
    assert valid(agent.history)
    # What a front end shows in the end are the cells that ran, and no half ones.
    ran = {action.id: (action.step, action.source) for action in cells.ran}
    assert {name: cell for name, cell in streamed(events).items() if name in ran} == ran
    agent.recorder.text(agent).encode()


@pytest.mark.parametrize("takes_tools", [True, False])
@pytest.mark.parametrize(
    "text",
    ["x" * 2_000_000, "```python\n" + "x = 1\n" * 200_000, "```" * 100_000, "{" * 200_000, "\ud800" * 1000],
    ids=["words", "an open block", "fences", "braces", "half characters"],
)
async def test_a_huge_reply_is_read_in_no_time(text: str, takes_tools: bool) -> None:
    pieces = [TextDelta(text[n : n + 5000]) for n in range(0, len(text), 5000)]
    calls = [CallDelta(0, "run_cell", text[n : n + 5000]) for n in range(0, len(text), 5000)] if takes_tools else []
    reply = Reply(text, (ToolCall("c", "run_cell", text),) if takes_tools else ())
    agent = agent_of(StreamModel([*pieces, *calls, reply], words("Done."), takes_tools=takes_tools))
    await run(agent)
    assert agent.info["exit_status"] == "submitted"
    assert valid(agent.history)
