"""`%skill …`: the person's own hand on the skill library."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..errors import UsageError
from ..protocols import AgentCell
from ..session import Session
from ..words import plain
from . import editing, exporting, importing, listing, saving, teaching, versions
from .parser import Help, choose, edit_parser

HELP = (
    """\
%skill save NAME [CELLS…] [--names f,g]   store functions of cells as a module; `%skill save --help` says more
%skill save NAME [CELLS…] --wrap "fit(x, y) -> model"   make a function of plain statements
%skill list            the skills that can be imported: version, tests, last use
%skill search WORDS    those that fit, best first, and why
%skill show NAME       one of them: what it offers, source, versions, where it was used
%skill where           the folders they lie in
"""
    + versions.HELP
    + "\n"
    + f"{exporting.HELP}\n{importing.HELP}"
)
COMMANDS = ("save", "list", "search", "show", "where", *versions.COMMANDS, "export", "import")


async def answer_line(session: Session, cell: AgentCell, line: str) -> None:
    """Answer one `%skill` line."""
    word, _, rest = line.partition(" ")
    if word in ("", "help", *teaching.ASKED):
        raise Help(teaching.SKILL.get(rest.strip(), HELP))
    if word == "edit":
        edit_parser().read(rest)
        raise UsageError(
            f"A skill is changed in a cell of its own: write `%%skill edit {rest.strip()}` as its first line."
        )
    answers: dict[str, Callable[[Session, str], str | Awaitable[str]]] = {
        "list": listing.listed,
        "search": listing.search,
        "show": listing.show,
        "where": listing.where,
        "export": lambda session, rest: exporting.export(session, cell, rest),
        "import": lambda session, rest: importing.import_(session, cell, rest),
    }
    if choose("%skill", word, (*COMMANDS, "edit")) == "save":
        _show_markdown(cell, await saving.save(session, cell, rest.strip()))
        return
    if word in teaching.SKILL and teaching.ASKED & {*rest.split()}:
        raise Help(teaching.SKILL[word])
    if word in ("list", "where") and rest.strip():
        raise UsageError(f"`%skill {word}` is all: {rest.strip()!r} means nothing behind it.")
    if word not in answers:
        _show_markdown(cell, versions.answer(session, word, rest))
        return
    answer = answers[word](session, rest.strip())
    _show_markdown(cell, answer if isinstance(answer, str) else await answer)


async def answer_cell(session: Session, cell: AgentCell, line: str, body: str) -> None:
    """Answer `%%skill edit`, the only cell magic."""
    word, _, rest = line.strip().partition(" ")
    if word in ("", "help", *teaching.ASKED):
        raise Help(edit_parser().format_help())
    if word in COMMANDS:
        raise UsageError(f"`%%skill {word}` does not exist: write `%skill {word}`, with one %.")
    choose("%%skill", word, ("edit",))
    _show_markdown(cell, await editing.edit(session, cell, rest, body))


def _show_markdown(cell: AgentCell, markdown: str) -> None:
    cell.display({"text/markdown": markdown, "text/plain": plain(markdown)})
