"""An example for a skill that has no doctest: a call in the person's own cells, with what it needs of them."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator, Sequence
from itertools import islice

from ...errors import SkillError
from ...events import RanCell
from ...parsing import parse
from ..baked import baked_in
from ..checks import undefined
from ..slicing import Cells
from ..statements import Statement, statements_of
from .examples import Here

# Calls that are looked at, the newest first, and lines that an example may have.
TRIED, LONGEST = 5, 30
# What a call whose value nobody keeps is called meanwhile.
_VALUE = "__value__"


def use_of(here: Here, ran: Sequence[RanCell]) -> tuple[str, int]:
    """The newest call of the module's functions that stands alone, and the number of its cell; or "" and 0.

    It holds nothing of the person's data, and needs nothing but the module and what other cells made: whether it
    runs where her files are not has to be seen.
    """
    for before, call, count in islice(_calls(here, ran), TRIED):
        with contextlib.suppress(SkillError):
            text = _alone(here, before, call)
            if _may_leave(here, text):
                return "\n".join([*here.importing(_read(text)), text]), count
    return "", 0


def _calls(here: Here, ran: Sequence[RanCell]) -> Iterator[tuple[list[str], str, int]]:
    """Statements of hers that call one of the functions, the newest first: what ran before, the statement, its cell."""
    public = {name for name in here.defined() if not name.startswith(("_", "test_"))}
    cells = [(cell, [*_statements(cell.source)]) for cell in ran if cell.ok]
    for at in range(len(cells) - 1, -1, -1):
        cell, statements = cells[at]
        if cell.by_agent:
            continue
        earlier = [statement.source for _, before in cells[:at] for statement in before]
        for number in range(len(statements) - 1, -1, -1):
            source = statements[number].source
            if not statements[number].ipython and _is_call(source, public):
                yield [*earlier, *(statement.source for statement in statements[:number])], source, cell.count


def _statements(source: str) -> Iterator[Statement]:
    with contextlib.suppress(SkillError):
        yield from statements_of([source])


def _is_call(source: str, names: set[str]) -> bool:
    """Whether it is a value, or sets a name to one, that comes of such a call."""
    match parse(source).body:
        case [ast.Expr(value=value)] | [ast.Assign(targets=[ast.Name()], value=value)]:
            calls = [node.func for node in ast.walk(value) if isinstance(node, ast.Call)]
            return any(isinstance(called, ast.Name) and called.id in names for called in calls)
    return False


def _alone(here: Here, before: list[str], call: str) -> str:
    """The call with what it needs of what ran before, and its value last. Raises SkillError."""
    (node,) = parse(call).body
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    name = target.id if isinstance(target, ast.Name) else _VALUE
    cells = Cells([*before, call if target else f"{_VALUE} = (\n{call}\n)"], lenient=True)
    for given in here.names():
        # The module's own are there.
        cells.binders.pop(given, None)
    *needed, _ = [statement.source for statement in cells.in_order(cells.needed_for([name]))]
    return "\n".join([*needed, call, *([name] if target else [])])


def _may_leave(here: Here, text: str) -> bool:
    """Whether it is short, of nobody's own, and whole."""
    missing = {name for _, name in undefined(text)} - here.names()
    modules = [node for node in ast.walk(parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    itself = any(here.skill in ast.unparse(node).replace(",", " ").replace(".", " ").split() for node in modules)
    return not (missing or itself or text.count("\n") >= LONGEST or [*baked_in(text)])


def _read(text: str) -> set[str]:
    return {node.id for node in ast.walk(parse(text)) if isinstance(node, ast.Name)}
