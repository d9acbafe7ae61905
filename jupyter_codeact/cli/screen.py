"""A run in the terminal, while it goes on: words, code, outputs, and what is being done now."""

from __future__ import annotations

import time

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.status import Status
from rich.syntax import Syntax
from rich.text import Text

from .. import words
from ..events import (
    ActionDone,
    CodeAction,
    EditAction,
    Edited,
    LimitReached,
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
from .visible import coloured, visible

SHOWN_LINES = 20


def highlighted(source: str, language: str = "python") -> Syntax:
    """Code as it will run, down to characters that a terminal would not show."""
    return Syntax(visible(source), language, theme="ansi_dark", word_wrap=True, background_color="default")


class Screen:
    """A listener of an agent's. One line at the bottom says what is being done, where the terminal can show that."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._status: Status | None = None
        self._words = ""
        self._shown = ""
        self._tokens = 0
        self._began = time.monotonic()

    def __call__(self, event: object) -> None:
        match event:
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
            case LimitReached(text):
                self.print(Text(text, "yellow"))
            case Stopped(running):
                self.print(Text("Stopped while an action ran." if running else "Stopped.", "yellow"))
            case _:
                pass

    def print(self, *items: RenderableType) -> None:
        """Paths are to be copied: the terminal may wrap a line, we must not. Code is wrapped, and nothing is cut."""
        for item in items:
            self.console.print(item, soft_wrap=isinstance(item, str | Text))

    def working(self, text: str) -> None:
        """Say what is being done now; "" takes the line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        if text and self.console.is_terminal:
            about = f"{text} · {words.tokens(self._tokens)} · {words.seconds(time.monotonic() - self._began)}"
            self._status = self.console.status(Text(about))
            self._status.start()

    def propose(self, action: CodeAction) -> None:
        """Show an action that is about to be asked for, or to run."""
        self.working("")
        self._say()
        self._shown = action.source
        self.print(Text(f"Step {action.step}", "bold"), Padding(highlighted(action.source), (0, 0, 0, 2)))

    def propose_edit(self, diff: str, text: str) -> None:
        self.working("")
        self._say()
        self.print(Text(text, "bold"), Padding(highlighted(diff, "diff"), (0, 0, 0, 2)))

    def finish(self, result: Result) -> None:
        """The answer, how the run went, and where its files are."""
        self.working("")
        self._words = ""
        if result.answer:
            self.print(Markdown(visible(result.answer)))
        self.print("", _outline(result), *(Text(f"  {kind:11}{path}") for kind, path in result.files.items()))

    def _say(self) -> None:
        if self._words.strip():
            self.print(Markdown(visible(self._words.strip())))
        self._words = ""

    def _done(self, done: ActionDone) -> None:
        self.working("")
        match done.action, done.outcome:
            case CodeAction(), Ran():
                if done.outcome.source != self._shown:
                    self.propose(CodeAction(done.action.id, done.action.step, done.outcome.source))
                self.print(Padding(outputs(done.outcome), (0, 0, 0, 4)))
            case EditAction(), Edited(text):
                self._say()
                self.print(Padding(highlighted(cut(text), "diff"), (0, 0, 0, 4)))
            case _, Rejected(reason):
                self.print(Text(f"    Rejected{f': {reason}' if reason else ''}", "yellow"))
            case _:
                pass


def outputs(ran: Ran) -> RenderableType:
    """What an action printed, as far as a terminal can show it."""
    shown = [coloured(cut(text_of(output))) for output in ran.outputs]
    if ran.timed_out:
        shown.append(Text("It took too long and was interrupted.", "yellow"))
    return Group(*shown)


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


def _outline(result: Result) -> Text:
    """``Done · 4 steps · 12.3k tokens · $0.031 · 41 s``."""
    how = Text("Done", "bold green") if result.ok else Text(f"Not done: {result.exit_status}", "bold red")
    cost = words.money(result.cost_usd if result.cost_known else None)
    numbers = [
        words.plural(result.steps, "step"),
        words.tokens(result.tokens_sent + result.tokens_received),
        cost,
        words.seconds(result.seconds),
    ]
    line = Text(" · ").join([how, *map(Text, numbers)])
    return line.append(f"\n{visible(result.error)}") if result.error else line
