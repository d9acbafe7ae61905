"""Which modules code uses: those that it imports, and those whose names it has from cells that ran before it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from ..parsing import parse

# What names that are bound within it mean nothing outside of.
_SCOPES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)


class Imported:
    """What names mean that were imported, as cells are read in the order in which they ran. Nothing of them runs.

    transform: makes Python of a cell's source, and may raise SyntaxError.
    """

    def __init__(self, transform: Callable[[str], str] = str) -> None:
        self._transform = transform
        self._meant: dict[str, set[str]] = {}

    def concerns(self, source: str) -> bool:
        """Whether reading it could change anything: most cells import nothing."""
        return "import" in source or any(name in source for name in self._meant)

    def read(self, source: str) -> tuple[set[str], set[str]]:
        """The modules that a cell uses, and the names that it has from elsewhere. It has just run."""
        try:
            tree = parse(self._transform(source))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return set(), set()
        nodes = [*ast.walk(tree)]
        used = {module for node in nodes for modules in _imports(node).values() for module in modules}
        named = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        named -= {name for node in nodes for name in _binds(node)}
        used |= {module for name in named for module in self._meant.get(name, ())}
        for node in _outermost(tree):
            self._take(node)
        return used, named

    def _take(self, node: ast.AST) -> None:
        for name in _binds(node):
            self._meant.pop(name, None)
        for name, modules in _imports(node).items():
            # `import kit.api` and `import kit.plots` are both of kit.
            before = self._meant.get(name, set()) if name in modules else set()
            self._meant[name] = {*modules, *(before if name in before else ())}


def _outermost(node: ast.AST) -> Iterator[ast.AST]:
    """What binds names of the notebook's own."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (*_SCOPES, ast.Import, ast.ImportFrom)):
            yield from _outermost(child)


def _binds(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name) | ast.alias(asname=str(name)):
            yield name


def _imports(node: ast.AST) -> dict[str, set[str]]:
    """The modules that an import reaches, by the names that it binds: those of a star are not known."""
    found: dict[str, set[str]] = {}
    match node:
        case ast.Import(names=names):
            for alias in names:
                parts = alias.name.split(".")
                modules = {".".join(parts[:n]) for n in range(1, len(parts) + 1)}
                found.setdefault(alias.asname or parts[0], set()).update(modules)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            for alias in names:
                found.setdefault(alias.asname or alias.name, set()).update({module, f"{module}.{alias.name}"})
    return found
