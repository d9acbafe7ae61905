"""What happened to a module's values in cells, and does not happen in the module: it is told, and not mended."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from ..parsing import parse
from .handed import changed_by
from .scopes import root_of
from .slicing import Cells, Labelled
from .statements import Statement, statements_of

_WORD = re.compile(r"\w+")
_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def left_out(cells: Labelled, others: Labelled, names: Sequence[str]) -> list[str]:
    """A line for each change in place of a value that ``names`` of the cells use (default: all that they define).

    others: the cells beside them, which may have changed it, too. The names must be there. What was added is not shown:
    it may be hers.
    """
    pool = Cells([*cells.values()], [*cells], lenient=True, tolerant=True)
    kept = pool.needed_for([*names] or pool.defined)
    since = dict[str, int]()
    for statement in kept:
        if not (statement.is_import or statement.is_definition):
            since |= {name: statement.order for name in statement.names.binds if name not in since}
    changers = {name: changed for s in pool.statements for name, changed in _changers(s, {*since})}
    # A notebook may have thousands of cells: those that say nothing of it are not read.
    said = {where: text for where, text in others.items() if {*_WORD.findall(text)} & (since.keys() | changers.keys())}
    beside = [*statements_of([*said.values()], [*said], lenient=True, tolerant=True)]
    # What another cell makes anew is another value.
    shared = since.keys() - {name for statement in beside for name in statement.names.binds}
    found = dict[str, None]()
    for statements, values, is_after in ((pool.statements, {*since}, True), (beside, shared, False)):
        for statement in statements:
            if statement not in kept and not statement.unreadable:
                for name, how in _changes(statement, changers):
                    if name in values and not (is_after and statement.order < since[name]):
                        found[f"{how} in {statement.cell} is left out: what it does to {name} is no part of it"] = None
    return [*found]


def _changers(statement: Statement, values: set[str]) -> Iterator[tuple[str, set[str]]]:
    """Functions that change values of the module when they are called."""
    for node in parse(statement.source).body if statement.is_definition else ():
        if isinstance(node, _FUNCTION):
            changed = {name for inner in ast.walk(node) for name in _changed(inner)}
            if changed := changed & statement.names.lazy & values:
                yield node.name, changed


def _changed(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Expr(value=ast.Call() as call):
            yield changed_by(call)
        case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
            yield from root_of(node)


def _changes(statement: Statement, changers: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Names, and how the statement changes what they name."""
    for node in _run(parse(statement.source)):
        match node:
            case ast.Expr(value=ast.Call(func=called) as call) if name := changed_by(call):
                yield name, f"`{ast.unparse(called)}(…)`"
            case ast.Call(func=ast.Name(id=function)):
                yield from ((name, f"`{function}(…)`") for name in sorted(changers.get(function, ())))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                for given in node.decorator_list:
                    decorator = given.func if isinstance(given, ast.Call) else given
                    if isinstance(decorator, ast.Name):
                        names = sorted(changers.get(decorator.id, ()))
                        yield from ((name, f"`@{decorator.id}` of {node.name}") for name in names)


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """What runs with the statement: not the insides of functions."""
    yield node
    if not isinstance(node, _FUNCTION | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _run(child)
