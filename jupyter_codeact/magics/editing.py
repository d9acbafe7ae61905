"""`%%skill edit`: a module of a skill in a cell, which saves it, with checks."""

from __future__ import annotations

import argparse
from difflib import get_close_matches

from ..errors import SkillConflict, SkillError, SkillFailed
from ..protocols import AgentCell
from ..session import Session
from ..skills.docstrings import described
from ..skills.files import is_own
from ..skills.history import Version
from ..skills.library import Saved
from ..skills.skill import INIT, files_of, readable
from .parser import edit_parser
from .saving import check, show_conflict
from .versions import told


async def edit(session: Session, cell: AgentCell, line: str, body: str) -> str:
    """Put a module of a skill into the cell, or save what stands there. Raises SkillError."""
    options = edit_parser().read(line)
    library = session.skills.library
    if not body.strip():
        name, path = place_of(session, options.name)
        files, newest = files_of(library.folder_of(name), name), library.log(name)[0]
        if path not in files:
            raise SkillError(f"There is no {path}: write its source below `%%skill edit {options.name}`.")
        cell.become(_cell(options.name, newest, readable(files[path], path)))
        said = f"**{path}**, version {newest.number}: change it here, and run the cell to save it."
        others = [f"`{dotted(other)}`" for other in files if other != path]
        return said + (f" `%%skill edit` takes its other modules, too: {', '.join(others)}." if others else "")
    try:
        saved, text, source = await store(session, cell, options, body)
    except SkillConflict as conflict:
        newest = library.log(options.name.partition(".")[0])[0]
        advice = f"Take over what you want of it, and write --version {newest.number} in the first line."
        raise SkillFailed(f"{conflict} {advice}") from None
    cell.become(_cell(options.name, saved.version, source))
    return text


async def store(session: Session, cell: AgentCell, options: argparse.Namespace, body: str) -> tuple[Saved, str, str]:
    """Check and save a source: the version, what is told of it, and the source with what checks have added.

    Raises SkillConflict, whose diff is shown, and SkillFailed. options: those of `%%skill edit`.
    """
    library = session.skills.library
    name, path = place_of(session, options.name)
    folder = library.folder_of(name) if options.version else library.own
    base = library.history(folder).files(name, options.version) if options.version else None
    here = base or files_of(folder, name)
    if not here and "." in options.name:
        raise SkillError(f"{name} is not your own: `%%skill edit {options.name}` alone fetches it first.")
    path = path if here else f"{name}.py"
    readable(here.get(path, ""), path)
    known = [skill.name for skill in library.list()]
    files = described({**here, path: body.rstrip() + "\n"})
    about, checked = await check(session, cell, argparse.Namespace(**{**vars(options), "name": name}), files, folder)
    try:
        note = session.skills.note(options.message or "Changed in a cell", about=about)
        saved = library.write(name, files, note, base=base, folder=folder)
    except SkillConflict as conflict:
        show_conflict(cell, conflict, f"since version {options.version}")
        raise
    return saved, f"{told(session, saved, name)}\n\n{'' if here else _is_new(name, known)}{checked}", files[path]


def place_of(session: Session, written: str) -> tuple[str, str]:
    """The skill, and its file: of ``pkg`` what agents are shown, of ``pkg.impl`` that. Raises SkillError."""
    library = session.skills.library
    name, _, inner = written.partition(".")
    found = next((skill for skill in library.list() if skill.name == name), None)
    if not inner:
        return name, found.path.relative_to(found.folder).as_posix() if found else f"{name}.py"
    if found is None or found.path.parent == found.folder:
        raise SkillError(f"{name} is no package, and has no module {inner}. `%%skill edit {name}` is all of it.")
    if not all(map(str.isidentifier, inner.split("."))):
        raise SkillError(f"{written!r} can't be a module's name: write it as in {name}.impl.")
    path = f"{name}/{inner.replace('.', '/')}"
    is_folder = is_own(found.folder, found.folder / path / INIT)
    return name, f"{path}/{INIT}" if is_folder else f"{path}.py"


def dotted(path: str) -> str:
    """``pkg/impl.py`` as ``pkg.impl``."""
    return path.removesuffix(".py").replace("/", ".")


def _is_new(name: str, known: list[str]) -> str:
    """A name that she has written wrongly is no error: it makes another skill."""
    near = get_close_matches(name, known, n=1)
    hint = f": nothing of {near[0]} was changed. `%skill rm {name}` takes it away" if near else ""
    return f"**{name}** is new{hint}.\n\n"


def _cell(name: str, version: Version, source: str) -> str:
    return f"%%skill edit {name} --version {version.number}\n{source.rstrip()}"
