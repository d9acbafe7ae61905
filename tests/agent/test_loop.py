"""The loop with a scripted model and a scripted notebook: what goes well, and a Stop at any moment."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.agent import Agent, loop
from jupyter_codeact.errors import ModelError
from jupyter_codeact.events import (
    ActionDone,
    ActionOpened,
    CallDelta,
    Edited,
    LimitReached,
    Ran,
    Rejected,
    Reply,
    Retrying,
    Stopped,
    TextDelta,
    Usage,
    UsageSeen,
    WordsDropped,
)
from jupyter_codeact.execution import RunStopped
from jupyter_codeact.models.fallback import FallbackModel
from jupyter_codeact.skills.library import Library

from .reading import streamed
from .twins import (
    ANSWER,
    OPEN,
    ScriptedCells,
    StreamModel,
    agent_of,
    answered,
    calls,
    printing,
    roles,
    run,
    scripted,
    told,
    valid,
    words,
)


async def test_actions_run_in_order_until_it_answers() -> None:
    cells = ScriptedCells(printing("one"), printing("two"))
    agent = agent_of(scripted({"text": "First.", "code": "a = 1"}, {"code": "b = 2\n"}, ANSWER))
    events = await run(agent, cells)
    assert [(action.step, action.source) for action in cells.ran] == [(1, "a = 1"), (2, "b = 2")]
    assert list(streamed(events).values()) == [(1, "a = 1"), (2, "b = 2")]
    assert answered(events) == "Done."
    assert ["one" in text for text in told(agent)] == [True, False]
    assert roles(agent.history) == ["system", "user", *["assistant", "tool"] * 2, "assistant"]
    assert valid(agent.history)
    assert agent.info["exit_status"] == "submitted"
    assert agent.info["cells"] == ["a = 1", "b = 2"]


async def test_several_actions_of_one_reply_are_steps_of_their_own() -> None:
    cells = ScriptedCells(printing("one"), Rejected("no"), printing("three"))
    agent = agent_of(StreamModel(calls("a", "b", "c"), calls("d"), words("Done.")))
    events = await run(agent, cells)
    assert [(action.step, action.source) for action in cells.ran] == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert [action.id for action in cells.ran] == list(streamed(events))
    assert [step["action"] for step in agent.trajectory] == ["a", "b", "c", "d", ""]
    assert [bool(step["query"]) for step in agent.trajectory] == [True, False, False, True, True]
    assert valid(agent.history)


async def test_a_model_without_tools_is_told_in_words() -> None:
    model = StreamModel(words("Look:\n```python\n1 + 1\n```\nSo it is 2."), words("It is 2."), takes_tools=False)
    agent = agent_of(model)
    events = await run(agent, ScriptedCells(printing("2")))
    *_, asked, observed = model.asked[-1]
    assert (asked["role"], asked["content"]) == ("assistant", "Look:\n\n```python\n1 + 1\n```")
    assert observed["role"] == "user"
    assert answered(events) == "It is 2."
    assert valid(agent.history)


@pytest.mark.parametrize(("reason", "said"), [("use pandas", "Her reason: use pandas"), ("", "She rejected")])
async def test_a_rejection_is_told_and_the_run_goes_on(reason: str, said: str) -> None:
    agent = agent_of(scripted({"code": "a"}, ANSWER))
    events = await run(agent, ScriptedCells(Rejected(reason)))
    assert said in told(agent)[0]
    assert answered(events) == "Done."
    assert agent.info["cells"] == []


@pytest.mark.parametrize("source", ["%timeit f(x)", "!ls", "x = !ls", "await f()", "f?", "%%time\nx = 1"])
async def test_the_syntax_of_ipython_compiles(source: str) -> None:
    cells = ScriptedCells()
    await run(agent_of(scripted({"code": source}, ANSWER)), cells)
    assert [action.source for action in cells.ran] == [source]


async def test_every_reply_is_charged_unreadable_and_void_ones_too() -> None:
    used, more = Usage(10, 5, 1, 0.25, 1), Usage(1, 1, 0, None, 1)
    model = StreamModel([Reply("", usage=used)], [Retrying("Busy.", 0.0, used), Reply("x", usage=more)])
    agent = agent_of(model)
    events = await run(agent)
    seen = [event.usage for event in events if isinstance(event, UsageSeen)]
    assert seen == [used, used + used, Usage(21, 11, 2, None, 3)]
    assert agent.usage == Usage(21, 11, 2, None, 3)
    stats = agent.info["model_stats"]
    assert (stats["instance_cost"], stats["cost_known"], stats["api_calls"]) == (0.5, False, 3)


async def test_what_a_reply_has_used_that_failed_is_seen_at_once() -> None:
    """Under the cell of a run that ended so there stood "0 tokens"."""
    failed = ModelError("Gone.")
    failed.usage = Usage(10, 5, 1, 0.25, 1)
    events = await run(agent_of(StreamModel([TextDelta("Wor"), failed])))
    assert [event.usage for event in events if isinstance(event, UsageSeen)] == [failed.usage]


async def test_a_reply_that_broke_off_takes_its_cell_with_it() -> None:
    model = StreamModel(
        [CallDelta(0, "run_cell", '{"code": "old'), Retrying("Busy.", 1.0), *calls("new")], words("Done.")
    )
    cells = ScriptedCells()
    events = await run(agent_of(model), cells)
    assert len([event for event in events if isinstance(event, ActionOpened)]) == 2
    assert list(streamed(events)) == [action.id for action in cells.ran]
    assert [action.source for action in cells.ran] == ["new"]


@pytest.mark.parametrize(
    ("streams", "ran", "done"),
    [
        ([calls("a"), calls("b"), calls("c")], ["a", "b"], False),
        ([calls("a", "b", "c")], ["a", "b"], False),
        ([calls("a"), words("Done.")], ["a"], True),
    ],
)
async def test_no_more_actions_than_allowed(streams: list[Any], ran: list[str], done: bool) -> None:
    cells = ScriptedCells()
    agent = agent_of(StreamModel(*streams), max_steps=2)
    events = await run(agent, cells)
    assert [action.source for action in cells.ran] == ran
    assert (LimitReached("Stopped after 2 steps; `--max-steps N` allows more.") in events) is not done
    assert agent.info["exit_status"] == ("submitted" if done else "submitted (exit_steps)")
    assert valid(agent.history)
    assert "by the person" not in str(agent.history)


async def test_one_step_is_said_as_one() -> None:
    events = await run(agent_of(scripted({"code": "a"}), max_steps=1))
    assert LimitReached("Stopped after 1 step; `--max-steps N` allows more.") in events


# ---- a Stop


async def stopped(agent: Agent, waiting: asyncio.Event, cells: ScriptedCells | None = None) -> None:
    """Run until ``waiting``, then cancel."""
    task = asyncio.create_task(run(agent, cells))
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
    assert roles(agent.history) == ["system", "user"]
    assert agent.info["exit_status"] == "exit_stopped"
    assert answered(await run(agent, prompt="Again.")) == "Done."
    assert valid(agent.history)


async def test_a_stop_while_an_action_waits_leaves_a_history_that_goes_on() -> None:
    model = StreamModel(calls("a", "b", "c"), calls("d"), words("Done."))
    cells = ScriptedCells(printing("fine"), OPEN)
    agent = agent_of(model)
    await stopped(agent, cells.waiting, cells)
    assert valid(agent.history)
    assert ["Stopped by the person" in text for text in told(agent)] == [False, True, True]
    assert answered(await run(agent, cells, "Again.")) == "Done."
    assert valid(model.asked[-1])
    assert [action.source for action in cells.ran] == ["a", "b", "d"]


@pytest.mark.parametrize("submits", [True, False])
async def test_a_stop_hands_in_what_was_done(submits: bool) -> None:
    """In a notebook nothing is asked of the sandbox then: something may still run in it."""
    agent = agent_of(StreamModel(calls("a"), calls("b")), submits=submits)
    cells = ScriptedCells(printing("1"), OPEN, patch="a patch")
    await stopped(agent, cells.waiting, cells)
    assert agent.info["exit_status"] == "submitted (exit_stopped)"
    assert agent.info["submission"] == ("a patch" if submits else "a")
    assert (agent.info["cells"], agent.info["patch"]) == (["a"], "a patch" if submits else "")
    assert ("patch" in [function for function, _ in cells.called]) is submits
    assert [step["action"] for step in agent.trajectory] == ["a", "b"]
    assert "Stopped by the person" in told(agent)[-1]


async def test_a_stop_while_the_model_writes_hands_in_what_was_done() -> None:
    model = StreamModel(calls("a"), [OPEN])
    agent = agent_of(model, submits=True)
    await stopped(agent, model.waiting, ScriptedCells(patch="a patch"))
    assert (agent.info["exit_status"], agent.info["patch"]) == ("submitted (exit_stopped)", "a patch")
    assert len(agent.trajectory) == 1


@pytest.mark.parametrize("again", [True, False])
async def test_a_patch_that_does_not_come_does_not_hold_up_a_stop(again: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Stop, or the end of the time that it has."""
    monkeypatch.setattr(loop, "LAST_PATCH_S", 60.0 if again else 0.01)
    model = StreamModel(calls("a"), [OPEN])
    agent, cells = agent_of(model, submits=True), ScriptedCells(patch=OPEN)
    task = asyncio.create_task(run(agent, cells))
    await model.waiting.wait()
    task.cancel()
    await cells.waiting.wait()
    if again:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert agent.info["exit_status"] == "submitted (exit_stopped)"
    assert agent.info["submission"] == "a"


