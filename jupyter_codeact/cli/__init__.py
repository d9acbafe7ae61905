"""`jupyter codeact …`: what can be done from a terminal. Each command is a module; what is heavy is imported in it."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import CodeActError, ConfigError, KeyRefused, SkillError, SkillFailed, UsageError
from ..sandbox.paths import forget
from ..words import reason
from . import batch, demo, demo_from, inspect, replay, run, skill, stats
from .options import CommandParser, Terminated, here

PROG = "jupyter codeact"
DESCRIPTION = """\
A Jupyter kernel with an agent in it: `jupyter lab`, kernel Python 3 (CodeAct), `%%agent`.
The same agent works without a notebook, too, in the same sandbox: the commands below."""
EPILOG = """\
See all of it, without a key:
  jupyter codeact demo

With a model of your own, its provider's key (ANTHROPIC_API_KEY, OPENAI_API_KEY, …) in the environment:
  export JUPYTER_CODEACT_MODEL=anthropic/claude-sonnet-4-5
  jupyter codeact run --text "mean([]) fails; it should be 0." \\
      --workspace myproject --out results

What it did, and what it took:
  jupyter codeact inspect results/task.traj
  jupyter codeact stats results

`jupyter codeact COMMAND --help` shows the options of a command, with an example.
Exit codes: 0 done, 1 not done, 2 something has to be written or set otherwise, 130 ended by Ctrl-C, 143 by SIGTERM."""
COMMANDS = (demo, run, batch, replay, inspect, stats, demo_from, skill)
DONE, FAILED, WRONG_USE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors are one line, and with ``--debug`` a traceback.

    Returns 0, 1 for what failed, 2 for what has to be written or set otherwise, 130 for Ctrl-C, 143 for SIGTERM.
    """
    words = sys.argv[1:] if arguments is None else [*arguments]
    if "--debug" not in words:
        # What it has to say, its errors say; with no handler at all, Python would print its warnings.
        logging.getLogger("dulwich").addHandler(logging.NullHandler())
    else:
        logging.basicConfig()
        logging.getLogger("jupyter_codeact").setLevel(logging.DEBUG)
    try:
        options = parser().parse_args(words)
        # Often it is the sandbox's working folder.
        forget(os.getcwd())
        return int(options.run(options))
    except KeyboardInterrupt as stop:
        _say(f"\nStopped. {stop}".rstrip())
        return TERMINATED if isinstance(stop, Terminated) else INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:  # a boundary: she is told in a line, whatever it is
        if "--debug" in words:
            raise
        _say(_line(error, words))
        return WRONG_USE if _is_hers(error) else FAILED


def _say(text: str) -> None:
    # Heavy, and not needed where all is well.
    from .visible import say

    say(text, error=True)


def _is_hers(error: Exception) -> bool:
    """Whether another try has to be written otherwise, or something has to be set first."""
    return isinstance(error, UsageError | ConfigError | KeyRefused | SkillError) and not isinstance(error, SkillFailed)


def _line(error: Exception, words: Sequence[str]) -> str:
    names = [command.__name__.rpartition(".")[2].replace("_", "-") for command in COMMANDS]
    command = next((word for word in words if word in names), "")
    match error:
        case CodeActError():
            text = here(str(error))
        case OSError():
            text = ": ".join(filter(None, (str(error.filename or ""), f"{reason(error)}.")))
        case _:
            text = f"this should not have happened ({type(error).__name__}: {error}); `--debug` shows where."
    return text if text.startswith(PROG) else f"{PROG} {command}".rstrip() + f": {text}"


def parser() -> argparse.ArgumentParser:
    """Every command with its flags."""
    whole = CommandParser(prog=PROG, description=DESCRIPTION, epilog=EPILOG, usage=f"{PROG} COMMAND [options]")
    whole.add_argument("--version", action="version", version=__version__)
    commands = whole.add_subparsers(
        dest="command",
        required=True,
        metavar="COMMAND [options]",
        parser_class=CommandParser,
        prog=PROG,
        title="commands",
    )
    for command in COMMANDS:
        command.add(commands)
    return whole
