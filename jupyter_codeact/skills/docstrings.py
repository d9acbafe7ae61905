"""Docstrings for public functions that have none: a stub that says so."""

from __future__ import annotations

import ast

STUB = '"""{name}: nobody has described it yet."""'


def undescribed(source: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The public functions without a docstring, but for tests."""
    found = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [n for n in found if not n.name.startswith(("_", "test_")) and ast.get_docstring(n) is None]


def with_stubs(source: str) -> str:
    """The same module, in which every public function has a docstring."""
    lines = source.split("\n")
    # From the last one on, so that the lines above keep their numbers.
    for node in reversed(undescribed(source)):
        first = node.body[0]
        at = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))]) - 1
        line = lines[at].encode()
        stub = STUB.format(name=node.name)
        head, rest = line[: first.col_offset].decode(), line[first.col_offset :].decode()
        if head.strip(" \t\f@"):
            # `def f(): return 1`; what stands behind the colon becomes a line.
            indent = " " * (node.col_offset + 4)
            lines[at : at + 1] = [head.rstrip(), indent + stub, indent + rest]
        else:
            lines[at:at] = [head.replace("@", "") + stub]
    return "\n".join(lines)
