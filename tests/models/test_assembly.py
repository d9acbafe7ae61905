"""Replies put together from litellm's chunks."""

from __future__ import annotations

from typing import Any

import pytest
from litellm.types.utils import ModelResponseStream

from jupyter_codeact.events import CallDelta, TextDelta, ToolCall, Usage
from jupyter_codeact.models.assembly import Assembly

pytestmark = pytest.mark.filterwarnings("ignore")
USED = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def chunk(finish: str | None = None, usage: dict[str, int] | None = None, **delta: Any) -> ModelResponseStream:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}] if delta or finish else []
    return ModelResponseStream(choices=choices, **({"usage": usage} if usage else {}))


def call(index: int, arguments: str, id: str | None = None, name: str | None = None) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]}


def taken(*chunks: Any) -> tuple[Assembly, list[Any]]:
    assembly = Assembly()
    return assembly, [delta for chunk in chunks for delta in assembly.take(chunk)]


def test_pieces_of_several_calls_are_told_apart_by_index() -> None:
    assembly, deltas = taken(
        chunk(content="I "),
        chunk(content="look."),
        chunk(**call(0, "", "a", "run_cell")),
        chunk(**call(1, "", "b", "edit_file")),
        chunk(**call(1, '{"x"')),
        chunk(**call(0, '{"y": 1}')),
        chunk(**call(1, ": 2}")),
    )
    reply = assembly.reply(Usage())
    assert reply.text == "I look."
    assert reply.calls == (ToolCall("a", "run_cell", '{"y": 1}'), ToolCall("b", "edit_file", '{"x": 2}'))
    assert deltas[:3] == [TextDelta("I "), TextDelta("look."), CallDelta(0, "run_cell", "")]


def test_calls_that_all_have_one_index_are_told_apart_by_their_ids() -> None:
    """As Gemini's service in OpenAI's style sends them."""
    assembly, deltas = taken(
        chunk(**call(0, '{"x": 1}', "a", "run_cell")),
        chunk(**call(0, "", "b", "run_cell")),
        chunk(**call(0, '{"x"', "b")),
        chunk(**call(0, ": 2}")),
        chunk(**call(1, '{"x": 3}', "c", "run_cell")),
    )
    assert assembly.reply(Usage()).calls == tuple(
        ToolCall(one, "run_cell", f'{{"x": {n}}}') for n, one in enumerate("abc", start=1)
    )
    assert [delta.index for delta in deltas] == [0, 1, 1, 1, 2]


def test_thinking_is_kept_as_its_service_takes_it_back() -> None:
    def thought(**block: str) -> ModelResponseStream:
        return chunk(thinking_blocks=[block])

    assembly, _ = taken(
        thought(type="thinking", thinking="Hm, "),
        thought(type="thinking", thinking="hm."),
        thought(type="thinking", thinking="", signature="s1"),
        thought(type="redacted_thinking", data="x"),
        thought(type="thinking", thinking="So."),
        thought(type="thinking", thinking="", signature="s2"),
        thought(type="thinking", thinking="Never signed."),
    )
    assert assembly.reply(Usage()).thinking_blocks == (
        {"type": "thinking", "thinking": "Hm, hm.", "signature": "s1"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "thinking", "thinking": "So.", "signature": "s2"},
    )
    list(assembly.take(chunk(reasoning_content="Hm, hm.")))
    assert assembly.reply(Usage()).reasoning == ""


def test_a_reply_is_whole_with_its_end_and_its_usage() -> None:
    assembly, _ = taken(chunk(content="ok", usage=USED))
    assert not assembly.whole
    list(assembly.take(chunk(finish="stop")))
    assert assembly.whole
    assert assembly.usage.prompt_tokens == 7
