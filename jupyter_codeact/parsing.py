"""Python's own parser, one thread at a time."""

from __future__ import annotations

import ast
import threading
from typing import Any

# Before 3.12 all threads share one count of how deep the tree is that is being made: two that make one at the same
# moment may get a SystemError ("AST constructor recursion depth mismatch"). A finalizer may parse, too.
_ALONE = threading.RLock()


def parse(source: str | bytes, flags: int = 0) -> ast.Module:
    """The tree of a module, as ``ast.parse`` makes it. ``flags`` are ``compile``'s. Raises as that does."""
    with _ALONE:
        tree = compile(source, "<unknown>", "exec", ast.PyCF_ONLY_AST | flags, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def parse_expression(source: str) -> ast.Expression:
    """As ``parse``, for one expression."""
    with _ALONE:
        tree = compile(source, "<unknown>", "eval", ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Expression)
    return tree


def literal(text: str) -> Any:
    """The value of a literal. Raises as ``ast.literal_eval`` does."""
    with _ALONE:
        return ast.literal_eval(text)
