"""One queue: one runs, the others wait, an error takes them with it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.kernel.queue import ExecuteQueue, Request, is_ours
from jupyter_codeact.kernel.wire import build


def request(code: str = "x", *, metadata: dict[str, Any] | None = None, **content: Any) -> Request:
    return Request.read(build("execute_request", {"code": code, **content}, "session", metadata=metadata))


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("%%agent\nFit.", True),
        ("%%agent --new\n", True),
        ("\n  %%agent\nFit.", True),
        ("%%agent\nx = 1", True),
        ("%agent status", True),
        ("%skill list\n\n# why\n  %agent cost\n", True),
        ("%%skill test", True),
        ("%agent", True),
        ("%skill save?", True),
        ("?%skill", True),
        ("??%%agent", True),
        ("?%skills", False),
        ("?%agent\nx = 1", False),
        ("%agents", False),
        ("%%agentx\nFit.", False),
        ("%agent status\nx = 1", False),
        ("x = 1\n%agent status", False),
        ("x = '%%agent'", False),
        ("'''\n%%agent\n'''", False),
        ("%%time\n%agent status", False),
        ("", False),
        ("# %agent", False),
    ],
)
def test_which_cells_are_answered_here(code: str, ours: bool) -> None:
    assert is_ours(code) is ours
    assert request(code).ours is ours


@given(st.text(alphabet="%agentskil \n#x"))
def test_the_look_at_the_bytes_misses_none(code: str) -> None:
    assert request(code).ours is is_ours(code)


def test_a_request_says_what_it_is() -> None:
    asked = request("x = 'ü'", metadata={"cellId": "c1"}, stop_on_error=False)
    assert (asked.code, asked.cell_id, asked.session, asked.stops_on_error) == ("x = 'ü'", "c1", "session", False)
    plain = request()
    assert (plain.cell_id, plain.stops_on_error) == ("", True)
    assert plain.id == plain.message.header["msg_id"]


@pytest.mark.parametrize("cell_id", [None, ""])
def test_a_front_end_without_cell_ids(cell_id: str | None) -> None:
    assert request(metadata={"cellId": cell_id}).cell_id == ""


def test_one_runs_and_the_others_wait_in_order() -> None:
    queue = ExecuteQueue()
    assert queue.next() is None
    first, second, third = request("1"), request("2"), request("3")
    for asked in (first, second, third):
        queue.add(asked)
    assert queue.next() is first
    assert queue.next() is None
    assert queue.finish(failed=False) == []
    assert queue.next() is second
    queue.finish(failed=False)
    assert queue.next() is third


@pytest.mark.parametrize(
    ("failed", "stops", "aborted"), [(True, True, ["2", "3"]), (True, False, []), (False, True, [])]
)
def test_an_error_takes_the_waiting_ones_with_it(failed: bool, stops: bool, aborted: list[str]) -> None:
    queue = ExecuteQueue()
    for asked in (request("1", stop_on_error=stops), request("2"), request("3")):
        queue.add(asked)
    queue.next()
    assert [asked.code for asked in queue.finish(failed)] == aborted
    later = request("4")
    queue.add(later)
    following = queue.next()
    assert following is not None
    assert following.code == ("4" if aborted else "2")


def test_the_end_of_nothing_aborts_nothing() -> None:
    queue = ExecuteQueue()
    queue.add(request())
    assert queue.finish(failed=True) == []
    assert queue.next() is not None
