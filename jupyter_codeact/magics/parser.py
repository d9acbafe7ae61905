"""Reading our magics: pure functions from a line to options, with errors of one line."""

from __future__ import annotations

import argparse
import contextlib
import math
import shlex
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from ..errors import UsageError


class Help(Exception):
    """Not an error: the text that `--help` asks for."""


WRAP = 'make a function of the plain statements, such as "fit(x, y, n=10) -> model"; without (…), it takes what is free'


class LineParser(argparse.ArgumentParser):
    """argparse for a line in a cell: it raises instead of ending the process, and suggests the nearest option."""

    def __init__(self, prog: str, description: str, epilog: str = "") -> None:
        shape = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, description=description, epilog=epilog, formatter_class=shape, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}. `{self.prog} --help` shows the options.")

    def print_help(self, file: object = None) -> None:
        raise Help(self.format_help())

    def read(self, line: str) -> argparse.Namespace:
        """Parse ``line``. Raises UsageError, or Help for --help."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"{self.prog}: {error} in: {line}") from None
        # argparse reads a usage that is set as a format, and intermixed parsing sets it.
        self.usage = self.format_usage().removeprefix("usage: ").replace("%", "%%")
        options, unknown = self.parse_known_intermixed_args(words)
        if unknown:
            raise UsageError(f"{self.prog}: {unknown[0]!r} is no option here.{self._nearest(unknown[0])}")
        return options

    def takes_value(self, word: str) -> bool:
        """Whether ``word`` is an option behind which a value stands."""
        return any(word in action.option_strings and action.nargs != 0 for action in self._actions)

    def _nearest(self, word: str) -> str:
        known = [option for action in self._actions for option in action.option_strings if len(option) > 2]
        near = get_close_matches(word.split("=", maxsplit=1)[0], known, n=1)
        return f" Did you mean {near[0]}?" if near else f" `{self.prog} --help` shows what there is."


MODEL = (
    "model of this run, such as anthropic/claude-sonnet-4-5, or scripted/FILE: replies from FILE.yaml in this folder"
)
SKILLS = "given with their sources: skills, or any modules by dotted names, such as gp_fit,package.api; none: no skills"


def agent_parser() -> LineParser:
    parser = LineParser(
        "%%agent",
        "Send the text of the cell to the agent. It proposes cells; you run them, change them or reject them.",
        "Example:\n  %%agent --skills gp_fit\n  Fit a Gaussian process to `samples` and plot the result.",
    )
    parser.add_argument("--model", "-m", default="", help=MODEL)
    parser.add_argument("--review", choices=("ask", "auto"), help="ask: you run each cell. auto: the agent does")
    parser.add_argument("--skills", default="", help=SKILLS)
    parser.add_argument("--max-steps", type=_count, help="actions in this run")
    parser.add_argument("--step-timeout", type=_seconds, metavar="SECONDS", help="time that one action may take")
    parser.add_argument("--reasoning-effort", help="low, medium or high, for models that think")
    parser.add_argument("--temperature", type=_number, help="passed on to the model")
    parser.add_argument("--templates", default="", metavar="FOLDER", help="texts that take the place of ours")
    parser.add_argument("--new", action="store_true", help="start a new conversation")
    return parser


def _count(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not a whole number of at least 1")
    return int(word)


def _number(word: str) -> float:
    with contextlib.suppress(ValueError):
        if math.isfinite(number := float(word)) and number >= 0:
            return number
    raise argparse.ArgumentTypeError(f"{word!r} is not a number of at least 0")


def _seconds(word: str) -> float:
    if seconds := _number(word):
        return seconds
    raise argparse.ArgumentTypeError("0 seconds are too short")


def save_parser() -> LineParser:
    parser = LineParser(
        "%skill save",
        "Store functions of the notebook as a module that any cell and any agent can import.",
        "Example:\n  %skill save gp_fit 3-5 --names gp_fit,plot_pred",
    )
    parser.add_argument("name", help="name of the module, such as gp_fit")
    parser.add_argument("cells", nargs="*", default=[], help="counts such as 3 or 3-5, cell ids, or last (the default)")
    parser.add_argument("--names", default="", help="functions and classes to store, such as gp_fit,plot_pred")
    parser.add_argument("--wrap", default="", metavar="SIGNATURE", help=WRAP)
    parser.add_argument("--shared", action="store_true", help="into the library of all workspaces")
    parser.add_argument("--message", default="", help="why, for `%%skill log`")
    _add_checks(parser)
    return parser


def edit_parser() -> LineParser:
    parser = LineParser(
        "%%skill edit",
        "Put a skill's source into this cell; running the cell again saves it as a new version.",
        "Example:\n  %%skill edit gp_fit",
    )
    parser.add_argument("name", help="name of the skill, or of a new one whose source stands below")
    parser.add_argument("--version", type=_count, help="the version that the source below was made from")
    parser.add_argument("--message", default="", help="why, for `%%skill log`")
    _add_checks(parser)
    return parser


def _add_checks(parser: LineParser) -> None:
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="time of the import, and of each test (30)")
    parser.add_argument("--force", action="store_true", help="save it though its checks fail")


def choose(command: str, word: str, known: Sequence[str], otherwise: str = "") -> str:
    """The subcommand ``word`` of ``command``. Raises UsageError with the nearest right one, or ``otherwise``."""
    if word in known:
        return word
    near = get_close_matches(word, known, n=1)
    hint = f"Did you mean `{command} {near[0]}`?" if near else f"There are: {', '.join(known)}. {otherwise}".strip()
    raise UsageError(f"`{command} {word}` does not exist. {hint}")
