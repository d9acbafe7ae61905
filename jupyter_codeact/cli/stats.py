"""`jupyter codeact stats`: figures of trajectories."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .options import Commands, command

if TYPE_CHECKING:
    from ..records.stats import Figures

MORE = """\
Reads this package's trajectories and SWE-agent's. Of a batch it tells what the batch's own results say; of several \
attempts at a problem the one that was chosen. The time is that of the actions. In a pipe, columns are separated by \
tabs."""


def add(commands: Commands) -> None:
    about = "how runs ended, and what they took"
    parser = command(commands, "stats", run, help=about, example="jupyter codeact stats results/", more=MORE)
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="trajectories, and folders that hold some")


def run(options: argparse.Namespace) -> int:
    from ..errors import ConfigError
    from ..records.stats import read_figures
    from .visible import say

    missing = next((path for path in options.paths if not path.exists()), None)
    if missing is not None:
        raise ConfigError(f"There is no {missing}.")
    runs, wrong = read_figures(options.paths)
    for line in wrong:
        say(line, error=True)
    for one in runs:
        if one.attempt:
            say(f"{one.path}: {one.attempt}.", error=True)
    if not runs:
        raise ConfigError("There are no trajectories: they are files that end in .traj.")
    _show(runs)
    return 1 if wrong else 0


def _show(runs: list[Figures]) -> None:
    from .. import words
    from ..records.stats import counts
    from .page import Page

    page = Page()
    page.table(("run", "how it ended"), ("steps", "calls", "tokens", "cost", "time"), map(_row, runs))
    page.text("")
    ends = [(words.ended(status), str(n), f"{n / len(runs):.0%}") for status, n in counts(runs).most_common()]
    page.table(("how it ended",), ("runs", "share"), ends)
    known = all(one.cost_known for one in runs)
    spent = words.money(sum(one.cost_usd for one in runs))
    total = [
        words.plural(len(runs), "run"),
        words.plural(sum(one.steps for one in runs), "step"),
        words.plural(sum(one.calls for one in runs), "call"),
        words.tokens(sum(one.tokens for one in runs)),
        spent if known else f"at least {spent}",
        f"{words.seconds(sum(one.seconds for one in runs))} of actions",
    ]
    page.text("")
    page.prose(" · ".join(total))


def _row(one: Figures) -> tuple[str, ...]:
    from .. import words

    cost = words.money(one.cost_usd if one.cost_known else None)
    numbers = (str(one.steps), str(one.calls), words.tokens(one.tokens).split()[0], cost, words.seconds(one.seconds))
    return (str(one.path), words.ended(one.exit_status), *numbers)
