"""Plain statements to function: ``--wrap "fit(x, y, n_restarts=10) -> model"``.

Imports, functions and classes of the cells stay outside, unless they need what is local to the function now.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import SkillError
from ..parsing import parse
from .flow import Flow
from .handed import draws, last_changed, only_shows, returned, told, value_of
from .slicing import GIVEN, Cells, Labelled, module_of
from .statements import Statement, statements_of

SHAPE = 'write it as in --wrap "fit(x, y, n_restarts=10) -> model"'
_INDENT = "    "


@dataclass(frozen=True)
class Signature:
    """name(parameters) -> returns. parameters: None where they are to be found; written: with their defaults."""

    name: str
    parameters: tuple[str, ...] | None = None
    written: str = ""
    returns: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Signature:
        """Raises SkillError for what is none."""
        head, _, tail = text.partition("->")
        returns = tuple(name.strip() for name in tail.strip().strip("()").split(",") if name.strip())
        name = head.strip()
        try:
            (node,) = parse(f"def {name if '(' in name else name + '()'}: pass").body
        except (SyntaxError, ValueError):
            raise SkillError(f"{text!r} is no signature: {SHAPE}.") from None
        if not isinstance(node, ast.FunctionDef) or not all(map(str.isidentifier, returns)):
            raise SkillError(f"{text!r} is no signature: {SHAPE}.")
        if "(" not in name:
            return cls(node.name, None, "", returns)
        return cls(node.name, _names(node.args), ast.unparse(node.args), returns)


def wrapped(
    chosen: Labelled, others: Labelled, signature: str, names: Sequence[str] = (), *, lenient: bool = False
) -> str:
    """The source of a module with the chosen cells' plain statements as a function, with ``names``, and what they need.

    ``others`` are other cells, which imports, functions and classes come from. Raises SkillError.
    """
    wish = Signature.read(signature)
    statements = [*statements_of([*chosen.values()], [*chosen], lenient=lenient)]
    body = _Body(statements, wish.parameters or ())
    while True:
        outside = [s for s in statements if s.order in body.outside]
        sources = [*others.values(), *(s.source for s in outside)]
        labels = [*others, *(s.cell for s in outside)]
        pool = Cells(sources, labels, tolerant=True)
        parameters = _parameters(body, wish, pool)
        if {*parameters} == body.parameters:
            break
        # A function that reads one of them belongs inside.
        body = _Body(statements, parameters)
    written = wish.written if wish.parameters is not None else ", ".join(parameters)
    function = f"def {wish.name}({written}):\n{body.text(wish.returns)}"
    return module_of([*sources, function], [wish.name, *names], labels=labels, lenient=lenient)


def handed_back(source: str, signature: str) -> str:
    """What the function of that ``signature`` hands back in a module, in words; "" without one."""
    return told(source, Signature.read(signature).name) if signature else ""


def _parameters(body: _Body, wish: Signature, pool: Cells) -> tuple[str, ...]:
    """Raises SkillError for what is free and neither named nor to be imported, and for what is named in vain."""
    free = [name for name in body.free() if not _is_outside(name, pool)]
    if wish.parameters is None:
        needed = {name for s in body.apart for name in s.names.lazy | s.names.eager if name not in pool.binders}
        return tuple(dict.fromkeys([*free, *sorted(n for n in needed if not _is_outside(n, pool)), *body.parameters]))
    if unnamed := [name for name in free if name not in wish.parameters]:
        raise SkillError(
            f"{wish.name} needs {', '.join(unnamed)}: name {'it' if len(unnamed) == 1 else 'them'} in the signature."
        )
    if idle := [name for name in wish.parameters if name not in body.named]:
        raise SkillError(f"{', '.join(idle)}: these cells use nothing of that name. They use {body.told()}.")
    return wish.parameters


def _is_outside(name: str, pool: Cells) -> bool:
    """Whether its last definition is an import, a function or a class."""
    binders = pool.binders.get(name, [])
    if binders:
        return binders[-1].is_import or binders[-1].is_definition
    return hasattr(builtins, name) or name in GIVEN or "*" in pool.binders


class _Body:
    """What goes into the function: ``inside``, in order. ``apart``: what doesn't, by number in ``outside``.

    named: what it uses.
    """

    def __init__(self, cells: list[Statement], parameters: tuple[str, ...]) -> None:
        statements = [s for s in cells if not (s.is_future or _does_nothing(s))]
        self.parameters = {*parameters}
        self.statements = [s for s in statements if not self._sets(s, parameters, statements)]
        local = {*parameters, *_rebound(self.statements)}
        inside = [s for s in self.statements if not (s.is_import or s.is_definition)]
        while True:
            local |= {name for s in inside for name in s.names.binds | s.names.changes & self._bound(inside)}
            more = [s for s in self.statements if s not in inside and _touches(s, local)]
            if not more:
                break
            inside += more
        self.inside = sorted(inside, key=lambda s: s.order)
        self.apart = [s for s in self.statements if s not in inside]
        self.outside = {s.order for s in [*self.apart, *cells] if s.is_future or s in self.apart}
        for statement in self.inside:
            _may_be_inside(statement, local)
        self.named = {n for s in statements for n in s.names.binds}
        self.named |= {n for s in self.inside for n in s.names.changes | s.names.eager | s.names.lazy | s.names.maybe}

    def _sets(self, statement: Statement, parameters: tuple[str, ...], statements: list[Statement]) -> bool:
        """Whether it only gives a parameter the value that the caller gives it now."""
        for name in statement.names.binds & {*parameters}:
            own = statement.names
            before = [s for s in statements if s.order < statement.order]
            names = [n for s in before for n in (s.names.binds | s.names.eager | s.names.maybe | s.names.lazy)]
            if name in names or name in own.eager | own.maybe | own.lazy:
                continue  # its first value came from outside
            match parse(statement.source).body:
                case [ast.Assign(targets=[ast.Name()])] | [ast.AnnAssign(target=ast.Name())]:
                    return True
            line = statement.source.strip().splitlines()[-1]
            sets = f"`{line}` in {statement.cell} sets it"
            raise SkillError(f"{name} can't be a parameter: {sets}. Give it its value in a line of its own.")
        return False

    @staticmethod
    def _bound(statements: list[Statement]) -> set[str]:
        return {name for s in statements for name in s.names.binds}

    def free(self) -> list[str]:
        """Names that are read before they have a value, in the order of their use."""
        flow = Flow(ever := self._bound(self.inside))
        flow.through((node for s in self.inside for node in parse(s.source).body), set())
        return [name for name in flow.free if not hasattr(builtins, name) or name in ever]

    def text(self, returns: tuple[str, ...]) -> str:
        """The function's lines after its head. Raises SkillError where nothing can be handed back."""
        if not self.inside:
            raise SkillError("These cells have no plain statement: there is nothing to wrap.")
        if unknown := [name for name in returns if name not in self.named]:
            raise SkillError(f"{', '.join(unknown)}: these cells bind nothing of that name. They use {self.told()}.")
        sources, handed = [s.source for s in self.inside], ", ".join(returns)
        shown = value_of(sources[-1], self._bound(self.inside) | self.parameters)
        # As in a notebook, a semicolon says that the value is not wanted.
        may_be_none = self.inside[-1].silent or draws(sources[-1])
        if shown and self.inside[-1].silent:
            handed = handed or self._last(may_be_none)
            shown = shown if handed and only_shows(shown) else None
        if shown and (not handed or only_shows(shown)):
            sources[-1], end = returned(sources[-1], handed), ""
        else:
            value = handed or self._last(may_be_none)
            end = f"\n{_INDENT}return {value}" if value else ""
        parts = list[str]()
        for statement, source in zip(self.inside, sources, strict=True):
            parts += [*map(_comment, statement.above), _indented(source), *map(_comment, statement.below)]
        return "\n".join(parts).strip("\n") + end

    def _last(self, may_be_none: bool) -> str:
        """Raises SkillError where no name is bound or changed, unless there may be none."""
        plain = [s.source for s in self.inside if not (s.is_import or s.is_definition)]
        name = last_changed(plain, self._bound(self.inside) | (set() if may_be_none else self.parameters))
        if not name and not may_be_none:
            raise SkillError(f"These cells bind nothing that could be handed back: {SHAPE}.")
        return name

    def told(self) -> str:
        return ", ".join(sorted(name for name in self.named if not hasattr(builtins, name))) or "none"


