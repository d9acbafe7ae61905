"""What a module offers: what it defines, and what it imports from its own package. Texts are read, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import NamedTuple

from ..parsing import parse

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Texts = Mapping[str, str]
"""Modules by path in their library: ``kit/api.py``."""


class Offer(NamedTuple):
    """A definition, and the path of the module that it stands in."""

    node: Definition
    path: str


class Package:
    """The modules of one package, or a module alone. trees: those that were looked into, by path.

    What can't be read as Python offers nothing.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._offered: dict[str, dict[str, Offer]] = {}
        self.trees: dict[str, ast.Module] = {}

    def tree(self, path: str) -> ast.Module:
        if path not in self.trees:
            self.trees[path] = _parsed(self._texts.get(path, ""))
        return self.trees[path]

    def offered(self, path: str) -> dict[str, Offer]:
        """Functions and classes by the names that they have in a module."""
        if path not in self._offered:
            # Modules may import each other in a circle: what is known of one so far is there at once.
            found = self._offered[path] = {}
            for node in self.tree(path).body:
                if isinstance(node, Definition):
                    found[node.name] = Offer(node, path)
                elif isinstance(node, ast.ImportFrom) and (origin := self._origin(path, node)):
                    found.update(self._imported(node, origin))
        return self._offered[path]

    def public(self, path: str) -> dict[str, Offer]:
        """Those for whoever uses the module: by its ``__all__``, or by their names."""
        said = self._said(path)
        offered = self.offered(path).items()
        return {name: offer for name, offer in offered if (is_public(name) if said is None else name in said)}

    def _said(self, path: str) -> set[str] | None:
        """The names of its ``__all__``; None where it has none, or one that only a run could tell."""
        said: set[str] | None = None
        for node in self.tree(path).body:
            match node:
                case ast.Assign(targets=[ast.Name("__all__")], value=value):
                    said = _names_in(value)
                case ast.AnnAssign(target=ast.Name("__all__"), value=ast.expr() as value):
                    said = _names_in(value)
                case ast.AugAssign(target=ast.Name("__all__"), op=ast.Add(), value=value):
                    more = _names_in(value)
                    said = None if said is None or more is None else said | more
                case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name("__all__")))):
                    said = None
        return said

    def _imported(self, node: ast.ImportFrom, origin: str) -> dict[str, Offer]:
        there = self.offered(origin)
        found: dict[str, Offer] = {}
        for alias in node.names:
            if alias.name == "*":
                said = self._said(origin)
                starred = {name for name in there if not name.startswith("_")} if said is None else said
                found |= {name: offer for name, offer in there.items() if name in starred}
            elif alias.name in there:
                found[alias.asname or alias.name] = there[alias.name]
        return found

    def _origin(self, path: str, node: ast.ImportFrom) -> str | None:
        """The path of the module that is imported from, where it is one of these."""
        folders = path.split("/")[:-1]
        if node.level > len(folders):
            return None
        base = folders[: len(folders) + 1 - node.level] if node.level else []
        stem = "/".join([*base, *(node.module or "").split(".")]).rstrip("/")
        return next((there for there in (f"{stem}/__init__.py", f"{stem}.py") if there in self._texts), None)


def is_public(name: str) -> bool:
    """Whether a name is for whoever uses a module."""
    return not name.startswith(("_", "test_"))


def _names_in(value: ast.expr) -> set[str] | None:
    """The texts of a list that stands there as such."""
    match value:
        case ast.List(elts) | ast.Tuple(elts):
            names = {element.value for element in elts if isinstance(element, ast.Constant)}
            return {str(name) for name in names} if len(names) == len(elts) else None
    return None


def _parsed(text: str) -> ast.Module:
    try:
        return parse(text.encode("utf-8", "replace"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])
