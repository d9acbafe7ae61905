"""A folder of ordinary Python modules that agents and cells import. Only the trusted process writes here."""

from __future__ import annotations

import ast
import importlib.util
import keyword
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import SkillError
from ..files import write_atomically

# The sandbox may be another user, and reads.
READABLE = 0o644


@dataclass(frozen=True)
class Skill:
    """One module. ``summary``: the first line of its docstring. ``functions``: signatures of what is public."""

    name: str
    path: Path
    source: str

    @property
    def summary(self) -> str:
        tree = _parsed(self.source)
        lines = (ast.get_docstring(tree) or "").strip().splitlines() if tree else []
        return lines[0] if lines else ""

    @property
    def functions(self) -> list[str]:
        tree = _parsed(self.source)
        found = [node for node in tree.body if isinstance(node, _DEFINITIONS)] if tree else []
        return [_signature(node) for node in found if not node.name.startswith("_")]


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Library:
    """Modules in ``folders``: the first, the person's own, is the one that is written to."""

    def __init__(self, *folders: Path) -> None:
        self.folders = folders

    @property
    def own(self) -> Path:
        return self.folders[0]

    def list(self) -> list[Skill]:
        """Every skill, by name; a name that stands in several folders counts once, from the first."""
        found: dict[str, Skill] = {}
        for folder in self.folders:
            for path in sorted(folder.glob("*.py")):
                if path.stem.isidentifier() and path.is_file():
                    found.setdefault(path.stem, Skill(path.stem, path, _read(path)))
        return [found[name] for name in sorted(found)]

    def get(self, name: str) -> Skill:
        """Raises SkillError, with the nearest names, where there is none."""
        skills = {skill.name: skill for skill in self.list()}
        if name not in skills:
            raise SkillError(_unknown(name, list(skills)))
        return skills[name]

    def save(self, name: str, source: str) -> Path:
        """Write a module of the own library, whole or not at all. Raises SkillError where that is impossible."""
        check_name(name)
        path = self.own / f"{name}.py"
        try:
            write_atomically(path, source, READABLE)
        except (OSError, UnicodeError) as error:
            raise SkillError(f"{path} can't be written: {error}") from None
        return path


# What `site` imports whenever a Python starts.
_STARTUP = ("sitecustomize", "usercustomize")


def check_name(name: str) -> None:
    """A module's name, that hides nothing that other code imports."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise SkillError(f"{name!r} can't be a module's name: use letters, digits and _, such as gp_fit.")
    if name in sys.stdlib_module_names or name in _STARTUP:
        raise SkillError(f"{name!r} is a module of Python's own, which a skill of that name would hide.")
    if importlib.util.find_spec(name) is not None:
        raise SkillError(f"{name!r} is a package of this environment, and would be imported instead of a skill.")


def _read(path: Path) -> str:
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        return file.read()


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source.encode())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(node.args)}){returns}"


def _unknown(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else " `%skill list` shows what there is."
    return f"There is no skill called {name}.{hint}"
