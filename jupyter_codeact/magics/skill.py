"""`%skill …`: the person's own hand on the skill library."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..errors import UsageError
from ..protocols import AgentCell
from ..session import Session
from ..skills.slicing import module_of
from ..words import fenced, plain
from . import listing, transfer, versions
from .parser import Help, choose, save_parser
from .selection import chosen

HELP = (
    """\
%skill save NAME [CELLS…] [--names f,g]   store functions of cells as a module; `%skill save --help` says more
%skill list            the skills that can be imported
%skill search WORDS    those that fit, best first, and why
%skill show NAME       the source of one
%skill where           the folders they lie in
"""
    + versions.HELP
    + "\n"
    + transfer.HELP
)
COMMANDS = ("save", "list", "search", "show", "where", *versions.COMMANDS, *transfer.COMMANDS)


async def answer_line(session: Session, cell: AgentCell, line: str) -> None:
    """Answer one `%skill` line."""
    word, _, rest = line.partition(" ")
    if word in ("", "help", "--help", "-h"):
        raise Help(HELP)
    answers: dict[str, Callable[[Session, str], str | Awaitable[str]]] = {
        "save": _save,
        "list": listing.listed,
        "search": listing.search,
        "show": _show,
        "where": _where,
        "export": transfer.export,
        "import": lambda session, rest: transfer.import_(session, cell, rest),
    }
    if choose("%skill", word, COMMANDS) not in answers:
        _show_markdown(cell, versions.answer(session, word, rest))
        return
    answer = answers[word](session, rest.strip())
    _show_markdown(cell, answer if isinstance(answer, str) else await answer)


def answer_cell(session: Session, cell: AgentCell, line: str, body: str) -> None:
    """Answer `%%skill edit`, the only cell magic."""
    word, _, rest = line.strip().partition(" ")
    choose("%%skill", word, ("edit",))
    _show_markdown(cell, versions.edit(session, cell, rest, body))


def _show_markdown(cell: AgentCell, markdown: str) -> None:
    cell.display({"text/markdown": markdown, "text/plain": plain(markdown)})


def _save(session: Session, line: str) -> str:
    options = save_parser().read(line)
    names = [name.strip() for name in options.names.split(",") if name.strip()]
    cells = list(chosen(session.ran(), options.cells or ["last"], session.last_actions))
    source = module_of([cell.source for cell in cells], names or None)
    library = session.library
    note = session.note(options.message or "Saved from cells", cells)
    folder = library.shared if options.shared else library.own
    saved = library.write(options.name, {f"{options.name}.py": source}, note, folder=folder)
    functions = "\n".join(f"- `{function}`" for function in library.get(options.name).functions)
    return f"{versions.told(session, saved, options.name)}\n\n{functions}\n\n`{saved.path}`"


def _show(session: Session, line: str) -> str:
    if not line:
        raise UsageError("`%skill show` needs a name. `%skill list` shows what there is.")
    skill = session.library.get(line)
    return f"**{skill.name}** · `{skill.path}`\n\n{fenced(skill.source.rstrip(), 'python')}"


def _where(session: Session, _line: str) -> str:
    own, *others = session.library.folders
    rest = "".join(f"- `{folder}` (read only here)\n" for folder in others)
    return f"Skills are imported from these folders, the first that has the name wins:\n\n- `{own}`\n{rest}"
