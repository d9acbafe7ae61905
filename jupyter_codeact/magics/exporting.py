"""`%skill export`: a skill is written whole, and a notebook of it with what it really put out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import SandboxUnavailable
from ..files import current_folder
from ..protocols import AgentCell
from ..session import Session
from ..skills.transfer.bundle import MOST_NOTES, Bundle, bundle_of
from ..skills.transfer.exports import KINDS, exported
from ..skills.transfer.notebooks import about_of, as_json, cells_of, has_examples, here_of, notebook_of
from ..skills.transfer.placing import place
from ..skills.transfer.uses import use_of
from ..words import plural
from .parser import LineParser
from .saving import progress

HELP = "%skill export NAME --to notebook|wheel|skill-folder|file   for others; `%skill export --help` says more"


def export_parser() -> LineParser:
    parser = LineParser(
        "%skill export",
        "Write a skill into the working folder: for colleagues, pip or other agents.\n"
        "notebook      doc, code, examples and tests, run in a sandbox, with their outputs; where no doctest is an\n"
        "              example, a call in your own cells is one, if it runs without your files; or help\n"
        "wheel         what pip installs\n"
        "skill-folder  SKILL.md and scripts, after agentskills.io, in a folder of the skill's name\n"
        "file          the module; a package of several files can't leave so\n"
        f"Each carries the notes of its versions (when, by whom, why: the newest {MOST_NOTES}), and `%skill import` "
        "reads them.\nNone carries the sources of older versions.",
        "Example:\n  %skill export gp_fit --to wheel",
    )
    parser.add_argument("name", help="the skill")
    parser.add_argument("--to", choices=KINDS, required=True, help="in which form")
    parser.add_argument("--out", default="", metavar="PATH", help="a file, or a folder, which is made (default: here)")
    parser.add_argument("--force", action="store_true", help="replace what is there")
    return parser


async def export(session: Session, cell: AgentCell, line: str) -> str:
    """Write one skill. Raises UsageError, SkillError."""
    options = export_parser().read(line)
    bundle = bundle_of(session.skills.library, options.name)
    name, content = exported(bundle, options.to)
    told = ""
    if options.to == "notebook":
        content, told = await _notebook(session, cell, bundle)
    path = place(name, content, options.out, Path(), force=options.force)
    if path == Path(current_folder(), f"{bundle.name}.py"):
        told = f"\n\nWhile it lies there, `import {bundle.name}` takes this file, and not the skill: see `--out`."
    return f"Wrote `{path}`: **{options.name}**, {versions_of(bundle)}.{told}"


async def _notebook(session: Session, cell: AgentCell, bundle: Bundle) -> tuple[bytes, str]:
    """The notebook as it ran, and what is told of that. An example of hers that does not run without her stays here."""
    use, count = "", 0
    if not has_examples(bundle):
        use, count = use_of(here_of(bundle, bundle.shown), session.skills.ran())
    notebook, told = await _run(session, cell, bundle, use)
    if not use:
        return as_json(notebook), told
    if all(ran["execution_count"] for ran in cells_of(notebook) if about_of(ran).get("example")):
        return as_json(notebook), f"{told} Its example is from your cell {count}: look whether all of that may leave."
    notebook, told = await _run(session, cell, bundle, "")
    return as_json(notebook), told


async def _run(session: Session, cell: AgentCell, bundle: Bundle, use: str) -> tuple[dict[str, Any], str]:
    notebook = json.loads(notebook_of(bundle, use))
    tell = progress(cell, f"Running the notebook of {bundle.name}")
    try:
        wrong = await session.skills.run_examples(notebook, tell)
    except SandboxUnavailable as error:
        return notebook, f"\n\nNothing in it was run: its outputs are what its doctests promise. {error}"
    finally:
        tell("")
    if not wrong:
        return notebook, "\n\nIt ran in a fresh sandbox, and has the outputs of that."
    lines = "\n".join(f"- {line}" for line in wrong)
    return notebook, f"\n\nNot all of it ran in a fresh sandbox with an empty folder:\n\n{lines}"


def versions_of(bundle: Bundle) -> str:
    return f"with the notes of {plural(len(bundle.past), 'version')}" if bundle.past else "without a history"
