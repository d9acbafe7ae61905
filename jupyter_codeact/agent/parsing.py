"""Read a model's reply while it streams: words for the person, source for a cell, and at the end the actions.

A reader is fed deltas and returns events at once; ``finish`` returns the actions, or the Problem that the model
has to be told. ToolReader is for models with tool calls, FenceReader for all others.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..events import (
    Action,
    ActionChunk,
    ActionDropped,
    ActionOpened,
    CallDelta,
    CodeAction,
    Delta,
    EditAction,
    Event,
    Reply,
    SkillAction,
    SubmitAction,
    TextChunk,
    TextDelta,
    ThinkingChunk,
    ThinkingDelta,
    ToolCall,
    Working,
)
from .tools import EDIT, RUN, SKILLS, SUBMIT

Finished = tuple[list[Event], list[Action], str, "Problem | None"]


@dataclass(frozen=True)
class Problem:
    """Why a reply can't be acted on, in words for the model."""

    kind: Literal["format", "blocklist", "syntax"]
    text: str


CUT = "It was cut off, being as long as a reply may be (max_tokens): write less in one reply."
UNCLOSED = "The reply broke off inside its block: close it with ```."
NO_ACTION = f"It has no action: act, or end the run with {SUBMIT}."


class Reader:
    """What both readers share: which cells are open, and how to take them back.

    step: number of the reply's first action. tools: those that there are; with submit, words alone don't end a run.
    """

    def __init__(self, step: int, tools: Sequence[str] = (RUN, EDIT)) -> None:
        self.step = step
        self.tools = tools
        self.opened: dict[int, CellStream] = {}

    def drop(self) -> list[Event]:
        """The reply is void: every cell that it opened goes."""
        return self._drop(list(self.opened))

    def _drop(self, keys: list[int]) -> list[Event]:
        return [ActionDropped(self.opened.pop(key).id) for key in keys]

    def _place(self, key: int) -> int:
        """How many actions of the reply come before that one, as far as is known."""
        return 0

    def _write(self, key: int, source: str) -> Iterator[Event]:
        """The source of cell ``key`` so far; yields what is new in it. Newlines wait for what follows them."""
        source = source.rstrip("\n")
        stream = self.opened.get(key)
        if stream is None or not source.startswith(stream.source):
            step = stream.step if stream else self.step + self._place(key)
            yield from self._drop([key] if stream else [])
            stream = self.opened[key] = CellStream(step)
            yield Working("writing", f"Writing step {step}")
            yield ActionOpened(stream.id, step)
        if new := source[len(stream.source) :]:
            stream.pieces = [source]
            yield ActionChunk(stream.id, new)

    def _grow(self, key: int, piece: str) -> Iterator[Event]:
        """More source for cell ``key``, where it is known to only grow: nothing is read twice."""
        stream = self.opened.get(key)
        if stream is None:
            yield from self._write(key, "")
            stream = self.opened[key]
        text = stream.held + piece
        new = text.rstrip("\n")
        stream.held = text[len(new) :]
        if new:
            stream.pieces.append(new)
            yield ActionChunk(stream.id, new)

    def _written(self, key: int, call_id: str = "") -> CodeAction:
        """Cell ``key`` as an action, now that it is whole."""
        stream = self.opened[key]
        return CodeAction(stream.id, stream.step, stream.source, call_id)


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass
class CellStream:
    """One cell that is being written, its source so far, and newlines that wait for what follows them."""

    step: int
    pieces: list[str] = field(default_factory=list)
    held: str = ""
    id: str = field(default_factory=_new_id)

    @property
    def source(self) -> str:
        return "".join(self.pieces)


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
            problem = Problem("format", NO_ACTION)
        if problem is not None:
            return [], [], reply.text, problem
        actions: list[Action] = []
        events: list[Event] = []
        keys = dict(zip(range(len(reply.calls)), sorted(self._names), strict=False))
        for number, call in enumerate(reply.calls):
            # The index of a call that did not stream is made up, and so is an id that is missing or used already.
            used = {action.call_id for action in actions}
            call_id = call.id if call.id and call.id not in used else _new_id()
            key, arguments = keys.get(number, -1 - number), whole_json(call.arguments)
            if call.name in _EDITS:
                actions.append(_EDITS[call.name](_new_id(), self.step + number, arguments, call_id))
            elif call.name == SUBMIT:
                actions.append(_submission(arguments, self.step + number, call_id))
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


_EDITS = {EDIT: EditAction, SKILLS: SkillAction}


