"""`jupyter codeact …`: what can be done from a terminal. Each command is a module; what is heavy is imported in it."""

from __future__ import annotations

import argparse
import os
import sys

from .. import __version__
from ..errors import CodeActError, UsageError
from ..sandbox.paths import forget
from . import batch, demo, demo_from, inspect, replay, run, skill, stats
from .options import Parser

DESCRIPTION = """\
A Jupyter kernel with an agent in it: `jupyter lab`, kernel Python 3 (CodeAct), `%%agent`.
The same agent works without a notebook, too: the commands below."""
COMMANDS = (demo, run, batch, replay, inspect, stats, demo_from, skill)
FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; errors are one line. Returns 0, 1 for a run that failed, 2 for wrong use, 130 for Ctrl-C."""
    options = parser().parse_args(arguments)
    # Often it is the sandbox's working folder.
    forget(os.getcwd())
    try:
        return int(options.run(options))
    except CodeActError as error:
        if options.debug:
            raise
        print(f"jupyter codeact {options.command}: {error}", file=sys.stderr)
        return WRONG_USE if isinstance(error, UsageError) else FAILED
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    """Every command with its flags."""
    whole = argparse.ArgumentParser(
        prog="jupyter codeact", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    whole.add_argument("--version", action="version", version=__version__)
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        command.add(commands)
    return whole
