"""`jupyter codeact batch`: many problems."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..magics.parser import amount, count, skills_of
from .options import (
    ATTEMPTS,
    COPIES,
    PACKAGES,
    Commands,
    add_agent_flags,
    check_can_act,
    command,
    configured,
    finished,
    own_settings,
)

EXAMPLE = """\
jupyter codeact batch problems.yaml --workers 4 --out results --model anthropic/claude-sonnet-4-5

problems.yaml:
  - {id: mean, text: "mean([]) fails; it should be 0.", workspace: myproject}
  - {id: plot, file: tasks/plot.md}
  - {id: crash, issue: "https://github.com/me/myproject/issues/7", workspace: myproject}"""
MORE = f"""\
Each problem has a sandbox of its own, and a copy of its workspace. The results are in --out: a folder for each \
problem, and results.jsonl and results.csv for all. The same command again goes on where the last one ended, \
and does anew what is asked otherwise since.
{PACKAGES}
{ATTEMPTS}
{COPIES}"""


def add(commands: Commands) -> None:
    about = "work on many problems, with several workers"
    parser = command(commands, "batch", run, help=about, example=EXAMPLE, more=MORE)
    parser.add_argument("problems", type=Path, help="a YAML or JSON-lines file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    parser.add_argument("--workers", type=count, default=2, metavar="N", help="at the same time (default: 2)")
    parser.add_argument("--redo", action="store_true", help="do again what is done")
    parser.add_argument("--total-cost-limit", type=amount, metavar="USD", help="what all may cost together")
    add_agent_flags(parser)


def run(options: argparse.Namespace) -> int:
    from ..batch.problems import read_problems
    from ..batch.running import Batch
    from .board import Board
    from .run import github_issue

    board = Board()
    entries = read_problems(options.problems)
    config, retry = configured(options)
    check_can_act(config, retry)
    batch = Batch(
        entries,
        config,
        own_settings(),
        options.out,
        retry=retry,
        skills=skills_of(options.skills),
        redo=options.redo,
        total_usd=options.total_cost_limit,
        issue=lambda url: github_issue(url, f", as `text` or `file` in {options.problems}"),
        told=board.told,
    )
    try:
        with board.showing(batch):
            finished(batch.run(options.workers))
    except KeyboardInterrupt as stop:
        raise type(stop)("The same command goes on from here: what is done is not done again.") from None
    finally:
        board.finish(batch, options.out)
    return 0 if batch.ok else 1
