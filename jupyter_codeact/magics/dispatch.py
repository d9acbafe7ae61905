"""From a cell of ours to what answers it."""

from __future__ import annotations

import re

from ..errors import UsageError
from ..protocols import AgentCell
from ..session import Session
from . import agent, skill
from .assist import help_of
from .parser import Help

_ASKED = re.compile(r"(?P<magic>%%?(agent|skill))(?P<words>(?! +search \w)[ \w]*)")


async def answer(session: Session, cell: AgentCell) -> None:
    """Answer a whole cell: one cell magic, or lines of line magics, each in turn."""
    code = cell.code.lstrip()
    try:
        if asked := _question(code.strip()):
            cell.display({"text/plain": help_of(asked["magic"], asked["words"].split())})
        elif code.startswith("%%"):
            await _cell_magic(session, cell, code)
        else:
            for line in code.splitlines():
                await _line_magic(session, cell, line.strip())
    except Help as text:
        cell.display({"text/plain": str(text)})


def _question(code: str) -> re.Match[str] | None:
    """``%skill?``, ``?%skill`` or ``%skill save??``, as with any magic; a search may be for a question."""
    bare = code.strip("?").strip()
    return None if bare == code else _ASKED.fullmatch(bare)


async def _cell_magic(session: Session, cell: AgentCell, code: str) -> None:
    first, _, body = code.partition("\n")
    name, _, line = first[2:].partition(" ")
    if name == "skill":
        await skill.answer_cell(session, cell, line, body)
    elif name == "agent":
        await agent.run(session, cell, line, body)
    else:
        raise UsageError(f"%%{name} does not exist.")


async def _line_magic(session: Session, cell: AgentCell, line: str) -> None:
    if not line.startswith("%"):
        return
    name, _, rest = line[1:].partition(" ")
    if name == "agent":
        await agent.answer_line(session, cell, rest.strip())
    else:
        await skill.answer_line(session, cell, rest.strip())
