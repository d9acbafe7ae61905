"""The loop with a scripted model and a scripted notebook."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.agent.loop import Agent
from jupyter_codeact.errors import ContextExceeded, ModelError, SandboxDied
from jupyter_codeact.events import (
    ActionDone,
    ActionOpened,
    Answered,
    CallDelta,
    Edited,
    LimitReached,
    Ran,
    Rejected,
    Reply,
    Retrying,
    TextDelta,
    ToolCall,
    Usage,
    UsageSeen,
)
from jupyter_codeact.skills.library import Library

from .reading import streamed
from .twins import ANSWER, OPEN, ScriptedCells, StreamModel, agent_of, printing, run, scripted, told, valid, words


def calls(*sources: str) -> list[Any]:
    """One reply with a call for each source."""
    made = tuple(ToolCall(f"c{n}", "run_cell", json.dumps({"code": source})) for n, source in enumerate(sources))
    return [*(CallDelta(n, call.name, call.arguments) for n, call in enumerate(made)), Reply("", made)]


async def test_actions_run_in_order_until_it_answers() -> None:
    cells = ScriptedCells(printing("one"), printing("two"))
    agent = agent_of(scripted({"text": "First.", "code": "a = 1"}, {"code": "b = 2\n"}, ANSWER), cells)
    events = await run(agent)
    assert [(action.step, action.source) for action in cells.ran] == [(1, "a = 1"), (2, "b = 2")]
    assert list(streamed(events).values()) == [(1, "a = 1"), (2, "b = 2")]
    assert events[-1] == Answered("Done.")
    assert ["one" in text for text in told(agent)] == [True, False]
    assert [message["role"] for message in agent.history.messages] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "assistant",
    ]
    assert valid(agent.history.messages)


async def test_several_actions_of_one_reply_are_steps_of_their_own() -> None:
    cells = ScriptedCells(printing("one"), Rejected("no"), printing("three"))
    agent = agent_of(StreamModel(calls("a", "b", "c"), calls("d"), words("Done.")), cells)
    events = await run(agent)
    assert [(action.step, action.source) for action in cells.ran] == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert [action.id for action in cells.ran] == list(streamed(events))
    assert valid(agent.history.messages)


async def test_a_model_without_tools_is_told_in_words() -> None:
    model = StreamModel(words("Look:\n```python\n1 + 1\n```\nSo it is 2."), words("It is 2."), takes_tools=False)
    agent = agent_of(model, ScriptedCells(printing("2")))
    events = await run(agent)
    *_, asked, observed = model.asked[-1]
    assert asked == {"role": "assistant", "content": "Look:\n\n```python\n1 + 1\n```"}
    assert observed["role"] == "user"
    assert events[-1] == Answered("It is 2.")
    assert valid(agent.history.messages)


@pytest.mark.parametrize(("reason", "said"), [("use pandas", "Her reason: use pandas"), ("", "She rejected")])
async def test_a_rejection_is_told_and_the_run_goes_on(reason: str, said: str) -> None:
    agent = agent_of(scripted({"code": "a"}, ANSWER), ScriptedCells(Rejected(reason)))
    events = await run(agent)
    assert said in told(agent)[0]
    assert events[-1] == Answered("Done.")


async def test_code_that_does_not_compile_never_becomes_a_cell() -> None:
    cells = ScriptedCells()
    model = StreamModel(calls("x = (", "fine"), calls("x = 1"), words("Done."))
    agent = agent_of(model, cells)
    events = await run(agent)
    assert [action.source for action in cells.ran] == ["x = 1"]
    assert list(streamed(events).values()) == [(1, "x = 1")]
    assert "x = (" not in str(agent.history.messages)
    *_, said, problem = model.asked[1]
    assert "x = (" in said["content"]
    assert "Line 1" in problem["content"]
    assert not any("Line 1" in message["content"] for message in model.asked[2])


@pytest.mark.parametrize("source", ["%timeit f(x)", "!ls", "x = !ls", "await f()", "f?", "%%time\nx = 1"])
async def test_the_syntax_of_ipython_compiles(source: str) -> None:
    cells = ScriptedCells()
    await run(agent_of(scripted({"code": source}, ANSWER), cells))
    assert [action.source for action in cells.ran] == [source]


UNREADABLE = [
    pytest.param([Reply("")], id="empty"),
    pytest.param([CallDelta(0, "run_cell", '{"code'), Reply("", (ToolCall("c", "run_cell", '{"code'),))], id="cut"),
    pytest.param([Reply("", (ToolCall("c", "bash", "{}"),))], id="no such tool"),
    pytest.param(calls("def"), id="syntax"),
]


@pytest.mark.parametrize("stream", UNREADABLE)
async def test_unreadable_replies_end_the_run_and_leave_no_trace(stream: list[Any]) -> None:
    model = StreamModel(*[stream] * 4)
    agent = agent_of(model)
    with pytest.raises(ModelError, match="could not be read 4 times in a row: "):
        await run(agent)
    assert [message["role"] for message in agent.history.messages] == ["system", "user"]
    assert [len(asked) for asked in model.asked] == [2, 4, 4, 4]


@pytest.mark.parametrize("stream", UNREADABLE)
async def test_a_readable_reply_starts_the_count_anew(stream: list[Any]) -> None:
    model = StreamModel(*[stream] * 3, calls("a"), *[stream] * 3, words("Done."))
    agent = agent_of(model)
    events = await run(agent)
    assert events[-1] == Answered("Done.")
    assert list(streamed(events).values()) == [(1, "a")]
    assert valid(agent.history.messages)


async def test_every_reply_is_charged_unreadable_ones_too() -> None:
    used = Usage(10, 5, 1, 0.25, 1)
    model = StreamModel([Reply("", usage=used)], [Reply("x", usage=Usage(1, 1, 0, None, 1))])
    agent = agent_of(model)
    events = await run(agent)
    assert [event.usage for event in events if isinstance(event, UsageSeen)] == [used, Usage(11, 6, 1, None, 2)]
    assert agent.usage == Usage(11, 6, 1, None, 2)


async def test_a_reply_that_broke_off_takes_its_cell_with_it() -> None:
    model = StreamModel(
        [CallDelta(0, "run_cell", '{"code": "old'), Retrying("Busy.", 1.0), *calls("new")], words("Done.")
    )
    cells = ScriptedCells()
    events = await run(agent_of(model, cells))
    assert len([event for event in events if isinstance(event, ActionOpened)]) == 2
    assert list(streamed(events)) == [action.id for action in cells.ran]
    assert [action.source for action in cells.ran] == ["new"]


@pytest.mark.parametrize(
    ("streams", "ran", "end"),
    [
        ([calls("a"), calls("b"), calls("c")], ["a", "b"], None),
        ([calls("a", "b", "c")], ["a", "b"], None),
        ([calls("a"), words("Done.")], ["a"], Answered("Done.")),
    ],
)
async def test_no_more_actions_than_allowed(streams: list[Any], ran: list[str], end: Answered | None) -> None:
    cells = ScriptedCells()
    agent = agent_of(StreamModel(*streams), cells, max_steps=2)
    events = await run(agent)
    assert [action.source for action in cells.ran] == ran
    assert events[-1] == (end or LimitReached("Stopped after 2 steps; `--max-steps N` allows more."))
    assert valid(agent.history.messages)
    assert "by the person" not in str(agent.history.messages)


async def test_one_step_is_said_as_one() -> None:
    events = await run(agent_of(scripted({"code": "a"}), max_steps=1))
    assert events[-1] == LimitReached("Stopped after 1 step; `--max-steps N` allows more.")


async def stopped(agent: Agent, waiting: asyncio.Event) -> None:
    """Run until ``waiting``, then cancel."""
    task = asyncio.create_task(run(agent))
    waiter = asyncio.create_task(waiting.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "stream",
    [[OPEN], [TextDelta("So "), OPEN], [CallDelta(0, "run_cell", '{"code": "x'), OPEN], [*calls("a")[:-1], OPEN]],
)
async def test_a_stop_while_the_model_writes_leaves_a_history_that_goes_on(stream: list[Any]) -> None:
    model = StreamModel(stream, calls("b"), words("Done."))
    agent = agent_of(model)
    await stopped(agent, model.waiting)
    assert [message["role"] for message in agent.history.messages] == ["system", "user"]
    assert (await run(agent, "Again."))[-1] == Answered("Done.")
    assert valid(agent.history.messages)


async def test_a_stop_while_an_action_runs_leaves_a_history_that_goes_on() -> None:
    model = StreamModel(calls("a", "b", "c"), calls("d"), words("Done."))
    cells = ScriptedCells(printing("fine"), OPEN)
    agent = agent_of(model, cells)
    await stopped(agent, cells.waiting)
    assert valid(agent.history.messages)
    assert ["Stopped by the person" in text for text in told(agent)] == [False, True, True]
    assert (await run(agent, "Again."))[-1] == Answered("Done.")
    assert valid(model.asked[-1])
    assert [action.source for action in cells.ran] == ["a", "b", "d"]


async def test_a_run_that_nobody_reads_on_leaves_a_history_that_goes_on() -> None:
    """A front end that fails drops the stream without closing it."""
    model = StreamModel(calls("a", "b"), words("Done."))
    agent = agent_of(model)
    stream = agent.run("Go.")
    while not isinstance(await anext(stream), ActionDone):
        pass
    events = await run(agent, "Again.")
    await stream.aclose()
    assert events[-1] == Answered("Done.")
    assert valid(agent.history.messages)


@pytest.mark.parametrize("error", [SandboxDied("It ended."), RuntimeError("a bug")])
async def test_what_goes_wrong_in_the_notebook_ends_the_run_and_the_history_goes_on(error: Exception) -> None:
    agent = agent_of(StreamModel(calls("a", "b"), words("Done.")), ScriptedCells(error))
    with pytest.raises(type(error)):
        await run(agent)
    assert valid(agent.history.messages)
    assert (await run(agent, "Again."))[-1] == Answered("Done.")


async def test_what_the_service_refuses_ends_the_run() -> None:
    agent = agent_of(StreamModel([TextDelta("So"), ContextExceeded("Too long.")], words("Done.")))
    with pytest.raises(ContextExceeded):
        await run(agent)
    assert (await run(agent, "Again."))[-1] == Answered("Done.")


# ---- the file editor


def edit(command: str, **arguments: Any) -> dict[str, Any]:
    return {"edit": {"command": command, "path": "gp_fit.py", **arguments}}


async def test_a_view_is_answered_without_asking(tmp_path: Path) -> None:
    (tmp_path / "gp_fit.py").write_text("x = 1\n")
    cells = ScriptedCells()
    agent = agent_of(scripted(edit("view"), ANSWER), cells, tmp_path)
    events = await run(agent)
    assert told(agent) == ["   1  x = 1"]
    assert not cells.confirmed
    assert [e.outcome for e in events if isinstance(e, ActionDone)] == [Edited("   1  x = 1")]


async def test_a_change_is_shown_and_then_done(tmp_path: Path) -> None:
    cells = ScriptedCells()
    agent = agent_of(scripted(edit("create", file_text="x = 1\n"), ANSWER), cells, tmp_path)
    events = await run(agent)
    assert (tmp_path / "gp_fit.py").read_text() == "x = 1\n"
    [(_, diff, summary)] = cells.confirmed
    assert (diff.splitlines()[-1], summary) == ("+x = 1", "Create gp_fit.py")
    [outcome] = [e.outcome for e in events if isinstance(e, ActionDone)]
    assert isinstance(outcome, Edited)
    assert outcome.changed
    assert told(agent) == [outcome.text]


async def test_a_refused_change_is_not_done(tmp_path: Path) -> None:
    cells = ScriptedCells(refusals=[Rejected("too long")])
    agent = agent_of(scripted(edit("create", file_text="x = 1\n"), ANSWER), cells, tmp_path)
    await run(agent)
    assert "too long" in told(agent)[0]
    assert not Library(tmp_path).list()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (edit("view"), "There is no gp_fit.py"),
        (edit("create"), "create needs file_text"),
        (edit("create", file_text="x ="), "line 1"),
        (edit("rename"), "no command 'rename'"),
        (edit("create", path="../x.py", file_text=""), "not a file of the library"),
    ],
)
async def test_an_impossible_edit_is_told_to_the_model_and_not_asked(
    tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    cells = ScriptedCells()
    agent = agent_of(scripted(wrong, ANSWER), cells, tmp_path)
    events = await run(agent)
    assert said in told(agent)[0]
    assert not cells.confirmed
    assert [e.outcome.ok for e in events if isinstance(e, ActionDone) and isinstance(e.outcome, Edited)] == [False]
    assert events[-1] == Answered("Done.")


async def test_a_folder_that_cannot_be_written_is_told_to_the_model(tmp_path: Path) -> None:
    agent = agent_of(scripted(edit("create", file_text="x = 1\n"), ANSWER), folder=tmp_path / "missing")
    events = await run(agent)
    assert "can't be written" in told(agent)[0]
    assert events[-1] == Answered("Done.")


async def test_what_she_made_of_the_code_is_what_counts() -> None:
    class Editing(ScriptedCells):
        async def run(self, action: Any) -> Ran:
            return Ran("b = 2", (), "ok", edited=True)

    agent = agent_of(scripted({"code": "a = 1"}, ANSWER), Editing())
    await run(agent)
    assert "b = 2" in told(agent)[0]
