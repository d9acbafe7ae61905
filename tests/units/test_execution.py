"""One request, watched to its end."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_codeact import inside
from jupyter_codeact.events import Ran
from jupyter_codeact.execution import CUT, KEPT_CHARACTERS, KEPT_IN_ALL, KEPT_OUTPUTS, Execution

Heard = tuple[str, dict[str, Any]]
REPLY: Heard = ("execute_reply", {"status": "ok"})
IDLE: Heard = ("status", {"execution_state": "idle"})
BUSY: Heard = ("status", {"execution_state": "busy"})
CLEAR: Heard = ("clear_output", {"wait": False})
CLEAR_LATER: Heard = ("clear_output", {"wait": True})


def request(code: str = "x") -> Heard:
    return "execute_request", {"code": code}


def stream(text: str, name: str = "stdout") -> Heard:
    return "stream", {"name": name, "text": text}


def shown(text: str, display_id: str = "", kind: str = "display_data") -> Heard:
    return kind, {
        "data": {"text/plain": text},
        "metadata": {},
        "transient": {"display_id": display_id} if display_id else {},
    }


def failed(name: str) -> Heard:
    return "error", {"ename": name, "evalue": "", "traceback": [name]}


def heard(*messages: Heard, proposed: str = "x") -> Execution:
    execution = Execution(proposed)
    for kind, content in messages:
        execution.hear(kind, content)
    return execution


def ran(*messages: Heard) -> Ran:
    return heard(request(), *messages, REPLY, IDLE).result()


def texts(result: Ran) -> list[str]:
    return [output.get("text") or output.get("ename") or output["data"]["text/plain"] for output in result.outputs]


@pytest.mark.parametrize(
    ("messages", "ends"),
    [
        ([BUSY, REPLY], False),
        ([BUSY, IDLE], False),
        ([REPLY, BUSY], False),
        ([BUSY, REPLY, IDLE], True),
        ([BUSY, IDLE, REPLY], True),
        ([("sandbox_died", {})], True),
        ([("input_request", {}), IDLE], False),
    ],
)
async def test_it_ends_with_reply_and_idle_in_any_order(messages: list[Heard], ends: bool) -> None:
    assert heard(request(), *messages).ended.done() is ends


async def test_outputs_between_reply_and_idle_count_and_later_ones_do_not() -> None:
    execution = heard(request(), REPLY, stream("late"), IDLE, stream("too late"), request("y"), REPLY, IDLE)
    assert texts(execution.result()) == ["late"]
    assert execution.started.result() == "x"


@pytest.mark.parametrize(
    ("reply", "status"),
    [("ok", "ok"), ("error", "error"), ("aborted", "aborted"), ("abort", "error"), (None, "error")],
)
async def test_its_status_is_the_reply_s(reply: str | None, status: str) -> None:
    result = heard(request(), ("execute_reply", {"status": reply}), IDLE).result()
    assert result.status == status


async def test_a_sandbox_that_died_keeps_what_was_printed() -> None:
    result = heard(request(), stream("so far"), ("sandbox_died", {}), stream("x")).result()
    assert (result.status, texts(result)) == ("died", ["so far"])


@pytest.mark.parametrize(
    ("messages", "source", "edited"),
    [
        ([request("x"), REPLY, IDLE], "x", False),
        ([request("y"), REPLY, IDLE], "y", True),
        ([request("x"), request("y"), REPLY, IDLE], "x", False),
        ([("execute_reply", {"status": "aborted"}), IDLE], "x", False),
        ([("sandbox_died", {})], "x", False),
    ],
)
async def test_edited_is_what_ran_otherwise_than_proposed(messages: list[Heard], source: str, edited: bool) -> None:
    result = heard(*messages).result()
    assert (result.source, result.edited) == (source, edited)


async def test_its_time_runs_from_its_start() -> None:
    execution = heard(request())
    execution._began -= 5
    execution.hear(*REPLY)
    execution.hear(*IDLE)
    assert execution.result().seconds >= 5


async def test_interrupted_is_said() -> None:
    assert ran(failed("KeyboardInterrupt")).interrupted
    assert not ran(failed("ValueError"), stream("KeyboardInterrupt")).interrupted


@pytest.mark.parametrize(
    ("messages", "left"),
    [
        ([stream("a"), stream("b")], ["ab"]),
        ([stream("a"), stream("b", "stderr"), stream("c")], ["a", "b", "c"]),
        ([stream("a"), shown("1"), stream("b")], ["a", "1", "b"]),
        ([stream("a"), failed("ValueError")], ["a", "ValueError"]),
        ([shown("1", kind="execute_result")], ["1"]),
        ([stream("a"), CLEAR], []),
        ([stream("a"), CLEAR, stream("b")], ["b"]),
        ([stream("a"), CLEAR_LATER], ["a"]),
        ([stream("a"), CLEAR_LATER, stream("b"), stream("c")], ["bc"]),
        ([stream("a"), CLEAR_LATER, CLEAR_LATER, shown("b")], ["b"]),
        ([stream("a"), CLEAR_LATER, CLEAR, stream("b"), stream("c", "stderr")], ["b", "c"]),
        ([shown("1", "d"), shown("2", "d", "update_display_data")], ["2"]),
        ([shown("1", "d"), shown("x", "e"), shown("2", "d", "update_display_data")], ["2", "x"]),
        ([shown("1", "d"), shown("2", "d"), shown("3", "d", "update_display_data")], ["3", "3"]),
        ([shown("1"), shown("2", kind="update_display_data")], ["1"]),
        ([shown("2", "d", "update_display_data")], []),
        ([("comm_open", {"text": "x"}), ("execute_input", {"code": "x"})], []),
    ],
)
async def test_outputs_as_the_notebook_has_them(messages: list[Heard], left: list[str]) -> None:
    assert texts(ran(*messages)) == left


async def test_what_is_kept_does_not_change_the_message() -> None:
    """The same content is on its way to the front end."""
    first = stream("a")
    heard(request(), first, stream("b"))
    assert first == stream("a")


# ---- floods


async def test_a_flood_of_text_keeps_its_head_and_tail() -> None:
    execution = heard(request(), stream("first\n"))
    for _ in range(3 * KEPT_CHARACTERS // 1000):
        execution.hear(*stream("x" * 1000))
    execution.hear(*stream("last"))
    [output] = execution.outputs
    assert len(output["text"]) <= 2 * KEPT_CHARACTERS
    assert output["text"].startswith("first\n")
    assert output["text"].endswith("xlast")
    assert output["text"].count(CUT) == 1


async def test_one_huge_message_is_bounded() -> None:
    [output] = heard(request(), stream("x" * 5 * KEPT_CHARACTERS)).outputs
    assert len(output["text"]) <= 2 * KEPT_CHARACTERS


@pytest.mark.parametrize("kind", ["streams", "displays"])
async def test_a_flood_of_outputs_keeps_the_first_and_the_newest(kind: str) -> None:
    execution = heard(request())
    for number in range(3 * KEPT_OUTPUTS):
        name = "stdout" if number % 2 else "stderr"
        execution.hear(*(stream(f"{number};", name) if kind == "streams" else shown(f"{number};")))
    execution.hear(*REPLY)
    execution.hear(*IDLE)
    left = texts(execution.result())
    assert len(left) <= KEPT_OUTPUTS
    assert (left[0], left[-1]) == ("0;", f"{3 * KEPT_OUTPUTS - 1};")
    assert left.count(CUT) == 1


async def test_a_flood_of_pictures_is_bounded() -> None:
    execution = heard(request())
    for number in range(30):
        execution.hear(*shown(str(number) + "x" * KEPT_CHARACTERS))
    sizes = [len(str(output)) for output in execution.outputs]
    assert sum(sizes) <= KEPT_IN_ALL + 2 * KEPT_CHARACTERS
    assert execution.outputs[-1]["data"]["text/plain"].startswith("29")


async def test_what_is_larger_than_everything_is_kept_alone() -> None:
    execution = heard(request(), *[shown("x" * 2 * KEPT_IN_ALL)] * 5)
    assert len(execution.outputs) <= 4


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ({inside.STATE: {"status": "ok", "data": {"text/plain": '\'{"working_dir": "/w"}\''}}}, {"working_dir": "/w"}),
        ({inside.STATE: {"status": "ok", "data": {"text/plain": "'[1]'"}}}, None),
        ({inside.STATE: {"status": "ok", "data": {"text/plain": "no JSON"}}}, None),
        ({inside.STATE: {"status": "error", "ename": "NameError"}}, None),
        ({inside.STATE: 1}, None),
        ("no mapping", None),
        ({}, None),
    ],
)
async def test_the_state_comes_with_the_reply_where_it_is_one(found: Any, state: Any) -> None:
    reply = "execute_reply", {"status": "ok", "user_expressions": found}
    assert heard(request(), reply, IDLE).result().state == state
