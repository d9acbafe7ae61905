"""One request, watched to its end."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_codeact import inside
from jupyter_codeact.events import Ran
from jupyter_codeact.execution import Execution
from jupyter_codeact.kept import KEPT_SHOWN, KEPT_TEXT, OUTPUT, PIECE

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


def said(kind: str, widget: str = "o", **state: Any) -> Heard:
    return kind, {"comm_id": widget, "data": {"method": "update", "state": state}}


def enter(widget: str = "o") -> Heard:
    return said("comm_msg", widget, msg_id="m")


def leave(widget: str = "o") -> Heard:
    return said("comm_msg", widget, msg_id="")


APPENDED = [{"output_type": "stream", "name": "stdout", "text": "added"}]


@pytest.mark.parametrize(
    ("messages", "left"),
    [
        ([stream("a"), enter(), CLEAR, stream("b"), leave(), stream("c")], ["abc"]),
        ([stream("a"), enter(), shown("1"), CLEAR, shown("2"), leave(), stream("c")], ["a", "2", "c"]),
        ([stream("a"), enter(), shown("1"), leave(), CLEAR, stream("c")], ["1", "c"]),
        ([enter(), shown("1"), CLEAR_LATER, leave(), shown("x"), enter(), shown("2"), leave()], ["x", "2"]),
        ([stream("a"), CLEAR_LATER, enter(), shown("1"), leave(), stream("b")], ["1", "b"]),
        (
            [
                *(enter("o"), shown("1"), enter("p"), shown("2"), CLEAR, shown("3"), leave("p"), shown("4")),
                *(leave("o"), shown("5"), enter("o"), CLEAR, leave("o")),
            ],
            ["3", "5"],
        ),
        ([said("comm_open", outputs=[], msg_id=""), shown("1"), said("comm_msg", outputs=APPENDED)], ["1", "added"]),
        ([said("comm_msg", outputs=APPENDED), said("comm_msg", outputs=APPENDED * 2)], ["addedadded"]),
        ([shown("1"), enter(), shown("2"), leave(), said("comm_msg", outputs=[])], ["1"]),
        ([said("comm_msg", outputs=[5, {"output_type": "display_data", "data": []}, {}], value=5), shown("1")], ["1"]),
        ([("comm_msg", {"comm_id": 5, "data": 5}), ("comm_msg", {"comm_id": "o", "data": {"state": 5}})], []),
    ],
)
async def test_an_output_widget_s_outputs_are_its_own_to_clear(messages: list[Heard], left: list[str]) -> None:
    assert texts(ran(*messages)) == left


async def test_a_widget_that_clears_itself_leaves_no_gap_and_a_flood_beside_it_has_one() -> None:
    flood = [shown(f"{number};") for number in range(2 * KEPT_TEXT // OUTPUT)]
    rounds = [message for number in range(20) for message in (enter(), CLEAR, shown(f"{number}%"), leave())]
    left = texts(ran(stream("first"), *rounds, stream("then")))
    assert left == ["first", "19%", "then"]
    left = texts(ran(stream("first"), *flood, *rounds))
    assert (left[0], left[-1]) == ("first", "19%")
    assert sum("not kept here" in text for text in left) == 1


async def test_what_is_kept_does_not_change_the_message() -> None:
    """The same content is on its way to the front end."""
    first = stream("a")
    heard(request(), first, stream("b"))
    assert first == stream("a")


# ---- floods


def picture(size: int, mark: str = "x", display_id: str = "") -> Heard:
    kind, content = shown("<Figure>", display_id)
    return kind, {**content, "data": {"image/png": mark * size, "text/plain": "<Figure>"}}


def sizes(result: Ran) -> tuple[int, int]:
    """Characters of text, and of pictures."""
    data = [output.get("data", {}) for output in result.outputs]
    pictures = sum(len(bundle.get("image/png", "")) for bundle in data)
    return sum(map(len, texts(result))), pictures


async def test_no_text_goes_for_a_picture_s_sake() -> None:
    """Scores and figures in turns, and then an exception: figures of ordinary sizes, and of far too large ones."""
    for size in (1_000_000, KEPT_SHOWN // 3):
        folds = [message for k in range(4) for message in (stream(f"fold {k}\n"), picture(size))]
        result = ran(*folds, failed("ValueError"))
        said = [text for text in texts(result) if "Figure" not in text]
        assert said == ["fold 0\n", "fold 1\n", "fold 2\n", "fold 3\n", "ValueError"]
        assert result.unkept == 0


async def test_pictures_of_ordinary_sizes_are_all_kept() -> None:
    result = ran(*[picture(2_000_000)] * 20)
    assert sizes(result)[1] == 40_000_000
    assert texts(result) == ["<Figure>"] * 20


async def test_of_a_flood_of_pictures_the_first_and_the_newest_are_kept_and_the_others_named() -> None:
    size = KEPT_SHOWN // 10
    result = ran(*(picture(size, mark) for mark in "abcdefghijklmnopqrst"))
    kept = [output["data"].get("image/png", "-")[0] for output in result.outputs]
    assert "".join(kept) == "abcde----------pqrst"
    assert texts(result)[5] == f"<Figure>\n[image/png: {size:,} characters, not kept]"


async def test_a_large_picture_is_kept_while_all_have_room() -> None:
    result = ran(stream("before"), picture(KEPT_SHOWN // 5 * 3), *[picture(KEPT_SHOWN // 5)] * 2)
    assert sizes(result)[1] == KEPT_SHOWN // 5 * 5


async def test_what_is_larger_than_everything_is_kept_alone() -> None:
    result = ran(*[picture(2 * KEPT_SHOWN)] * 3, stream("after"))
    assert sizes(result)[1] == 2 * KEPT_SHOWN
    assert [*result.outputs[-2]["data"]] == ["image/png", "text/plain"]


@pytest.mark.parametrize("kind", ["one stream", "flushes", "streams", "displays"])
async def test_a_long_text_is_kept_whole(kind: str) -> None:
    lines = [f"row {number}\n" for number in range({"one stream": 300_000, "flushes": 60_000}.get(kind, 4_000))]
    if kind == "one stream":
        messages = [stream("".join(lines))]
    elif kind == "displays":
        messages = [shown(line) for line in lines]
    else:
        names = ("stdout", "stderr") if kind == "streams" else ("stdout",)
        messages = [stream(line, names[number % len(names)]) for number, line in enumerate(lines)]
    result = ran(*messages)
    assert "".join(texts(result)) == "".join(lines)
    assert result.unkept == 0


@pytest.mark.parametrize("length", [1000, 70_000, 60_000_000])
async def test_a_flood_of_text_keeps_its_beginning_and_its_end_and_counts_the_rest(length: int) -> None:
    execution = heard(request(), stream("first\n"))
    for _ in range(60_000_000 // length):
        execution.hear(*stream("x" * length))
    execution.hear(*stream("last"))
    execution.hear(*REPLY)
    execution.hear(*IDLE)
    result = execution.result()
    [text] = texts(result)
    beginning, _, rest = text.partition("\n[… ")
    words, _, end = rest.partition(" …]\n")
    assert beginning.startswith("first\nx")
    assert end.endswith("xlast")
    assert words.startswith(f"{result.unkept:,} characters are not kept here")
    assert len(beginning) + len(end) + result.unkept == len("first\nlast") + 60_000_000 // length * length
    assert KEPT_TEXT - 6 * PIECE - 2 * OUTPUT * KEPT_TEXT // PIECE < len(text) < KEPT_TEXT


@pytest.mark.parametrize("kind", ["streams", "displays"])
async def test_a_flood_of_outputs_keeps_the_first_and_the_newest(kind: str) -> None:
    execution = heard(request())
    most = KEPT_TEXT // OUTPUT
    for number in range(3 * most):
        name = "stdout" if number % 2 else "stderr"
        execution.hear(*(stream(f"{number};", name) if kind == "streams" else shown(f"{number};")))
    execution.hear(*REPLY)
    execution.hear(*IDLE)
    result = execution.result()
    left = texts(result)
    assert 0.9 * most < len(left) <= most + 1
    assert (left[0], left[-1]) == ("0;", f"{3 * most - 1};")
    assert sum("not kept here" in text for text in left) == 1


async def test_one_huge_display_keeps_its_beginning_and_its_end() -> None:
    result = ran(shown("a" + "x" * 3 * KEPT_TEXT + "z"), shown("after"))
    text, after = texts(result)
    assert (text[0], text[-1], after) == ("a", "z", "after")
    assert f"{result.unkept:,} characters are not kept here" in text
    assert len(text) < KEPT_TEXT / 2


async def test_displays_that_grow_are_bounded() -> None:
    small = [shown("s", f"d{number}") for number in range(100)]
    grown: list[Heard] = []
    for number in range(100):
        grown.append(("update_display_data", picture(2_000_000, display_id=f"d{number}")[1]))
        grown.append(("update_display_data", shown("y" * 1_000_000, f"d{number}")[1]))
        grown.append(("update_display_data", picture(2_000_000, display_id=f"d{number}")[1]))
    assert sizes(ran(*small, *grown))[1] <= KEPT_SHOWN
    assert sizes(ran(*small, *grown[1::3]))[0] <= KEPT_TEXT


async def test_an_output_that_is_cleared_makes_room() -> None:
    result = ran(*[stream("x" * KEPT_TEXT)] * 2, CLEAR, stream("y" * 4_000_000))
    assert texts(result) == ["y" * 4_000_000]
    assert result.unkept == 0


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
