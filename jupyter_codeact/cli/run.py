"""`jupyter codeact run`: one problem."""

from __future__ import annotations

import argparse
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..magics.parser import skills_of
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

if TYPE_CHECKING:
    from ..agent.problem import ProblemStatement
    from ..headless.solve import Job
    from ..settings import Settings

EXAMPLE = """\
jupyter codeact run --text "mean([]) fails; it should be 0." --workspace myproject \\
    --model anthropic/claude-sonnet-4-5 --review auto --out results"""
MORE = f"""\
The agent works in the workspace, in a sandbox without network. What it leaves in --out: a notebook of the run \
(.ipynb), its trajectory (.traj), and a patch (.patch) where the workspace is a git checkout.
{PACKAGES}
{ATTEMPTS}
{COPIES}
Exit codes: 0 done, 1 not done, 2 something has to be written or set otherwise, 130 and 143 stopped."""
USAGE = "jupyter codeact run (--text TEXT | --file FILE | --issue URL) [options]"


def add(commands: Commands) -> None:
    about = "work on one problem: a text, a file or a GitHub issue"
    parser = command(commands, "run", run, help=about, example=EXAMPLE, more=MORE, usage=USAGE)
    problem = parser.add_mutually_exclusive_group(required=True)
    problem.add_argument("--text", help="the problem itself")
    problem.add_argument("--file", type=Path, help="a text file that holds it")
    problem.add_argument("--issue", metavar="URL", help="a GitHub issue; GITHUB_TOKEN is used where it is set")
    parser.add_argument("--workspace", type=Path, default=Path(), metavar="DIR", help="where it works (default: here)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the results go (default: our data folder)")
    parser.add_argument("--review", choices=("ask", "auto"), help="ask: each action, here (default); auto: never")
    add_agent_flags(parser)


def run(options: argparse.Namespace) -> int:
    from ..agent.problem import stated
    from ..files import Identity
    from ..headless.solve import Job
    from ..headless.workspace import beyond

    # First of all: where it is told to lead is then where it led.
    known = Identity.of(options.workspace) if options.workspace.is_dir() else None
    for named in filter(None, (options.workspace, options.file)):
        tell_link(named)
    problem = problem_of(options)
    settings = own_settings()
    config, retry = configured(options)
    folder = options.out or settings.runs / f"run-{secrets.token_hex(4)}"
    no_patch = beyond(options.workspace)
    skills = skills_of(options.skills)
    job = Job(problem, config, options.workspace, folder, retry, *skills, no_patch, known=known).prepare()
    job = replace(job, problem=finished(stated(job.problem, job.name)))
    return work(job, settings, options.review)


def tell_link(named: Path) -> None:
    """Where what she names lies here by name alone: a cell may have put the link there that leads elsewhere."""
    from ..files import inside
    from .visible import say

    real = named.resolve()
    if inside(named, Path()) and not real.is_relative_to(Path.cwd()):
        say(f"{named} is a link to {real}", error=True)


def work(job: Job, settings: Settings, review: str | None) -> int:
    """Do a job, shown and reviewed in the terminal."""
    from .. import config
    from ..headless.attempts import work_on
    from .review import ShownReview, TerminalReview
    from .screen import Screen

    about = f"{job.config.model.name} works in {job.workspace.resolve()}; results go to {job.folder.resolve()}"
    screen = Screen(about)
    review = review or config.load().review
    if review == "auto":
        check_can_act(job.config, job.retry)
    reviewer = ShownReview(screen) if review == "auto" else TerminalReview(screen)
    screen.working("Getting ready")
    try:
        result = finished(work_on(job, settings, reviewer=reviewer, listeners=[screen]))
    except KeyboardInterrupt as stop:
        raise type(stop)(so_far(job) if screen.recorded else "Nothing was done yet.") from None
    finally:
        screen.working("")
    screen.finish(result)
    return 0 if result.ok else 1


def so_far(job: Job) -> str:
    """Where a run that was stopped has left what it did, and how to go on."""
    found = [path for place in (".", "attempt-*") for path in sorted(job.folder.glob(f"{place}/{job.name}.*"))]
    names = ", ".join(str(path.relative_to(job.folder)) for path in found)
    look = next((f" `jupyter codeact inspect {path}` shows it." for path in found if path.suffix == ".traj"), "")
    again = "The same command begins anew, in the workspace as it is now."
    return f"What was done so far is in {job.folder}: {names}.{look} {again}"


def problem_of(options: argparse.Namespace) -> ProblemStatement:
    from ..agent.problem import EMPTY, FileProblem, TextProblem
    from ..errors import UsageError

    if options.text is not None:
        if not options.text.strip():
            raise UsageError(EMPTY)
        return TextProblem(options.text)
    if options.file:
        return FileProblem(options.file)
    return github_issue(options.issue, ", with `--text` or `--file`")


def github_issue(url: str, instead: str) -> ProblemStatement:
    """GITHUB_API_URL is where GitHub answers, as in its own actions."""
    from ..agent.problem import GITHUB, GithubIssue

    api = os.environ.get("GITHUB_API_URL") or GITHUB
    return GithubIssue(url, api=api, token=os.environ.get("GITHUB_TOKEN", ""), instead=instead)
