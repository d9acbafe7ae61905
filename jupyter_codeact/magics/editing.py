"""`%%skill edit`: a skill's source in a cell, which saves it, with checks."""

from __future__ import annotations

import argparse
from difflib import get_close_matches

from ..errors import SkillConflict, SkillFailed
from ..protocols import AgentCell
from ..session import Session
from ..skills.history import Version
from ..skills.library import Saved
from ..skills.skill import files_of
from ..words import fenced
from .parser import edit_parser
from .saving import check
from .versions import told


async def edit(session: Session, cell: AgentCell, line: str, body: str) -> str:
    """Put a skill's source into the cell, or save what stands there. Raises SkillError if somebody else was first."""
    options = edit_parser().read(line)
    library, name = session.skills.library, options.name
    if not body.strip():
        skill, newest = library.get(name), library.log(name)[0]
        cell.become(_cell(name, newest, skill.source))
        return f"**{name}**, version {newest.number}: change it here, and run the cell to save it."
    try:
        saved, text = await store(session, cell, options, body)
    except SkillConflict as conflict:
        advice = f"Take over what you want of it, and write --version {library.log(name)[0].number} in the first line."
        raise SkillFailed(f"{conflict} {advice}") from None
    cell.become(_cell(name, saved.version, body))
    return text


async def store(session: Session, cell: AgentCell, options: argparse.Namespace, body: str) -> tuple[Saved, str]:
    """Check and save a source, and what is told of it. Raises SkillConflict, whose diff is shown, and SkillFailed.

    options: those of `%%skill edit`.
    """
    library, name = session.skills.library, options.name
    folder = library.folder_of(name) if options.version else library.own
    base = library.history(folder).files(name, options.version) if options.version else None
    here = base or files_of(folder, name)
    known = [skill.name for skill in library.list()]
    shown = library.get(name).path.relative_to(folder).as_posix() if here else f"{name}.py"
    files = {**here, shown: body.rstrip() + "\n"}
    about, checked = await check(session, cell, options, files)
    try:
        note = session.skills.note(options.message or "Changed in a cell", about=about)
        saved = library.write(name, files, note, base=base, folder=folder)
    except SkillConflict as conflict:
        difference = f"What they changed since version {options.version}:\n\n{fenced(conflict.diff, 'diff')}"
        cell.display({"text/markdown": difference, "text/plain": conflict.diff})
        raise
    return saved, f"{told(session, saved, name)}\n\n{'' if here else _is_new(name, known)}{checked}"


def _is_new(name: str, known: list[str]) -> str:
    """A name that she has written wrongly is no error: it makes another skill."""
    near = get_close_matches(name, known, n=1)
    hint = f": nothing of {near[0]} was changed. `%skill rm {name}` takes it away" if near else ""
    return f"**{name}** is new{hint}.\n\n"


def _cell(name: str, version: Version, source: str) -> str:
    return f"%%skill edit {name} --version {version.number}\n{source.rstrip()}"
