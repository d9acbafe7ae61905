"""Walks through a trajectory in the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from .. import words
from ..agent.demonstrations import text_of
from ..records.steps import Record, RecordedStep
from .page import Page
from .screen import cut
from .visible import visible

HELP = "Enter, n next · p back · g N step N · /text search · o whole outputs · h history · i about · q end"


class Inspector(Page):
    """``at`` is the index of the step that is shown; ``whole`` shows outputs uncut."""

    def __init__(self, record: Record, console: Console | None = None) -> None:
        super().__init__(console)
        self.record = record
        self.at = 0
        self.whole = False
        self._sought = ""

    def print_all(self) -> None:
        """Facts, every step, whole outputs."""
        self.whole = True
        self.about()
        for step in self.record.steps:
            self.show(step)

    def converse(self) -> None:
        """Show steps until she has seen enough."""
        self.about()
        self._here()
        while True:
            try:
                line = self.console.input(Text(f"{self._place()} · ? for help > ", "bold")).strip()
            except EOFError:
                return
            if line in ("q", "quit"):
                return
            self.obey(line)

    def obey(self, line: str) -> None:
        """One command of hers."""
        word, _, rest = line.partition(" ")
        match word:
            case "" | "n":
                self._go(self.at + 1)
            case "p":
                self._go(self.at - 1)
            case "g" if rest.strip().isdecimal():
                self._go(self._index(int(rest)))
            case "o":
                self.whole = not self.whole
                self._here()
            case "h":
                self.history()
            case "i":
                self.about()
            case _ if line.startswith("/"):
                self._search(line[1:] or self._sought)
            case _:
                self.text(HELP)

    # ---- what is shown

    def about(self) -> None:
        """How the run ended, and what was asked for."""
        record = self.record
        stats = record.stats
        tokens = int(stats.get("tokens_sent", 0) + stats.get("tokens_received", 0))
        cost = words.money(stats["instance_cost"] if record.cost_known else None)
        facts = {
            "trajectory": str(record.path),
            "attempts": str(record.info.get("choice") or record.attempt),
            "reviewer": _reviewer(record.info),
            "steps": str(record.count),
            "ended": f"{words.ended(status)} ({status})" if (status := record.info.get("exit_status")) else "not ended",
            "used": f"{words.tokens(tokens)} · {cost}",
            "asked for": record.problem,
            "answer": str(record.info.get("answer") or ""),
            "error": str(record.info.get("error") or ""),
        }
        for name, fact in facts.items():
            if fact:
                self.text(f"{name:12}" + visible(fact).replace("\n", "\n" + " " * 12))

    def show(self, step: RecordedStep) -> None:
        used = words.usage(step.used) if step.used else ""
        self.heading(" · ".join(filter(None, (self._title(step), step.tool, words.seconds(step.seconds), used))))
        if step.thought:
            self.markdown(step.thought)
        if step.action:
            self.code(step.action, step.language)
        if how := _outcome(step):
            self.text(f"  {how}", "yellow")
        if step.observation:
            self.output(step.observation if self.whole else cut(step.observation))

    def history(self) -> None:
        """Every message of the conversation, in the pager: text alone, since few pagers take colours unasked."""
        with self.console.pager():
            for message in self.record.history:
                self.text(f"{message['role']}:", "bold")
                self.prose(f"{text_of(message)}\n")

    # ---- where she is

    def _here(self) -> None:
        if self.record.steps:
            self.show(self.record.steps[self.at])

    def _place(self) -> str:
        return self._title(self.record.steps[self.at]) if self.record.steps else "No steps"

    def _title(self, step: RecordedStep) -> str:
        if step.counts:
            return f"Step {step.number} of {self.record.count}"
        return f"A try at step {step.number}" if step.failed else "Answer"

    def _index(self, number: int) -> int:
        """Where the step of that number is; past the last one where there is none."""
        places = (at for at, step in enumerate(self.record.steps) if step.counts and step.number == number)
        return next(places, len(self.record.steps) if number else -1)

    def _go(self, index: int) -> None:
        if 0 <= index < len(self.record.steps):
            self.at = index
            self._here()
        else:
            self.text("There is no further step." if index > 0 else "This is the first step.")

    def _search(self, text: str) -> None:
        """The next step that has the text in it, beyond the last from the first on."""
        self._sought = text
        count = len(self.record.steps)
        order = [(self.at + 1 + offset) % count for offset in range(count)] if count else []
        found = next((index for index in order if _has(self.record.steps[index], text)), None)
        if found is None:
            self.text(f"No step has {text!r} in it.")
        else:
            self._go(found)


def _reviewer(info: dict[str, Any]) -> str:
    """The words of who judged the attempt, or compared it with others."""
    review, chooser = info.get("review") or {}, info.get("chooser") or {}
    said = [*(review.get("outputs") or []), chooser.get("response") or ""]
    return "\n".join(str(words) for words in said if words)


def _outcome(step: RecordedStep) -> str:
    """What became of it, where that is not what its outputs say."""
    if step.failed:
        return f"the run ended with it: {step.failed}" if step.counts else f"not counted: {step.failed}"
    return "rejected" if step.rejected else ""


def _has(step: RecordedStep, text: str) -> bool:
    return text.lower() in "\n".join((step.thought, step.action, step.observation)).lower()
