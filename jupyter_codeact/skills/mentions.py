"""What a definition names in texts that are code as well: in doctests and in annotations that are strings."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from ..parsing import parse, parse_expression

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Reads = Callable[[ast.stmt], tuple[frozenset[str], frozenset[str]]]
"""Names that a statement reads and does not have by itself, and those that it binds."""


def mentioned(node: ast.stmt, reads: Reads) -> Iterator[str]:
    """Names that are free in its doctests, and names in its annotations that are strings."""
    for doc in _docs(node):
        yield from _free(doc, reads)
    for annotation in _annotations(node):
        for text in _strings(annotation):
            yield from _names(text)


def _docs(node: ast.stmt) -> Iterator[str]:
    """Where doctests are looked for: not in functions inside of functions."""
    if isinstance(node, _DEFINITIONS):
        yield ast.get_docstring(node) or ""
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            yield from _docs(inner)


def _free(doc: str, reads: Reads) -> Iterator[str]:
    if ">>>" not in doc:
        return
    from doctest import SKIP, DocTestParser

    bound = set[str]()
    try:
        examples = [e for e in DocTestParser().get_examples(doc) if not e.options.get(SKIP)]
        for statement in (s for example in examples for s in parse(example.source).body):
            read, binds = reads(statement)
            yield from sorted(read - bound)
            bound |= binds
    except (SyntaxError, ValueError):
        return  # That fails where it is tried, and says so there.


def _annotations(node: ast.stmt) -> Iterator[ast.expr]:
    for inner in ast.walk(node):
        match inner:
            case ast.arg(annotation=ast.expr() as annotation) | ast.AnnAssign(annotation=annotation):
                yield annotation
            case (
                ast.FunctionDef(returns=ast.expr() as annotation)
                | ast.AsyncFunctionDef(returns=ast.expr() as annotation)
            ):
                yield annotation


def _strings(annotation: ast.AST) -> Iterator[str]:
    match annotation:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Subscript(value=ast.Name(id="Literal") | ast.Attribute(attr="Literal")):
            return
        case ast.Subscript(
            value=ast.Name(id="Annotated") | ast.Attribute(attr="Annotated"), slice=ast.Tuple(elts=[meant, *_])
        ):
            yield from _strings(meant)
        case _:
            for part in ast.iter_child_nodes(annotation):
                yield from _strings(part)


def _names(text: str) -> Iterator[str]:
    try:
        tree = parse_expression(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    yield from (name for text in _strings(tree.body) for name in _names(text))
