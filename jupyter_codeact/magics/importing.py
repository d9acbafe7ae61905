"""`%skill import`: what comes from elsewhere is shown, checked and tried before it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from ..errors import SandboxUnavailable, SkillFailed, UsageError
from ..protocols import AgentCell
from ..session import Session
from ..skills.checks import CHECKS, FORCED, PASSED, problems
from ..skills.docstrings import described
from ..skills.history import Note
from ..skills.selection import chosen
from ..skills.skill import Files, files_of
from ..skills.transfer.bundle import HISTORY, Bundle, written_past
from ..skills.transfer.git import without_password
from ..skills.transfer.imports import found_in
from ..skills.transfer.warnings import warnings_of
from ..texts import diff_of
from ..words import fenced
from . import versions
from .exporting import versions_of
from .parser import LineParser

HELP = "%skill import PATH or GIT-URL   skills of others, shown before they are stored"
UNTRIED = (
    "Nothing was stored: what comes from elsewhere is tried in a sandbox first, and --force, which is for what failed "
    "there, does not do without."
)
# The fact of a version that says where it is from.
FROM = "From"
QUESTION = "Store this? [y]es, [n]o: "
NOBODY = (
    "What is shown above comes from elsewhere, and nobody can be asked here whether it may be stored. "
    "In a terminal: `jupyter codeact skill import`."
)
YES = {"--yes", "-y"}
TERMINALS = """\
`--yes` is for a terminal (`jupyter codeact skill import … --yes`): a cell may come from elsewhere, and must not agree \
for you. Leave it out here: you are shown what comes, and asked."""
AGREE = (
    "What is shown above comes from elsewhere, and nobody can be asked here whether it may be stored. "
    "Look at it, and write `--yes` to store it without being asked."
)


def import_parser(*, in_terminal: bool = False) -> LineParser:
    """In a terminal she may agree beforehand. A notebook's cell may come from elsewhere, and must not agree for her."""
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
    parser.add_argument("--force", action="store_true", help="store it though it fails its checks")
    if in_terminal:
        parser.add_argument("--yes", "-y", action="store_true", help="store it without asking")
    return parser


async def import_(session: Session, cell: AgentCell, line: str, *, in_terminal: bool = False) -> str:
    """Read, show, check, ask, try in a sandbox, store. Raises UsageError, SkillError, SandboxUnavailable."""
    if not in_terminal and YES & {*line.split()}:
        raise UsageError(TERMINALS)
    options = import_parser(in_terminal=in_terminal).read(line)
    choose = partial(chosen, words=_listed(options.cells), last=()) if options.cells else list
    read = partial(found_in, options.source, Path(), names=_listed(options.names), rename=options.rename)
    # An address may take long, and Stop must not wait for it.
    bundles = await asyncio.to_thread(read, choose=choose)
    bundles = [bundle._replace(files=described(bundle.files)) for bundle in bundles]
    source = without_password(options.source)
    folder = session.skills.library.shared if options.shared else session.skills.library.own
    before = [files_of(folder, bundle.name) for bundle in bundles]
    for bundle, here in zip(bundles, before, strict=True):
        text = _shown(bundle, dict(here), source)
        cell.display({"text/markdown": text, "text/plain": text})
    if all(dict(bundle.files) == dict(here) for bundle, here in zip(bundles, before, strict=True)):
        return "Nothing was stored, since nothing would change."
    unsound = [line for bundle in bundles for line in problems(bundle.files)]
    if unsound and not options.force:
        raise SkillFailed(_failed("it does not pass its checks", unsound))
    if not (in_terminal and options.yes) and not await _agreed(cell, AGREE if in_terminal else NOBODY):
        return "Nothing was stored."
    try:
        wrong = await session.skills.try_out({path: text for bundle in bundles for path, text in bundle.files.items()})
    except SandboxUnavailable as error:
        raise SandboxUnavailable(f"{error} {UNTRIED}") from None
    if wrong and not options.force:
        raise SkillFailed(_failed("it fails in a sandbox", wrong))
    failures = [*unsound, *wrong]
    checks = f"{FORCED}: {'; '.join(failures)[:300]}" if failures else PASSED
    links = stored(session, bundles, before, folder, {FROM: source, CHECKS: checks})
    new = [bundle.name for bundle in bundles]
    names = ", ".join(f"**{name}**" for name in new)
    hidden = {name: sentence for name in new for sentence in versions.hides(session, folder, name)}
    seen = [name for name in new if name not in hidden]
    told = f"Stored {names}: {versions.works(seen[0])}" if seen else f"Stored {names} in the shared library."
    lines = [
        f"- {line}" for line in (*hidden.values(), *links, *(f"Forced, though {failure}." for failure in failures))
    ]
    return "\n\n".join([told, *filter(None, ["\n".join(lines)])])


def stored(
    session: Session, bundles: Sequence[Bundle], before: Sequence[Files], folder: Path, about: Mapping[str, str]
) -> list[str]:
    """Write each where it is as it was ``before``; what is said of links. Raises SkillFailed, with what was written.

    about: where they are from, and how their checks went.
    """
    done: list[str] = []
    links: list[str] = []
    for bundle, here in zip(bundles, before, strict=True):
        note = _note(session, bundle, about)
        try:
            saved = session.skills.library.write(bundle.name, bundle.files, note, base=here, folder=folder)
        except SkillFailed as error:
            raise SkillFailed(f"{error} {_so_far(done)}".rstrip()) from None
        done.append(bundle.name)
        links += saved.unlinked
    return links


def _failed(why: str, failures: Sequence[str]) -> str:
    return f"Nothing was stored, since {why} (--force stores it): {'; '.join(failures)}"


async def _agreed(cell: AgentCell, nobody: str) -> bool:
    """Raises UsageError, with the words ``nobody``, where nobody can be asked."""
    if not cell.can_ask:
        raise UsageError(nobody)
    while True:
        match (await cell.ask(QUESTION)).strip().lower():
            case "y" | "yes":
                return True
            case "n" | "no" | "":
                return False


def _note(session: Session, bundle: Bundle, about: Mapping[str, str]) -> Note:
    note = session.skills.note(f"Imported from {about[FROM]}")
    past = {HISTORY: written_past(bundle.past)} if bundle.past else {}
    return note._replace(about={**note.about, **about, **past})


def _shown(bundle: Bundle, before: dict[str, str], source: str) -> str:
    """Everything that would be stored, as it is; of a skill that is there, what would change."""
    parts = [f"**{bundle.name}** from `{source}`, {versions_of(bundle)}."]
    if dict(bundle.files) == before:
        return f"{parts[0]} It is already like this."
    warnings = [*problems(bundle.files), *warnings_of(bundle)]
    if warnings:
        parts.append("Look at this first:\n\n" + "\n".join(f"- {line}" for line in warnings))
    for path in sorted({*bundle.files, *before}):
        old, new = before.get(path), bundle.files.get(path)
        block = fenced(diff_of(old, new, path), "diff") if before else fenced((new or "").rstrip("\n"), "python")
        parts.append(f"`{path}`{', as it would change' if before else ''}:\n\n{block}")
    return "\n\n".join(parts)


def _so_far(stored: Sequence[str]) -> str:
    return f"Stored before that: {', '.join(stored)}." if stored else ""


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]
