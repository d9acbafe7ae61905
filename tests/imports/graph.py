"""Reads the imports of a package from its source, without importing it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

When = Literal["at import", "for types", "in a call"]


@dataclass(frozen=True)
class Import:
    """One imported name: `from a.b import c` is the name `a.b.c`, whether c is a module or not."""

    importer: str
    name: str
    when: When
    where: str

    def of(self, target: str) -> bool:
        """Whether this imports `target` or something in it; a final `*` stands for the rest of a word."""
        if target.endswith("*"):
            return self.name.startswith(target[:-1])
        return f"{self.name}.".startswith(f"{target}.")


def read_package(folder: Path) -> list[Import]:
    """All imports of all modules of the package in `folder`."""
    return [found for path in sorted(folder.rglob("*.py")) for found in read_module(path, folder)]


def read_module(path: Path, package: Path) -> Iterator[Import]:
    parts = path.relative_to(package.parent).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    importer = ".".join(parts[:-1] if is_package else parts)
    home = list(parts[:-1])
    for node, when in _walk(ast.parse(path.read_text(encoding="utf-8")), "at import"):
        where = f"{path.relative_to(package.parent).as_posix()}:{node.lineno}"
        for name in _names(node, home):
            yield Import(importer, name, when, where)


def reached_at_import(imports: list[Import], start: str) -> set[str]:
    """The modules that run when `start` is imported: it, what it imports, and the packages above those."""
    importers = {found.importer for found in imports} | {start}
    reached: set[str] = set()
    waiting = {start}
    while waiting:
        module = waiting.pop()
        reached.add(module)
        now = [x.name for x in imports if x.importer == module and x.when == "at import"]
        waiting |= {above for name in now for above in _above(name) if above in importers} - reached
    return reached


def _above(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:n]) for n in range(1, len(parts) + 1))


def _walk(node: ast.AST, when: When) -> Iterator[tuple[ast.Import | ast.ImportFrom, When]]:
    """Every import statement below `node`, with the moment in which it runs."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, when
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        when = "in a call"
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for inner in node.body:
            yield from _walk(inner, "for types")
        for inner in node.orelse:
            yield from _walk(inner, when)
        return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, when)


def _names(node: ast.Import | ast.ImportFrom, home: list[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = home[: len(home) - node.level + 1] if node.level else []
    start = [*base, node.module] if node.module else base
    yield from (".".join([*start, alias.name]) for alias in node.names)
