"""`%skill list` and `%skill search`: the skills as tables."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from ..errors import UsageError
from ..session import Session
from ..skills.search import Found

MOST = 10


def listed(session: Session, _line: str) -> str:
    """Every skill, by name."""
    skills = session.library.list()
    if not skills:
        return "No skills yet. `%skill save NAME 3-5` stores the functions of cells 3 to 5."
    uses = session.search.index.uses()
    rows = [
        (_name(s.name), s.summary, _code(s.functions), _day(uses[s.name].last if s.name in uses else 0)) for s in skills
    ]
    return _table(("skill", "what it does", "functions", "last used by an agent"), rows)


async def search(session: Session, line: str) -> str:
    """Those that fit, best first. In a thread: it may ask a service for vectors."""
    if not line:
        raise UsageError("`%skill search` needs words, as in `%skill search fit a gaussian process`.")
    found = await asyncio.to_thread(_found, session, line)
    if not found:
        return f"No skill fits {line[:200]!r}. `%skill list` shows what there is."
    rows = [(_name(skill.name), skill.summary, why) for skill, why in found]
    problem = session.search.problem
    note = f"\n\nLooked for by words alone. {problem}" if problem else ""
    return _table(("skill", "what it does", "why"), rows) + note


def _found(session: Session, line: str) -> list[tuple[Found, str]]:
    return [(skill, session.search.why(skill, line)) for skill in session.search.find(line, most=MOST)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _name(name: str) -> str:
    return f"**{name}**"


def _code(functions: Iterable[str]) -> str:
    return ", ".join(f"`{function}`" for function in functions)


def _day(when_s: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(when_s)) if when_s else ""
