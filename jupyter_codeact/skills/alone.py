"""What a skill imports that is there in one place alone: modules of the working folder, skills of one workspace.

With that, all that is to be looked at before a skill is saved.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from ..parsing import parse
from ..texts import unwarned
from .checks import problems, warnings
from .library import Library
from .skill import Files, has_module, has_skill


@unwarned()
def to_look_at(files: Files, library: Library, folder: Path, work: Path | None) -> list[str]:
    """What she may not have meant to save into ``folder``, one line each; nothing of what has to be mended first."""
    if problems(files):
        return []
    return warnings(files) + (works_here_alone(files, library, folder, work) if work and files else [])


def works_here_alone(files: Files, library: Library, folder: Path, work: Path) -> list[str]:
    """A line for each import that another notebook of those who see ``folder`` would not find. The files must compile.

    work: the working folder, whose modules every cell and every trial here can import.
    """
    own = min(files).split("/", maxsplit=1)[0].removesuffix(".py")
    found = dict[tuple[str, str], int]()
    for path, text in files.items():
        for line, name in _imported(text):
            if name != own and name not in sys.stdlib_module_names:
                found.setdefault((path, name), line)
    told = [(path, line, _where(name, library, folder, work)) for (path, name), line in found.items()]
    return [f"{path}, line {line}: {where}" for path, line, where in told if where]


def _where(name: str, library: Library, folder: Path, work: Path) -> str:
    if has_module(work, name) or _is_bare_folder(name, library, work):
        return f"imports `{name}` from this folder: it works here alone"
    if folder != library.own and has_skill(library.own, name) and not has_skill(folder, name):
        return f"imports `{name}`, a skill of this workspace alone"
    return ""


def _is_bare_folder(name: str, library: Library, work: Path) -> bool:
    """Whether it is a folder of modules without ``__init__.py``, which Python takes where nothing else has the name."""
    is_there = (work / name).is_dir() and any((work / name).glob("*.py"))
    return is_there and not any(has_skill(f, name) for f in library.folders) and not importlib.util.find_spec(name)


def _imported(source: str) -> Iterator[tuple[int, str]]:
    """Imports, those in functions too: line, and first part of the name."""
    nodes = [node for node in ast.walk(parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in sorted(nodes, key=lambda node: node.lineno):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif node.module and not node.level:
            yield node.lineno, node.module.split(".")[0]
