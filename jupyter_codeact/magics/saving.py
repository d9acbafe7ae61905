"""`%skill save`: from cells to a module that was checked before it is written."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from secrets import token_hex

from ..errors import SandboxUnavailable, SkillConflict, SkillFailed
from ..events import RanCell
from ..protocols import AgentCell
from ..session import Session
from ..skills.alone import to_look_at
from ..skills.checks import CHECKS, FORCED, Tried, passed_with, problems
from ..skills.docstrings import with_stubs
from ..skills.itself import Into
from ..skills.selection import chosen, left_out_of, listed, module_from
from ..skills.skill import Files, check_name, files_of, skills_in
from ..skills.wrap import handed_back
from ..words import fenced
from . import versions
from .parser import save_parser

UNTRIED = "Nothing was saved, since it is tried in a sandbox first; `--force` saves it untried, and remembers that."
GO_ON = "Nothing was saved. Mend it and save again; `--force` saves it as it is, and remembers that."


async def save(session: Session, cell: AgentCell, line: str) -> str:
    """The answer, as Markdown. Raises SkillError for what does not pass, and UsageError."""
    return await store(session, cell, save_parser().read(line))


async def store(session: Session, cell: AgentCell, options: argparse.Namespace) -> str:
    """``save``, once its words are read."""
    check_name(options.name)
    library = session.skills.library
    folder = library.shared if options.shared else library.own
    base = files_of(folder, options.name)
    cells = list(chosen(session.skills.ran(), options.cells or ["last"], session.skills.last_cells))
    into = Into.of(library, folder, options.name)
    source, forced = _source(session.skills.ran(), cells, options, into)
    files = {f"{options.name}.py": with_stubs(source)}
    left = [] if options.wrap else left_out_of(session.skills.ran(), cells, listed(options.names), into)
    about, told = await check(session, cell, options, files, folder, forced=forced, left=left)
    note = session.skills.note(options.message or "Saved from cells", cells, about)
    try:
        saved = library.write(options.name, files, note, base=base, folder=folder)
    except SkillConflict as conflict:
        show_conflict(cell, conflict, "while yours was checked")
        raise SkillFailed(f"{conflict} Run the cell again to make yours the next version.") from None
    functions = "\n".join(f"- `{function}`" for function in skills_in(folder)[options.name].functions)
    handed = handed_back(source, options.wrap)
    said = [
        versions.told(session, saved, options.name),
        functions,
        f"`{saved.path}`",
        f"{handed}." if handed else "",
        told,
    ]
    return "\n\n".join(part for part in said if part)


def _source(ran: list[RanCell], cells: list[RanCell], options: argparse.Namespace, into: Into) -> tuple[str, list[str]]:
    """The module, and what --force has let pass. Raises SkillError."""
    made = partial(module_from, ran, cells, listed(options.names), into, options.wrap)
    try:
        return made(), []
    except SkillFailed as error:
        if not options.force:
            raise SkillFailed(f"{error} {GO_ON}") from None
        return made(lenient=True), [str(error).rstrip(".")]


def show_conflict(cell: AgentCell, conflict: SkillConflict, since: str) -> None:
    """What somebody else has changed meanwhile, as a diff."""
    difference = f"What they changed {since}:\n\n{fenced(conflict.diff, 'diff')}"
    cell.display({"text/markdown": difference, "text/plain": conflict.diff})


async def check(
    session: Session,
    cell: AgentCell,
    options: argparse.Namespace,
    files: Files,
    folder: Path,
    *,
    forced: Sequence[str] = (),
    left: Sequence[str] = (),
) -> tuple[dict[str, str], str]:
    """What is remembered of the checks, and what is told of them. Raises SkillFailed, SandboxUnavailable.

    options: has ``name``, ``force``, and ``timeout``, the seconds of the import and of each test. folder: the library
    that the files are for. forced: what was let pass before. left: what else to look at.
    """
    failures, tried = problems(files), None
    if not failures:
        tell = progress(cell, f"Checking {options.name}")
        try:
            tried = await session.skills.try_skill(options.name, files, tell, options.timeout)
            failures = [*tried.failures]
        except SandboxUnavailable as error:
            if not options.force:
                raise SandboxUnavailable(f"{error} {UNTRIED}") from None
            failures = [f"nothing of it was imported or tested: {error}"]
        finally:
            tell("")
    failures = [*forced, *failures]
    if failures and not options.force:
        listed = "\n".join(f"- {failure}" for failure in failures)
        raise SkillFailed(f"{options.name} does not pass its checks:\n{listed}\n{GO_ON}")
    found = [*to_look_at(files, session.skills.library, folder, Path()), *left]
    found += [f"{test} was not run: it wants arguments" for test in (tried.left_out if tried else ())]
    return {CHECKS: _remembered(failures, found)}, _told(failures, found, tried)


def progress(cell: AgentCell, what: str) -> Callable[[str], None]:
    """Shows how far something is, in one output of the cell; "" at its end takes that away."""
    shown = f"checks-{token_hex(4)}"
    is_new = True

    def tell(text: str) -> None:
        nonlocal is_new
        if text:
            line = f"{what}: {text}"
            cell.display({"text/markdown": line, "text/plain": line}, shown, update=not is_new)
        elif not is_new:
            cell.withdraw(shown)
        is_new = not text

    return tell


def _remembered(failures: list[str], found: list[str]) -> str:
    if failures:
        return f"{FORCED}: {'; '.join(failures)}"
    return passed_with(found)


def _told(failures: list[str], found: list[str], tried: Tried | None) -> str:
    lines = [f"Forced, though {failure.removesuffix('.')}." for failure in failures]
    lines += [f"Look at {warning}." for warning in found]
    checked = f"Checked: {tried}.\n\n" if tried and not failures else ""
    return checked + "".join(f"- {line}\n" for line in lines)
