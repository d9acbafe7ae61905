"""`jupyter codeact replay`: the actions of a trajectory once more."""

from __future__ import annotations

import argparse
import secrets
from pathlib import Path

from .options import Commands, command, finished, own_settings

EXAMPLE = """\
jupyter codeact replay run.traj --workspace myproject --out again
jupyter codeact replay run.traj --validate-only"""
MORE = """\
What ran is run again, in a fresh sandbox and a copy of the workspace, and written into a new notebook. What was \
rejected is not. Of SWE-agent's trajectories the shell commands are run; those that only its containers have are left \
out, named and counted.
In --out the folder `work` is made anew where an earlier replay made it, with all that is in it; one of yours stays, \
and nothing is run. Files of the notebook's and the trajectory's names are replaced.
Exit codes: 0 the same cells ran, whatever was left out; 1 not, 2 something has to be written otherwise, 130 stopped."""


def add(commands: Commands) -> None:
    about = "run the actions of a trajectory again, without a model"
    parser = command(commands, "replay", run, help=about, example=EXAMPLE, more=MORE)
    parser.add_argument("trajectory", type=Path)
    parser.add_argument("--workspace", type=Path, metavar="DIR", help="what its files were at first (default: none)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the results go (default: our data folder)")
    parser.add_argument("--validate-only", action="store_true", help="say whether it can be replayed; run nothing")


def run(options: argparse.Namespace) -> int:
    from ..headless.replaying import Replay
    from .screen import Screen

    screen = Screen()
    replay = Replay.of(options.trajectory)
    if replay.record.attempt:
        screen.text(f"{options.trajectory}: {replay.record.attempt}.")
    for problem in replay.problems:
        screen.text(problem)
    if options.validate_only:
        screen.text(f"{replay.about}: {'it can be replayed.' if not replay.problems else 'not all can be replayed.'}")
        return 1 if replay.problems else 0
    settings = own_settings()
    out = options.out or settings.runs / f"replay-{secrets.token_hex(4)}"
    try:
        outcome = finished(replay.run(settings, options.workspace, out, screen))
    except KeyboardInterrupt as stop:
        raise type(stop)(f"What was replayed so far is in {out}." if screen.recorded else "") from None
    finally:
        screen.working("")
    screen.finish(outcome.result, asked=False)
    screen.text(outcome.verdict)
    return 0 if outcome.same else 1
