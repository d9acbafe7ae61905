"""A cell of the agent's is a cell like others to a front end, and keeps nothing else from being answered."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from .case import control, cursor, history, in_subshell
from .conversation import Ask, Content, Conversation, conversation, execute

pytestmark = [
    pytest.mark.usefixtures("sandbox"),
    # jupyter_client's manager leaves an event loop to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def talk(script: Callable[..., None], home: Path, work: Path) -> Iterator[Conversation]:
    script({"text": "First.", "code": "print('out'); 6 * 7"}, {"code": "1 / 0"}, {"text": "The end."})
    (work / "slow.yaml").write_text("{replies: [{text: never}], delay_s: 600}")
    with conversation("codeact", work) as talk:
        yield talk


def published(talk: Conversation, number: int) -> list[dict[str, Any]]:
    """What iopub said of one request, with its type."""
    (request,) = (msg_id for msg_id, (n, _) in talk.asked.items() if n == number)
    mine = (m for channel, m in talk.heard if channel == "iopub" and m["parent_header"].get("msg_id") == request)
    return [{"type": m["msg_type"], **m["content"]} for m in mine]


def while_at_work(talk: Conversation, number: int) -> list[dict[str, Any]]:
    """What iopub said from a request's busy on, up to its idle."""
    heard = [m for channel, m in talk.heard if channel == "iopub"]
    (request,) = (msg_id for msg_id, (n, _) in talk.asked.items() if n == number)
    own = [i for i, m in enumerate(heard) if m["msg_type"] == "status" and m["parent_header"].get("msg_id") == request]
    return heard[own[0] : own[-1]]


def test_it_is_busy_then_there_then_shows_then_idle_once(talk: Conversation) -> None:
    talk.hold([execute("x = 1"), execute("%%agent --review auto\ngo"), execute("print('after')")])
    first, second, *shown, last = published(talk, 1)
    assert first == {"type": "status", "execution_state": "busy"}
    assert second == {"type": "execute_input", "code": "%%agent --review auto\ngo", "execution_count": 2}
    assert last == {"type": "status", "execution_state": "idle"}
    assert [m["type"] for m in shown].count("execute_input") == 0
    assert {m["execution_state"] for m in shown if m["type"] == "status"} <= {"busy"}
    assert any(m.get("text") == "out\n" for m in shown)
    assert published(talk, 2)[1]["execution_count"] == 5
    replies = [m for channel, m in talk.heard if channel == "shell"]
    assert [reply["content"]["execution_count"] for reply in replies] == [1, 2, 5]
    assert all(reply["metadata"]["started"] for reply in replies)
    agent, after = (reply["metadata"]["started"] for reply in replies[1:])
    assert agent < after


def test_all_else_is_answered_while_it_thinks(talk: Conversation) -> None:
    asks = [
        execute("import os"),
        execute("%%agent --model scripted/slow\ngo", ends=False),
        execute("print('queued')", ends=False),
        cursor("complete_request", "os.getc"),
        cursor("complete_request", "%%agent --rev"),
        cursor("inspect_request", "zip"),
        cursor("inspect_request", "%%agent "),
        Ask("is_complete_request", {"code": "for"}),
        Ask("comm_info_request"),
        Ask("kernel_info_request"),
        history("tail", n=1),
        control("usage_request"),
        control("create_subshell_request"),
        in_subshell("print('beside')"),
        control("interrupt_request"),
    ]
    talk.hold(asks)
    assert published(talk, 13)[2]["text"] == "beside\n"
    # A front end shows the state that it heard of last. At what is said of a cell JupyterLab's debugger asks for more.
    assert [m["execution_state"] for m in published(talk, 1) if m["type"] == "status"] == ["busy", "idle"]
    states = [m["content"]["execution_state"] for m in while_at_work(talk, 1) if m["msg_type"] == "status"]
    assert states.count("idle") >= 10
    assert all(after == "busy" for state, after in pairwise(states) if state == "idle")
    answered = [m["msg_type"] for channel, m in talk.heard if channel == "shell"]
    assert answered.count("complete_reply") == answered.count("inspect_reply") == 2
    *_, agent, queued = (m["content"] for channel, m in talk.heard if m["msg_type"] == "execute_reply")
    assert agent["ename"] == "KeyboardInterrupt"
    assert queued == {"status": "aborted"}


def test_the_history_has_a_cell_of_ours_as_comments(talk: Conversation) -> None:
    """Whatever stands in it is nothing that Python or IPython would run."""
    odd = "%%agent --nope\n1 / 0\r1 / 0\x0c!echo ran\u2028%nope\x00?"
    cells = ("x = 1", "%%agent --nope\n\n\tsay 'what'?", odd, "%skill save 1-4 --draft", "In[2:5]")
    talk.hold([*(execute(cell, stop_on_error=False) for cell in cells), history("tail", n=5)])
    asked = [code for _, _, code in talk.find("history_reply")["history"]]
    assert asked[0] == "x = 1"
    assert asked[1] == "# %%agent --nope\n# \n# \tsay 'what'?"
    assert asked[2] == "# %%agent --nope\n# 1 / 0\n# 1 / 0\n# !echo ran\n# %nope\x00?"
    assert asked[3] == "# %skill save 1-4 --draft"
    [given] = [m["content"]["data"]["text/plain"] for _, m in talk.heard if m["msg_type"] == "execute_result"]
    assert ast.literal_eval(given) == asked[1:4]
    assert "ran\n" not in talk.text()


def proposed(talk: Conversation) -> Content:
    """A completion, asked for once the cell that is to be run is there."""
    talk.wait(lambda: any((m["content"].get("data") or {}).get("op") == "propose" for _, m in talk.heard))
    return {"code": "os.getc", "cursor_pos": 7}


@pytest.mark.parametrize("waits_in", ["a cell", "stdin"])
def test_all_else_is_answered_while_she_is_asked(talk: Conversation, waits_in: str) -> None:
    attach = {"comm_id": "hers", "target_name": "jupyter_codeact", "data": {"op": "attach"}}
    waiting = {
        "a cell": [Ask("comm_open", attach, answered=False), execute("%%agent\ngo", ends=False),
                   Ask("complete_request", proposed)],
        "stdin": [execute("%%agent\ngo", answers=[None], hears="Run this?"), cursor("complete_request", "os.getc")],
    }  # fmt: skip
    asks = [
        execute("import os; asked = 'to be found'"),
        *waiting[waits_in],
        cursor("complete_request", "%%agent --rev"),
        cursor("inspect_request", "os.getcwd"),
        cursor("inspect_request", "%%agent "),
        history("search", pattern="*to be found*", n=1),
        Ask("is_complete_request", {"code": "for"}),
        control("interrupt_request"),
    ]
    talk.hold(asks)
    answers = [(m["msg_type"], m["content"]) for channel, m in talk.heard if channel == "shell"]
    kinds = [kind for kind, _ in answers]
    assert [kinds.count(f"{kind}_reply") for kind in ("complete", "inspect", "history", "is_complete")] == [2, 2, 1, 1]
    assert kinds[-1] == "execute_reply"
    assert answers[-1][1]["ename"] == "KeyboardInterrupt"
    assert talk.find("complete_reply")["matches"][0].endswith("getcwd")
    assert talk.find("inspect_reply")["found"]
    [(_, _, code)] = talk.find("history_reply")["history"]
    assert code.startswith("import os")
