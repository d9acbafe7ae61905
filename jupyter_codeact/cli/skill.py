"""`jupyter codeact skill`: the words of `%skill`, from a terminal."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .options import Commands, Shape, command, finished, here, own_settings
from .reading import forget_typed, read_line

if TYPE_CHECKING:
    from ..events import MimeBundle, RanCell
    from ..magics.parser import Help
    from ..session import Session

EXAMPLE = """\
jupyter codeact skill list
jupyter codeact skill save gp_fit analysis.ipynb --cells 3-5 --names gp_fit,plot_pred
jupyter codeact skill edit gp_fit
jupyter codeact skill export gp_fit --to wheel
jupyter codeact skill import https://github.com/me/tools#src --names gp_fit"""
MORE = """\
The same words as `%skill` in a notebook: save, edit, list, search, show, where, log, diff, rollback, rm, export,
import.
`jupyter codeact skill help` has a line for each; `jupyter codeact skill save --help` and so on explain one.
In a pipe, `jupyter codeact skill show NAME` is the source alone.
JUPYTER_CODEACT_WORKSPACE is the name of the private library that is meant; without it, default."""


def add(commands: Commands) -> None:
    about = "keep, find and share skills"
    parser = command(commands, "skill", run, help=about, example=EXAMPLE, more=MORE)
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="WORD …", help="such as: list, or show gp_fit")


def run(options: argparse.Namespace) -> int:
    from ..magics.parser import Help

    try:
        finished(_answer([word for word in options.words if word != "--debug"]))
    except Help as asked:
        print(here(_laid_out(asked)))
    return 0


def _laid_out(asked: Help) -> str:
    """The text, as wide as what it is printed on."""
    if asked.parser is None:
        return str(asked)
    asked.parser.prog, asked.parser.usage, asked.parser.formatter_class = here(asked.parser.prog), None, Shape
    return asked.parser.format_help()


async def _answer(words: list[str]) -> None:
    """Raises CodeActError, Help."""
    from ..magics import importing, skill

    word, rest = (words or ["help"])[0], words[1:]
    cell = TerminalCell()
    if word == "save":
        cell.show(await _saved(cell, rest))
    elif word == "edit":
        from .editor import edited

        cell.show(await edited(_session(), cell, rest))  # type: ignore[arg-type]
    elif word == "import":
        line = shlex.join(rest)
        cell.show(await importing.import_(_session(), cell, line, in_terminal=True))  # type: ignore[arg-type]
    elif word == "show" and len(rest) == 1 and not rest[0].startswith("-") and not sys.stdout.isatty():
        print(_session().skills.library.get(rest[0]).source, end="")
    else:
        await skill.answer_line(_session(), cell, shlex.join([word, *rest]))  # type: ignore[arg-type]


async def _saved(cell: TerminalCell, words: list[str]) -> str:
    """`save` takes the cells of a notebook's file, where the magic takes those that ran."""
    from ..magics.parser import save_parser
    from ..magics.saving import store

    options = save_parser(of_a_file=True).read(shlex.join(words))
    ran = _cells_of(options.notebook)
    wanted = [word for part in options.cells.split(",") for word in part.split()]
    options.cells = wanted or [str(cell.count) for cell in ran if cell.ok]
    return await store(_session(ran, options.notebook.name), cell, options)  # type: ignore[arg-type]


def _cells_of(path: Path) -> list[RanCell]:
    import json

    from ..errors import SkillError
    from ..skills.transfer.entries import read
    from ..skills.transfer.imports import cells_in

    try:
        notebook = json.loads(read(path, Path()))
    except (ValueError, RecursionError):
        notebook = None
    if not isinstance(notebook, dict):
        raise SkillError(f"{path} is no notebook.")
    return [*cells_in(notebook)]


def _session(ran: list[RanCell] | None = None, name: str = "") -> Session:
    from ..session import Session

    return Session(own_settings(), NotebookFile(ran or []), name=name)


class NotebookFile:
    """A Notebook whose cells are those of a file."""

    trusts_outputs = False

    def __init__(self, ran: list[RanCell]) -> None:
        self._ran = ran

    def trust_outputs(self, trusted: bool) -> None:
        """Nothing is shown."""

    def ran(self) -> list[RanCell]:
        return self._ran


class TerminalCell:
    """What `%skill` asks of the cell that it stands in: here its outputs are printed, and questions asked."""

    @property
    def can_ask(self) -> bool:
        return sys.stdin.isatty()

    def display(self, data: MimeBundle, display_id: str = "", update: bool = False) -> None:
        """Progress, which has an id, is for eyes alone."""
        if display_id:
            if sys.stderr.isatty():
                print(data["text/plain"], file=sys.stderr)
            return
        self.show(str(data["text/markdown"]))

    def withdraw(self, display_id: str) -> None:
        """What was printed stays."""

    def show(self, markdown: str) -> None:
        """An answer of ours, which may hold texts of others."""
        from .page import Page
        from .piped import lines_of

        page, text = Page(), here(markdown)
        if page.in_terminal:
            page.markdown(text)
        else:
            page.text(lines_of(text))

    async def ask(self, prompt: str) -> str:
        """Her answer; the end of the input is a no."""
        forget_typed()
        print(prompt, end="", flush=True)
        try:
            return await read_line()
        except EOFError:
            print()
            return "no"
