"""Tapped requests: who hears them, and what the front end gets of them."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_codeact import inside
from jupyter_codeact.kernel.taps import Tap, Way
from jupyter_codeact.kernel.wire import Message, build

PARENT = b'{"msg_id": "the agent\'s cell"}'


def message(kind: str, **content: Any) -> Message:
    return build(kind, content, "s1", b'{"msg_id": "inner"}', idents=[b"topic"])


def tap(way: Way, heard: list[Message] | None = None) -> Tap:
    return Tap(way, [].append if heard is None else heard.append, PARENT)


BUSY, IDLE = message("status", execution_state="busy"), message("status", execution_state="idle")
REPLY, TEXT = message("execute_reply", status="ok"), message("stream", text="x")


@pytest.mark.parametrize(
    ("messages", "ended"),
    [
        ([BUSY, TEXT], False),
        ([BUSY, REPLY], False),
        ([BUSY, IDLE], False),
        ([REPLY, IDLE], True),
        ([IDLE, REPLY], True),
        ([message("input_request"), IDLE], False),
        ([message("comm_msg", execution_state="idle"), REPLY], False),
    ],
)
def test_it_ends_with_reply_and_idle(messages: list[Message], ended: bool) -> None:
    heard: list[Message] = []
    tapped = tap(Way.SWALLOW, heard)
    for one in messages:
        tapped.hear(one)
    assert tapped.ended is ended
    assert heard == messages


@pytest.mark.parametrize("kind", ["stream", "status", "execute_input", "display_data"])
def test_what_was_asked_for_is_forwarded_as_it_is(kind: str) -> None:
    one = message(kind)
    assert tap(Way.FORWARD).outgoing(one) is one


@pytest.mark.parametrize("kind", ["stream", "status", "execute_input", "error"])
def test_what_is_swallowed_is_not_seen(kind: str) -> None:
    assert tap(Way.SWALLOW).outgoing(message(kind)) is None


@pytest.mark.parametrize(
    ("kind", "seen"),
    [("status", False), ("execute_input", False), ("clear_output", False), ("stream", True), ("error", True)],
)
def test_outputs_become_those_of_the_agent_s_cell(kind: str, seen: bool) -> None:
    one = message(kind, text="x")
    one.buffers = [b"buffer"]
    outgoing = tap(Way.REPARENT).outgoing(one)
    assert (outgoing is not None) is seen
    if outgoing is not None:
        assert outgoing.parent_id == "the agent's cell"
        assert (outgoing.id, outgoing.content, outgoing.idents, outgoing.buffers) == (
            one.id,
            {"text": "x"},
            [b"topic"],
            [b"buffer"],
        )
        assert one.parent_id == "inner"


def test_a_reply_comes_without_the_state_that_the_front_end_did_not_ask_for() -> None:
    found = {inside.STATE: {"status": "ok"}, "mine": {"status": "ok"}}
    reply = message("execute_reply", status="ok", user_expressions=found)
    assert tap(Way.FORWARD).replying(reply).content == {"status": "ok", "user_expressions": {"mine": {"status": "ok"}}}


def test_a_step_clears_only_what_an_output_widget_has() -> None:
    """The agent's cell has the words and outputs of earlier steps, too."""
    tapped = tap(Way.REPARENT)
    seen = []
    for owner in ("inner", "another request's", "inner", ""):
        tapped.outgoing(message("comm_msg", comm_id="w", data={"method": "update", "state": {"msg_id": owner}}))
        seen.append(tapped.outgoing(message("clear_output", wait=False)) is not None)
    assert seen == [True, False, True, False]