def _submission(arguments: dict[str, Any], step: int, call_id: str = "") -> SubmitAction:
    # Some models write truth values as texts.
    gave_up = str(arguments.get("gave_up")).lower() == "true"
    return SubmitAction(_new_id(), step, str(arguments.get("answer", "")), gave_up, call_id)


_FENCE = re.compile(r"^ {0,3}(`{3,})[ \t]*([^\s`]*)[^`]*$")
_CODE = ("python", "py", "python3", "ipython")


class FenceReader(Reader):
    """The first fenced block of Python is the action, and ends the reply; what follows is not read."""

    def __init__(self, step: int, tools: Sequence[str] = (RUN, EDIT)) -> None:
        super().__init__(step, tools)
        self._line = ""
        self._shown = 0
        self._fence = ""
        self._language = ""
        self._words: list[str] = []
        self._block: list[str] = []
        self._closed = False

    def feed(self, delta: Delta) -> Iterator[Event]:
        if isinstance(delta, ThinkingDelta):
            yield ThinkingChunk(delta.text)
        if not isinstance(delta, TextDelta):
            return
        *lines, rest = (self._line + delta.text).split("\n")
        for line in lines:
            yield from self._take(line.removesuffix("\r") + "\n")
        self._line = rest
        yield from self._peek(rest.removesuffix("\r"))

    def _acting(self) -> bool:
        return self._language in _CODE or (self._language != RUN and self._language in self.tools)

    def _peek(self, line: str) -> Iterator[Event]:
        """Show the beginning of a line, unless it may become a fence."""
        if self._closed or line.lstrip(" ").startswith("`") or not line.strip():
            return
        if not self._fence or not self._acting():
            yield TextChunk(line[self._shown :])
            self._shown = len(line)
        elif self._language in _CODE:
            yield from self._grow(0, line[self._shown :])
            self._shown = len(line)

    def _take(self, line: str) -> Iterator[Event]:
        shown, self._shown = self._shown, 0
        if self._closed:
            return
        fence = _FENCE.match(line)
        if not self._fence and fence:
            self._fence, self._language = fence[1], fence[2].strip("{.}").lower()
            if self._acting():
                return
        elif self._fence and fence and not fence[2] and len(fence[1]) >= len(self._fence):
            self._closed = self._acting()
            self._fence = "" if not self._closed else self._fence
            if self._closed:
                return
            self._language = ""
        if self._fence and self._acting():
            self._block.append(line)
            if self._language in _CODE:
                yield from self._grow(0, line[shown:])
        else:
            self._words.append(line)
            yield TextChunk(line[shown:])

    def finish(self, reply: Reply) -> Finished:
        events = [] if self._closed or not self._line else list(self._take(self._line.removesuffix("\r") + "\n"))
        text = "".join(self._words).strip()
        block = "".join(self._block).rstrip("\n")
        if not self._closed and (reply.cut or (self._fence and self._acting())):
            return [], [], text, Problem("format", CUT if reply.cut else UNCLOSED)
        if self._closed and self._language in (*_EDITS, SUBMIT):
            return self._json_block(events, text, block)
        if self._closed and block.strip():
            return events, [self._written(0)], text, None
        if not text or self._closed:
            problem = Problem("format", "It was empty: write a ```python block, or answer in words.")
            return [], [], text, problem
        if SUBMIT in self.tools:
            return [], [], text, Problem("format", NO_ACTION)
        return events, [], text, None

    def _json_block(self, events: list[Event], text: str, block: str) -> Finished:
        arguments = whole_json(block)
        if not isinstance(arguments, dict):
            return [], [], text, Problem("format", f"The {self._language} block is not a JSON object.")
        if self._language == SUBMIT:
            return events, [_submission(arguments, self.step)], text, None
        return events, [_EDITS[self._language](_new_id(), self.step, arguments)], text, None


def reader_for(takes_tools: bool, step: int, tools: Sequence[str]) -> ToolReader | FenceReader:
    """The reader for a model that takes tools, or that doesn't."""
    return ToolReader(step, tools) if takes_tools else FenceReader(step, tools)


def partial_json(text: str) -> dict[str, Any]:
    """The object that a piece of JSON begins, with its last string as far as it has come; {} where it is none."""
    import jiter

    try:
        value = jiter.from_json(text.encode(), partial_mode="trailing-strings")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def whole_json(text: str) -> Any:
    """The value of a JSON text, or None where it is not valid."""
    import jiter

    try:
        return jiter.from_json(text.encode())
    except ValueError:
        return None
