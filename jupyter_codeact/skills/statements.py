"""The top-level statements of cells, with their sources as they were written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import SkillError
from ..texts import unwarned
from .ipython import as_ipython, is_other_language, python_of
from .scopes import Names, names_of

_DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
UNFORCED = "`--force` does not help: what does not parse can't be imported."
_IPYTHON = re.compile(r"(\s*)([%!?].*|[^#]*\?+\s*|(?P<target>.+?)=\s*[%!].*)$")


@dataclass(frozen=True)
class Statement:
    """One top-level statement. ``ipython``: its first line of IPython syntax that can't be put into Python.

    above, below: the blank lines and comments around it that are no part of ``source``. holds: the functions and
    classes that an ``if``, a ``try`` and the like define.
    """

    order: int
    source: str
    names: Names
    is_import: bool
    is_future: bool
    is_definition: bool
    is_deletion: bool = False
    ipython: str = ""
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()


def statements_of(sources: list[str], *, lenient: bool = False) -> Iterator[Statement]:
    """The statements, in order. Raises SkillError for a cell that can't be read.

    lenient: what of IPython has no Python of its own becomes a call of IPython.
    """
    order = 0
    for number, source in enumerate(sources, start=1):
        if is_other_language(source):
            continue
        try:
            cell = _Cell(source, lenient=lenient)
            for node in cell.tree.body:
                order += 1
                yield cell.statement(order, node)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line, text = getattr(error, "lineno", None) or 1, getattr(error, "msg", None) or str(error) or "too deep"
            raise SkillError(f"Cell {number} can't be read as Python, line {line}: {text}. {UNFORCED}") from None


class _Cell:
    """One cell. Its lines of IPython syntax are put into Python; where that can't be, they only bind their names."""

    def __init__(self, source: str, *, lenient: bool) -> None:
        self._lenient = lenient
        # As Python reads line ends; str.splitlines knows more of them.
        self.lines = re.split(r"\r\n|\r|\n", source)
        self.plain = list(self.lines)
        self.tree = self._parsed()

    @unwarned()
    def _parsed(self) -> ast.Module:
        while True:
            try:
                return ast.parse("\n".join(self.plain))
            except SyntaxError as error:
                at = (error.lineno or 1) - 1
                found = _IPYTHON.match(self.plain[at]) if at < len(self.plain) else None
                if found is None or not (found["target"] is None or _is_set(found["target"])):
                    raise
                python = python_of(found[2]) or (as_ipython(found[2]) if self._lenient else None)
                self.plain[at] = found[1] + (python or _bound(found[2]))
                if python:
                    self.lines[at] = self.plain[at]

    def statement(self, order: int, node: ast.stmt) -> Statement:
        first, last = _first_line(node, self.lines), node.end_lineno or node.lineno
        body = self.tree.body
        at = body.index(node)
        before = body[at - 1].end_lineno or 0 if at else 0
        is_last = at == len(body) - 1
        changed = [self.lines[i].strip() for i in range(first - 1, last) if self.lines[i] != self.plain[i]]
        return Statement(
            order,
            _source(self.lines, node, first),
            names_of(node, _source(self.plain, node, first)),
            isinstance(node, ast.Import | ast.ImportFrom),
            isinstance(node, ast.ImportFrom) and node.module == "__future__",
            isinstance(node, _DEFINITION),
            isinstance(node, ast.Delete),
            changed[0] if changed else "",
            tuple(self.lines[before : first - 1]),
            tuple(self.lines[last:]) if is_last else (),
            () if isinstance(node, _DEFINITION) else tuple(_held(node)),
        )


def _is_set(target: str) -> bool:
    """Whether something can be assigned to it."""
    try:
        (node,) = ast.parse(f"{target.strip()} = None").body
    except (SyntaxError, ValueError):
        return False
    return isinstance(node, ast.Assign | ast.AnnAssign)


def _bound(line: str) -> str:
    """``x, y = %sx ls`` as Python that binds the same names."""
    target, equals, _ = line.partition("=")
    python = f"{target}= None" if equals and not line.startswith(("%", "!", "?")) else "pass"
    try:
        ast.parse(python)
    except SyntaxError:
        return "pass"
    return python


def _held(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _DEFINITION):
            yield child.name
        elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _held(child)


def _first_line(node: ast.stmt, lines: list[str]) -> int:
    """With decorators and the comment block right above."""
    first: int = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return first


def _source(lines: list[str], node: ast.stmt, first: int) -> str:
    """The statement's lines from ``first`` on, without the others that a semicolon puts on them."""
    if node.col_offset:
        first = node.lineno
    own = lines[first - 1 : node.end_lineno]
    end = own[-1].encode()[: node.end_col_offset].decode()
    rest = own[-1][len(end) :]
    own[-1] = own[-1] if rest.lstrip().startswith("#") else end
    own[0] = own[0].encode()[node.col_offset :].decode()
    return "\n".join(own)
