"""The loop: ask the model, act on its reply, tell it what came of it, until it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from ..errors import EditError, ModelError
from ..events import (
    Action,
    ActionDone,
    Answered,
    CodeAction,
    EditAction,
    Edited,
    Event,
    LimitReached,
    Outcome,
    Reply,
    Retrying,
    Usage,
    UsageSeen,
    WordsDropped,
    Working,
)
from ..execution import RunStopped
from ..protocols import Cells, Editor, Model
from ..words import plural
from .history import History
from .parsing import Problem, reader_for
from .prompts import Prompts
from .tools import TOOLS

CodeCheck = Callable[[str], str | None]


@dataclass
class Turn:
    """One reply of the model and what was read out of it. ``step``: number of its first cell in the run."""

    step: int
    reply: Reply | None = None
    text: str = ""
    actions: list[Action] = field(default_factory=list)
    problem: Problem | None = None


@dataclass
class Limits:
    """max_steps: actions in one run. max_requeries: unreadable replies in a row that are sent back."""

    max_steps: int = 30
    max_requeries: int = 3


class Agent:
    """One conversation. ``run`` is called once for each prompt; the history goes on from one to the next.

    model, cells: may be exchanged between runs; the history stays.
    check: says what is wrong with a piece of code before it becomes a cell, or None.
    stopped: the action that a Stop interrupted in the last run, with what had come of it.
    """

    def __init__(
        self,
        *,
        model: Model,
        cells: Cells,
        editor: Editor,
        prompts: Prompts,
        limits: Limits,
        check: CodeCheck,
    ) -> None:
        self.model = model
        self.cells = cells
        self.editor = editor
        self.prompts = prompts
        self.limits = limits
        self.check = check
        self.history = History()
        self.usage = Usage()
        self.stopped: ActionDone | None = None

    async def run(self, prompt: str) -> AsyncIterator[Event]:
        """From a prompt to its answer. Cancelling it at any point leaves a history that can go on."""
        if not self.history.messages:
            self.history.add_system(self.prompts.system(tools=self.model.takes_tools))
        self.history.add_user(prompt)
        self.stopped = None
        try:
            done = cells = 0
            while done < self.limits.max_steps:
                turn = Turn(cells + 1)
                async for event in self.forward(turn):
                    yield event
                if not turn.actions:
                    yield Answered(turn.text)
                    return
                for action in turn.actions[: self.limits.max_steps - done]:
                    done += 1
                    cells += isinstance(action, CodeAction)
                    async for event in self.act(action):
                        yield event
            self.history.close("Not done: the run reached its limit of steps.")
            yield LimitReached(f"Stopped after {plural(done, 'step')}; `--max-steps N` allows more.")
        finally:
            self.history.close()

    async def forward(self, turn: Turn) -> AsyncIterator[Event]:
        """Get a reply that can be acted on. Unreadable ones are sent back, and leave no trace in the history."""
        messages, tries = self.history.messages, 1 + self.limits.max_requeries
        yield Working("thinking", "Thinking")
        for _ in range(tries):
            async for event in self.query(messages, turn):
                yield event
            if turn.problem is None:
                self.history.add_reply(turn.reply, turn.actions, turn.text)
                return
            yield Working("retrying", "The reply could not be read, asking again")
            messages = self.history.requery(turn.reply, self.prompts.problem(turn.problem))
        why = turn.problem.text if turn.problem else ""
        raise ModelError(f"The model's reply could not be read {tries} times in a row: {why}")

    async def query(self, messages: list[dict[str, object]], turn: Turn) -> AsyncIterator[Event]:
        """Stream one reply and read it as it comes."""
        takes_tools = self.model.takes_tools
        reader = reader_for(takes_tools, turn.step)
        async for delta in self.model.query(messages, TOOLS if takes_tools else []):
            match delta:
                case Reply():
                    turn.reply = delta
                case Retrying():
                    for event in (*reader.drop(), WordsDropped(), Working("retrying", delta.why)):
                        yield event
                    reader = reader_for(takes_tools, turn.step)
                case _:
                    for event in reader.feed(delta):
                        yield event
        reply = turn.reply or Reply("")
        self.usage += reply.usage
        yield UsageSeen(self.usage)
        events, turn.actions, turn.text, turn.problem = reader.finish(reply)
        turn.problem = turn.problem or self._code_problem(turn.actions)
        for event in events if turn.problem is None else (*reader.drop(), WordsDropped()):
            yield event

    def _code_problem(self, actions: list[Action]) -> Problem | None:
        """Code that does not compile never becomes a cell: the model is told line and text."""
        for action in actions:
            wrong = self.check(action.source) if isinstance(action, CodeAction) else None
            if wrong is not None:
                return Problem("syntax", wrong)
        return None

    async def act(self, action: Action) -> AsyncIterator[Event]:
        """Have one action reviewed and run, and tell the model what came of it."""
        try:
            outcome = await (self.cells.run(action) if isinstance(action, CodeAction) else self.edit(action))
        except RunStopped as stop:
            # Nothing can be yielded to a task that is being cancelled; what ran must be known all the same.
            self.history.add_result(action, self.prompts.observation(action, stop.ran))
            self.stopped = ActionDone(action, stop.ran)
            raise
        self.history.add_result(action, self.prompts.observation(action, outcome))
        yield ActionDone(action, outcome)

    async def edit(self, action: EditAction) -> Outcome:
        """The file editor: a view is answered at once, a change is shown and confirmed first."""
        try:
            seen = self.editor.view(action.arguments)
            if seen is not None:
                return Edited(seen)
            plan = self.editor.plan(action.arguments)
            refused = await self.cells.confirm(action, plan.diff, plan.summary)
            return Edited(plan.apply(), changed=True) if refused is None else refused
        except EditError as error:
            return Edited(str(error), ok=False)
