"""`jupyter codeact run`: one problem."""

from __future__ import annotations

import argparse
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from .options import Commands, add_agent_flags, check_can_act, command, configured, finished

if TYPE_CHECKING:
    from ..agent.problem import ProblemStatement
    from ..headless.solve import Job
    from ..settings import Settings

EXAMPLE = """\
jupyter codeact run --text "The test in tests/ fails: mend it" --workspace myproject \\
    --model anthropic/claude-sonnet-4-5 --review auto --out results"""
MORE = """\
The agent works in the workspace, in a sandbox without network. What it leaves in --out: a notebook of the run (.ipynb),
its trajectory (.traj), and a patch (.patch) where the workspace is a git checkout.
A configuration with `agents`, `attempts` and `review` has several attempts made, each in a copy of the workspace.
Exit codes: 0 done, 1 not done, 2 wrong use, 130 stopped."""


def add(commands: Commands) -> None:
    about = "work on one problem: a text, a file or a GitHub issue"
    parser = command(commands, "run", run, help=about, example=EXAMPLE, more=MORE)
    problem = parser.add_mutually_exclusive_group(required=True)
    problem.add_argument("--text", help="the problem itself")
    problem.add_argument("--file", type=Path, help="a text file that holds it")
    problem.add_argument("--issue", metavar="URL", help="a GitHub issue; GITHUB_TOKEN is used where it is set")
    parser.add_argument("--workspace", type=Path, default=Path(), metavar="DIR", help="where it works (default: here)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the results go (default: our data folder)")
    parser.add_argument("--review", choices=("ask", "auto"), help="ask: each action, here (default); auto: never")
    add_agent_flags(parser)


def run(options: argparse.Namespace) -> int:
    from ..headless.solve import Job
    from ..settings import Settings

    settings = Settings.from_environment()
    config, retry = configured(options)
    folder = options.out or settings.runs / f"run-{secrets.token_hex(4)}"
    return work(Job(problem_of(options), config, options.workspace, folder, retry), settings, options.review)


def work(job: Job, settings: Settings, review: str | None) -> int:
    """Do a job, shown and reviewed in the terminal."""
    from .. import config
    from ..headless.attempts import work_on
    from .review import ShownReview, TerminalReview
    from .screen import Screen

    screen = Screen()
    review = review or config.load().review
    if review == "auto":
        check_can_act(job.config, job.retry)
    reviewer = ShownReview(screen) if review == "auto" else TerminalReview(screen)
    screen.print(f"{job.config.model.name} works in {job.workspace.resolve()}; results go to {job.folder.resolve()}")
    try:
        result = finished(work_on(job, settings, reviewer=reviewer, listeners=[screen]))
    finally:
        screen.working("")
    screen.finish(result)
    return 0 if result.ok else 1


def problem_of(options: argparse.Namespace) -> ProblemStatement:
    from ..agent.problem import FileProblem, TextProblem

    if options.text is not None:
        return TextProblem(options.text)
    return FileProblem(options.file) if options.file else github_issue(options.issue)


def github_issue(url: str) -> ProblemStatement:
    """GITHUB_API_URL is where GitHub answers, as in its own actions."""
    from ..agent.problem import GITHUB, GithubIssue

    return GithubIssue(url, api=os.environ.get("GITHUB_API_URL") or GITHUB, token=os.environ.get("GITHUB_TOKEN", ""))
