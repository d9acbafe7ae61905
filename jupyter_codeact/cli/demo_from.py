"""`jupyter codeact demo-from`: a trajectory as a demonstration."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .options import Commands, command

EXAMPLE = """\
jupyter codeact demo-from run.traj -o demo.yaml
# and in the agent's configuration:
templates: {demonstrations: [demo.yaml]}"""


def add(commands: Commands) -> None:
    about = "make a demonstration of a trajectory"
    parser = command(commands, "demo-from", run, help=about, example=EXAMPLE)
    parser.add_argument("trajectory", type=Path)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where it goes (default: the screen)")


def run(options: argparse.Namespace) -> int:
    from ..records.demonstration import demonstration_of
    from ..records.steps import read_record
    from .options import write
    from .visible import visible

    text = demonstration_of(read_record(options.trajectory))
    if options.output is None:
        # A program is given it as it is.
        print(visible(text) if sys.stdout.isatty() else text, end="")
    else:
        write(options.output, text)
    return 0
