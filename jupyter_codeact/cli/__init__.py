"""`jupyter codeact …`: what can be done from a terminal."""

from __future__ import annotations

import argparse
import sys

from .. import __version__
from ..errors import CodeActError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; errors are one line."""
    parser = argparse.ArgumentParser(
        prog="jupyter codeact",
        description="A Jupyter kernel with an agent in it: `jupyter lab`, kernel Python 3 (CodeAct), `%%agent`.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="an agent develops a skill, another one uses it; needs no key")
    demo.add_argument(
        "--model",
        default="",
        help="a real model, such as anthropic/claude-sonnet-4-5 (key in the environment)",
    )
    demo.add_argument("--out", default="build/demo", help="where the results go (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        from .demo import run_demo

        return run_demo(options.model, options.out)
    except CodeActError as error:
        print(f"jupyter codeact {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
