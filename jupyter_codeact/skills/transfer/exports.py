"""The forms in which a skill leaves: a notebook, a wheel, a folder after agentskills.io, and the module itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from ...errors import SkillError
from .bundle import Bundle, written_past
from .notebooks import notebook_of
from .wheels import wheel_of

Content = bytes | Mapping[str, bytes]
"""A file, or the files of a folder by path."""
KINDS = ("notebook", "wheel", "skill-folder", "file")
# The last line of a module that was exported as a file.
TRAILER = "# skill-history: "
# Where a skill folder has the notes of all versions.
FOLDER_HISTORY = "references/history.json"


def exported(bundle: Bundle, kind: str) -> tuple[str, Content]:
    """The name of the file or folder, and what it holds. Raises SkillError."""
    match kind:
        case "wheel":
            return wheel_of(bundle)
        case "skill-folder":
            return _folder_of(bundle)
        case "notebook":
            return f"{bundle.name}.ipynb", notebook_of(bundle)
        case _:
            return f"{bundle.name}.py", _with_trailer(_only(bundle), bundle).encode()


def without_trailer(source: str) -> tuple[str, str]:
    """A module as it was, and the notes that were exported with it."""
    head, found, line = source.rpartition(f"\n{TRAILER}")
    return (head, line.strip()) if found and "\n" not in line.rstrip("\n") else (source, "")


def folder_name(name: str) -> str:
    """As agentskills.io has it: letters and digits, with single hyphens between. Raises SkillError."""
    word = re.sub(r"[_-]+", "-", name.lower()).strip("-")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word) or len(word) > 64:
        raise SkillError(f"{name} has no name that agentskills.io allows: use --to file, or another name.")
    return word


def _only(bundle: Bundle) -> str:
    if bundle.main not in bundle.files or len(bundle.files) > 1 or "/" in bundle.main:
        why = f"{bundle.name} is a package of several files, and a file holds one"
        raise SkillError(f"{why}: use --to notebook, wheel or skill-folder.")
    return bundle.files[bundle.main]


def _with_trailer(source: str, bundle: Bundle) -> str:
    """The line end before it is the trailer's own, so that every byte comes back."""
    return f"{source}\n{TRAILER}{written_past(bundle.past)}\n"


def _folder_of(bundle: Bundle) -> tuple[str, Content]:
    name = folder_name(bundle.name)
    code = {f"scripts/{path}": text.encode() for path, text in bundle.files.items()}
    history = {FOLDER_HISTORY: written_past(bundle.past).encode() + b"\n"}
    return name, {"SKILL.md": _skill_md(bundle, name).encode(), **code, **history}


def _skill_md(bundle: Bundle, name: str) -> str:
    doc, public = bundle.contents.doc or f"The Python module {bundle.name}.", bundle.contents.names
    use = f" Use it when Python code needs {', '.join(public[:12])}." if public else ""
    first = " ".join(doc.split("\n\n")[0].split())
    fields = {"name": name, "description": f"{first[:700]}{use}"[:1024], "metadata": _facts(bundle)}
    front = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)
    module = f"{bundle.name}.api" if f"{bundle.name}/api.py" in bundle.files else bundle.name
    names = ", ".join(public) or "*"
    usage = f"With `scripts/` on Python's path:\n\n```python\nfrom {module} import {names}\n```"
    parts = "\n".join(f"- `scripts/{path}`" for path in bundle.files)
    return f"---\n{front}---\n\n# {bundle.name}\n\n{doc}\n\n{usage}\n\n{parts}\n"


def _facts(bundle: Bundle) -> dict[str, str]:
    """Where it comes from: strings only, as the specification asks."""
    facts = {"module": bundle.name}
    if bundle.past:
        newest = bundle.past[0]
        facts |= {"version": str(newest.number), "date": newest.when, "author": newest.note.by}
        facts |= {f"provenance-{key.lower()}": value for key, value in newest.note.about.items()}
    return facts
