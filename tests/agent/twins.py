"""Scripted twins of what the loop is given: a model, a notebook; and an agent made of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from jupyter_codeact.agent.loop import Agent, Limits
from jupyter_codeact.agent.prompts import Prompts
from jupyter_codeact.errors import CodeActError
from jupyter_codeact.events import CodeAction, Delta, EditAction, Event, Outcome, Ran, Rejected, Reply, TextDelta
from jupyter_codeact.models.scripted import ScriptedModel
from jupyter_codeact.notebook.syntax import problem_in
from jupyter_codeact.protocols import Model
from jupyter_codeact.skills.editor import LibraryEditor
from jupyter_codeact.skills.library import Library

Stream = list[Delta | CodeActError]
OPEN = "an outcome that never comes"
ANSWER = {"text": "Done."}


class StreamModel:
    """Replies given as deltas, for what a script can't say. An error is raised where it stands, OPEN waits."""

    def __init__(self, *streams: list[Any], takes_tools: bool = True) -> None:
        self.name = "stream"
        self.takes_tools = takes_tools
        self.asked: list[list[dict[str, Any]]] = []
        self.waiting = asyncio.Event()
        self._streams = deque(streams)

    async def query(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> AsyncIterator[Delta]:
        assert bool(tools) is self.takes_tools
        self.asked.append([*messages])
        for delta in self._streams.popleft():
            await asyncio.sleep(0)
            if isinstance(delta, CodeActError):
                raise delta
            if delta == OPEN:
                self.waiting.set()
                await asyncio.Event().wait()
            yield delta


class ScriptedCells:
    """Reviews and runs actions as its script says: an outcome each. Without a script everything runs and is fine."""

    def __init__(self, *outcomes: Any, refusals: Iterable[Rejected | None] = ()) -> None:
        self.ran: list[CodeAction] = []
        self.confirmed: list[tuple[dict[str, Any], str, str]] = []
        self.shown: list[Event] = []
        self.waiting = asyncio.Event()
        self._outcomes = deque(outcomes)
        self._refusals = deque(refusals)

    def show(self, event: Event) -> None:
        self.shown.append(event)

    async def run(self, action: CodeAction) -> Outcome:
        self.ran.append(action)
        outcome = self._outcomes.popleft() if self._outcomes else printing("")
        if outcome == OPEN:
            self.waiting.set()
            await asyncio.Event().wait()
        if isinstance(outcome, Exception):
            raise outcome
        return Ran(action.source, outcome.outputs, outcome.status) if isinstance(outcome, Ran) else outcome

    async def confirm(self, action: EditAction, diff: str, text: str) -> Outcome | None:
        self.confirmed.append((action.arguments, diff, text))
        return self._refusals.popleft() if self._refusals else None


def printing(text: str) -> Ran:
    return Ran("", ({"output_type": "stream", "name": "stdout", "text": text},), "ok")


def scripted(*replies: dict[str, Any]) -> ScriptedModel:
    return ScriptedModel("scripted/test", list(replies))


def words(text: str) -> list[Delta]:
    return [TextDelta(text), Reply(text)]


def agent_of(model: Model, cells: ScriptedCells | None = None, folder: Path | None = None, **limits: int) -> Agent:
    return Agent(
        model=model,
        cells=cells or ScriptedCells(),
        editor=LibraryEditor(Library(folder or Path("/nonexistent"))),
        prompts=Prompts("/home/her/work"),
        limits=Limits(**limits),
        check=problem_in,
    )


async def run(agent: Agent, prompt: str = "Go.") -> list[Event]:
    """All events of a run; what it raises is raised."""
    return [event async for event in agent.run(prompt)]


def told(agent: Agent) -> list[str]:
    """What the model was told of its actions, in order."""
    return [message["content"] for message in agent.history.messages if message["role"] == "tool"]


def valid(messages: list[dict[str, Any]]) -> bool:
    """Whether a service takes the messages: every call answered once, at once, and nothing empty."""
    due: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] in due, "an answer to no call"
            due.remove(message["tool_call_id"])
        else:
            assert not due, "a call was not answered"
            due = [call["id"] for call in message.get("tool_calls", ())]
            assert len({*due}) == len(due)
        assert message["content"] or due, "an empty message"
    assert not due, "a call was not answered"
    return True
