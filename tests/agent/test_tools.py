"""Replies of models with tool calls."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.agent.tool_reader import ToolReader
from jupyter_codeact.events import ActionChunk, CallDelta, CodeAction, Reply, TextDelta, ThinkingDelta

from .reading import CUTS, called, read, tool_calls

VIEW = {"command": "view", "path": "."}
SEARCH = {"command": "search", "name": "fit a GP"}
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["code", "path", "x"]), inner),
    max_leaves=6,
)


def code(source: str) -> tuple[str, str]:
    return ("run_cell", json.dumps({"code": source}))


@pytest.mark.parametrize(
    ("calls", "actions"),
    [
        ([], ()),
        ([code("x = 1")], ((1, "x = 1"),)),
        ([code("x = 1\n\n")], ((1, "x = 1"),)),
        ([code("\nif x:\n    'ü😀\u2028'\n")], ((1, "\nif x:\n    'ü😀\u2028'"),)),
        ([code("a"), code("b")], ((1, "a"), (2, "b"))),
        ([("edit_file", json.dumps(VIEW)), code("b"), code("c")], (VIEW, (2, "b"), (3, "c"))),
        ([code("a"), ("edit_file", json.dumps(VIEW)), code("c")], ((1, "a"), VIEW, (3, "c"))),
        ([("skills", json.dumps(SEARCH)), code("b")], (("skills", SEARCH), (2, "b"))),
        ([("run_cell", '{"code": "ab", "code": "xy"}')], ((1, "xy"),)),
        ([("run_cell", '{"why": {"code": 1}, "code": "x"}')], ((1, "x"),)),
    ],
)
def test_each_call_is_an_action_and_a_step(calls: list[tuple[str, str]], actions: tuple[object, ...]) -> None:
    seen = called("So:", *calls, cuts=range(40))
    assert (seen.actions, seen.text, seen.shown, seen.problem) == (actions, "So:", "So:", None)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("bash", '{"command": "ls"}'), "no tool called 'bash'"),
        (("run_cell", '{"code": "x = 1"'), "not a JSON object"),
        (("run_cell", '{"code": "a\nb"}'), "not a JSON object"),
        (("run_cell", '{"code": "\\ud800"}'), "not a JSON object"),
        (("run_cell", ""), "not a JSON object"),
        (("run_cell", '"x = 1"'), "not a JSON object"),
        (("edit_file", "[]"), "not a JSON object"),
        (("skills", "fit a GP"), "not a JSON object"),
        (("run_cell", "{}"), "needs its argument 'code'"),
        (("run_cell", '{"code": ""}'), "needs its argument 'code'"),
        (("run_cell", '{"code": "\\n  "}'), "needs its argument 'code'"),
        (("run_cell", '{"code": ["x = 1"]}'), "needs its argument 'code'"),
        (("run_cell", '{"code": null}'), "needs its argument 'code'"),
    ],
)
@pytest.mark.parametrize("first", [[], [code("x = 1")]])
def test_one_bad_call_voids_the_reply(call: tuple[str, str], said: str, first: list[tuple[str, str]]) -> None:
    seen = called("", *first, call, cuts=range(60))
    assert seen.problem is not None
    assert said in seen.problem.text


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_reply_without_words_and_calls_is_empty(text: str) -> None:
    seen = read(ToolReader(1), [ThinkingDelta("Hm."), TextDelta(text)], Reply(text))
    assert seen.thinking == "Hm."
    assert seen.problem is not None


def test_source_that_is_no_text_is_never_streamed() -> None:
    events = list(ToolReader(1).feed(CallDelta(0, "run_cell", '{"code": null}')))
    assert not any(isinstance(event, ActionChunk) for event in events)


@pytest.mark.parametrize(
    "deltas",
    [
        [],
        [CallDelta(1, "run_cell", '{"code": "a"}'), CallDelta(4, "run_cell", '{"code": "b"}')],
        [CallDelta(0, "run_cell", '{"code": "a"}'), CallDelta(0, "run_cell", '{"code": "b"}')],
        [CallDelta(0, "run_cell", '{"code": "other"}')],
        [CallDelta(0, "run_cell", '{"code": "a"}')],
        [CallDelta(7, "run_cell", '{"code": "a"}'), CallDelta(8, "", ""), CallDelta(9, "run_cell", "")],
    ],
)
def test_the_whole_reply_counts_whatever_was_streamed(deltas: list[CallDelta]) -> None:
    """Services number their calls as they like, stream them whole, or not at all."""
    seen = read(ToolReader(1), deltas, Reply("", tool_calls(code("a"), code("b"))))
    assert [source for _, source in seen.actions] == ["a", "b"]


def test_a_call_that_was_streamed_and_is_not_in_the_reply_leaves_no_cell() -> None:
    seen = read(ToolReader(1), [CallDelta(0, "run_cell", '{"code": "a')], Reply("Done."))
    assert (seen.actions, seen.cells, seen.problem) == ((), (), None)


def test_a_call_without_an_id_gets_one() -> None:
    calls = tuple(type(call)("", call.name, call.arguments) for call in tool_calls(code("a"), code("b")))
    _, actions, _, _ = ToolReader(1).finish(Reply("", calls))
    ids = [action.call_id for action in actions if isinstance(action, CodeAction)]
    assert all(ids)
    assert ids[0] != ids[1]


@given(sources=st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=3), cuts=CUTS, ascii=st.booleans())
def test_every_way_of_cutting_reads_the_same(sources: list[str], cuts: list[int], ascii: bool) -> None:
    calls = [("run_cell", json.dumps({"code": source}, ensure_ascii=ascii)) for source in sources]
    seen = called("So.", *calls, cuts=cuts)
    assert [source for _, source in seen.actions] == [source.rstrip("\n") for source in sources]
    assert seen == called("So.", *calls)


@given(
    calls=st.lists(
        st.tuples(st.sampled_from(["run_cell", "edit_file", "bash", ""]), JSON.map(json.dumps) | st.text(max_size=30)),
        max_size=3,
    ),
    text=st.text(max_size=10),
    cuts=CUTS,
)
def test_nothing_that_a_model_writes_raises(calls: list[tuple[str, str]], text: str, cuts: list[int]) -> None:
    seen = called(text, *calls, cuts=cuts)
    assert seen.problem or len(seen.actions) == len(calls)
