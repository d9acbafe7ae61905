"""Cells to module: the definitions that the chosen names need, in order, from whichever cell has the last one."""

from __future__ import annotations

import builtins
import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence

from ..errors import SkillError, SkillFailed
from ..texts import unwarned
from .statements import UNFORCED, Statement, statements_of

# What is there in every cell, and is imported in a module.
GIVEN = {
    "display": "from IPython.display import display",
    "get_ipython": "from IPython import get_ipython",
    # What its shell lines, and %env, were put into.
    "subprocess": "import subprocess",
    "os": "import os",
    "SList": "from IPython.utils.text import SList",
}
Need = tuple[Statement, float]
Missing = tuple[int, str, str]
Labelled = Mapping[str, str]
"""Sources of cells by what each is called."""


def module_of(
    sources: Sequence[str],
    names: list[str] | None = None,
    others: Labelled = {},  # noqa: B006  # it is only read
    *,
    labels: Sequence[str] = (),
    lenient: bool = False,
) -> str:
    """The source of a module with ``names`` (default: every function and class) and what they need.

    Comments and formatting are kept. Calls that bind nothing, such as ``data.append(1)``, are left out. Raises
    SkillFailed where a name is defined in no cell, or a line is IPython's, which ``lenient`` lets pass, and SkillError
    where the cells define neither function nor class. others: cells that may define what is missing, which is told.
    labels: what the cells are called. One that can't be read is refused where something is needed that it may define.
    """
    cells = Cells(sources, labels, lenient=lenient, tolerant=bool(names))
    wanted = names or cells.defined
    if not wanted and cells.held:
        raise SkillError(
            "These cells define functions and classes inside of other statements only: name those to take, of "
            f"{', '.join(sorted(cells.held))}."
        )
    if not wanted:
        raise SkillError("These cells define no function and no class: there is nothing to import from them.")
    for name in wanted:
        if name not in cells.binders:
            known = ", ".join(sorted(cells.defined)) or "none"
            where = definer_of(others, name)
            there = f" It is in {where}." if where else ""
            raise SkillError(f"{name} is not defined in these cells; they define: {known}.{there}")
    kept = cells.needed_for(wanted)
    if not lenient and _missing(cells, others):
        raise SkillFailed(_told(sources, labels, wanted, others))
    return _checked(_written(cells, kept))


def _told(sources: Sequence[str], labels: Sequence[str], wanted: Sequence[str], others: Labelled) -> str:
    """What is missing, and which of the others define it; also what those need, so that one more try is enough."""
    cells, added, there = Cells(sources, labels, tolerant=True), dict[str, str](), dict[str, None]()
    # Where a cell is named, all of them are.
    labels = [*labels, *(f"cell {number}" for number in range(len(labels) + 1, len(sources) + 1))]
    while True:
        cells.needed_for([*wanted])
        missing = sorted(_missing(cells, others))
        needs = [(f"{what} needs {name}", definer_of(others, name)) for _, what, name in missing]
        more = {where: others[where] for _, where in needs if where and where not in added}
        if not more:
            break
        there |= {f"{need}, which {where} defines": None for need, where in needs if where}
        added |= more
        cells = Cells([*sources, *added.values()], [*labels, *added], tolerant=True)
    nowhere = dict.fromkeys(need for need, _ in needs)
    said = f"{'; '.join(there)}: name {'that cell' if len(added) == 1 else 'those cells'} too." if there else ""
    lost = f"{', '.join(nowhere)}, which none of these cells defines. Add the cell that does." if nowhere else ""
    return " ".join(filter(None, (said, lost)))


def _missing(cells: Cells, others: Labelled) -> set[Missing]:
    """What a doctest needs may be a global of its own, where no cell has it."""
    return cells.missing | {missing for missing in cells.mentioned if definer_of(others, missing[2])}


