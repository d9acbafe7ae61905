"""What an agent reads of a skill: its source, and of what that imports from its own package all but the code."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from ..texts import unwarned
from .offered import Definition, Offer, Package, Texts, is_public

# Characters of what others define: some of it may come from elsewhere, under any number of names.
LONGEST = 200_000


@unwarned()
def as_read(path: str, texts: Texts) -> str:
    """The module at ``path``, and how what it imports from the others is called; their code is not in it."""
    try:
        parts = [*_parts(path, Package(texts).public(path))]
    except RecursionError:
        # Nested too deeply to be written: its source stands for it.
        parts = []
    return "\n\n\n".join([texts[path].rstrip(), *parts]) + "\n" if parts else texts[path]


def module_name(path: str) -> str:
    """How the module at a path is imported: ``kit.impl``."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _parts(path: str, offered: dict[str, Offer]) -> Iterator[str]:
    """The others' definitions, by module."""
    others: dict[str, list[str]] = {}
    length = 0
    for name, offer in offered.items():
        if offer.path != path and length < LONGEST:
            outline = ast.unparse(_outline(offer.node, name))
            others.setdefault(offer.path, []).append(outline)
            length += len(outline)
    for origin, outlines in others.items():
        yield "\n\n\n".join([f"# From {module_name(origin)}, without its code:", *outlines])


def _outline(node: Definition, name: str) -> Definition:
    """The definition with its docstring, and of a class with its fields and methods."""
    inner = _kept(node) if isinstance(node, ast.ClassDef) else []
    doc = node.body[:1] if ast.get_docstring(node) is not None else []
    outline = copy.copy(node)
    outline.name, outline.body = name, [*doc, *(inner or [ast.Expr(ast.Constant(...))])]
    return outline


def _kept(node: ast.ClassDef) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for part in node.body:
        if isinstance(part, ast.AnnAssign):
            found.append(part)
        elif isinstance(part, Definition) and (is_public(part.name) or part.name in ("__init__", "__call__")):
            found.append(_outline(part, part.name))
    return found
