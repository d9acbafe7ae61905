"""The history can be sent after whatever happened."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.agent import TemplateConfig
from jupyter_codeact.agent.history import reply_message, requery_messages, said
from jupyter_codeact.errors import ConfigError, ContentPolicy, ContextExceeded, ModelError, SandboxDied
from jupyter_codeact.events import (
    Action,
    CodeAction,
    EditAction,
    Ran,
    Rejected,
    Reply,
    SkillAction,
    SubmitAction,
    ToolCall,
)
from jupyter_codeact.execution import RunStopped

from .twins import ScriptedCells, StreamModel, agent_of, calls, printing, run, told, valid, words

STREAMS = st.sampled_from(
    [
        calls("a"),
        calls("a", "b", "c"),
        calls("def"),
        calls("input()"),
        words("Done."),
        words(""),
        [Reply("", (ToolCall("c", "bash", "{}"),))],
        [Reply("", (ToolCall("", "run_cell", '{"code": "x"}'), ToolCall("", "run_cell", '{"code": "y"}')))],
        [Reply("", (ToolCall("e", "edit_file", '{"command": "view", "path": "."}'),))],
        [ModelError("No.")],
        [ContentPolicy("No.")],
        [ContextExceeded("No.")],
        [RuntimeError("No.")],
    ]
)
OUTCOMES = st.sampled_from(
    [
        printing("1"),
        Ran("", (), "died"),
        Ran("", (), "error", timed_out=True),
        Rejected("no"),
        SandboxDied("Gone."),
        RuntimeError("No."),
        asyncio.CancelledError(),
        RunStopped(Ran("", (), "error", interrupted=True)),
    ]
)


@given(
    streams=st.lists(STREAMS, max_size=12),
    outcomes=st.lists(OUTCOMES, max_size=12),
    prompts=st.integers(1, 3),
    takes_tools=st.booleans(),
)
async def test_whatever_happens_the_next_prompt_can_be_sent(
    streams: list[Any], outcomes: list[Any], prompts: int, takes_tools: bool
) -> None:
    model = StreamModel(*streams, *[words("Done.")] * 4 * prompts, takes_tools=takes_tools)
    agent, cells = agent_of(model, max_steps=4), ScriptedCells(*outcomes)
    for number in range(prompts):
        try:
            await run(agent, cells, f"Prompt {number}")
        except asyncio.CancelledError:
            assert agent.info["exit_status"] in ("exit_stopped", "submitted (exit_stopped)")
        assert valid(agent.history)
        assert agent.info["exit_status"]
    assert all(map(valid, model.asked))
    assert agent.history[1]["content"] == "Prompt 0"


BROKEN = TemplateConfig(rejected_template="{{ nothing }}", next_step_template="{{ observation.nothing }}")


@pytest.mark.parametrize(
    ("outcome", "seen", "said"),
    [
        (Rejected("no"), "rejected: no", "She rejected this action; it did not run. Her reason: no"),
        (printing("1"), "1", "\n1\n"),
        (printing(""), "", "It printed nothing."),
        (Ran("", printing("1").outputs, "died"), "1", "its variables and imports are gone"),
    ],
)
@pytest.mark.parametrize("wrong", ["{{ nothing }}", "{{ 1 / 0 }}", "{% include 'x' %}", "{{ mark + 1 }}"])
async def test_a_template_that_can_not_be_rendered_leaves_no_open_call_and_loses_no_step(
    outcome: Any, seen: str, said: str, wrong: str
) -> None:
    broken = TemplateConfig(rejected_template=wrong, next_step_template=wrong)
    agent = agent_of(StreamModel(calls("a", "b", "c"), words("Done.")), templates=broken)
    name = "rejected" if isinstance(outcome, Rejected) else "next_step"
    with pytest.raises(ConfigError, match=rf"^The template {name} can't be rendered: .*told in our own words"):
        await run(agent, ScriptedCells(outcome))
    assert valid(agent.history)
    assert said in told(agent)[0]
    assert [(step["action"], step["observation"]) for step in agent.trajectory] == [("a", seen)]
    assert agent.info["cells"] == (["a"] if isinstance(outcome, Ran) and outcome.status == "ok" else [])
    await run(agent, prompt="Again.")
    assert valid(agent.history)


async def test_a_stop_is_one_whatever_the_templates_are() -> None:
    agent = agent_of(StreamModel(calls("a", "b")), templates=BROKEN)
    with pytest.raises(asyncio.CancelledError):
        await run(agent, ScriptedCells(RunStopped(Ran("a", printing("half").outputs, "ok"))))
    assert agent.info["exit_status"] == "submitted (exit_stopped)"
    assert [step["observation"] for step in agent.trajectory] == ["half"]
    assert valid(agent.history)


def test_a_call_without_an_id_is_sent_with_the_one_it_was_given() -> None:
    reply = Reply("", (ToolCall("", "run_cell", '{"code": "x = 0"}'),))
    message = reply_message(reply, [CodeAction("a", 1, "x = 0", "call_0")], "", "main")
    assert message["tool_calls"][0]["id"] == "call_0"


@pytest.mark.parametrize(
    ("made", "content"),
    [
        (CodeAction("a", 1, "x = 1"), "So.\n\n```python\nx = 1\n```"),
        (EditAction("a", 1, {"command": "view"}), 'So.\n\n```edit_file\n{"command": "view"}\n```'),
        (SkillAction("a", 1, {"command": "read"}), 'So.\n\n```skills\n{"command": "read"}\n```'),
        (SubmitAction("a", 1, "Done."), 'So.\n\n```submit\n{"answer": "Done.", "gave_up": false}\n```'),
        (CodeAction("a", 1, "s = '''\n```\n'''"), "So.\n\n````python\ns = '''\n```\n'''\n````"),
        (CodeAction("a", 1, "# `````"), "So.\n\n``````python\n# `````\n``````"),
    ],
)
def test_without_tools_the_model_sees_only_what_was_acted_on(made: Action, content: str) -> None:
    reply = Reply("So.\n```python\nx = 1\n```\nI guess that it works.")
    assert reply_message(reply, [made], "So.", "main")["content"] == content


def test_thinking_goes_back_to_the_service_that_signed_it() -> None:
    reply = Reply("Hi.", thinking_blocks=({"type": "thinking", "signature": "s"},))
    assert reply_message(reply, [], "Hi.", "main")["thinking_blocks"] == [{"type": "thinking", "signature": "s"}]


def test_a_requery_says_what_was_unreadable_even_where_nothing_was_said() -> None:
    assert [m["content"] for m in requery_messages("", "Empty.", "main")] == ["(no words)", "Empty."]
    assert said(Reply("So", (ToolCall("c", "bash", "{}"),))) == "So\nbash({})"
