"""Reading our magics: pure functions from a line to options, with errors of one line."""

from __future__ import annotations

import argparse
import contextlib
import math
import shlex
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from ..errors import UsageError


class Help(Exception):
    """Not an error: the text that `--help` asks for, and whose it is, where that is a parser's."""

    def __init__(self, text: str, parser: LineParser | None = None) -> None:
        super().__init__(text)
        self.parser = parser


class Parser(argparse.ArgumentParser):
    """argparse that raises instead of ending the process: one line, with the nearest right word."""

    def __init__(self, prog: str | None = None, **options: Any) -> None:
        super().__init__(prog, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}. `{self.prog} --help` shows the options.")

    def check(self, words: Sequence[str]) -> None:
        """Raises UsageError for an option that there isn't: before others are missed that it was meant for."""
        if {"-h", "--help"} & {*words}:
            return
        for word in words:
            if word == "--" or (not word.startswith("-") and self._leaves_the_rest):
                return
            if word.startswith("--") and " " not in word and not self._knows(word):
                self.refuse(word)

    def refuse(self, word: str) -> NoReturn:
        """Raises UsageError for a word that nothing can be made of."""
        what = "is no option here" if word.startswith("-") else "is one word too many"
        known = [option for action in self._actions for option in action.option_strings if len(option) > 2]
        near = get_close_matches(word.split("=", maxsplit=1)[0], known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"`{self.prog} --help` shows what there is."
        raise UsageError(f"{self.prog}: {word!r} {what}. {hint}")

    @property
    def _leaves_the_rest(self) -> bool:
        """Whether what follows the first word is another parser's."""
        return any(action.nargs in (argparse.PARSER, argparse.REMAINDER) for action in self._actions)

    def _knows(self, word: str) -> bool:
        return word.split("=", maxsplit=1)[0] in self._option_string_actions

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As argparse's own, with the nearest choice."""
        if action.choices is None or value in action.choices:
            return
        known = [*map(str, action.choices)]
        if action.nargs == argparse.PARSER:
            choose(self.prog, value, known)
        near = get_close_matches(str(value), known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise argparse.ArgumentError(action, f"invalid choice: {value!r} (choose from {', '.join(known)}{hint})")


CELLS = "execution counts such as 3-5,8, or cell ids (default: all that ran)"
WRAP = 'make a function of the plain statements, such as "fit(x, y, n=10) -> model"; without (…), it takes what is free'


class LineParser(Parser):
    """A line in a cell."""

    def __init__(self, prog: str, description: str, epilog: str = "") -> None:
        super().__init__(
            prog, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
        )

    def print_help(self, file: object = None) -> None:
        raise Help(self.format_help(), self)

    def read(self, line: str) -> argparse.Namespace:
        """Parse ``line``. Raises UsageError, or Help for --help."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"{self.prog}: {error} in: {line}") from None
        # argparse reads a usage that is set as a format, and intermixed parsing sets it.
        self.usage = self.format_usage().removeprefix("usage: ").replace("%", "%%")
        self.check(words)
        options, unknown = self.parse_known_intermixed_args(words)
        if unknown:
            self.refuse(unknown[0])
        return options

    def takes_value(self, word: str) -> bool:
        """Whether ``word`` is an option behind which a value stands."""
        return any(word in action.option_strings and action.nargs != 0 for action in self._actions)


MODEL = (
    "model of this run, such as anthropic/claude-sonnet-4-5, or scripted/FILE: replies from FILE.yaml in this folder"
)
SKILLS = "given with their sources: skills, or any modules by dotted names, such as gp_fit,package.api; none: no skills"


def agent_parser() -> LineParser:
    parser = LineParser(
        "%%agent",
        "Send the text of the cell to the agent. It proposes cells; you run them, change them or reject them.",
        "Example:\n  %%agent --skills gp_fit\n  Fit a Gaussian process to `samples` and plot the result.\n\n"
        "Keys and addresses of models are never written in a notebook: they are in the environment that JupyterLab is\n"
        "started from (OPENAI_API_KEY, JUPYTER_CODEACT_API_BASE), or in jupyter_codeact_config.py.",
    )
    parser.add_argument("--model", "-m", default="", help=MODEL)
    parser.add_argument("--review", choices=("ask", "auto"), help="ask: you run each cell. auto: the agent does")
    parser.add_argument("--skills", default="", help=SKILLS)
    parser.add_argument("--max-steps", type=count, help="actions in this run")
    parser.add_argument("--step-timeout", type=seconds, metavar="SECONDS", help="time that one action may take")
    parser.add_argument("--reasoning-effort", help="low, medium or high, for models that think")
    parser.add_argument("--temperature", type=number, help="passed on to the model")
    parser.add_argument("--max-tokens", type=count, help="longest reply, in tokens")
    parser.add_argument("--templates", default="", metavar="FOLDER", help="texts that take the place of ours")
    parser.add_argument("--new", action="store_true", help="start a new conversation")
    return parser


def skills_of(words: str) -> tuple[tuple[str, ...], bool]:
    """What ``--skills`` says: names, and whether other skills are looked for."""
    names = tuple(name.strip() for name in words.split(",") if name.strip())
    return ((), False) if names == ("none",) else (names, True)


def count(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not a whole number of at least 1")
    return int(word)


def number(word: str) -> float:
    with contextlib.suppress(ValueError):
        if math.isfinite(found := float(word)) and found >= 0:
            return found
    raise argparse.ArgumentTypeError(f"{word!r} is not a number of at least 0")


def seconds(word: str) -> float:
    if found := number(word):
        return found
    raise argparse.ArgumentTypeError("0 seconds are too short")


def amount(word: str) -> float:
    """Of money or time."""
    with contextlib.suppress(argparse.ArgumentTypeError):
        if found := number(word):
            return found
    raise argparse.ArgumentTypeError(f"{word!r} is not a number above 0")


def save_parser(*, of_a_file: bool = False) -> LineParser:
    """of_a_file: for a terminal, where the cells are those of a notebook's file."""
    parser = LineParser(
        "%skill save",
        "Store functions of a notebook's cells as a module that any cell and any agent can import.",
        f"Example:\n  %skill save gp_fit {'analysis.ipynb --cells ' if of_a_file else ''}3-5 --names gp_fit,plot_pred",
    )
    parser.add_argument("name", help="name of the module, such as gp_fit")
    if of_a_file:
        parser.add_argument("notebook", type=Path, help="a notebook's file")
        parser.add_argument("--cells", default="", help=CELLS)
    else:
        parser.add_argument("cells", nargs="*", default=[], help="counts such as 3-5, cell ids, or last (the default)")
    parser.add_argument("--names", default="", help="functions and classes to store, such as gp_fit,plot_pred")
    parser.add_argument("--wrap", default="", metavar="SIGNATURE", help=WRAP)
    parser.add_argument("--shared", action="store_true", help="into the library of all workspaces")
    parser.add_argument("--message", default="", help="why, for `%%skill log`")
    _add_checks(parser)
    return parser


PART = "of a package its api; NAME.impl and so on for its other modules"


def edit_parser(*, in_terminal: bool = False) -> LineParser:
    """in_terminal: an editor opens, and knows what it was given."""
    if in_terminal:
        about = "Open a skill in the editor that VISUAL or EDITOR names; closing it saves a new version, with checks."
        parser = LineParser("%skill edit", about, "Example:\n  %skill edit gp_fit")
        parser.add_argument("name", help=f"name of the skill, or of a new one; {PART}")
        parser.set_defaults(version=None)
    else:
        about = "Put a skill's source into this cell; running the cell again saves it as a new version."
        parser = LineParser("%%skill edit", about, "Example:\n  %%skill edit gp_fit")
        parser.add_argument("name", help=f"name of the skill, or of a new one whose source stands below; {PART}")
        parser.add_argument("--version", type=count, help="the version that the source below was made from")
    parser.add_argument("--message", default="", help="why, for `%%skill log`")
    _add_checks(parser)
    return parser


def _add_checks(parser: LineParser) -> None:
    parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="time of the import, and of each test (30)")
    parser.add_argument("--force", action="store_true", help="save it though its checks fail")


def choose(command: str, word: str, known: Sequence[str], otherwise: str = "") -> str:
    """The subcommand ``word`` of ``command``. Raises UsageError with the nearest right one, or ``otherwise``."""
    if word in known:
        return word
    near = get_close_matches(word, known, n=1)
    hint = f"Did you mean `{command} {near[0]}`?" if near else f"There are: {', '.join(known)}. {otherwise}".strip()
    raise UsageError(f"`{command} {word}` does not exist. {hint}")
