"""`%skill …`: the person's own hand on the skill library."""

from __future__ import annotations

from ..errors import UsageError
from ..protocols import AgentCell
from ..session import Session
from ..skills.slicing import module_of
from ..words import fenced, plain
from . import transfer, versions
from .parser import Help, choose, save_parser
from .selection import chosen

HELP = (
    """\
%skill save NAME [CELLS…] [--names f,g]   store functions of cells as a module; `%skill save --help` says more
%skill list            the skills that can be imported
%skill show NAME       the source of one
%skill where           the folders they lie in
"""
    + versions.HELP
    + "\n"
    + transfer.HELP
)
COMMANDS = ("save", "list", "show", "where", *versions.COMMANDS, *transfer.COMMANDS)


async def answer_line(session: Session, cell: AgentCell, line: str) -> None:
    """Answer one `%skill` line."""
    word, _, rest = line.partition(" ")
    if word in ("", "help", "--help", "-h"):
        raise Help(HELP)
    answers = {"save": _save, "list": _list, "show": _show, "where": _where, "export": transfer.export}
    if choose("%skill", word, COMMANDS) in answers:
        _show_markdown(cell, answers[word](session, rest.strip()))
    elif word == "import":
        _show_markdown(cell, await transfer.import_(session, cell, rest))
    else:
        _show_markdown(cell, versions.answer(session, word, rest))


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


def _list(session: Session, _line: str) -> str:
    skills = session.library.list()
    if not skills:
        return "No skills yet. `%skill save NAME 3-5` stores the functions of cells 3 to 5."
    rows = [f"| **{s.name}** | {s.summary} | {', '.join(f'`{f}`' for f in s.functions)} |" for s in skills]
    return "\n".join(["| skill | what it does | functions |", "|---|---|---|", *rows])


def _show(session: Session, line: str) -> str:
    if not line:
        raise UsageError("`%skill show` needs a name. `%skill list` shows what there is.")
    skill = session.library.get(line)
    return f"**{skill.name}** · `{skill.path}`\n\n{fenced(skill.source.rstrip(), 'python')}"


def _where(session: Session, _line: str) -> str:
    own, *others = session.library.folders
    rest = "".join(f"- `{folder}` (read only here)\n" for folder in others)
    return f"Skills are imported from these folders, the first that has the name wins:\n\n- `{own}`\n{rest}"
