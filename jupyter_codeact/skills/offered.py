"""What a module offers: what it defines, and what it imports from its own package. Texts are read, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import NamedTuple

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
                    found.update(_imported(node, self.offered(origin)))
        return self._offered[path]

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


def _imported(node: ast.ImportFrom, there: dict[str, Offer]) -> dict[str, Offer]:
    found: dict[str, Offer] = {}
    for alias in node.names:
        if alias.name == "*":
            found |= {name: offer for name, offer in there.items() if not name.startswith("_")}
        elif alias.name in there:
            found[alias.asname or alias.name] = there[alias.name]
    return found


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text.encode("utf-8", "replace"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])
