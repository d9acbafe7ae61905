"""One query: the reply is shown while it streams, charged when it is whole, read, and checked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import Unreadable
from ..events import Delta, Reply, Retrying, TextDelta, Usage, WordsDropped, Working
from .fence_reader import FenceReader
from .history import describe, said, source_of
from .hooks import ActionsGenerated, ModelQueried
from .reader import Problem
from .shapes import Message, StepOutput
from .thoughts import Thoughts, without_thought
from .tool_reader import ToolReader

if TYPE_CHECKING:
    from .loop import Agent


async def ask(agent: Agent, history: list[Message], step: StepOutput) -> None:
    """Ask the model with ``history``, and fill in ``step`` what its reply says.

    Raises Unreadable for a reply that can't be acted on, OutOfBudget before and after the call, ModelError.
    """
    step.query = history
    agent.meter.check()
    agent.emit(ModelQueried(history, agent.name))
    agent.emit(Working("thinking", "Thinking"))
    reply, reader = await _stream(agent, history, step)
    _read(agent, reply, reader, step)


async def _stream(agent: Agent, history: list[Message], step: StepOutput) -> tuple[Reply, ToolReader | FenceReader]:
    takes_tools = agent.model.takes_tools
    reading = ToolReader if takes_tools else FenceReader
    reader: ToolReader | FenceReader = reading(agent.steps + 1, agent.tools.names)
    reply, came, thoughts = Reply(""), "", Thoughts()
    try:
        async with aclosing(agent.model.query(history, agent.tools.definitions() if takes_tools else [])) as deltas:
            async for delta in deltas:
                match delta:
                    case Reply():
                        reply = replace(delta, text=without_thought(delta.text))
                        _feed(agent, reader, thoughts.rest())
                    case Retrying():
                        agent.logger.info("The service is asked again: %r", delta.why)
                        _void(agent, reader, Working("retrying", delta.why))
                        agent.charge(delta.usage)
                        agent.meter.check()
                        reader, came, thoughts = reading(agent.steps + 1, agent.tools.names), "", Thoughts()
                    case _:
                        came += delta.text if isinstance(delta, TextDelta) else ""
                        _feed(agent, reader, thoughts.take(delta))
    except Exception as error:
        # They do not count, but the record has them.
        step.output = came
        _void(agent, reader)
        agent.charge(used_by(error))
        raise
    except asyncio.CancelledError as stopped:
        agent.charge(used_by(stopped))
        raise
    if not takes_tools:
        # A model that was given no tools may call some all the same.
        reply = replace(reply, calls=())
    step.output = said(reply)
    agent.last_request = reply.usage.tokens
    agent.charge(reply.usage)
    return reply, reader


def _feed(agent: Agent, reader: ToolReader | FenceReader, deltas: Iterable[Delta]) -> None:
    for delta in deltas:
        for event in reader.feed(delta):
            agent.emit(event)


def used_by(error: BaseException) -> Usage:
    """What a reply had used that ended with ``error``, as far as its model says so."""
    return getattr(error, "usage", None) or Usage()


def _read(agent: Agent, reply: Reply, reader: ToolReader | FenceReader, step: StepOutput) -> None:
    events, step.actions, step.thought, problem = reader.finish(reply)
    step.action = step.proposed_action = source_of(step.actions[:1])
    try:
        _check(agent, step, problem)
    except Exception:
        _void(agent, reader)
        raise
    for event in events:
        agent.emit(event)
    describe(step, reply, agent.name, agent.model.name)
    agent.emit(ActionsGenerated(step))


def _check(agent: Agent, step: StepOutput, problem: Problem | None) -> None:
    """Whether the reply can be acted on. Words that end the run are taken even where they reach a limit."""
    if problem is not None:
        raise Unreadable(problem.kind, problem.text)
    agent.tools.check(step.actions)
    if step.actions:
        agent.meter.check()


def _void(agent: Agent, reader: ToolReader | FenceReader, *more: Working) -> None:
    """The reply is void: its cells go, and its words."""
    for event in (*reader.drop(), WordsDropped(), *more):
        agent.emit(event)