class Cells:
    """The statements of the cells. ``binders``: those that bind a name, in order.

    held: functions and classes that are defined inside of an ``if``, a ``try`` and the like. missing: names that were
    needed and that nothing binds, each behind the order of the statement that needs it, and what that binds. mentioned:
    the same of names that only its doctests and annotations need.
    """

    def __init__(
        self, sources: Sequence[str], labels: Sequence[str] = (), *, lenient: bool = False, tolerant: bool = False
    ) -> None:
        self.missing: set[Missing] = set()
        self.mentioned: set[Missing] = set()
        self.futures: list[Statement] = []
        self.binders: dict[str, list[Statement]] = {}
        self.given: set[str] = set()
        self.held: set[str] = set()
        self.statements = [*statements_of(sources, labels, lenient=lenient, tolerant=tolerant)]
        for statement in self.statements:
            if statement.is_future:
                self.futures.append(statement)
                continue
            self.held.update(statement.holds)
            for name in sorted(statement.names.binds | {*filter(self._is_value, statement.names.changes)}):
                self.binders.setdefault(name, []).append(statement)
        kept = {name: those for name, those in self.binders.items() if not those[-1].is_deletion}
        self.defined = [name for name, those in kept.items() if any(s.is_definition for s in those)]

    def _is_value(self, name: str) -> bool:
        """What is set in an imported module, such as an environment variable, is no part of it."""
        return not all(binder.is_import for binder in self.binders.get(name, []))

    def needed_for(self, names: list[str]) -> list[Statement]:
        """The statements that bind the names, and those that they need, in the order of the cells."""
        open_needs: list[Need] = [(self.binders[name][-1], math.inf) for name in names]
        seen: set[Need] = set()
        while open_needs or (open_needs := self._registered(seen)):
            statement, at = need = open_needs.pop()
            if need not in seen:
                seen.add(need)
                before = [*self.before(statement)]
                # What it was made of may be called when it is called.
                open_needs += [*before, *((made_of, at) for made_of, _ in before), *self._later(statement, at)]
        return sorted({statement for statement, _ in seen}, key=lambda statement: statement.order)

    def _registered(self, seen: set[Need]) -> list[Need]:
        """Subclasses that are not seen yet and of which a class keeps a record, as they are made: nobody names them."""
        there = {statement for statement, _ in seen}
        keepers = {name for statement in there if statement.keeps_subclasses for name in statement.names.binds}
        while more := {n for s in there if keepers.intersection(s.bases) for n in s.names.binds} - keepers:
            keepers |= more
        last = [those[-1] for those in self.binders.values()]
        return [(s, math.inf) for s in last if keepers.intersection(s.bases) and s not in there]

    def before(self, statement: Statement) -> Iterator[Need]:
        """What has to be there when the statement runs."""
        _check_readable(statement)
        for name in sorted(statement.names.eager | statement.names.maybe):
            others = [other for other in self.binders.get(name, []) if other is not statement]
            earlier = [other for other in others if other.order < statement.order]
            # A cell that was run again comes after those that use it.
            binders = earlier if name in statement.names.maybe else earlier or others
            yield from self._found(name, binders, statement, statement.order)

    def _later(self, statement: Statement, at: float) -> Iterator[Need]:
        """What has to be there when its functions are called: just before ``at``, and when all cells have run."""
        for name in sorted(statement.names.lazy | statement.names.maybe):
            for time in {at, math.inf}:
                yield from self._found(name, self.binders.get(name, []), statement, time)
        for name in sorted(statement.names.mentioned - statement.names.lazy - statement.names.eager):
            if name in self.binders or name in GIVEN:
                yield from self._found(name, self.binders.get(name, []), statement, math.inf)
            elif not hasattr(builtins, name):
                self.mentioned.add((statement.order, _bound(statement), name))

    def _found(self, name: str, binders: list[Statement], by: Statement, at: float) -> Iterator[Need]:
        earlier = [binder for binder in binders if binder.order < at]
        if not earlier and binders and binders[-1].is_deletion and hasattr(builtins, name):
            return  # Python's own was hidden for a while only.
        if binders:
            yield (earlier or binders)[-1], at
        elif name in GIVEN:
            self.given.add(GIVEN[name])
        elif not hasattr(builtins, name) and name not in by.names.maybe:
            stars = self.binders.get("*", [])
            yield from ((star, at) for star in stars)
            if not stars:
                self.missing.add((by.order, _bound(by), name))

    def in_order(self, kept: list[Statement]) -> Iterator[Statement]:
        """The statements, each after what it needs when it runs."""
        written: set[Statement] = set()

        def write(statement: Statement) -> Iterator[Statement]:
            if statement not in written:
                written.add(statement)
                for needed in self._called(statement):
                    yield from write(needed)
                yield statement

        for statement in kept:
            yield from write(statement)

    def _called(self, statement: Statement) -> list[Statement]:
        """What may be called when the statement runs, and what that needs."""
        found: dict[Statement, None] = {}
        todo = [*self.before(statement)]
        while todo:
            needed, at = todo.pop()
            if needed not in found and needed is not statement:
                found[needed] = None
                todo += [need for need in self._later(needed, at) if need[1] == at]
        return sorted(found, key=lambda needed: needed.order)


def definer_of(labelled: Labelled, name: str) -> str:
    """Which cell has the last definition of a name, or ""; ``labelled`` has sources by what a cell is called."""
    for label, source in reversed([*labelled.items()]):
        with contextlib.suppress(SkillError):
            if name in source and any(
                name in statement.names.binds for statement in statements_of([source], tolerant=True)
            ):
                return label
    return ""


def _bound(statement: Statement) -> str:
    return ", ".join(sorted(statement.names.binds | statement.names.changes))


def _check_readable(statement: Statement) -> None:
    if statement.unreadable:
        raise SkillError(statement.unreadable)
    if statement.ipython:
        what = f"{_bound(statement)} uses `{statement.ipython}` in {statement.cell}"
        raise SkillFailed(f"{what}: that is IPython's, and a module can hold Python only.")


def _written(cells: Cells, kept: list[Statement]) -> str:
    values = {name for statement in kept if not statement.is_import for name in statement.names.binds}
    imports = [s for s in kept if s.is_import and not s.names.binds & values]
    rest = [s.source for s in cells.in_order(kept) if s not in imports]
    head = [*(s.source for s in [*cells.futures, *imports]), *sorted(cells.given)]
    return "\n\n\n".join(part for part in ("\n".join(dict.fromkeys(head)), *rest) if part) + "\n"


@unwarned()
def _checked(module: str) -> str:
    """Raises SkillError for what a cell may hold and a module may not, such as an await outside of functions."""
    try:
        compile(module, "<module>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SkillError(f"These cells make no module: {error}. {UNFORCED}") from None
    return module
