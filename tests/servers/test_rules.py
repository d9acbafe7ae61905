"""What the scripted server refuses, as the services do."""

from __future__ import annotations

from typing import Any

import pytest

from .rules import anthropic, openai

GO: dict[str, Any] = {"role": "user", "content": "Go."}
MARK = {"cache_control": {"type": "ephemeral"}}


def call(*ids: str, arguments: str = "{}") -> dict[str, Any]:
    made = [{"id": name, "type": "function", "function": {"name": "f", "arguments": arguments}} for name in ids]
    return {"role": "assistant", "content": None, "tool_calls": made}


def result(name: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": name, "content": "1"}


def use(*ids: str, thinking: str | None = None) -> dict[str, Any]:
    thought = [] if thinking is None else [{"type": "thinking", "thinking": "Hm.", "signature": thinking}]
    made = [{"type": "tool_use", "id": name, "name": "f", "input": {}} for name in ids]
    return {"role": "assistant", "content": [*thought, *made]}


def results(*ids: str, after: str = "", before: str = "") -> dict[str, Any]:
    said = [{"type": "text", "text": text} for text in (before, after)]
    blocks: list[dict[str, Any]] = [{"type": "tool_result", "tool_use_id": name, "content": "1"} for name in ids]
    return {"role": "user", "content": [*(said[:1] if before else []), *blocks, *(said[1:] if after else [])]}


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([{"role": "system", "content": "You"}, GO, call("a", "b"), result("b"), result("a"), GO, GO], ""),
        ([{"role": "system", "content": "You"}, GO, {"role": "assistant", "content": "ok"}, GO], ""),
        ([GO, GO], "roles must alternate"),
        ([{"role": "assistant", "content": "ok"}], "roles must alternate"),
        ([GO, call("a"), GO], "calls are not answered: a"),
        ([GO, call("a")], "calls are not answered: a"),
        ([GO, call("a"), result("b")], "answers no call"),
        ([GO, call("a"), result("a"), result("a")], "answers no call"),
        ([GO, call("a", "a"), result("a")], "ids of its calls"),
        ([GO, call(""), result("")], "ids of its calls"),
        ([GO, call("a", arguments="{"), result("a")], "no JSON object"),
        ([{"role": "user", "content": ""}], "is empty"),
        ([{"role": "user", "content": "Go.", "agent": "main"}], "user has no agent"),
        ([GO | MARK], "user has no cache_control"),
        ([{"role": "human", "content": "Go."}], "no role 'human'"),
    ],
)
def test_in_openais_words(messages: list[dict[str, Any]], said: str) -> None:
    refused = openai({"messages": messages})
    assert said in refused
    assert bool(refused) is bool(said)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([GO, use("a", "b"), results("b", "a", after="And?")], ""),
        ([GO, GO], "roles must alternate"),
        ([use("a"), results("a")], "beginning with user"),
        ([GO, use("a"), GO], "followed by tool_result []"),
        ([GO, use("a")], "without tool_result: a"),
        ([GO, use("a"), results("a", "a")], "followed by"),
        ([GO, use("a", "a"), results("a", "a")], "unique"),
        ([GO, use("a"), results("a", before="First")], "tool_result comes before"),
        ([{"role": "user", "content": " "}], "must not be empty"),
        ([{"role": "user", "content": []}], "must not be empty"),
        ([GO, use("a", thinking=""), results("a")], "not signed"),
        ([{"role": "user", "content": [{"type": "text", "text": "Go."} | MARK] * 5}], "5 blocks with cache_control"),
        ([{"role": "user", "content": [{"type": "text", "text": "Go."} | MARK] * 4}], ""),
    ],
)
def test_in_anthropics_words(messages: list[dict[str, Any]], said: str) -> None:
    refused = anthropic({"messages": messages})
    assert said in refused
    assert bool(refused) is bool(said)


def test_marks_of_the_system_and_of_tools_count() -> None:
    request = {"system": [{"type": "text", "text": "You"} | MARK] * 2, "tools": [{"name": "f"} | MARK] * 3}
    assert "5 blocks" in anthropic(request | {"messages": [GO]})


@pytest.mark.parametrize(
    ("messages", "thinks", "said"),
    [
        ([GO], True, ""),
        ([GO, use("a", thinking="signed"), results("a", after="And?")], True, ""),
        ([GO, use("a", thinking="signed"), results("a"), use("b"), results("b")], True, ""),
        ([GO, use("a"), results("a", after="A picture.")], True, "expected thinking, found tool_use"),
        ([GO, use("a"), results("a"), use("b", thinking="signed"), results("b")], True, "expected thinking"),
        ([GO, use("a"), results("a"), {"role": "assistant", "content": "So."}, GO], True, ""),
        ([GO, use("a"), results("a")], False, ""),
        ([GO, use("a", thinking="signed"), results("a")], False, "thinking is disabled"),
        ([GO, use("a", thinking="signed"), results("a"), {"role": "assistant", "content": "So."}, GO], False, ""),
    ],
)
def test_anthropics_turn_thinks_from_its_beginning_or_not_at_all(
    messages: list[dict[str, Any]], thinks: bool, said: str
) -> None:
    refused = anthropic({"messages": messages} | ({"thinking": {"type": "enabled"}} if thinks else {}))
    assert said in refused
    assert bool(refused) is bool(said)
