"""What a function that plain statements become hands back: what its last line shows, or the name that changed last."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable

from ..parsing import parse
from .scopes import root_of

# Calls that are made to be seen or to end something, and hand nothing back.
_SHOWING = ("print", "display", "show", "close")
# Functions and methods that add to a plot, and hand back the piece that they have added.
_DRAWING = {
    *("title", "suptitle", "xlabel", "ylabel", "xlim", "ylim", "xticks", "yticks", "xscale", "yscale", "legend"),
    *("grid", "axhline", "axvline", "axhspan", "axvspan", "annotate", "tight_layout", "set_title", "set_xlabel"),
    *("set_ylabel", "set_zlabel", "set_xlim", "set_ylim", "set_xticks", "set_yticks", "set_xticklabels"),
    *("set_yticklabels", "set_xscale", "set_yscale", "set_aspect", "set_axis_off", "tick_params"),
}
# Methods that change what they are called of, and hand nothing back: of lists, sets, dicts and generators of numbers.
_IN_PLACE = {
    *("append", "extend", "insert", "sort", "reverse", "clear", "remove", "add", "discard", "update"),
    *("difference_update", "intersection_update", "symmetric_difference_update", "shuffle", "seed", "writelines"),
}
# Functions that put something into a file, and methods that do where they are told which.
_WRITING = {"dump", "savefig", "save", "savez", "savetxt", "to_csv", "to_excel", "to_feather", "to_hdf", "to_json"} | {
    *("to_latex", "to_markdown", "to_netcdf", "to_parquet", "to_pickle", "to_sql", "to_stata", "to_string", "to_xml")
}
_PLACES = {"path_or_buf", "path_or_buffer", "excel_writer", "path", "buf", "fname", "file", "fp", "name"}
# Of an expression, in what is told of it.
LONGEST = 60


def value_of(source: str, local: Container[str]) -> ast.expr | None:
    """The value that a statement shows in a notebook, if it is an expression that hands something back.

    local: names of values, which methods may change; ``np.append`` is none.
    """
    match parse(source).body:
        case [ast.Expr(value=ast.Call() as call)] if changed_by(call) in local or _writes(call):
            return None
        case [ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)))] if name in _SHOWING:
            return None
        case [ast.Expr()] if draws(source):
            return None
        # A text that stands alone is a comment, or code that somebody has put aside.
        case [ast.Expr(value=ast.Constant(value=value))] if not isinstance(value, int | float | complex):
            return None
        case [ast.Expr(value=value)]:
            return value
    return None


def draws(source: str) -> bool:
    """Whether a statement adds to a plot, so that its value is of no use."""
    match parse(source).body:
        case [ast.Expr(value=ast.Call(func=ast.Attribute(attr=name)))]:
            return name in _DRAWING
    return False


def changed_by(call: ast.Call) -> str:
    """The name of what a call changes in place and hands nothing back of, "" for none that is known to."""
    if not isinstance(call.func, ast.Attribute):
        return ""
    told_so = any(k.arg == "inplace" and isinstance(k.value, ast.Constant) and k.value.value for k in call.keywords)
    return next(root_of(call.func), "") if told_so or call.func.attr in _IN_PLACE else ""


def _writes(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in _WRITING and (bool(call.args) or any(k.arg in _PLACES for k in call.keywords))
    return False


def only_shows(value: ast.expr) -> bool:
    """Whether it names values and does nothing."""
    return all(isinstance(node, ast.Name | ast.Tuple | ast.Constant | ast.Load) for node in ast.walk(value))


def returned(source: str, handed: str = "") -> str:
    """The source of an expression as that of a ``return``, with its comments: of ``handed``, or of its value."""
    (node,) = parse(source).body
    lines = source.split("\n")
    first, last = node.lineno - 1, node.end_lineno or node.lineno
    rest = lines[last - 1].encode()[node.end_col_offset :].decode()
    lines[first:last] = [f"return {handed or ast.get_source_segment(source, node)}{rest}"]
    return "\n".join(lines)


def last_changed(sources: Iterable[str], local: set[str]) -> str:
    """The name, of ``local``, that the statements bind or change in place last; "" for none."""
    last = _Last(local)
    for source in sources:
        last.visit(parse(source))
    return next(reversed(last.names or last.targets), "")


def told(source: str, name: str) -> str:
    """What the module's function ``name`` hands back, in words."""
    for node in parse(source).body:
        match node:
            case ast.FunctionDef(body=[*_, ast.Return(value=ast.expr() as value)]) if node.name == name:
                text = ast.unparse(value)
                text = text.removeprefix("(").removesuffix(")") if isinstance(value, ast.Tuple) else text
                is_short = len(text) <= LONGEST and "`" not in text
                return f"{name} hands back " + (f"`{text}`" if is_short else "the value of its last line")
    return ""


