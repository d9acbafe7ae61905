"""A run in the terminal, while it goes on: words, code, outputs, and what is being done now."""

from __future__ import annotations

import time

from rich.console import Console
from rich.status import Status
from rich.text import Text

from .. import words
from ..agent.hooks import RunDone, RunStarted
from ..events import (
    Action,
    ActionDone,
    CodeAction,
    EditAction,
    Edited,
    LimitReached,
    NotRun,
    Output,
    Ran,
    Rejected,
    Stopped,
    TextChunk,
    UsageSeen,
    WordsDropped,
    Working,
)
from ..headless.solve import Result
from .page import Page
from .visible import visible

SHOWN_LINES = 20


class Screen(Page):
    """A listener of an agent's. One line at the bottom says what is being done, where the terminal can show that.

    about: the first line, once the run begins. recorded: whether a run has ended, in whatever way, and left files.
    """

    def __init__(self, about: str = "", console: Console | None = None) -> None:
        super().__init__(console)
        self.recorded = False
        self._about = about
        self._status: Status | None = None
        self._words = ""
        self._told = ""
        self._shown: dict[str, str] = {}
        self._tokens = 0
        self._began = time.monotonic()

    def __call__(self, event: object) -> None:
        match event:
            case RunStarted():
                self._begin()
            case Working(_, text):
                self.working(text)
            case UsageSeen(usage):
                self._tokens = usage.tokens
            case TextChunk(text):
                self._words += text
            case WordsDropped():
                self._words = ""
            case ActionDone():
                self._done(event)
            case LimitReached() | NotRun():
                self._tell(event)
            case Stopped(running):
                self.text("Stopped while an action ran." if running else "Stopped.", "yellow")
            case RunDone():
                self.recorded = True
            case _:
                pass

    def working(self, text: str) -> None:
        """Say what is being done now; "" takes the line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        if text and self.in_terminal:
            about = f"{text} · {words.tokens(self._tokens)} · {words.seconds(time.monotonic() - self._began)}"
            self._status = self.console.status(Text(about))
            self._status.start()

    def propose(self, action: CodeAction) -> None:
        """Show an action that is about to be asked for, or to run."""
        self._head(action)
        self._shown[action.id] = action.source
        self.code(action.source)

    def propose_edit(self, action: EditAction, diff: str, text: str) -> None:
        self._head(action)
        self._shown[action.id] = diff
        self.text(text)
        self.code(diff, "diff")

    def finish(self, result: Result, *, asked: bool = True) -> None:
        """The answer, how the run went, and where its files are. asked: whether a model was asked for anything."""
        self.working("")
        if result.answer:
            self.heading(f"Step {result.steps} · submit" if result.ok else "Answer")
            self.markdown(result.answer)
        self.text("")
        self.text(_outline(result, asked))
        if result.choice:
            self.text(result.choice)
        if result.error and result.error != self._told:
            self.text(result.error)
        for kind, path in result.files.items():
            self.text(f"  {kind:11}{path}")
        if result.no_patch:
            self.text(f"  {words.lacking(result.files)}: {result.no_patch.removesuffix('.')}.")

    def _begin(self) -> None:
        self.working("")
        if self._about:
            self.text(self._about)
        self._about = ""

    def _tell(self, event: LimitReached | NotRun) -> None:
        if isinstance(event, NotRun) and event.words:
            self.working("")
            self.markdown(event.words)
        self._told = event.text
        self.text(event.text, "yellow")

    def _head(self, action: Action) -> None:
        """What the model said before the action, and the action's title."""
        self.working("")
        if self._words.strip():
            self.markdown(self._words.strip())
        self._words = ""
        self.heading(f"Step {action.step} · {_name(action)}")

    def _done(self, done: ActionDone) -> None:
        self.working("")
        shown = self._shown.pop(done.action.id, None)
        match done.action, done.outcome:
            case CodeAction() as action, Ran() as ran:
                if ran.source != shown:
                    self.propose(CodeAction(action.id, action.step, ran.source))
                self._outputs(ran)
            case EditAction() as action, Edited(text):
                if shown is None:
                    self._head(action)
                    self.code(cut(text), "diff")
                else:
                    self.text("    " + text.replace(shown, "").strip())
            case EditAction() as action, Rejected(reason):
                if shown is None:
                    self._head(action)
                self._rejected(reason)
            case _, Rejected(reason):
                self._rejected(reason)
            case _:
                pass

    def _rejected(self, reason: str) -> None:
        self.text(f"    Rejected{f': {reason}' if reason else ''}", "yellow")

    def _outputs(self, ran: Ran) -> None:
        """What an action printed, as far as a terminal can show it."""
        for output in ran.outputs:
            self.output(cut(text_of(output)))
        if ran.timed_out:
            self.text("    It took too long and was interrupted.", "yellow")


def _name(action: Action) -> str:
    """``run_cell``, or ``create b.txt``."""
    if isinstance(action, EditAction):
        said = (action.arguments.get("command"), action.arguments.get("path"))
        return visible(" ".join(str(word) for word in said if word)) or "edit_file"
    return "run_cell"


def text_of(output: Output) -> str:
    """An output as text; a picture is named."""
    if output["output_type"] == "stream":
        return str(output["text"]).rstrip("\r\n")
    if output["output_type"] == "error":
        return "\n".join(output["traceback"]) or f"{output['ename']}: {output['evalue']}"
    data = output.get("data", {})
    pictures = [kind for kind in data if kind.startswith("image/")]
    return f"[{pictures[0]}]" if pictures else str(data.get("text/plain", ""))


def cut(text: str) -> str:
    """Its first and last lines: all of it is in the notebook."""
    lines = text.split("\n")
    if len(lines) <= SHOWN_LINES:
        return text
    half = SHOWN_LINES // 2
    return "\n".join([*lines[:half], f"… {len(lines) - 2 * half} more lines …", *lines[-half:]])


def _outline(result: Result, asked: bool) -> Text:
    """``Done · 4 steps · 12.3k tokens · $0.031 · 41 s``."""
    how = Text("Done", "bold green") if result.ok else Text(f"Not done: {words.ended(result.exit_status)}", "bold red")
    cost = words.money(result.cost_usd if result.cost_known else None)
    used = [words.tokens(result.tokens_sent + result.tokens_received), cost] if asked else ["no model was asked"]
    numbers = [words.plural(result.steps, "step"), *used, words.seconds(result.seconds)]
    return Text(" · ").join([how, *map(Text, numbers)])
