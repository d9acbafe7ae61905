"""Cells that import the skill that they are saved into: what they import is taken from it, and not imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SkillError
from ..parsing import parse
from .library import Library
from .skill import files_of
from .slicing import Cells, Labelled
from .statements import replaced


@dataclass(frozen=True)
class Into:
    """The skill that cells are saved into. stored: its module as it is; "" for a package, and where there is none."""

    name: str
    stored: str = ""

    @classmethod
    def of(cls, library: Library, folder: Path, name: str) -> Into:
        """``folder``: the library that is written to; cells may have imported one of the same name from another."""
        known = [skill.folder for skill in library.list() if skill.name == name]
        files = files_of(folder, name) or (files_of(known[0], name) if known else {})
        return cls(name, files.get(f"{name}.py", "") if len(files) == 1 else "")


@dataclass
class Taken:
    """Cells without their imports of the skill itself. names: what those bound. base: the module that it comes from."""

    cells: Labelled
    names: list[str] = field(default_factory=list)
    base: Labelled = field(default_factory=dict)


def taken(cells: Labelled, into: Into) -> Taken:
    """A definition in the cells wins over that of the stored module. Imports of what neither has are left."""
    if not any(into.name in source for source in cells.values()):
        return Taken(cells)
    base = {f"the stored {into.name}": into.stored} if into.stored else {}
    own = _bound([*base.values()]) | _bound([*cells.values()])
    found = Taken({}, base=base)

    def without(node: ast.stmt) -> str | None:
        """What stands for an import: the aliases that it gave, and what is found nowhere."""
        if not (isinstance(node, ast.ImportFrom) and node.module == into.name and not node.level):
            return None
        if node.names[0].name == "*":
            found.names += _bound([*base.values()]) if base else ()
            return "" if base else None
        left = [ast.unparse(ast.ImportFrom(into.name, [alias], 0)) for alias in node.names if alias.name not in own]
        here = [alias for alias in node.names if alias.name in own]
        found.names += [alias.asname or alias.name for alias in here]
        given = [f"{a.asname} = {a.name}" for a in here if a.asname and a.asname != a.name]
        return "; ".join([*left, *given])

    found.cells = replaced(cells, without)
    return Taken(cells) if found.cells == cells else found


def check_imports(module: str, name: str) -> None:
    """Raises SkillError for a module that would import itself."""
    for line, what in sorted(_imports(module, name)):
        raise SkillError(
            f"{name} would import itself (line {line}: `{what}`): use names that {name} has by themselves, as "
            f"`from {name} import f` at the top of a cell brings them, or save under another name."
        )


def _imports(module: str, name: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(parse(module)):
        match node:
            case ast.ImportFrom(module=str(found), level=0):
                modules = [found]
            case ast.Import(names=aliases):
                modules = [alias.name for alias in aliases]
            case _:
                continue
        if name in (found.split(".")[0] for found in modules):
            yield node.lineno, ast.unparse(node)


def _bound(sources: Sequence[str]) -> set[str]:
    """Names that they bind, and do not import."""
    binders = Cells(sources, lenient=True, tolerant=True).binders
    return {name for name, those in binders.items() if not all(statement.is_import for statement in those)}
