"""`jupyter codeact stats`: figures of trajectories."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .options import Commands, command

if TYPE_CHECKING:
    from ..records.stats import Figures

MORE = "Reads this package's trajectories and SWE-agent's. The time is that of the actions."


def add(commands: Commands) -> None:
    about = "how runs ended, and what they took"
    parser = command(commands, "stats", run, help=about, example="jupyter codeact stats results/", more=MORE)
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="trajectories, and folders that hold some")


def run(options: argparse.Namespace) -> int:
    import sys

    from ..errors import ConfigError
    from ..records.stats import read_figures

    missing = next((path for path in options.paths if not path.exists()), None)
    if missing is not None:
        raise ConfigError(f"There is no {missing}.")
    runs, wrong = read_figures(options.paths)
    for line in wrong:
        print(line, file=sys.stderr)
    if not runs:
        raise ConfigError("There are no trajectories: they are files that end in .traj.")
    _show(runs)
    return 1 if wrong else 0


def _show(runs: list[Figures]) -> None:
    from rich.console import Console

    from .. import words
    from ..records.stats import counts
    from .tables import plain_table
    from .visible import visible

    each = plain_table("run", "how it ended", "steps", "calls", "tokens", "cost", "time")
    for one in runs:
        cost = words.money(one.cost_usd if one.cost_known else None)
        numbers = (str(one.steps), str(one.calls), words.tokens(one.tokens), cost, words.seconds(one.seconds))
        each.add_row(visible(str(one.path)), visible(one.exit_status), *numbers)
    ends = plain_table("how it ended", "runs", "share")
    for name, count in counts(runs).most_common():
        ends.add_row(visible(name), str(count), f"{count / len(runs):.0%}")
    known = all(one.cost_known for one in runs)
    spent = words.money(sum(one.cost_usd for one in runs))
    total = [
        words.plural(len(runs), "run"),
        words.plural(sum(one.steps for one in runs), "step"),
        words.tokens(sum(one.tokens for one in runs)),
        spent if known else f"at least {spent}",
        words.seconds(sum(one.seconds for one in runs)),
    ]
    Console(highlight=False).print(each, "", ends, "", " · ".join(total), sep="\n")
