"""`%skill …`: the person's own hand on the skill library."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator

from ..errors import SkillError, UsageError
from ..events import RanCell
from ..protocols import AgentCell
from ..session import Session
from ..skills.slicing import module_of
from ..words import fenced
from . import listing, versions
from .parser import Help, choose, save_parser

HELP = (
    """\
%skill save NAME [CELLS…] [--names f,g]   store functions of cells as a module; `%skill save --help` says more
%skill list            the skills that can be imported
%skill search WORDS    those that fit, best first, and why
%skill show NAME       the source of one
%skill where           the folders they lie in
"""
    + versions.HELP
)
COMMANDS = ("save", "list", "search", "show", "where", *versions.COMMANDS)


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
    cell.display({"text/markdown": markdown, "text/plain": _plain(markdown)})


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


def chosen(ran: list[RanCell], words: list[str], last: tuple[str, ...]) -> Iterator[RanCell]:
    """The cells that ``words`` name, oldest first. Raises SkillError for a word that names none.

    last: ids of the cells that the agent's last run wrote. A cell that ran twice counts as it ran last.
    """
    picked: dict[int, RanCell] = {}
    for word in words:
        found = [cell for cell in ran if _names(word, cell, last) and cell.ok]
        if not found:
            raise SkillError(_nothing(word, ran))
        picked |= {cell.count: cell for cell in found}
    newest = {cell.cell_id or str(cell.count): cell for _, cell in sorted(picked.items())}
    yield from sorted(newest.values(), key=lambda cell: cell.count)


def _names(word: str, cell: RanCell, last: tuple[str, ...]) -> bool:
    if word == "last":
        return cell.cell_id in last
    if counts := re.fullmatch(r"(\d+)(?:-(\d+))?", word):
        return int(counts[1]) <= cell.count <= int(counts[2] or counts[1])
    return bool(word) and cell.cell_id == word


def _nothing(word: str, ran: list[RanCell]) -> str:
    if word == "last":
        return "The agent's last run has no cell that ended well: name cells, as in `%skill save NAME 3-5`."
    counts = [cell.count for cell in ran if cell.ok]
    there = f"cells {counts[0]} to {counts[-1]} ran" if counts else "no cell has run yet"
    return f"{word} names no cell that ran without an error ({there})."


def _show(session: Session, line: str) -> str:
    if not line:
        raise UsageError("`%skill show` needs a name. `%skill list` shows what there is.")
    skill = session.library.get(line)
    return f"**{skill.name}** · `{skill.path}`\n\n{fenced(skill.source.rstrip(), 'python')}"


def _where(session: Session, _line: str) -> str:
    own, *others = session.library.folders
    rest = "".join(f"- `{folder}` (read only here)\n" for folder in others)
    return f"Skills are imported from these folders, the first that has the name wins:\n\n- `{own}`\n{rest}"


def _plain(markdown: str) -> str:
    return markdown.replace("**", "").replace("`", "")
