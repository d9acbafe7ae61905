"""`jupyter codeact inspect`: a trajectory, step by step."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .options import Commands, command

EXAMPLE = """\
jupyter codeact inspect run.traj
jupyter codeact inspect run.traj --notebook run.ipynb"""
MORE = """\
In a terminal: Enter or n goes on, p back, g 7 to a step, /text searches, o shows whole outputs, h the history, i what \
the run was about, q ends. Without a terminal, and with --print, everything is printed. Reads SWE-agent's, too."""


def add(commands: Commands) -> None:
    parser = command(commands, "inspect", run, help="look at a trajectory, step by step", example=EXAMPLE, more=MORE)
    parser.add_argument("trajectory", type=Path)
    parser.add_argument("--print", dest="whole", action="store_true", help="print all of it, and ask nothing")
    parser.add_argument("--notebook", type=Path, metavar="FILE", help="write it as a notebook instead")


def run(options: argparse.Namespace) -> int:
    from ..records.steps import read_record

    record = read_record(options.trajectory)
    if options.notebook is not None:
        import nbformat

        from ..records.notebook import notebook_of
        from .options import write

        write(options.notebook, nbformat.writes(notebook_of(record).node) + "\n")
        return 0
    from .inspector import Inspector

    inspector = Inspector(record)
    if options.whole or not (sys.stdin.isatty() and sys.stdout.isatty()):
        inspector.print_all()
    else:
        inspector.converse()
    return 0
