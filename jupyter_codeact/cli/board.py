"""A batch in the terminal: a table that follows it, and a line for each problem that has ended."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.live import Live
from rich.table import Table
from rich.text import Text

from .. import words
from ..batch.results import SUMMARY
from ..batch.running import Batch, Progress
from .page import Page, plain_table
from .visible import visible


class Board(Page):
    """Where there is no terminal, the lines alone."""

    @contextmanager
    def showing(self, batch: Batch) -> Iterator[None]:
        """Follow the batch while the block runs."""
        if not self.in_terminal:
            yield
            return
        with Live(get_renderable=lambda: running(batch), console=self.console, transient=True, refresh_per_second=4):
            yield

    def told(self, one: Progress) -> None:
        """A problem has ended."""
        assert one.result is not None
        mark = Text(words.ended(one.result.exit_status), "green" if one.result.ok else "red")
        numbers = f"{words.plural(one.result.steps, 'step')} · {words.seconds(one.result.seconds)}"
        line = Text(" · ").join([Text(one.id, "bold"), mark, Text(numbers)])
        line.append(f" · {one.result.choice.removesuffix('.')}" if one.result.choice else "")
        line.append(f" · {' '.join(visible(one.result.error).split())}" if one.result.error else "")
        line.append(" · done again, since it was changed" if one.changed else "")
        no_patch = f"{words.lacking(one.result.files).lower()}: {' '.join(visible(one.result.no_patch).split())}"
        line.append(f" · {no_patch}" if one.result.no_patch else "")
        self.text(line)

    def finish(self, batch: Batch, out: Path) -> None:
        """How many ended in which way, what they cost, and where the results are."""
        self.table(("how it ended",), ("problems",), ends(batch))
        before = sum(one.state == "done before" for one in batch.progress)
        about = f"{words.plural(len(batch.progress), 'problem')}, {before} of them done before"
        self.text(f"{about} · {words.money(batch.total.session_usd)}")
        if batch.results:
            text = f"Results: {out / SUMMARY}.csv, {out / SUMMARY}.jsonl, and a folder for each problem"
            self.text(text)


def running(batch: Batch) -> Table:
    """What is being worked on, and how many are left."""
    table = plain_table("problem", "now", "steps", "tokens", "cost", "time")
    for one in batch.progress:
        if one.began is not None and one.result is None:
            time_s = words.seconds(time.monotonic() - one.began)
            used = (words.tokens(one.usage.tokens), words.money(one.usage.cost))
            table.add_row(one.id, one.state, str(one.steps), *used, time_s)
    ended = len(batch.results)
    table.caption = f"{ended} of {len(batch.progress)} · {words.money(batch.total.session_usd)}"
    return table


def ends(batch: Batch) -> list[tuple[str, str]]:
    """In which ways problems have ended, and how many."""
    counts = Counter(one.result.exit_status if one.result else one.ended or "not begun" for one in batch.progress)
    return [(words.ended(status), str(count)) for status, count in counts.most_common()]
