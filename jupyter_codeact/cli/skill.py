"""`jupyter codeact skill`: the words of `%skill`, from a terminal."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .options import Commands, command, finished

if TYPE_CHECKING:
    from ..events import MimeBundle, RanCell
    from ..session import Session

EXAMPLE = """\
jupyter codeact skill list
jupyter codeact skill save gp_fit analysis.ipynb --cells 3-5 --names gp_fit,plot_pred
jupyter codeact skill export gp_fit --to wheel
jupyter codeact skill import https://github.com/me/tools#src --names gp_fit"""
MORE = """\
The same words as `%skill` in a notebook: save, list, search, show, where, log, diff, rollback, rm, export, import.
`jupyter codeact skill help` has a line for each; save, export and import explain themselves with --help.
JUPYTER_CODEACT_WORKSPACE says whose library it is."""
# Where our texts speak of the magic.
_MAGIC = re.compile(r"(^|`|usage: |  )%%?skill\b", re.MULTILINE)


def add(commands: Commands) -> None:
    about = "keep, find and share skills"
    parser = command(commands, "skill", run, help=about, example=EXAMPLE, more=MORE)
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="WORD …", help="such as: list, or show gp_fit")


def run(options: argparse.Namespace) -> int:
    from ..errors import SkillError, UsageError
    from ..magics.parser import Help

    try:
        finished(_answer(options.words))
    except Help as text:
        # What a cell magic does is an editor's work here.
        lines = [line for line in str(text).splitlines() if not line.startswith("%%skill")]
        print(_here("\n".join(lines)))
    except (SkillError, UsageError) as error:
        error.args = (_here(str(error)),)
        raise
    return 0


async def _answer(words: list[str]) -> None:
    """Raises CodeActError, Help."""
    from ..magics import skill, transfer
    from ..magics.parser import Help

    word, rest = (words or ["help"])[0], words[1:]
    cell = TerminalCell()
    if word == "save":
        session, line = _saving(rest)
        await skill.answer_line(session, cell, line)  # type: ignore[arg-type]  # what these magics ask of a cell
    elif word == "import":
        agreed = [part for part in rest if part in ("--yes", "-y")]
        line = shlex.join(part for part in rest if part not in agreed)
        text = await transfer.import_(_session(), cell, line, yes=bool(agreed))  # type: ignore[arg-type]
        cell.display({"text/markdown": text})
    elif word == "show" and len(rest) == 1 and not sys.stdout.isatty():
        print(_session().library.get(rest[0]).source, end="")
    elif word != "export" and {"--help", "-h"} & {*rest}:
        raise Help(skill.HELP)
    else:
        await skill.answer_line(_session(), cell, shlex.join([word, *rest]))  # type: ignore[arg-type]


def _saving(words: list[str]) -> tuple[Session, str]:
    """`save` takes the cells of a notebook's file, where the magic takes those that ran."""
    from ..magics.parser import LineParser

    parser = LineParser(
        "%skill save",
        "Store functions of a notebook as a module that any notebook and any agent can import.",
        "Example:\n  %skill save gp_fit analysis.ipynb --cells 3-5 --names gp_fit,plot_pred",
    )
    parser.add_argument("name", help="name of the module, such as gp_fit")
    parser.add_argument("notebook", type=Path, help="a notebook's file")
    parser.add_argument("--cells", default="", help="execution counts such as 3-5,8, or cell ids (default: all)")
    parser.add_argument("--names", default="", help="functions and classes to store, such as gp_fit,plot_pred")
    parser.add_argument("--shared", action="store_true", help="into the library of all workspaces")
    parser.add_argument("--message", default="", help="why, for `%%skill log`")
    options = parser.read(shlex.join(words))
    ran = _cells_of(options.notebook)
    cells = [cell for cell in options.cells.split(",") if cell] or [str(cell.count) for cell in ran if cell.ok]
    more = [f"--names={options.names}", f"--message={options.message}", *(["--shared"] if options.shared else [])]
    return _session(ran, options.notebook.name), shlex.join(["save", options.name, *cells, *more])


def _cells_of(path: Path) -> list[RanCell]:
    import json

    from ..errors import SkillError
    from ..skills.transfer.entries import read
    from ..skills.transfer.imports import cells_in

    try:
        notebook = json.loads(read(Path.cwd() / path, Path.cwd()))
    except (ValueError, RecursionError):
        notebook = None
    if not isinstance(notebook, dict):
        raise SkillError(f"{path} is no notebook.")
    return [*cells_in(notebook)]


def _session(ran: list[RanCell] | None = None, name: str = "") -> Session:
    from ..session import Session
    from ..settings import Settings

    settings = Settings.from_environment()
    settings.make_folders()
    return Session(settings, NotebookFile(ran or []), name=name)


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
        from rich.console import Console
        from rich.markdown import Markdown

        from ..words import plain
        from .visible import visible

        text = visible(_here(str(data["text/markdown"])))
        if sys.stdout.isatty():
            Console().print(Markdown(text))
        else:
            print(plain(text))

    async def ask(self, prompt: str) -> str:
        """Nothing else happens meanwhile, so this may wait; Ctrl-C ends it."""
        try:
            return input(prompt)  # noqa: ASYNC250  # there is nobody else to wait for it
        except EOFError:
            return "no"


def _here(text: str) -> str:
    """Our own texts, with the command in the magic's place."""
    return _MAGIC.sub(r"\1jupyter codeact skill", text)