class _Last(ast.NodeVisitor):
    """Goes through statements in the order in which they run.

    names: that were bound or changed in place, the last one last, without those that were deleted. targets: of loops,
    ``with`` and patterns, and functions of a block, which mean something where they stand.
    """

    def __init__(self, local: set[str]) -> None:
        self.names: dict[str, None] = {}
        self.targets: dict[str, None] = {}
        self._local = local
        self._held: frozenset[str] = frozenset()

    def _bind(self, name: str) -> None:
        self._forget(name)
        (self.targets if name in self._held else self.names)[name] = None

    def _change(self, node: ast.expr) -> None:
        for name in self._local.intersection(root_of(node)):
            found = self.targets if name in self._held else self.names
            found.pop(name, None)
            found[name] = None

    def _forget(self, name: str) -> None:
        self.names.pop(name, None)
        self.targets.pop(name, None)

    def _within(self, names: Iterable[str], *parts: Iterable[ast.AST]) -> None:
        """Visit what has ``names`` as its targets."""
        before, self._held = self._held, self._held.union(names)
        for node in (node for part in parts for node in part):
            self.visit(node)
        self._held = before

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._bind(node.id)
        elif isinstance(node.ctx, ast.Del):
            self._forget(node.id)

    def visit_Attribute(self, node: ast.Attribute | ast.Subscript) -> None:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            self._change(node)

    visit_Subscript = visit_Attribute  # noqa: N815  # ast's own names

    def visit_Expr(self, node: ast.Expr) -> None:
        """A method whose value nobody takes is called for what it does, as ``rows.append(row)``."""
        self.generic_visit(node)
        match node.value:
            case ast.Call(func=ast.Attribute(attr=name) as method) if name not in _SHOWING:
                self._change(method)

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) -> None:
        """The value comes first, and a mere annotation binds nothing."""
        if node.value is not None:
            self.visit(node.value)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self.visit(target)

    visit_AnnAssign = visit_AugAssign = visit_NamedExpr = visit_Assign  # noqa: N815

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._within(_stored(node.target), [node.target], node.body)
        self._within((), node.orelse)

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        names = [name for item in node.items if item.optional_vars for name in _stored(item.optional_vars)]
        self._within(names, node.items, node.body)

    visit_AsyncWith = visit_With  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """Its name is gone after it."""
        names = [node.name] if node.name else []
        self._within(names, node.body)
        for name in names:
            self._forget(name)

    def visit_match_case(self, node: ast.match_case) -> None:
        patterns = [*ast.walk(node.pattern)]
        names = [p.name for p in patterns if isinstance(p, ast.MatchAs | ast.MatchStar) and p.name]
        names += [p.rest for p in patterns if isinstance(p, ast.MatchMapping) and p.rest]
        for name in names:
            self._within([name], [ast.Name(name, ast.Store())])
        self._within((), [node.guard] if node.guard else [], node.body)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Its targets are its own."""
        self._within((), [node.iter], node.ifs)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self._within([node.name], [ast.Name(node.name, ast.Store())])

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass


def _stored(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
