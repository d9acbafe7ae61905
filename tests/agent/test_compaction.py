"""What the next request sends, and how a long conversation is summed up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jupyter_codeact.agent import TextProblem
from jupyter_codeact.agent.history import text_message
from jupyter_codeact.agent.ledger import YOURS, next_request, text_of
from jupyter_codeact.agent.pictures import image_part
from jupyter_codeact.agent.processors import Compact, LastNObservations, squeezed
from jupyter_codeact.errors import ContextExceeded, ModelBusy, ModelError
from jupyter_codeact.events import Reply, Retrying, Usage

from .test_setup import STATE
from .twins import ScriptedCells, StreamModel, agent_of, answered, calls, printing, roles, run, valid, words


async def test_the_ledger_is_what_the_next_request_sends() -> None:
    model = StreamModel(calls("a"), words("Done."), words("Again."))
    agent = agent_of(model, history_processors=[LastNObservations(n=1)])
    await run(agent, ScriptedCells(printing("out")))
    before = [*agent.history]
    parts = next_request(agent, STATE, {})
    assert agent.history == before
    await run(agent, ScriptedCells(state=STATE), YOURS)
    sent = [text_of(message) for message in model.asked[-1]]
    assert [part.text for part in parts if part.name != "tools"] == sent
    assert [part.name for part in parts][:3] == ["tools", "system: system_prompt", "user: instance"]
    assert "run_cell" in parts[0].text
    assert all(part.tokens for part in parts)


async def test_the_ledger_of_a_conversation_that_has_not_begun() -> None:
    model = StreamModel(words("Done."), takes_tools=False)
    agent = agent_of(model)
    agent.templates.work = "/home/her/work"
    parts = next_request(agent, {}, {"offers": ["gp: Fit."]})
    assert agent.history == []
    assert [part.name for part in parts] == ["system: system_prompt", "user: instance"]
    assert "gp" in parts[1].text


@pytest.mark.parametrize("name", ["stream", "another"])
async def test_thinking_is_shown_and_counted_where_it_is_sent(name: str) -> None:
    """To the model that thought it, alone."""
    block = {"type": "thinking", "thinking": "Signed thought. " * 9, "signature": "s"}
    thought = Reply("Hi.", thinking_blocks=(block, {"type": "redacted_thinking", "data": "x"}), reasoning="Loose.")
    agent = agent_of(StreamModel([thought]))
    await run(agent)
    agent.model.name = name
    part = next(part for part in next_request(agent, STATE, {}) if part.name == "assistant: thought")
    sent = name == "stream"
    assert ("Signed thought." in part.text, "Loose." in part.text, "[thinking] (only" in part.text) == (sent,) * 3
    assert (part.tokens > 20) is sent
    assert part.text.endswith("Hi.")


def compacting(*streams: Any, **options: Any) -> tuple[StreamModel, Any]:
    model = StreamModel(*streams, words("Done."))
    return model, agent_of(model, history_processors=[Compact(tokens=100)], max_steps=None, **options)


def costing(*sources: str, tokens: int = 10) -> list[Any]:
    *deltas, reply = calls(*sources)
    return [*deltas, replace(reply, usage=Usage(tokens, 0, 0, 0.0, 1))]


async def test_past_its_budget_the_oldest_part_is_summed_up() -> None:
    model, agent = compacting(costing("a"), costing("b"), costing("c", tokens=200), words("In short."), costing("d"))
    assert answered(await run(agent, ScriptedCells(*map(printing, "abcd")))) == "Done."
    asked = [message["content"] for message in model.asked[3]]
    assert "Write down what you need to go on" in asked[-1]
    sent = model.asked[4]
    assert "What came before, in short:\nIn short." in sent[1]["content"]
    assert roles(sent) == ["system", "user", "assistant", "tool", "assistant", "tool"]
    assert roles(agent.history).count("tool") == 4
    # It is asked for once, not again at every step.
    assert len(model.asked) == 6
    assert agent.usage.calls == 4
    assert all(map(valid, model.asked))


async def test_a_conversation_that_no_longer_fits_is_summed_up_once() -> None:
    long = "".join(f"line {n} of a long output\n" for n in range(500))
    turns = [calls("a"), calls("b"), calls("c")]
    model, agent = compacting(*turns, [ContextExceeded("Too long.")], words("In short."), calls("d"))
    assert answered(await run(agent, ScriptedCells(printing(long)))) == "Done."
    assert len(str(model.asked[4])) < len(str(model.asked[3])) / 2
    assert "In short." in str(model.asked[5])
    assert agent.trajectory[3]["extra_info"]["failed"] == "ContextExceeded"


@pytest.mark.parametrize("second", [[ContextExceeded("Too long.")], words("In short.")])
async def test_then_the_run_ends(second: list[Any]) -> None:
    exceeded = [ContextExceeded("Too long.")]
    _, agent = compacting(calls("a"), calls("b"), calls("c"), exceeded, second, exceeded)
    await run(agent)
    assert agent.info["exit_status"] == "submitted (exit_context)"


async def test_a_summary_that_would_leave_nothing_out_is_not_paid_for() -> None:
    model = StreamModel(calls("a"), calls("b"), calls("c"), [ContextExceeded("Too long.")], words("In short."))
    agent = agent_of(model, history_processors=[LastNObservations(n=1)])
    await run(agent)
    assert agent.info["exit_status"] == "submitted (exit_context)"
    assert len(model.asked) == 4
    assert await agent.compact(keep=0) is None
    assert len(model.asked) == 4


@pytest.mark.parametrize("error", [ModelError("No."), RuntimeError("No."), words("")])
async def test_a_summary_that_fails_does_not_end_the_run(error: Any) -> None:
    failing = error if isinstance(error, list) else [error]
    _, agent = compacting(costing("a"), costing("b"), costing("c", tokens=200), failing, costing("d"))
    assert answered(await run(agent)) == "Done."


CUT = [Reply("In sho", cut=True, usage=Usage(10, 5, 0, 1.0, 1))]


async def test_half_a_summary_is_asked_for_again_and_never_taken() -> None:
    before = costing("a"), costing("b"), costing("c", tokens=200)
    model, agent = compacting(*before, CUT, words("In short."), costing("d"))
    await run(agent)
    assert "In short." in str(model.asked[5])
    assert model.asked[4][:-1] == model.asked[3][:-1]
    assert "at most 150 words" not in str(model.asked[3])
    assert "at most 150 words" in str(model.asked[4][-1])
    model, agent = compacting(*before, CUT, CUT, costing("d"))
    assert answered(await run(agent)) == "Done."
    assert "In sho" not in str(agent.history)
    assert agent.usage.cost == 2.0


async def test_where_no_summary_comes_whole_it_is_said_and_a_conversation_that_no_longer_fits_ends() -> None:
    exceeded = [ContextExceeded("Too long.")]
    model, agent = compacting(calls("a"), calls("b"), calls("c"), exceeded, CUT, CUT)
    await run(agent)
    assert (agent.info["exit_status"], len(model.asked)) == ("submitted (exit_context)", 6)
    _, agent = compacting(calls("a"), calls("b"), words("Done."), CUT, CUT)
    await run(agent)
    with pytest.raises(ModelError, match="The summary was cut off 2 times"):
        await agent.compact(keep=0)
    # A limit that the first try reached leaves no second.
    model, agent = compacting(costing("a"), costing("b"), costing("c", tokens=200), CUT, cost_usd=1.0)
    await run(agent)
    assert (len(model.asked), agent.info["exit_status"]) == (4, "submitted (exit_cost)")


async def test_a_summary_that_breaks_off_again_and_again_is_charged_up_to_the_limit() -> None:
    used, last = Usage(10, 0, 0, 1.0, 1), ModelBusy("Broke off.")
    last.usage = used
    _, agent = compacting(costing("a"), costing("b"), costing("c", tokens=200), [Retrying("", 0.0, used), last])
    await run(agent)
    assert agent.usage.cost == 2.0
    _, agent = compacting(
        costing("a"), costing("b"), costing("c", tokens=200), [Retrying("", 0.0, used)] * 4, cost_usd=2.0
    )
    await run(agent)
    assert (agent.usage.cost, agent.info["exit_status"]) == (2.0, "submitted (exit_cost)")


async def test_a_summary_is_summed_up_with_what_came_after_it() -> None:
    summary = words("Short: one and two.")
    model, agent = compacting(calls("a"), words("One."), words("Short: one."), calls("b"), words("Two."), summary)
    await run(agent)
    assert await agent.compact(keep=0) is not None
    assert await agent.compact(keep=0) is None
    await run(agent, prompt="Next.")
    assert [text_of(m) for m in await agent.compact(keep=0) or ()][1:] == [
        "What came before, in short:\nShort: one and two."
    ]
    assert "Short: one." in str(model.asked[-1])
    assert "'a'" not in str(model.asked[-1])


LONG = "".join(f"line {n} of a long output\n" for n in range(9000))


@pytest.mark.parametrize("before", [["a"], ["a", "b"]])
async def test_a_conversation_too_short_to_be_summed_up_is_sent_again_with_short_outputs(before: list[str]) -> None:
    exceeded = [ContextExceeded("Too long.")]
    model, agent = compacting(*map(calls, before), exceeded, calls("c"))
    cells = ScriptedCells(*[printing(LONG)] * 3, keep="/tmp/outputs/r1-1.txt")
    assert answered(await run(agent, cells)) == "Done."
    asked = model.asked[len(before)], model.asked[len(before) + 1], model.asked[-1]
    first, second, last = [[m["content"] for m in messages if m["role"] == "tool"] for messages in asked]
    *older, newest = second
    assert all(len(text) < 1000 for text in older)
    assert len(newest) < 3000 < len(first[-1])
    # The whole can be read, and stands between its marks as before.
    assert all("code can read them in /tmp/outputs/r1-1.txt" in text for text in second)
    assert all(text.endswith(f"\n</output {agent.templates.mark}>") for text in second)
    # What is sent short stays so: services cache it.
    assert last[: len(second)] == second
    assert len(last[-1]) == len(first[-1])
    assert all(len(m["content"]) > 3000 for m in agent.history if m["role"] == "tool")
    assert all(map(valid, model.asked))


async def test_it_is_sent_again_once_and_only_where_that_makes_it_shorter() -> None:
    exceeded = [ContextExceeded("Too long.")]
    model, agent = compacting(calls("a"), exceeded, exceeded)
    await run(agent, ScriptedCells(printing(LONG)))
    assert (agent.info["exit_status"], len(model.asked)) == ("submitted (exit_context)", 3)
    model, agent = compacting(calls("a"), exceeded)
    await run(agent, ScriptedCells(printing("short")))
    assert (agent.info["exit_status"], len(model.asked)) == ("submitted (exit_context)", 2)


async def test_what_ended_by_its_length_can_be_summed_up_and_another_conversation_begins_whole() -> None:
    exceeded = [ContextExceeded("Too long.")]
    model, agent = compacting(calls("a"), exceeded, exceeded, words("In short."))
    await run(agent, ScriptedCells(printing(LONG)))
    sent = await agent.compact(exceeded=True, keep=0)
    assert [text_of(m) for m in sent or ()][1:] == ["What came before, in short:\nIn short."]
    assert len(str(model.asked[-1])) < 10_000
    await agent.setup(ScriptedCells(), TextProblem("Go.", "r2"), None)
    assert agent.squeezed == 0


def test_pictures_of_what_is_sent_short_are_not_sent() -> None:
    picture = text_message("user", [image_part("data:image/png;base64,AAAA")], "images", "main")
    assert "base64" not in str(squeezed([picture, picture], 2))
    assert squeezed([picture, picture], 1)[1] is picture
