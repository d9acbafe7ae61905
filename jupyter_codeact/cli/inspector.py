"""Walks through a trajectory in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from .. import words
from ..agent.demonstrations import text_of
from ..records.steps import Record, RecordedStep
from .screen import cut, highlighted
from .tables import plain_table
from .visible import coloured, visible

HELP = "Enter, n next · p back · g N step N · /text search · o whole outputs · h history · i about · q end"


class Inspector:
    """``at`` is the index of the step that is shown; ``whole`` shows outputs uncut."""

    def __init__(self, record: Record, console: Console | None = None) -> None:
        self.record = record
        self.console = console or Console(highlight=False)
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
            case "g" if rest.strip().isdigit():
                self._go(int(rest) - 1)
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
                self.console.print(HELP)

    # ---- what is shown

    def about(self) -> None:
        """How the run ended, and what was asked for."""
        record = self.record
        stats = record.stats
        table = Table.grid(padding=(0, 2))
        tokens = int(stats.get("tokens_sent", 0) + stats.get("tokens_received", 0))
        cost = words.money(stats.get("instance_cost") if stats.get("cost_known", True) else None)
        facts = {
            "trajectory": str(record.path),
            "steps": str(len(record.steps)),
            "ended": str(record.info.get("exit_status") or "not ended"),
            "used": f"{words.tokens(tokens)} · {cost}",
            "asked for": record.problem,
            "answer": str(record.info.get("answer") or ""),
            "error": str(record.info.get("error") or ""),
        }
        for name, fact in facts.items():
            if fact:
                table.add_row(Text(name, "bold"), visible(fact))
        self.console.print(table)

    def show(self, step: RecordedStep) -> None:
        kind = " · ".join(filter(None, (step.tool or "answer", words.seconds(step.seconds))))
        self.console.print(Rule(Text(f"Step {step.number} of {len(self.record.steps)} · {kind}"), align="left"))
        if step.thought:
            self.console.print(Text(visible(step.thought)))
        if step.action:
            self.console.print(Padding(highlighted(step.action, step.language), (0, 0, 0, 2)))
        how = f"not counted: {step.failed}" if step.failed else "rejected" if step.rejected else ""
        if how:
            self.console.print(Text(f"  {how}", "yellow"))
        if step.observation:
            shown = step.observation if self.whole else cut(step.observation)
            self.console.print(Padding(coloured(shown), (0, 0, 0, 4)))

    def history(self) -> None:
        """Every message of the conversation, in the pager."""
        table = plain_table("", "message")
        for message in self.record.history:
            table.add_row(Text(visible(str(message["role"])), "bold"), Text(visible(text_of(message)) + "\n"))
        with self.console.pager(styles=True):
            self.console.print(table)

    # ---- where she is

    def _here(self) -> None:
        if self.record.steps:
            self.show(self.record.steps[self.at])

    def _place(self) -> str:
        return f"{min(self.at + 1, len(self.record.steps))}/{len(self.record.steps)}"

    def _go(self, index: int) -> None:
        if 0 <= index < len(self.record.steps):
            self.at = index
            self._here()
        else:
            self.console.print("There is no further step." if index > 0 else "This is the first step.")

    def _search(self, text: str) -> None:
        """The next step that has the text in it, beyond the last from the first on."""
        self._sought = text
        count = len(self.record.steps)
        order = [(self.at + 1 + offset) % count for offset in range(count)] if count else []
        found = next((index for index in order if _has(self.record.steps[index], text)), None)
        if found is None:
            self.console.print(Text(f"No step has {text!r} in it."))
        else:
            self._go(found)


def _has(step: RecordedStep, text: str) -> bool:
    return text.lower() in "\n".join((step.thought, step.action, step.observation)).lower()
