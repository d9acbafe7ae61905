"""The numbers of cells, also of those that the sandbox never spoke of."""

from __future__ import annotations

import pytest

from jupyter_codeact.kernel.requests import Requests
from jupyter_codeact.kernel.wire import Message, build


def asked(requests: Requests, **content: object) -> Message:
    message = build("execute_request", {"code": "1", **content}, "me")
    requests.add(message, "shell")
    return message


@pytest.mark.parametrize(("content", "number"), [({}, 5), ({"silent": True}, 4), ({"store_history": False}, 4)])
def test_a_cell_of_which_nothing_was_heard_has_the_number_after_the_last(content: dict[str, bool], number: int) -> None:
    """A sandbox that is killed at once says nothing, and jupyter console needs a number."""
    requests = Requests()
    first = asked(requests)
    parent = requests.parent(first.parts[0])
    assert parent is not None
    requests.numbered(parent, 4)
    requests.heard(parent, "idle")
    assert requests.count(asked(requests, **content).id) == number


def test_a_fresh_sandbox_counts_from_one() -> None:
    requests = Requests()
    parent = requests.parent(asked(requests).parts[0])
    assert parent is not None
    requests.numbered(parent, 4)
    requests.end()
    assert requests.count(asked(requests).id) == 1