async def test_what_had_come_of_an_action_before_a_stop_is_known() -> None:
    events: list[Any] = []
    agent = agent_of(scripted({"code": "a"}))
    agent.listeners.append(events.append)
    with pytest.raises(asyncio.CancelledError):
        await run(agent, ScriptedCells(RunStopped(Ran("a", printing("half").outputs, "error", interrupted=True))))
    assert "half" in told(agent)[0]
    assert agent.trajectory[-1]["observation"] == "half"
    assert Stopped(running=True) in events
    assert [event.outcome.interrupted for event in events if isinstance(event, ActionDone)] == [True]


async def test_a_listener_that_raises_ends_the_run_and_the_history_goes_on() -> None:
    """A front end that fails."""

    def fail(event: object) -> None:
        if isinstance(event, ActionDone):
            raise RuntimeError("gone")  # noqa: TRY004  # a defect, whatever the event

    agent = agent_of(StreamModel(calls("a", "b"), words("Done.")))
    agent.listeners.append(fail)
    await run(agent)
    assert agent.info["exit_status"] == "submitted (exit_error)"
    assert "gone" in agent.trajectory[-1]["extra_info"]["traceback"]
    agent.listeners.remove(fail)
    assert answered(await run(agent, prompt="Again.")) == "Done."
    assert valid(agent.history)


