"""Which names a row of statements reads before it has bound them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from ..parsing import parse
from .scopes import names_of


class Flow:
    """Goes through statements in order. ``free``: read while nothing had bound them, in the order of their use.

    A name that one way through a block binds counts as bound after it. Names that a function of the statements reads
    when it is called count where its name is used; those that are bound at any time are not free for it.
    """

    def __init__(self, ever: Iterable[str]) -> None:
        self.free: dict[str, None] = {}
        self._ever = frozenset(ever)
        self._late: dict[str, frozenset[str]] = {}

    def through(self, statements: Iterable[ast.stmt], bound: set[str]) -> set[str]:
        """What is bound after them."""
        for statement in statements:
            bound = self._one(statement, bound)
        return bound

    def _one(self, node: ast.stmt, bound: set[str]) -> set[str]:
        match node:
            case ast.If(test=test) | ast.While(test=test):
                before = self._simple(ast.Expr(test), bound)
                after = self.through(node.body, before)
                return after | self.through(node.orelse, before if isinstance(node, ast.If) else after)
            case ast.For(target=target, iter=values):
                each = self._simple(ast.Assign([target], values), bound)
                return self.through(node.orelse, self.through(node.body, each))
            case ast.With(items=items):
                for item in items:
                    variable, value = item.optional_vars, item.context_expr
                    bound = self._simple(ast.Assign([variable], value) if variable else ast.Expr(value), bound)
                return self.through(node.body, bound)
            case ast.Match():
                return self._match(node, bound)
            case ast.Try() | ast.TryStar():
                return self._try(node, bound)
        return self._simple(node, bound)

    def _match(self, node: ast.Match, bound: set[str]) -> set[str]:
        after = before = self._simple(ast.Expr(node.subject), bound)
        for case in node.cases:
            alone = ast.match_case(case.pattern, case.guard, [ast.Pass()])
            each = self._simple(ast.Match(ast.Constant(None), [alone]), before)
            after = after | self.through(case.body, each)
        return after

    def _try(self, node: ast.Try | ast.TryStar, bound: set[str]) -> set[str]:
        after = self.through(node.orelse, self.through(node.body, bound))
        for handler in node.handlers:
            before = self._simple(ast.Expr(handler.type), bound) if handler.type else bound
            after = after | self.through(handler.body, before | {handler.name} if handler.name else before)
        return self.through(node.finalbody, after)

    def _simple(self, node: ast.stmt, bound: set[str]) -> set[str]:
        source = ast.unparse(ast.fix_missing_locations(node))
        names = names_of(parse(source).body[0], source)
        called = {late for name in names.eager for late in self._late.get(name, ())}
        # A lambda may be called where it stands; a function is called by its name.
        is_called_later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.decorator_list
        later = names.lazy - self._ever if is_called_later else names.lazy
        reads = (names.eager | names.changes | called | later) - bound
        self.free |= dict.fromkeys(sorted(reads, key=_position(node)))
        late = names.lazy | {name for other in names.lazy for name in self._late.get(other, ())}
        self._late |= dict.fromkeys(names.binds, late)
        return bound | names.binds


def _position(node: ast.stmt) -> Callable[[str], tuple[tuple[int, int], str]]:
    places: dict[str, tuple[int, int]] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            places.setdefault(inner.id, (inner.lineno, inner.col_offset))
            places[inner.id] = min(places[inner.id], (inner.lineno, inner.col_offset))
    return lambda name: (places.get(name, (0, 0)), name)
