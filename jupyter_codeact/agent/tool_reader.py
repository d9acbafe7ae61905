"""Replies of models with tool calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..events import (
    Action,
    CallDelta,
    Delta,
    Event,
    Reply,
    TextChunk,
    TextDelta,
    ThinkingChunk,
    ThinkingDelta,
    ToolCall,
)
from .reader import CUT, EDITS, NO_ACTION, Finished, Problem, Reader, new_id, submission, whole_json
from .tools import EDIT, RUN, SUBMIT


class ToolReader(Reader):
    """Actions are tool calls; their JSON is read while it is still incomplete."""

    def __init__(self, step: int, tools: Sequence[str] = (RUN, EDIT)) -> None:
        super().__init__(step, tools)
        self._names: dict[int, str] = {}
        self._json: dict[int, str] = {}

    def feed(self, delta: Delta) -> Iterator[Event]:
        match delta:
            case TextDelta(text):
                yield TextChunk(text)
            case ThinkingDelta(text):
                yield ThinkingChunk(text)
            case CallDelta(index, name, arguments):
                self._names[index] = self._names.get(index, "") + name
                self._json[index] = self._json.get(index, "") + arguments
                if self._names[index] == RUN:
                    code = partial_json(self._json[index]).get("code", "")
                    if isinstance(code, str) and (code or index not in self.opened):
                        yield from self._write(index, code)

    def _place(self, key: int) -> int:
        # Below 0 are those that did not stream: see ``finish``.
        return -1 - key if key < 0 else sum(other < key for other in self._names)

    def finish(self, reply: Reply) -> Finished:
        problem = next(filter(None, map(self._wrong, reply.calls)), None)
        if reply.cut:
            # Arguments that are cut may be JSON all the same: some services mend it.
            problem = Problem("format", CUT)
        elif not reply.calls and not reply.text.strip():
            problem = Problem("format", "It was empty: call a tool, or answer in words.")
        elif not reply.calls and SUBMIT in self.tools:
            problem = Problem("words", NO_ACTION)
        if problem is not None:
            return [], [], reply.text, problem
        actions: list[Action] = []
        events: list[Event] = []
        keys = dict(zip(range(len(reply.calls)), sorted(self._names), strict=False))
        for number, call in enumerate(reply.calls):
            # The index of a call that did not stream is made up, and so is an id that is missing or used already.
            used = {action.call_id for action in actions}
            call_id = call.id if call.id and call.id not in used else new_id()
            key, arguments = keys.get(number, -1 - number), whole_json(call.arguments)
            if call.name in EDITS:
                actions.append(EDITS[call.name](new_id(), self.step + number, arguments, call_id))
            elif call.name == SUBMIT:
                actions.append(submission(arguments, self.step + number, call_id))
            else:
                events += self._write(key, arguments["code"])
                actions.append(self._written(key, call_id))
        acted = {action.id for action in actions}
        events += self._drop([key for key, stream in self.opened.items() if stream.id not in acted])
        return events, actions, reply.text, None

    def _wrong(self, call: ToolCall) -> Problem | None:
        """Why a tool call can't be acted on, if so."""
        if call.name not in self.tools:
            return Problem("format", f"There is no tool called {call.name!r}; there are {' and '.join(self.tools)}.")
        arguments = whole_json(call.arguments)
        if not isinstance(arguments, dict):
            return Problem("format", f"The arguments of {call.name} are not a JSON object.")
        needed = {RUN: "code", SUBMIT: "answer"}.get(call.name)
        given = arguments.get(needed) if needed else "-"
        if not (isinstance(given, str) and given.strip()):
            return Problem("format", f"{call.name} needs its argument '{needed}', a text.")
        return None


def partial_json(text: str) -> dict[str, Any]:
    """The object that a piece of JSON begins, with its last string as far as it has come; {} where it is none."""
    import jiter

    try:
        value = jiter.from_json(text.encode(), partial_mode="trailing-strings")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
