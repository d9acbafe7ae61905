"""The history can be sent after whatever happened."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.agent.history import History
from jupyter_codeact.events import Action, CodeAction, EditAction, Reply, ToolCall

from .twins import valid

KINDS = st.sampled_from(["run_cell", "edit_skill"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("user"), st.just(())),
        st.tuples(st.just("reply"), st.lists(KINDS, max_size=3)),
        st.tuples(st.just("result"), st.integers(0, 2)),
        st.tuples(st.just("close"), st.just(())),
        st.tuples(st.just("requery"), st.just(())),
    ),
    max_size=20,
)


def action(kind: str, number: int, call: bool = True) -> Action:
    call_id = f"call_{number}" if call else ""
    if kind == "run_cell":
        return CodeAction(f"a{number}", 1, f"x = {number}", call_id)
    return EditAction(f"a{number}", 1, {"command": "view"}, call_id)


def reply_to(actions: list[Action], text: str = "") -> Reply:
    return Reply(text, tuple(ToolCall(a.call_id, "run_cell", "{}") for a in actions if a.call_id))


@given(steps=STEPS)
def test_every_call_is_answered_once_whenever_the_run_ends(steps: list[tuple[str, Any]]) -> None:
    """The loop's order: a reply after what it answers, results in any order, an end at any moment."""
    history, due, number = History(), [], 0
    history.add_system("You act.")
    for kind, detail in steps:
        if kind == "user":
            history.add_user("Go.")
            due = []
        elif kind == "reply" and not due:
            due = [action(k, number + n) for n, k in enumerate(detail)]
            number += len(due)
            history.add_reply(reply_to(due, "" if due else "Words."), due, "")
        elif kind == "result" and due:
            done = due.pop(detail % len(due))
            history.add_result(done, "It printed nothing.")
        elif kind == "close":
            history.close()
            due = []
        elif kind == "requery" and not due:
            before = [*history.messages]
            assert valid(history.requery(reply_to([action("run_cell", 99)]), "Unreadable."))
            assert history.messages == before
    history.close()
    assert valid(history.messages)
    answers = [m["tool_call_id"] for m in history.messages if m["role"] == "tool"]
    assert len(answers) == number == len({*answers})


def test_a_new_prompt_comes_after_the_answers_to_what_was_open() -> None:
    history = History()
    actions = [action("run_cell", 0), action("run_cell", 1)]
    history.add_reply(reply_to(actions), actions, "")
    history.add_user("Go on.")
    assert [message["role"] for message in history.messages] == ["assistant", "tool", "tool", "user"]
    history.close()
    assert valid(history.messages)


def test_a_call_without_an_id_is_sent_with_the_one_it_was_given() -> None:
    history = History()
    reply = Reply("", (ToolCall("", "run_cell", '{"code": "x = 0"}'),))
    history.add_reply(reply, [action("run_cell", 0)], "")
    history.close()
    assert history.messages[0]["tool_calls"][0]["id"] == "call_0"
    assert valid(history.messages)


@pytest.mark.parametrize(
    ("made", "content"),
    [
        (CodeAction("a", 1, "x = 1"), "So.\n\n```python\nx = 1\n```"),
        (EditAction("a", 1, {"command": "view"}), 'So.\n\n```edit_skill\n{"command": "view"}\n```'),
        (CodeAction("a", 1, "s = '''\n```\n'''"), "So.\n\n````python\ns = '''\n```\n'''\n````"),
        (CodeAction("a", 1, "# `````"), "So.\n\n``````python\n# `````\n``````"),
    ],
)
def test_without_tools_the_model_sees_only_what_was_acted_on(made: Action, content: str) -> None:
    history = History()
    history.add_reply(Reply("So.\n```python\nx = 1\n```\nI guess that it works."), [made], "So.")
    assert history.messages == [{"role": "assistant", "content": content}]
    history.close("Not done.")
    assert history.messages[1:] == [{"role": "user", "content": "Not done."}]


def test_thinking_goes_back_to_the_service_that_signed_it() -> None:
    history = History()
    history.add_reply(Reply("Hi.", thinking_blocks=({"type": "thinking", "signature": "s"},)), [], "Hi.")
    assert history.messages[0]["thinking_blocks"] == [{"type": "thinking", "signature": "s"}]


def test_a_requery_says_what_was_unreadable_even_where_nothing_was_said() -> None:
    history = History()
    assert [m["content"] for m in history.requery(None, "Empty.")] == ["(no words)", "Empty."]
    said = history.requery(Reply("So", (ToolCall("c", "bash", "{}"),)), "No such tool.")
    assert said[0] == {"role": "assistant", "content": "So\nbash({})"}
