"""Compaction: the model sums up the oldest part of the conversation, and from then on the summary is sent for it.

The history itself stays whole: the summary is a message of its own that says how many it stands for, and the
processor ``Compact`` leaves those out.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from ..errors import ModelError
from ..events import Reply, Retrying, Working
from ..words import plural
from .asking import used_by
from .history import text_message
from .processors import SHORT_CHARACTERS, Compact, shortened
from .shapes import Message

if TYPE_CHECKING:
    from .loop import Agent

# Messages at the end that stay as they are: what is being done just now.
KEPT = 4
# Fewer than these are not worth a query.
FEWEST = 3
# How often a summary is asked for until it comes whole, and what is said the second time.
TRIES = 2
SHORTER = "Your first try was cut off, being as long as a reply may be: write at most 150 words."


async def compact_if_long(agent: Agent) -> None:
    """Compact once the newest request passed the budget of the Compact processor. A run goes on where that fails."""
    processor = _processor(agent)
    if processor is None or agent.pending:
        return
    reads = agent.model.context_tokens
    budget = processor.tokens or (reads and reads * 4 // 5)
    if budget and agent.last_request > budget:
        try:
            await agent.compact()
        except Exception:
            # What is really wrong with the model comes out in the next query, and is handled there.
            agent.logger.exception("The conversation could not be summed up")
        agent.last_request = 0


def _processor(agent: Agent) -> Compact | None:
    return next((item for item in agent.history_processors if isinstance(item, Compact)), None)


async def compact(agent: Agent, *, exceeded: bool = False, keep: int = KEPT) -> list[Message] | None:
    """Add a summary of the oldest messages; what is sent from now on, or None where there is nothing to sum up.

    Without the processor Compact a summary would be sent beside what it stands for: then none is asked for.

    exceeded: the conversation no longer fits, so that it can't be sent for its own summary either. keep: how many
    messages at the end stay as they are, at least.
    """
    own = [message for message in agent.history if message["agent"] == agent.name]
    start, end = _oldest(own, keep)
    if end - start < FEWEST or _processor(agent) is None:
        return None
    agent.meter.check()
    agent.emit(Working("thinking", "Summing up the conversation"))
    oldest = agent.processed(own[:end])
    summary = await _asked(agent, [shortened(m, SHORT_CHARACTERS) for m in oldest] if exceeded else oldest)
    if not summary:
        return None
    text = f"What came before, in short:\n{summary}"
    agent.append(text_message("user", text, "summary", agent.name, covers=end))
    return agent.messages


def squeeze(agent: Agent) -> list[Message] | None:
    """From now on send what has come so far with short outputs; None where nothing becomes shorter by it."""
    before = agent.messages
    agent.squeezed = sum(message["agent"] == agent.name for message in agent.history)
    after = agent.messages
    return None if after == before else after


def _oldest(own: list[Message], keep: int) -> tuple[int, int]:
    """From what has not been summed up yet to the beginning of a turn, so that no call loses its answer."""
    start = max((message.get("covers", message["message_type"] == "system_prompt") for message in own), default=0)
    starts = [n for n, m in enumerate(own) if m["role"] == "assistant" or m["message_type"] == "instance"]
    # Between two prompts nothing is open.
    starts += [len(own)] if not keep or all(m["message_type"] == "thought" for m in own[-1:]) else []
    return start, max((n for n in starts if n <= len(own) - keep), default=start)


async def _asked(agent: Agent, oldest: list[Message]) -> str:
    """The summary, whole: half of one would be taken for all that was. Raises ModelError where none comes whole."""
    request = agent.templates.compact()
    for _ in range(TRIES):
        reply = await _reply(agent, [*oldest, text_message("user", request, "compact", agent.name)])
        if not reply.cut:
            return reply.text.strip()
        agent.logger.info("A summary was cut off at its greatest length")
        agent.meter.check()
        request = f"{agent.templates.compact()}\n\n{SHORTER}"
    raise ModelError(f"The summary was cut off {plural(TRIES, 'time')}, being longer than a reply may be (max_tokens).")


async def _reply(agent: Agent, messages: list[Message]) -> Reply:
    # With the tools, though none is wanted: services want them where calls of them are in the messages.
    tools = agent.tools.definitions() if agent.model.takes_tools else []
    reply = Reply("")
    try:
        async with aclosing(agent.model.query(messages, tools)) as deltas:
            async for delta in deltas:
                if isinstance(delta, Retrying | Reply):
                    agent.charge(delta.usage)
                if isinstance(delta, Retrying):
                    agent.meter.check()
                if isinstance(delta, Reply):
                    reply = delta
    except (ModelError, asyncio.CancelledError) as error:
        agent.charge(used_by(error))
        raise
    return reply
