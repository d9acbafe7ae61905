"""What happens in a run, as frozen values: the one stream that notebook, terminal and trajectory consume.

The loop yields ``Event``s. Models yield ``Delta``s and end with a ``Reply``. Sources are str, times seconds,
money USD, tokens whole numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

MimeBundle = dict[str, Any]
# A text/plain that says nothing of what is shown: the name of its class, as Python and IPython's displays give it.
STAND_IN = re.compile(r"<[\w.]+( object)?( at 0x[0-9a-f]+)?>")
Output = dict[str, Any]
"""One output of a cell in nbformat's shape: ``{"output_type": "stream", "name": …, "text": …}`` and so on."""


@dataclass(frozen=True)
class Usage:
    """What model calls have used so far. ``cost`` is None where a price isn't known; tokens still count."""

    sent: int = 0
    received: int = 0
    cached: int = 0
    cost: float | None = 0.0
    calls: int = 0

    def __add__(self, other: Usage) -> Usage:
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        return Usage(
            self.sent + other.sent,
            self.received + other.received,
            self.cached + other.cached,
            cost,
            self.calls + other.calls,
        )

    @property
    def tokens(self) -> int:
        return self.sent + self.received


# ---- what a model says


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the model's words."""

    text: str


@dataclass(frozen=True)
class ThinkingDelta:
    """The next piece of the model's thinking."""

    text: str


@dataclass(frozen=True)
class CallDelta:
    """The next piece of a tool call: ``arguments`` is a piece of JSON text. ``index`` tells calls apart."""

    index: int
    name: str
    arguments: str


@dataclass(frozen=True)
class ToolCall:
    """A whole tool call. ``arguments`` is JSON text as the model wrote it, valid or not."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Reply:
    """A whole reply of the model; always the last thing its stream yields.

    thinking_blocks: thinking that its service has signed; reasoning: what it has not, as one text.
    cut: it is as long as a reply may be, and is not whole.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = field(default_factory=Usage)
    thinking_blocks: tuple[dict[str, Any], ...] = ()
    reasoning: str = ""
    cut: bool = False


@dataclass(frozen=True)
class Retrying:
    """The service was busy; what came so far of this reply is void, and it is asked again in ``wait_s``.

    ``usage`` is what the void reply used, as far as it is known or can be estimated: it is charged like any other.
    """

    why: str
    wait_s: float
    usage: Usage = field(default_factory=Usage)


Delta = TextDelta | ThinkingDelta | CallDelta | Retrying | Reply


# ---- what the agent does


@dataclass(frozen=True)
class CodeAction:
    """Python to run in a cell of its own. ``id`` is the id that the cell gets."""

    id: str
    step: int
    source: str
    call_id: str = ""


@dataclass(frozen=True)
class EditAction:
    """A command of the file editor, ``arguments`` as the model gave them."""

    id: str
    step: int
    arguments: dict[str, Any]
    call_id: str = ""

    @property
    def of_skill(self) -> bool:
        """Whether it is about a skill, and not about a file of the working folder."""
        return str(self.arguments.get("path", "")).startswith("skill:")


@dataclass(frozen=True)
class SkillAction(EditAction):
    """A command of the skill library's tool."""

    @property
    def of_skill(self) -> bool:
        return True


@dataclass(frozen=True)
class SubmitAction:
    """The model ends the run with ``answer``; ``gave_up`` where that is a reason for giving up."""

    id: str
    step: int
    answer: str
    gave_up: bool = False
    call_id: str = ""


Action = CodeAction | EditAction | SubmitAction
Status = Literal["ok", "error", "aborted", "died", "left"]


@dataclass(frozen=True)
class Ran:
    """A code action that ran. ``source`` is what ran, with the person's edits.

    ``status``: ``aborted`` never began; ``left`` had not ended when it was stopped, and may still run.
    ``state``: folder and variables after it; None where they did not come with its end.
    ``unkept``: characters that it printed in the middle of too much, and that are not among the outputs.
    """

    source: str
    outputs: tuple[Output, ...]
    status: Status
    edited: bool = False
    seconds: float = 0.0
    interrupted: bool = False
    timed_out: bool = False
    state: dict[str, Any] | None = None
    unkept: int = 0


@dataclass(frozen=True)
class Rejected:
    """An action that the person did not want, with her reason or ""."""

    reason: str = ""


@dataclass(frozen=True)
class Edited:
    """An edit that was done, or a view that was read: ``text`` is what the model is told.

    complaint: what the person is told of it as well: why it was impossible, or which checks failed.
    """

    text: str
    ok: bool = True
    changed: bool = False
    complaint: str = ""


@dataclass(frozen=True)
class Checked:
    """What the checks of an edit say to the model. problems: why they failed, one line each."""

    text: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """The run ends with this action: there is nothing to run."""


Outcome = Ran | Rejected | Edited | Ended


@dataclass(frozen=True)
class Working:
    """What the agent is doing now."""

    state: Literal["thinking", "writing", "waiting", "running", "saving", "retrying"]
    text: str


@dataclass(frozen=True)
class TextChunk:
    """The next piece of the agent's words to the person."""

    text: str


@dataclass(frozen=True)
class ThinkingChunk:
    """The next piece of the agent's thinking."""

    text: str


@dataclass(frozen=True)
class ActionOpened:
    """A code action has begun to stream: its cell opens, empty."""

    id: str
    step: int


@dataclass(frozen=True)
class ActionChunk:
    """The next piece of a code action's source."""

    id: str
    text: str


@dataclass(frozen=True)
class ActionDropped:
    """The opened action is void: its reply broke off or can't be read."""

    id: str


@dataclass(frozen=True)
class WordsDropped:
    """The words of this reply are void: it broke off or can't be read, and is asked for again."""


@dataclass(frozen=True)
class NotRun:
    """A reply can't be acted on, and no cell came of it: ``text`` tells the person why. The model is told, too.

    words: all that the reply was, where that is why.
    """

    text: str
    words: str = ""


@dataclass(frozen=True)
class ActionDone:
    """An action has ended, and how."""

    action: Action
    outcome: Outcome


@dataclass(frozen=True)
class UsageSeen:
    """A reply was charged: what the conversation has used so far, and what of it this run."""

    usage: Usage
    run: Usage


@dataclass(frozen=True)
class Answered:
    """The agent's last words: the run is over. ``nonce`` is the run's own secret: nothing printed can forge this."""

    text: str
    nonce: str = ""


@dataclass(frozen=True)
class LimitReached:
    """A limit ended the run; ``text`` says which, and what raises it."""

    text: str


@dataclass(frozen=True)
class Stopped:
    """The person ended the run; ``running`` where an action was running just then."""

    running: bool


Event = (
    Working
    | TextChunk
    | ThinkingChunk
    | ActionOpened
    | ActionChunk
    | ActionDropped
    | WordsDropped
    | NotRun
    | ActionDone
    | UsageSeen
    | Answered
    | LimitReached
    | Stopped
)


# ---- what the kernel remembers


@dataclass(frozen=True)
class RanCell:
    """A cell that ran in this kernel; ``by_agent`` where an action of the agent's was in it."""

    count: int
    cell_id: str
    source: str
    ok: bool
    by_agent: bool = False
