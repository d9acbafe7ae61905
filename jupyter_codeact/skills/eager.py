"""What a module does whenever it is imported, beside defining things. Pure; it knows what stands in the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..parsing import parse

# Calls that need a file, a person or a process, whatever is made of their value.
_READING = {"open", "input", "load", "loadtxt", "genfromtxt", "urlopen", "Popen", "getoutput", "check_output"}


def runs_at_import(source: str) -> Iterator[tuple[int, str]]:
    """Lines whose call is made at each import, and which call that is."""
    visitor = _Visitor()
    visitor.visit(parse(source))
    yield from sorted({line: f"{call} runs at each import" for line, call in reversed(visitor.found)}.items())


class _Visitor(ast.NodeVisitor):
    """Goes through what runs at import: not into functions, nor into what is there for a script alone."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def _skip(self, node: ast.AST) -> None:
        pass

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _skip  # noqa: N815  # ast's own names

    def visit_If(self, node: ast.If) -> None:
        if "__name__" in ast.unparse(node.test):
            for statement in node.orelse:
                self.visit(statement)
        else:
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A call whose value nobody takes is made for what it does."""
        if isinstance(node.value, ast.Call):
            self._take(node.value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _READING or name.startswith("read_"):
                self._take(node)
        self.generic_visit(node)

    def _take(self, call: ast.Call) -> None:
        name = ast.unparse(call.func)
        self.found.append((call.lineno, f"{name}(…)" if len(name) <= 40 and "\n" not in name else "a call"))
