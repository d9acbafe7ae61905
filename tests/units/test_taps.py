"""Tapped requests: who hears them, and what the front end gets of them."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_codeact import inside
from jupyter_codeact.kernel.taken import Taken
from jupyter_codeact.kernel.taps import Tap, Way
from jupyter_codeact.kernel.wire import Message, build

PARENT = b'{"msg_id": "the agent\'s cell"}'


def message(kind: str, **content: Any) -> Message:
    return build(kind, content, "s1", b'{"msg_id": "inner"}', idents=[b"topic"])


def tap(way: Way, heard: list[Message] | None = None) -> Tap:
    return Tap(way, ([] if heard is None else heard).append, PARENT)


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
    assert tap(Way.FORWARD).outgoing(one, Taken()) is one


@pytest.mark.parametrize("kind", ["stream", "status", "execute_input", "error"])
def test_what_is_swallowed_is_not_seen(kind: str) -> None:
    assert tap(Way.SWALLOW).outgoing(message(kind), Taken()) is None


@pytest.mark.parametrize(
    ("kind", "seen"),
    [("status", False), ("execute_input", False), ("clear_output", False), ("stream", True), ("error", True)],
)
def test_outputs_become_those_of_the_agent_s_cell(kind: str, seen: bool) -> None:
    one = message(kind, text="x")
    one.buffers = [b"buffer"]
    outgoing = tap(Way.REPARENT).outgoing(one, Taken())
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


def update(owner: str) -> Message:
    return message("comm_msg", comm_id="w", data={"method": "update", "state": {"msg_id": owner}})


def test_what_an_output_widget_takes_in_a_step_is_its_state() -> None:
    """The agent's cell has the words and outputs of earlier steps, too, which no widget may have or clear."""
    tapped, taken = tap(Way.REPARENT), Taken()
    taken.of("w").note([{"output_type": "stream", "name": "stdout", "text": "old "}])

    def seen(one: Message) -> Any:
        outgoing = tapped.outgoing(one, taken)
        assert outgoing is None or outgoing.parent_id == "the agent's cell"
        state = outgoing and outgoing.content.get("data", {}).get("state")
        return [output.get("text") for output in state["outputs"]] if state and "outputs" in state else state

    text = message("stream", name="stdout", text="x")
    picture = message("display_data", data={"image/png": "x"}, metadata={}, transient={"display_id": "d"})
    clear, clear_later = message("clear_output", wait=False), message("clear_output", wait=True)
    for owner, is_taken in (("inner", True), ("another request's", False), ("inner", True), ("", False)):
        assert seen(update(owner)) == {}
        if is_taken:
            assert seen(text)[-1].endswith("x")
            assert [seen(one) for one in (clear, text, text, clear_later)] == [[], ["x"], ["xx"], None]
            assert [seen(one) for one in (picture, text)] == [[None], [None, "x"]]
        else:
            assert [seen(one) for one in (text, clear)] == [None, None]
    large = message("stream", name="stdout", text="x" * 600_000)
    assert [seen(update("inner")), seen(large)] == [{}, None]
    assert tapped.outgoing(large, taken) is not None
    assert list(tapped.changed) == ["w"]


def test_what_widgets_show_is_forgotten_where_it_is_much() -> None:
    taken = Taken()
    for number in range(200):
        taken.of(f"w{number}").note([{"output_type": "stream", "text": "x" * number * 3000}])
    for name, length in (("w150", 450_000), ("w199", 0), ("w10", 0)):
        shown = taken.of(name).content["data"]["state"]["outputs"]
        assert sum(len(output["text"]) for output in shown) == length
