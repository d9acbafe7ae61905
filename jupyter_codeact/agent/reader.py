"""Read a model's reply while it streams: words for the person, source for a cell, and at the end the actions.

A reader is fed deltas and returns events at once; ``finish`` returns the actions, or the Problem that the model
has to be told. ToolReader is for models with tool calls, FenceReader for all others; both are Readers.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..events import (
    Action,
    ActionChunk,
    ActionDropped,
    ActionOpened,
    CodeAction,
    EditAction,
    Event,
    SkillAction,
    SubmitAction,
    Working,
)
from .tools import EDIT, RUN, SKILLS, SUBMIT

Finished = tuple[list[Event], list[Action], str, "Problem | None"]


@dataclass(frozen=True)
class Problem:
    """Why a reply can't be acted on, in words for the model."""

    kind: Literal["format", "words", "blocklist", "syntax"]
    text: str


EDITS = {EDIT: EditAction, SKILLS: SkillAction}
CUT = "It was cut off, being as long as a reply may be (max_tokens): write less in one reply."
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


def new_id() -> str:
    return uuid.uuid4().hex


@dataclass
class CellStream:
    """One cell that is being written, its source so far, and newlines that wait for what follows them."""

    step: int
    pieces: list[str] = field(default_factory=list)
    held: str = ""
    id: str = field(default_factory=new_id)

    @property
    def source(self) -> str:
        return "".join(self.pieces)


def submission(arguments: dict[str, Any], step: int, call_id: str = "") -> SubmitAction:
    # Some models write truth values as texts.
    gave_up = str(arguments.get("gave_up")).lower() == "true"
    return SubmitAction(new_id(), step, str(arguments.get("answer", "")), gave_up, call_id)


def whole_json(text: str) -> Any:
    """The value of a JSON text, or None where it is not valid."""
    import jiter

    try:
        return jiter.from_json(text.encode())
    except ValueError:
        return None
