"""`jupyter codeact demo`."""

from __future__ import annotations

import argparse

from .options import Commands, command

MORE = """\
In --out the folders `codeact` and `plots` are made anew where an earlier demo made them, with all that is in them; \
those of yours stay, and nothing is run. The notebooks are replaced."""


def add(commands: Commands) -> None:
    parser = command(
        commands,
        "demo",
        run,
        help="an agent develops a skill, another one uses it; needs no key",
        example="jupyter codeact demo --model anthropic/claude-sonnet-4-5",
        more=MORE,
    )
    parser.add_argument(
        "--model",
        default="",
        help="a real model, such as anthropic/claude-sonnet-4-5 (key in the environment)",
    )
    parser.add_argument("--out", default="build/demo", help="where the results go (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    from .chapters import run_demo

    return run_demo(options.model, options.out)