def _rebound(statements: list[Statement]) -> set[str]:
    """Names that are defined or imported as one thing and then as another: which one is meant depends on the place."""
    meanings: dict[str, set[str]] = {}
    for statement in statements:
        source = ast.dump(parse(statement.source)) if statement.is_import else statement.source
        for name in statement.names.binds:
            # `import a.b` and `import a.c` both bind `a`, which is the same module.
            meanings.setdefault(name, set()).add("" if name in statement.names.maybe else source)
    return {name for name, found in meanings.items() if len(found) > 1}


def _does_nothing(statement: Statement) -> bool:
    """As what stands for `%matplotlib inline`."""
    return isinstance(parse(statement.source).body[0], ast.Pass) if not statement.ipython else False


def _touches(statement: Statement, local: set[str]) -> bool:
    names = statement.names
    return bool((names.binds | names.changes | names.eager | names.lazy | names.maybe) & local)


def _may_be_inside(statement: Statement, local: set[str]) -> None:
    """Raises SkillError for what means something else in a function."""
    where = f"in {statement.cell}"
    if statement.ipython:
        raise SkillError(f"`{statement.ipython}` {where} is IPython's, and a function can hold Python only.")
    for node in ast.walk(parse(statement.source)):
        if isinstance(node, ast.Global):
            raise SkillError(f"`global {', '.join(node.names)}` {where} would not mean the function's own variable.")
        if isinstance(node, ast.ClassDef) and (name := _shadowed(node, local)):
            raise SkillError(
                f"The body of class {node.name} {where} reads {name} before it sets its own: in a function it "
                "would not find the one outside. Give one of them another name."
            )
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            raise SkillError(f"`from {node.module} import *` {where} can't stand in a function: name what is imported.")


def _shadowed(node: ast.ClassDef, local: set[str]) -> str:
    """A name that the body of a class both takes from around it and binds: from a function it can't take it."""
    flow = Flow(local)
    bound = flow.through(node.body, set())
    return next((name for name in flow.free if name in bound and name in local), "")


def _comment(line: str) -> str:
    return _INDENT + line.strip() if line.strip() else ""


def _indented(source: str) -> str:
    """With every line moved in, but for those that a text of several lines holds."""
    kept: set[int] = set()
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno and node.end_lineno > node.lineno:
            kept.update(range(node.lineno + 1, node.end_lineno + 1))
    lines = enumerate(source.split("\n"), start=1)
    return "\n".join(line if at in kept or not line.strip() else _INDENT + line for at, line in lines)


def _names(arguments: ast.arguments) -> tuple[str, ...]:
    rest = [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    return tuple(a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest])