@pytest.mark.parametrize("fallback", [False, True])
async def test_a_listener_that_raises_while_the_model_writes_ends_the_request(fallback: bool) -> None:
    """At once, and not when its garbage is collected."""
    closed: list[int] = []

    def fail(event: object) -> None:
        if isinstance(event, ActionOpened):
            raise RuntimeError("gone")  # noqa: TRY004  # a defect, whatever the event
        if isinstance(event, WordsDropped):
            closed.append(model.closed)

    model = StreamModel([*calls("a")[:-1], OPEN])
    agent = agent_of(FallbackModel([model]) if fallback else model)
    agent.listeners.append(fail)
    await run(agent)
    assert agent.info["exit_status"] == "exit_error"
    assert closed == [1]


# ---- the file editor


def edit(command: str, **arguments: Any) -> dict[str, Any]:
    return {"edit": {"command": command, "path": "skill:gp_fit.py", **arguments}}


async def test_a_view_is_answered_without_asking(tmp_path: Path) -> None:
    (tmp_path / "gp_fit.py").write_text("x = 1\n")
    cells = ScriptedCells()
    agent = agent_of(scripted(edit("view"), ANSWER), tmp_path)
    events = await run(agent, cells)
    assert told(agent) == [agent.templates.marked("   1  x = 1")]
    assert not cells.confirmed
    assert [e.outcome for e in events if isinstance(e, ActionDone)] == [Edited("   1  x = 1")]


