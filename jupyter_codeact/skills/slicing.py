"""Cells to module: the definitions that the chosen names need, in order, from whichever cell has the last one."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import SkillError


@dataclass(frozen=True)
class Statement:
    """One top-level statement that binds names, with its source and what it needs."""

    order: int
    source: str
    binds: frozenset[str]
    needs: frozenset[str]
    is_import: bool
    is_definition: bool


def module_of(sources: list[str], names: list[str] | None = None) -> str:
    """The source of a module with ``names`` (default: every function and class) and what they need.

    Comments and formatting are kept. Raises SkillError where a name is defined in no cell, or where the
    cells define neither function nor class.
    """
    statements = [*_statements(sources)]
    last = {name: statement for statement in statements for name in sorted(statement.binds)}
    wanted = names or [name for name, statement in last.items() if statement.is_definition]
    if not wanted:
        raise SkillError("These cells define no function and no class: there is nothing to import from them.")
    kept: dict[int, Statement] = {}
    for name in wanted:
        if name not in last:
            known = ", ".join(sorted(n for n, s in last.items() if s.is_definition)) or "none"
            raise SkillError(f"{name} is not defined in these cells; they define: {known}.")
        _collect(last[name], last, kept)
    chosen = [kept[order] for order in sorted(kept)]
    imports = [s.source for s in chosen if s.is_import]
    rest = [s.source for s in chosen if not s.is_import]
    return "\n\n\n".join(part for part in ("\n".join(dict.fromkeys(imports)), *rest) if part) + "\n"


def _collect(statement: Statement, last: dict[str, Statement], kept: dict[int, Statement]) -> None:
    if statement.order in kept:
        return
    kept[statement.order] = statement
    for name in sorted(statement.needs):
        if name in last:
            _collect(last[name], last, kept)
        elif not hasattr(builtins, name):
            what = ", ".join(sorted(statement.binds))
            raise SkillError(f"{what} needs {name}, which none of these cells defines. Add the cell that does.")


def _statements(sources: list[str]) -> Iterator[Statement]:
    order = 0
    for number, source in enumerate(sources, start=1):
        try:
            tree = ast.parse(_without_magics(source))
        except SyntaxError as error:
            line = error.lineno or 1
            raise SkillError(f"Cell {number} can't be read as Python, line {line}: {error.msg}.") from None
        lines = source.splitlines()
        for node in tree.body:
            binds = frozenset(_bound(node))
            if binds:
                order += 1
                text = "\n".join(lines[_first_line(node, lines) - 1 : node.end_lineno])
                yield Statement(order, text, binds, frozenset(_needed(node)), _is_import(node), _is_definition(node))


def _without_magics(source: str) -> str:
    """Lines of IPython syntax as comments: nothing that a module could hold."""
    return "\n".join("#" + line[1:] if line.startswith(("%", "!")) else line for line in source.splitlines())


def _first_line(node: ast.stmt, lines: list[str]) -> int:
    """With decorators and the comment block right above."""
    first: int = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return first


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a top-level statement defines; plain statements such as calls and loops define none."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name.split(".")[0] for alias in aliases)
        case ast.Assign() | ast.AnnAssign():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))


def _needed(node: ast.stmt) -> set[str]:
    """The global names that a statement reads, by the compiler's own scoping."""
    import symtable

    top = symtable.symtable(ast.unparse(node), "<cell>", "exec")
    scopes, needed = [top], set[str]()
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        symbols = [symbol for symbol in scope.get_symbols() if symbol.is_referenced()]
        needed |= {symbol.get_name() for symbol in symbols if scope is top or symbol.is_global()}
    return needed
