"""`jupyter codeact skill edit`: a skill in the person's own editor, and saved, with checks, once that is closed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..errors import CodeActError, SkillError, SkillFailed, UsageError
from ..magics.editing import place_of, store
from ..magics.parser import edit_parser
from ..protocols import AgentCell
from ..session import Session
from ..skills.skill import check_name, files_of, readable

EDITORS = ("editor", "nano", "vi")


async def edited(session: Session, cell: AgentCell, words: list[str]) -> str:
    """What is told of it. Raises UsageError, SkillError; what she wrote is kept, and the error says where."""
    options = edit_parser(in_terminal=True).read(shlex.join(words))
    editor = _editor()
    (name, module), before = place_of(session, options.name), ""
    check_name(name)
    library = session.skills.library
    if name in [skill.name for skill in library.list()]:
        options.version = library.log(name)[0].number
        before = readable(files_of(library.folder_of(name), name).get(module, ""), module)
    path = Path(tempfile.mkdtemp(prefix="codeact-edit-")) / f"{options.name}.py"
    path.write_text(before, encoding="utf-8")
    try:
        _open(editor, path)
        text = path.read_text(encoding="utf-8-sig")
        told = f"Nothing of **{options.name}** was changed."
        if text.strip() != before.strip():
            _, told, _ = await store(session, cell, options, text)
    except (CodeActError, OSError, UnicodeError) as error:
        raise SkillFailed(f"{str(error).rstrip('.')}. What you wrote is in {path}") from None
    shutil.rmtree(path.parent)
    return told


def _editor() -> list[str]:
    """Hers. Raises UsageError where none can be opened."""
    named = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
    found = named or [*filter(shutil.which, EDITORS)][:1]
    if not found:
        raise UsageError("There is no editor: set EDITOR, such as `export EDITOR=nano`")
    if not shutil.which(found[0]):
        raise UsageError(f"There is no editor {found[0]}: set EDITOR, such as `export EDITOR=nano`")
    if not named and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("An editor needs a terminal, and here is none. EDITOR may name a program that needs none")
    return found


def _open(editor: list[str], path: Path) -> None:
    """Until the editor is closed. Raises SkillError for one that fails."""
    ended = subprocess.run([*editor, str(path)], check=False).returncode
    if ended:
        raise SkillError(f"The editor ({shlex.join(editor)}) ended with {ended}: nothing was saved")