async def test_a_change_is_shown_and_then_done(tmp_path: Path) -> None:
    cells = ScriptedCells()
    agent = agent_of(scripted(edit("create", file_text="x = 1\n"), ANSWER), tmp_path)
    events = await run(agent, cells)
    assert (tmp_path / "gp_fit.py").read_text() == "x = 1\n"
    [(_, diff, summary)] = cells.confirmed
    assert (diff.splitlines()[-1], summary) == ("+x = 1", "Create gp_fit.py")
    [outcome] = [e.outcome for e in events if isinstance(e, ActionDone)]
    assert isinstance(outcome, Edited)
    assert outcome.changed
    assert told(agent) == [agent.templates.marked(outcome.text)]


async def test_a_change_that_changes_nothing_is_not_asked_for_and_not_counted(tmp_path: Path) -> None:
    (tmp_path / "gp_fit.py").write_text("x = 1\n")
    cells = ScriptedCells()
    agent = agent_of(scripted(edit("create", file_text="x = 1\n"), ANSWER), tmp_path)
    events = await run(agent, cells)
    assert not cells.confirmed
    assert told(agent) == [agent.templates.marked("Change gp_fit.py: nothing was done, it is like this already.")]
    assert [e.outcome.changed for e in events if isinstance(e, ActionDone) and isinstance(e.outcome, Edited)] == [False]


async def test_a_refused_change_is_not_done(tmp_path: Path) -> None:
    cells = ScriptedCells(refusals=[Rejected("too long")])
    agent = agent_of(scripted(edit("create", file_text="x = 1\n"), ANSWER), tmp_path)
    await run(agent, cells)
    assert "too long" in told(agent)[0]
    assert not Library(tmp_path).list()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (edit("view"), "There is no gp_fit.py"),
        (edit("create"), "create needs file_text"),
        (edit("create", file_text="x ="), "line 1"),
        (edit("rename"), "no command 'rename'"),
        (edit("create", path="skill:../x.py", file_text=""), "not a file of the library"),
    ],
)
async def test_an_impossible_edit_is_told_to_the_model_and_not_asked(
    tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    cells = ScriptedCells()
    agent = agent_of(scripted(wrong, ANSWER), tmp_path)
    events = await run(agent, cells)
    assert said in told(agent)[0]
    assert not cells.confirmed
    assert [e.outcome.ok for e in events if isinstance(e, ActionDone) and isinstance(e.outcome, Edited)] == [False]
    assert answered(events) == "Done."


async def test_a_folder_that_cannot_be_written_is_told_to_the_model(tmp_path: Path) -> None:
    agent = agent_of(scripted(edit("create", file_text="x = 1\n"), ANSWER), tmp_path / "missing")
    events = await run(agent)
    assert "can't be written" in told(agent)[0]
    assert answered(events) == "Done."


async def test_what_she_made_of_the_code_is_what_counts() -> None:
    class Editing(ScriptedCells):
        async def run(self, action: Any, timeout_s: float | None) -> Ran:
            return Ran("b = 2", (), "ok", edited=True)

    agent = agent_of(scripted({"code": "a = 1"}, ANSWER))
    await run(agent, Editing())
    assert "b = 2" in told(agent)[0]
    step = agent.trajectory[0]
    assert (step["action"], step["extra_info"]["proposed_action"]) == ("b = 2", "a = 1")
