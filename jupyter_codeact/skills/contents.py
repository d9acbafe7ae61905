"""What of a module is searched for and shown: read from its source, which is never imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..texts import unwarned

Function = tuple[str, str]
"""A signature and the first line of the docstring behind it."""

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# The humps of CamelCase, upper case words as in HTTPServer, and digits.
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_WORDS = re.compile(r"\w+")
_EXAMPLE = re.compile(r"^\s*>>> ", re.MULTILINE)


@dataclass(frozen=True)
class Contents:
    """summary: the first line of its docstring, or of the first one in it. functions: of what is public.

    docs: all docstrings. words: identifiers, those of imports first. tests: doctests and test functions.
    """

    summary: str = ""
    functions: tuple[Function, ...] = ()
    docs: str = ""
    words: str = ""
    tests: int = 0


@unwarned()
def contents_of(source: str) -> Contents:
    """What a module says of itself; nothing of one that can't be read as Python."""
    try:
        tree = ast.parse(source.encode("utf-8", "replace"))
        public = [node for node in tree.body if isinstance(node, _DEFINITIONS) and not node.name.startswith("_")]
        functions = tuple((_signature(node), _first_line(node)) for node in public)
        return Contents(
            next(filter(None, (_first_line(tree), *(line for _, line in functions))), ""),
            functions,
            "\n".join(_docs(tree)),
            " ".join(dict.fromkeys(_identifiers(tree))),
            sum(_EXAMPLE.search(doc) is not None for doc in _docs(tree)) + sum(map(_is_test, tree.body)),
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Contents()


def split_words(text: str) -> Iterator[str]:
    """The words of a text in lower case: ``gp_fit`` is gp_fit, gp, fit; ``readCSV2`` is readcsv2, read, csv, 2."""
    for word in _WORDS.findall(text):
        parts = _PARTS.findall(word)
        yield word.lower()
        if len(parts) > 1:
            yield from (part.lower() for part in parts)


def spelled_out(texts: Iterable[str]) -> str:
    """Texts with their identifiers split into words."""
    return " ".join(word for text in texts for word in split_words(text))


def _first_line(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    lines = (ast.get_docstring(node) or "").strip().splitlines()
    return lines[0].strip() if lines else ""


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(node.args)}){returns}"


def _docs(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, *_DEFINITIONS)) and (doc := ast.get_docstring(node)):
            yield doc


def _identifiers(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                yield name
            case ast.ImportFrom(module=str(name)):
                yield name
