"""Scripted twins of what the loop is given: a model, a notebook; and an agent made of them."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_codeact import tokens
from jupyter_codeact.agent import Agent, Limits, Meter, TemplateConfig, TextProblem, ToolConfig, ToolHandler
from jupyter_codeact.agent.hooks import Moment
from jupyter_codeact.errors import CodeActError
from jupyter_codeact.events import (
    Answered,
    CallDelta,
    CodeAction,
    Delta,
    EditAction,
    Outcome,
    Ran,
    Rejected,
    Reply,
    TextDelta,
    ToolCall,
)
from jupyter_codeact.models.scripted import ScriptedModel
from jupyter_codeact.notebook.syntax import transformed
from jupyter_codeact.protocols import Model
from jupyter_codeact.skills.editor import LibraryEditor
from jupyter_codeact.skills.index import Index
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.search import Search
from jupyter_codeact.skills.tool import SkillTool

Stream = list[Delta | CodeActError]
OPEN = "an outcome that never comes"
ANSWER = {"text": "Done."}


class StreamModel:
    """Replies given as deltas, for what a script can't say. An error is raised where it stands, OPEN waits."""

    def __init__(self, *streams: list[Any], takes_tools: bool = True, sees_images: bool = False) -> None:
        self.name = "stream"
        self.takes_tools = takes_tools
        self.sees_images = sees_images
        self.context_tokens: int | None = None
        self.asked: list[list[dict[str, Any]]] = []
        self.waiting = asyncio.Event()
        self.closed = 0
        self._streams = deque(streams)

    async def query(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> AsyncGenerator[Delta, None]:
        assert bool(tools) is self.takes_tools
        self.asked.append([*messages])
        try:
            for delta in self._streams.popleft():
                await asyncio.sleep(0)
                if isinstance(delta, Exception):
                    raise delta
                if delta == OPEN:
                    self.waiting.set()
                    await asyncio.Event().wait()
                yield delta
        finally:
            self.closed += 1

    def count(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> int:
        return tokens.of_request(messages, tools)

    def as_sent(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Thinking goes back to the model that thought it."""
        thinking = ("thinking_blocks", "reasoning_content")
        return [
            {key: value for key, value in message.items() if key not in thinking or message.get("model") == self.name}
            for message in messages
        ]


class ScriptedCells:
    """An environment: reviews and runs actions as its script says, an outcome each. Without one everything is fine."""

    def __init__(self, *outcomes: Any, refusals: Iterable[Rejected | None] = (), **inside: Any) -> None:
        self.ran: list[CodeAction] = []
        self.confirmed: list[tuple[dict[str, Any], str, str]] = []
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.restarts = 0
        self.waiting = asyncio.Event()
        self._outcomes = deque(outcomes)
        self._refusals = deque(refusals)
        self._inside = {
            "state": {"working_dir": "/home/her/work", "variables": []},
            "patch": "",
            "keep": "/tmp/x",
        } | inside

    async def run(self, action: CodeAction, timeout_s: float | None) -> Outcome:
        self.ran.append(action)
        outcome = self._outcomes.popleft() if self._outcomes else printing("")
        if outcome == OPEN:
            self.waiting.set()
            await asyncio.Event().wait()
        if isinstance(outcome, BaseException):
            raise outcome
        return replace(outcome, source=action.source) if isinstance(outcome, Ran) else outcome

    async def confirm(self, action: EditAction, diff: str, text: str) -> Outcome | None:
        self.confirmed.append((action.arguments, diff, text))
        return self._refusals.popleft() if self._refusals else None

    async def inside(self, function: str, **arguments: Any) -> Any:
        self.called.append((function, arguments))
        answer = self._inside[function]
        if answer == OPEN:
            self.waiting.set()
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        if function == "patch":
            return {"patch": answer, "unfiltered": []}
        return answer(**arguments) if callable(answer) else answer

    async def restart(self) -> None:
        self.restarts += 1


def printing(text: str) -> Ran:
    return Ran("", ({"output_type": "stream", "name": "stdout", "text": text},), "ok")


def scripted(*replies: dict[str, Any]) -> ScriptedModel:
    return ScriptedModel("scripted/test", list(replies))


def words(text: str) -> list[Delta]:
    return [TextDelta(text), Reply(text)]


def calls(*sources: str) -> list[Any]:
    """One reply with a call for each source."""
    made = tuple(ToolCall(f"c{n}", "run_cell", json.dumps({"code": source})) for n, source in enumerate(sources))
    return [*(CallDelta(n, call.name, call.arguments) for n, call in enumerate(made)), Reply("", made)]


def answered(events: list[Any]) -> str | None:
    """The answer that the run ended with, if it did."""
    return events[-1].text if isinstance(events[-1], Answered) else None


def agent_of(model: Model, folder: Path | None = None, **options: Any) -> Agent:
    """An agent with our own texts; ``options`` are limits, and what Agent, ToolConfig and TemplateConfig take."""
    limits = {name: options.pop(name) for name in list(options) if name in Limits.__dataclass_fields__}
    tools = {name: options.pop(name) for name in list(options) if name in ToolConfig.__dataclass_fields__}
    library = Library(folder or Path("/nonexistent"))
    skills = SkillTool(library, Search(Index(None), library.folders), lambda: ([], ()))
    own = {"templates": TemplateConfig(), "history_processors": [], "meter": Meter(Limits(**limits))}
    handler = ToolHandler(ToolConfig(**tools), library=LibraryEditor(library), skills=skills, transform=transformed)
    return Agent(model=model, tools=handler, **own | options)


async def run(
    agent: Agent, cells: ScriptedCells | None = None, prompt: str = "Go.", folder: Path | None = None
) -> list[Any]:
    """All events of a run, the next one where the agent has a history; what it raises is raised."""
    events: list[Any] = []
    agent.listeners.append(events.append)
    go = agent.go_on if agent.history else agent.run
    try:
        await go(cells or ScriptedCells(), TextProblem(prompt, "r1"), folder)
    finally:
        agent.listeners.remove(events.append)
    return [event for event in events if not isinstance(event, Moment)]


def told(agent: Agent) -> list[str]:
    """What the model was told of its actions, in order."""
    return [message["content"] for message in agent.history if message["role"] == "tool"]


def roles(messages: list[dict[str, Any]]) -> list[str]:
    return [message["role"] for message in messages]


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
