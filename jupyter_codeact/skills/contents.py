"""What of a module is searched for and shown: read from its source, which is never imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..texts import unwarned
from .offered import Definition, Package, Texts

Function = tuple[str, str]
"""A signature and the first line of the docstring behind it."""

# What a docstring ends with that was put where there was none.
STUB = ": nobody has described it yet."
# The humps of CamelCase, upper case words as in HTTPServer, and digits.
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_WORDS = re.compile(r"\w+")
_EXAMPLE = re.compile(r"^\s*>>> ", re.MULTILINE)


@dataclass(frozen=True)
class Contents:
    """doc: its docstring, or its package's, or the first paragraph of what a function says that stands for it.

    functions: of what is public, by ``names``. docs: all docstrings. words: identifiers, those of imports first.
    tests: doctests and test functions of its own.
    """

    doc: str = ""
    functions: tuple[Function, ...] = ()
    names: tuple[str, ...] = ()
    docs: str = ""
    words: str = ""
    tests: int = 0

    @property
    def summary(self) -> str:
        """The first line of it; where nobody has described anything, that."""
        return next(filter(None, (_first_line_of(self.doc), *(line for _, line in self.functions))), "")


@unwarned()
def contents_of(source: str, path: str = "", beside: Texts = {}) -> Contents:  # noqa: B006  # it is only read
    """What a module says of itself; nothing of one that can't be read as Python.

    path: its own, in its library. beside: the modules of its package, from which it may import what it offers.
    """
    try:
        package = Package({**beside, path: source})
        public = [(name, offer.node) for name, offer in package.public(path).items()]
        doc = _doc_of(package, path, beside, public)
        trees, own = package.trees.values(), package.tree(path)
        return Contents(
            doc,
            tuple((_signature(node, name), _first_line(node)) for name, node in public),
            tuple(name for name, _ in public),
            "\n".join(doc for tree in trees for doc in _docs(tree)),
            " ".join(dict.fromkeys(name for tree in trees for name in _identifiers(tree))),
            sum(_EXAMPLE.search(doc) is not None for doc in _docs(own)) + sum(map(_is_test, own.body)),
        )
    except (ValueError, RecursionError, MemoryError):
        return Contents()


def _doc_of(package: Package, path: str, beside: Texts, public: Sequence[tuple[str, Definition]]) -> str:
    name = path.split("/", maxsplit=1)[0].removesuffix(".py")
    whole = [path, *({f"{name}/__init__.py"} & beside.keys())]
    if doc := next(filter(None, (ast.get_docstring(package.tree(part)) for part in whole)), ""):
        return doc
    docs = {own: ast.get_docstring(node) or "" for own, node in public}
    real = {own: doc.strip() for own, doc in docs.items() if doc.strip() and not _first_line_of(doc).endswith(STUB)}
    return real.get(name, next(iter(real.values()), "")).split("\n\n")[0]


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


def _first_line(node: Definition) -> str:
    return _first_line_of(ast.get_docstring(node) or "")


def _first_line_of(doc: str) -> str:
    lines = doc.strip().splitlines()
    return lines[0].strip() if lines else ""


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _signature(node: Definition, name: str) -> str:
    if isinstance(node, ast.ClassDef):
        return f"class {name}"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{name}({ast.unparse(node.args)}){returns}"


def _docs(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | Definition) and (doc := ast.get_docstring(node)):
            yield doc


def _identifiers(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                yield name
            case ast.ImportFrom(module=str(name)):
                yield name
