"""`%skill list`, `search`, `show` and `where`: the skills as tables, one of them, and where they lie."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import UsageError
from ..files import current_folder
from ..session import Session
from ..skills.checks import CHECKS, PASSED
from ..skills.contents import contents_of
from ..skills.files import left_out
from ..skills.history import Version
from ..skills.search import Found
from ..skills.skill import Skill, files_of, has_module, skills_in
from ..words import fenced, plural
from . import versions

# Skills that are found, and versions that are shown with one.
MOST, NEWEST = 10, 5
CHECKOUTS = "Name the folder of a checkout in `JUPYTER_CODEACT_SKILLS`: skills are read from there."
# A head stands over the beginnings of its column.
LEFT = ":---"


def listed(session: Session, _line: str) -> str:
    """Every skill, by name."""
    skills = session.skills.library.list()
    if not skills:
        return "No skills yet. `%skill save NAME 3-5` stores the functions of cells 3 to 5."
    newest, places = session.skills.library.newest(skills), session.skills.search.index.places()
    rows = [_row(skill, newest.get(skill.name), places.get(skill.module, {})) for skill in skills]
    return _table(("skill", "what it does", "version", "by", "tests", "last used by an agent"), rows)


def show(session: Session, name: str) -> str:
    """One skill: its source, what it offers, its newest versions, where it was used."""
    if not name:
        raise UsageError("`%skill show` needs a name. `%skill list` shows what there is.")
    skill = session.skills.library.get(name)
    log = session.skills.library.log(name) if session.skills.library.keeps(name) else []
    number = f"version {log[0].number} · " if log else ""
    parts = [f"**{skill.name}** · {number}{tests_of(skill, log[0] if log else None)} · `{skill.path}`", skill.summary]
    parts.append(
        "\n".join(f"- `{signature}`" + (f": {said}" if said else "") for signature, said in skill.contents.functions)
    )
    parts.append(fenced(skill.source.rstrip(), "python"))
    parts.append(versions.table(log[:NEWEST]) if log else "")
    if len(log) > NEWEST:
        parts.append(f"`%skill log {name}` shows all {len(log)} versions.")
    used = session.skills.search.index.places().get(skill.module, {})
    parts.append(f"Used by agents: {'; '.join(map(_use, used.items()))}." if used else "No agent has used it yet.")
    return "\n\n".join(filter(None, parts))


def where(session: Session, _line: str) -> str:
    """The places that modules are imported from, in their order, and which skills are hidden by that."""
    folders, work = session.skills.library.folders, Path()
    writes = ["yours: `%skill save` writes here", "shared by all workspaces: `--shared` writes here"]
    lines = [f"1. `{current_folder()}`, the working folder, and then installed packages: modules there are no skills"]
    seen: set[str] = set()
    for number, folder in enumerate(folders, start=2):
        names = skills_in(folder).keys()
        hidden = sorted(name for name in names if name in seen or has_module(work, name))
        about = writes[number - 2] if number - 2 < len(writes) else "only read here"
        counted = plural(len(names), "skill") + (f", hidden here: {', '.join(hidden)}" if hidden else "")
        lines.append(f"{number}. `{folder}`, {about}; {counted}")
        seen |= names
    lines += [
        f"- `{folder}` of `JUPYTER_CODEACT_SKILLS` is no folder that is there: it is left out"
        for folder in session.settings.absent_skills
    ]
    links = [f"`{folder / link}`" for folder in folders for link in left_out(folder)]
    told = f"\n\nLinks out of their folder are no skills: {', '.join(links)}. {CHECKOUTS}" if links else ""
    return "An import takes the first of these places that has the name:\n\n" + "\n".join(lines) + told


def tests_of(skill: Skill, version: Version | None) -> str:
    """``2 tests, passed``; how they went is what is remembered of the version."""
    files = files_of(skill.folder, skill.name)
    count = sum(contents_of(text).tests for text in files.values())
    went = version.note.about.get(CHECKS, "").partition(":")[0] if version else ""
    went = PASSED if went.endswith(("warning", "warnings")) else went
    if not count:
        return "no tests" + (f", checks {went}" if went not in ("", PASSED) else "")
    return ", ".join(filter(None, [plural(count, "test"), went]))


def _row(skill: Skill, version: Version | None, places: Mapping[str, float]) -> tuple[str, ...]:
    number, by = (str(version.number), version.note.by) if version else ("", "by hand")
    used = _use(next(iter(places.items()))) if places else ""
    return _name(skill.name), skill.summary, number, by, tests_of(skill, version), used


def _use(use: tuple[str, float]) -> str:
    place, last = use
    return _day(last) + (f" in {place}" if place else "")


async def search(session: Session, line: str) -> str:
    """Those that fit, best first. In a thread: it may ask a service for vectors."""
    if not line:
        raise UsageError("`%skill search` needs words, as in `%skill search fit a gaussian process`.")
    found = await asyncio.to_thread(_found, session, line)
    if not found:
        return f"No skill fits {line[:200]!r}. `%skill list` shows what there is."
    rows = [(_name(skill.name), skill.summary, why) for skill, why in found]
    problem = session.skills.search.problem
    note = f"\n\nLooked for by words alone. {problem}" if problem else ""
    return _table(("skill", "what it does", "why"), rows) + note


def _found(session: Session, line: str) -> list[tuple[Found, str]]:
    return [(skill, session.skills.search.why(skill, line)) for skill in session.skills.search.find(line, most=MOST)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, [LEFT] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _name(name: str) -> str:
    return f"**{name}**"


def _day(when_s: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(when_s))
