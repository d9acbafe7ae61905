"""Docstrings for public functions that have none: a stub that says so."""

from __future__ import annotations

import ast

from ..parsing import parse
from ..texts import unwarned
from .contents import STUB
from .skill import Files

_LITERAL = f'"""{{name}}{STUB}"""'


@unwarned()
def undescribed(source: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The public functions without a docstring, but for tests."""
    found = [node for node in parse(source).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [n for n in found if not n.name.startswith(("_", "test_")) and ast.get_docstring(n) is None]


def described(files: Files) -> Files:
    """The same modules with stubs; what can't be read as Python stays as it is."""
    return {path: _described(text) for path, text in files.items()}


def _described(source: str) -> str:
    try:
        return with_stubs(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source


def with_stubs(source: str) -> str:
    """The same module, in which every public function has a docstring."""
    lines = source.split("\n")
    # From the last one on, so that the lines above keep their numbers.
    for node in reversed(undescribed(source)):
        first = node.body[0]
        at = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))]) - 1
        line = lines[at].encode()
        stub = _LITERAL.format(name=node.name)
        end = "\r" if lines[at].endswith("\r") else ""
        head, rest = line[: first.col_offset].decode(), line[first.col_offset :].decode()
        if head.strip(" \t\f@"):
            # `def f(): return 1`; what stands behind the colon becomes a line.
            indent = " " * (node.col_offset + 4)
            lines[at : at + 1] = [head.rstrip() + end, indent + stub + end, indent + rest]
        else:
            lines[at:at] = [head.replace("@", "") + stub + end]
    return "\n".join(lines)
