"""`%skill export` and `%skill import`: what leaves is written whole, what comes in is shown before it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..errors import SkillConflict, SkillError, UsageError
from ..protocols import AgentCell
from ..session import Session
from ..skills.history import Note
from ..skills.selection import chosen
from ..skills.skill import files_of
from ..skills.transfer.bundle import HISTORY, Bundle, bundle_of, written_past
from ..skills.transfer.exports import KINDS, exported
from ..skills.transfer.imports import found_in
from ..skills.transfer.placing import place
from ..skills.transfer.warnings import warnings_of
from ..texts import diff_of
from ..words import fenced, plural
from .parser import LineParser

HELP = """\
%skill export NAME --to notebook|wheel|skill-folder|file   for others; `%skill export --help` says more
%skill import PATH or GIT-URL   skills of others, shown before they are stored"""
COMMANDS = ("export", "import")
QUESTION = "Store this? [y]es, [n]o: "
NOBODY = (
    "What is shown above comes from elsewhere, and nobody can be asked here whether it may be stored. "
    "In a terminal: `jupyter codeact skill import`."
)


def export_parser() -> LineParser:
    parser = LineParser(
        "%skill export",
        "Write a skill into the working folder, with its history: for colleagues, pip or other agents.",
        "Example:\n  %skill export gp_fit --to wheel",
    )
    parser.add_argument("name", help="the skill")
    parser.add_argument("--to", choices=KINDS, required=True, help="a skill folder is one after agentskills.io")
    parser.add_argument("--out", default="", metavar="PATH", help="where it goes (default: into the working folder)")
    parser.add_argument("--force", action="store_true", help="replace what is there")
    return parser


def import_parser() -> LineParser:
    parser = LineParser(
        "%skill import",
        "Store skills of a module, a notebook, a wheel, a skill folder, any folder, or a git repository (https, file). "
        "You are shown them first, and they are tried in a sandbox.",
        "Examples:\n  %skill import gp_fit.ipynb\n  %skill import analysis.ipynb --cells 3-5 --as fits\n"
        "  %skill import https://github.com/me/tools#src --names gp_fit",
    )
    parser.add_argument("source", metavar="PATH|GIT-URL", help="`#folder` behind an address takes a folder of it")
    parser.add_argument("--names", default="", help="skills to take; of a notebook, functions and classes")
    parser.add_argument("--cells", default="", help="of a notebook: execution counts such as 3-5,8, or cell ids")
    parser.add_argument("--as", dest="rename", default="", metavar="NAME", help="its name here")
    parser.add_argument("--shared", action="store_true", help="into the library of all workspaces")
    parser.add_argument("--force", action="store_true", help="store it though it fails in the sandbox")
    return parser


def export(session: Session, line: str, work: Path | None = None) -> str:
    """Write one skill. Raises UsageError, SkillError."""
    options = export_parser().read(line)
    bundle = bundle_of(session.library, options.name)
    name, content = exported(bundle, options.to)
    path = place(name, content, options.out, work or Path.cwd(), force=options.force)
    return f"Wrote `{path}`: **{options.name}**, {_versions(bundle)}."


async def import_(session: Session, cell: AgentCell, line: str, *, yes: bool = False) -> str:
    """Read, show, ask, try in a sandbox, store. Raises UsageError, SkillError, SandboxUnavailable.

    yes: she has agreed beforehand.
    """
    options = import_parser().read(line)
    choose = partial(chosen, words=_listed(options.cells), last=()) if options.cells else list
    read = partial(found_in, options.source, Path.cwd(), names=_listed(options.names), rename=options.rename)
    # An address may take long, and Stop must not wait for it.
    bundles = await asyncio.to_thread(read, choose=choose)
    folder = session.library.shared if options.shared else session.library.own
    before = [files_of(folder, bundle.name) for bundle in bundles]
    for bundle, here in zip(bundles, before, strict=True):
        text = _shown(bundle, dict(here), options.source)
        cell.display({"text/markdown": text, "text/plain": text})
    if not yes and not await _agreed(cell):
        return "Nothing was stored."
    wrong = await session.try_out({path: text for bundle in bundles for path, text in bundle.files.items()})
    if wrong and not options.force:
        raise SkillError(f"Nothing was stored, since it fails in a sandbox (--force stores it): {' '.join(wrong)}")
    checks = f"forced: {' '.join(wrong)[:300]}" if wrong else "passed"
    stored: list[str] = []
    for bundle, here in zip(bundles, before, strict=True):
        note = _note(session, bundle, options.source, checks)
        try:
            session.library.write(bundle.name, bundle.files, note, base=here, folder=folder)
        except SkillConflict as conflict:
            raise SkillError(f"{conflict} {_so_far(stored)}") from None
        stored.append(bundle.name)
    return f"Stored {', '.join(f'**{name}**' for name in stored)}: `import {stored[0]}` works from the next cell on."


async def _agreed(cell: AgentCell) -> bool:
    if not cell.can_ask:
        raise UsageError(NOBODY)
    while True:
        match (await cell.ask(QUESTION)).strip().lower():
            case "y" | "yes":
                return True
            case "n" | "no" | "":
                return False


def _note(session: Session, bundle: Bundle, source: str, checks: str) -> Note:
    note = session.note(f"Imported from {source}")
    past = {HISTORY: written_past(bundle.past)} if bundle.past else {}
    return note._replace(about={**note.about, "From": source, "Checks": checks, **past})


def _shown(bundle: Bundle, before: dict[str, str], source: str) -> str:
    """Everything that would be stored, as it is; of a skill that is there, what would change."""
    parts = [f"**{bundle.name}** from `{source}`, {_versions(bundle)}."]
    warnings = warnings_of(bundle)
    if warnings:
        parts.append("Look at this first:\n\n" + "\n".join(f"- {line}" for line in warnings))
    for path in sorted({*bundle.files, *before}):
        old, new = before.get(path), bundle.files.get(path)
        block = fenced(diff_of(old, new, path), "diff") if before else fenced((new or "").rstrip("\n"), "python")
        parts.append(f"`{path}`{', as it would change' if before else ''}:\n\n{block}")
    return "\n\n".join(parts)


def _versions(bundle: Bundle) -> str:
    return f"with the notes of {plural(len(bundle.past), 'version')}" if bundle.past else "without a history"


def _so_far(stored: Sequence[str]) -> str:
    return f"Stored before that: {', '.join(stored)}." if stored else ""


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]
