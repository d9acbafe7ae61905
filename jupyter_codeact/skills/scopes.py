"""What one top-level statement of a cell binds and what it needs, by the compiler's own scoping."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

from ..texts import unwarned
from .mentions import mentioned

_AT_ONCE = ("listcomp", "setcomp", "dictcomp", "genexpr")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


@dataclass(frozen=True)
class Names:
    """Global names of a statement. A star import binds ``*``; ``del x`` binds ``x``, too: to what it was before all.

    changes: bound before and changed in place, as by ``x[0] = 1`` and ``x.y = 1``.
    eager: read when the statement runs. lazy: read when its functions are called, which may be at once.
    maybe: read if they are there, such as the ``x`` that ``import x.y`` adds to, and what a lambda reads: it may be
    called by what it is handed to. mentioned: read by doctests, and by who looks at annotations that are strings.
    """

    binds: frozenset[str]
    changes: frozenset[str]
    eager: frozenset[str]
    lazy: frozenset[str]
    maybe: frozenset[str]
    mentioned: frozenset[str] = frozenset()


@unwarned()
def names_of(node: ast.stmt, source: str) -> Names:
    """The names of a statement whose source is ``source``. Raises SyntaxError where its scopes make no sense."""
    own_names, changes, from_class = frozenset(_bound(node)), frozenset(_changed(node)), set[str]()
    eager, lazy, maybe = {*_extended(node)}, set[str](), {*_dotted(node), *_extended_in_class(node)}
    table = symtable.symtable(source, "<cell>", "exec")
    for scope, at_once in _scopes(table):
        in_class = scope.get_type() == "class"
        for symbol in scope.get_symbols():
            if symbol.is_referenced() and is_module_s(symbol, scope):
                (eager if at_once else lazy).add(symbol.get_name())
            elif symbol.is_declared_global() or (in_class and symbol.is_referenced()):
                maybe.add(symbol.get_name())
            if in_class and at_once and symbol.is_declared_global() and symbol.is_assigned():
                from_class.add(symbol.get_name())
    for scope, soon in _scopes(table, lambdas=True):
        read = (s for s in scope.get_symbols() if soon and s.is_referenced() and is_module_s(s, scope))
        maybe |= {s.get_name() for s in read} & lazy
    binds = own_names | from_class
    # A block may read what it has bound itself, or bind it on one of its ways only.
    own = binds | {*_caught(node)} if isinstance(node, _BLOCKS) or _has_walrus(node) else frozenset(from_class)
    told = frozenset(mentioned(node, _reads)) - binds
    return Names(binds, changes - binds, frozenset(eager - own), frozenset(lazy), frozenset(maybe | own), told)


def _reads(statement: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    names = names_of(statement, ast.unparse(statement))
    return names.eager | ((names.lazy | names.maybe) - names.binds), names.binds


def is_module_s(symbol: symtable.Symbol, scope: symtable.SymbolTable) -> bool:
    """Whether it is a name of the module. ``is_global`` alone is true of locals, too, in a scope called ``top``."""
    is_outside = symbol.is_declared_global() or not symbol.is_local()
    return scope.get_type() == "module" or (is_outside and symbol.is_global() and not symbol.is_nonlocal())


def _scopes(
    scope: symtable.SymbolTable, at_once: bool = True, *, lambdas: bool = False
) -> Iterator[tuple[symtable.SymbolTable, bool]]:
    """Every scope, and whether its code runs together with the statement, or may, where ``lambdas`` count."""
    yield scope, at_once
    names = (*_AT_ONCE, "lambda") if lambdas else _AT_ONCE
    for child in scope.get_children():
        function = child.get_type() == "function" and child.get_name() not in names
        yield from _scopes(child, at_once and not function, lambdas=lambdas)


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is in it, without the inside of functions and classes."""
    yield node
    if not isinstance(node, (*_DEFINITIONS, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from _own_nodes(child)


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return
    nodes = [*_own_nodes(node)]
    loops = {name for inner in nodes if isinstance(inner, ast.comprehension) for name in ast.walk(inner.target)}
    for inner in nodes:
        match inner:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if inner not in loops:
                yield name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (alias.asname or alias.name.split(".")[0] for alias in aliases)
            case ast.MatchMapping(rest=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name


def _caught(node: ast.stmt) -> Iterator[str]:
    """``x`` of ``except E as x``, which is bound in that block alone."""
    yield from (inner.name for inner in _own_nodes(node) if isinstance(inner, ast.ExceptHandler) and inner.name)


def _changed(node: ast.stmt) -> Iterator[str]:
    for inner in _own_nodes(node):
        match inner:
            case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
                yield from root_of(inner)
            case ast.FunctionDef(decorator_list=decorators) | ast.ClassDef(decorator_list=decorators):
                # As functools.singledispatch has it: `x` is called for the function that it was told of.
                called = (d.func if isinstance(d, ast.Call) else d for d in decorators)
                yield from (
                    name for d in called if isinstance(d, ast.Attribute) and d.attr == "register" for name in root_of(d)
                )


def root_of(node: ast.expr) -> Iterator[str]:
    """``x`` of ``x.y[0].z``; nothing where it is no name."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _extended(node: ast.stmt) -> Iterator[str]:
    """``x`` of ``x += 1`` and ``del x``, which the compiler counts as bound only."""
    for inner in _own_nodes(node):
        match inner:
            case ast.AugAssign(target=ast.Name(id=name)) | ast.Name(id=name, ctx=ast.Del()):
                yield name


def _extended_in_class(node: ast.AST) -> Iterator[str]:
    """``x`` of ``x += 1`` in the body of a class: the class's own, or else what is around it."""
    for inner in _own_nodes(node):
        for statement in inner.body if isinstance(inner, ast.ClassDef) else ():
            yield from _extended(statement)
            yield from _extended_in_class(statement)


def _dotted(node: ast.stmt) -> Iterator[str]:
    """``x`` of ``import x`` and ``import x.y``: every such import adds to the same module."""
    for inner in _own_nodes(node):
        if isinstance(inner, ast.Import):
            yield from (a.name.split(".")[0] for a in inner.names if not a.asname)


def _has_walrus(node: ast.stmt) -> bool:
    return any(isinstance(inner, ast.NamedExpr) for inner in _own_nodes(node))
