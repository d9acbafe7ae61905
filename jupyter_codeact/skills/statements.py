"""The top-level statements of cells, with their sources as they were written."""

from __future__ import annotations

import ast
import keyword
import re
import symtable
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..errors import SkillError
from ..parsing import parse
from ..texts import unwarned
from .ipython import as_ipython, is_other_language, lists_of_lines, python_of
from .scopes import Names, names_of, root_of

_DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
UNFORCED = "`--force` does not help: what does not parse can't be imported."
_IPYTHON = re.compile(r"(\s*)([%!?].*|[^#]*\?+\s*|(?P<target>.+?)=\s*[%!].*)$")
# A magic that was called without its `%`, as IPython lets one be that is a cell of its own.
_AUTOMAGIC = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)(?: +[^=\s].*)?\s*")
# What a cell that can't be read seems to bind.
_SEEMS_BOUND = re.compile(
    r"^(?:(?:async\s+)?def|class)\s+(\w+)|^(\w[\w, ]*?)\s*(?::[^=\n]+)?=(?!=)|^(?:from\s.+?\s)?import\s+([^#\n]+)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Statement:
    """One top-level statement. ``ipython``: its first line of IPython syntax that can't be put into Python.

    above, below: the blank lines and comments around it that are no part of ``source``. holds: the functions and
    classes that an ``if``, a ``try`` and the like define. unreadable: why its cell can't be read, whose one it is then.
    cell: what that is called. silent: a semicolon stands behind it, so that its value is not shown.
    bases: names that a class is made of. keeps_subclasses: it is told of classes that are made of it.
    """

    order: int
    source: str
    names: Names
    is_import: bool
    is_future: bool
    is_definition: bool
    is_deletion: bool = False
    ipython: str = ""
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    unreadable: str = ""
    cell: str = ""
    silent: bool = False
    bases: tuple[str, ...] = ()
    keeps_subclasses: bool = False


def statements_of(
    sources: Sequence[str], labels: Sequence[str] = (), *, lenient: bool = False, tolerant: bool = False
) -> Iterator[Statement]:
    """The statements, in order. Raises SkillError for a cell that can't be read.

    labels: what the first of the cells are called, if not by their places. lenient: what of IPython has no Python of
    its own becomes a call of IPython. tolerant: a cell that can't be read is a statement that binds what it seems to.
    """
    order, lists = 0, lists_of_lines(sources)
    for number, source in enumerate(sources, start=1):
        if is_other_language(source):
            continue
        label = labels[number - 1] if number <= len(labels) else f"cell {number}"
        try:
            cell = _Cell(source, lists, lenient=lenient)
            for node in cell.tree.body:
                order += 1
                yield cell.statement(order, node, label)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line, text = getattr(error, "lineno", None) or 1, getattr(error, "msg", None) or str(error) or "too deep"
            why = f"{label[0].upper()}{label[1:]} can't be read as Python, line {line}: {text}. {UNFORCED}"
            if not tolerant:
                raise SkillError(why) from None
            order += 1
            names = Names(frozenset(_seem_bound(source)), *[frozenset[str]()] * 4)
            yield Statement(order, source, names, False, False, False, unreadable=why, cell=label)


def replaced(cells: Mapping[str, str], new: Callable[[ast.stmt], str | None]) -> dict[str, str]:
    """The cells with another text for some statements, on the same lines; None of ``new`` leaves one as it is.

    A cell that can't be read stays as it is.
    """
    lists = lists_of_lines([*cells.values()])
    found = dict(cells)
    for label, source in cells.items():
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            if not is_other_language(source):
                found[label] = _Cell(source, lists, lenient=False).replaced(new, source)
    return found


def _seem_bound(source: str) -> Iterator[str]:
    for defined, targets, imported in _SEEMS_BOUND.findall(source):
        # `a.b as c` binds the last of its words, `a.b` its first.
        parts = (defined or targets or imported.strip("() ")).split(",")
        yield from (part.split()[-1].split(".")[0] for part in parts if part.strip())


class _Cell:
    """One cell. Its lines of IPython syntax are put into Python; where that can't be, they only bind their names."""

    def __init__(self, source: str, lists: frozenset[str], *, lenient: bool) -> None:
        self._lists, self._lenient = lists, lenient
        # As Python reads line ends; str.splitlines knows more of them.
        self.lines = re.split(r"\r\n|\r|\n", source)
        self.plain = list(self.lines)
        self._numbers = [*range(1, len(self.lines) + 1)]
        self.tree = self._parsed()

    @unwarned()
    def _parsed(self) -> ast.Module:
        while True:
            try:
                tree = parse("\n".join(self.plain))
                # What is wrong with scopes is said of the whole cell, so that its line is the cell's.
                symtable.symtable("\n".join(self.plain), "<cell>", "exec")
            except SyntaxError as error:
                at = (error.lineno or 1) - 1
                if not (at < len(self.plain) and self._put_into_python(at)):
                    error.lineno = self._numbers[at] if at < len(self._numbers) else error.lineno
                    raise
            else:
                return tree

    def _put_into_python(self, at: int) -> bool:
        """Whether the line that can't be read is IPython's, and is none any more."""
        found = _IPYTHON.match(self.plain[at])
        if found and (found["target"] is None or _is_set(found["target"])):
            self._join(at)
            indent, line = found[1], self.plain[at][len(found[1]) :]
        elif self._is_automagic():
            indent, line = "", f"%{self.plain[at].strip()}"
        else:
            return False
        python = python_of(line, self._lists) or (as_ipython(line) if self._lenient else None)
        self.plain[at] = indent + (python or _bound(line))
        if python:
            self.lines[at] = self.plain[at]
        return True

    def _join(self, at: int) -> None:
        """A line that ends with a backslash goes on, as IPython has it."""
        from IPython.core.inputtransformer2 import assemble_continued_line, find_end_of_continued_line

        lines = [f"{line}\n" for line in self.plain]
        end = min(find_end_of_continued_line(lines, at), len(lines) - 1)
        if end > at:
            self.plain[at] = self.lines[at] = assemble_continued_line(lines, (at, 0), end)
            del self.plain[at + 1 : end + 1], self.lines[at + 1 : end + 1], self._numbers[at + 1 : end + 1]

    def _is_automagic(self) -> bool:
        written = [line for line in self.plain if line.strip()]
        found = _AUTOMAGIC.fullmatch(written[0]) if len(written) == 1 else None
        return found is not None and not keyword.iskeyword(found["name"])

    def replaced(self, new: Callable[[ast.stmt], str | None], source: str) -> str:
        """Its source with other texts for some of its statements; as it was where all of them stay."""
        texts = [(node, text) for node in self.tree.body if (text := new(node)) is not None]
        for node, text in reversed(texts):
            first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            before = self.lines[first].encode()[: node.col_offset].decode()
            after = self.lines[last].encode()[node.end_col_offset :].decode()
            # Beside a semicolon there has to be something.
            stands = text or ("pass" if before.strip() or after.lstrip().startswith(";") else "")
            self.lines[first : last + 1] = [f"{before}{stands}{after}".rstrip(), *[""] * (last - first)]
        return "\n".join(self.lines) if texts else source

    def statement(self, order: int, node: ast.stmt, label: str) -> Statement:
        body = self.tree.body
        at = body.index(node)
        before = _last_line(body[at - 1], self.lines) if at else 0
        first, last = _first_line(node, self.lines, before), _last_line(node, self.lines)
        is_last = at == len(body) - 1
        rest = _rest(self.plain, node)
        changed = [self.lines[i].strip() for i in range(first - 1, last) if self.lines[i] != self.plain[i]]
        return Statement(
            order,
            "\n".join([_source(self.lines, node, first, rest), *self.lines[node.end_lineno : last]]),
            names_of(node, _source(self.plain, node, first, rest)),
            isinstance(node, ast.Import | ast.ImportFrom),
            isinstance(node, ast.ImportFrom) and node.module == "__future__",
            isinstance(node, _DEFINITION),
            isinstance(node, ast.Delete),
            changed[0] if changed else "",
            tuple(self.lines[before : first - 1]),
            tuple(self.lines[last:]) if is_last else (),
            () if isinstance(node, _DEFINITION) else tuple(_held(node)),
            cell=label,
            silent=rest.lstrip().startswith(";"),
            bases=tuple(name for base in getattr(node, "bases", ()) for name in root_of(base)),
            keeps_subclasses=isinstance(node, ast.ClassDef) and "__init_subclass__" in _held(node),
        )


def _is_set(target: str) -> bool:
    """Whether something can be assigned to it."""
    try:
        (node,) = parse(f"{target.strip()} = None").body
    except (SyntaxError, ValueError):
        return False
    return isinstance(node, ast.Assign | ast.AnnAssign)


def _bound(line: str) -> str:
    """``x, y = %sx ls`` as Python that binds the same names."""
    target, equals, _ = line.partition("=")
    python = f"{target}= None" if equals and not line.startswith(("%", "!", "?")) else "pass"
    try:
        parse(python)
    except SyntaxError:
        return "pass"
    return python


def _held(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _DEFINITION):
            yield child.name
        elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _held(child)


def _first_line(node: ast.stmt, lines: list[str], before: int) -> int:
    """With decorators and the comment block right above, and those further up, but for imports, which are gathered.

    before: the last line of the statement before, which a comment right below it belongs to.
    """
    first: int = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    if isinstance(node, ast.Import | ast.ImportFrom):
        return first
    start = before
    while before and start < first - 1 and lines[start].strip():
        start += 1
    above = [number for number in range(start + 1, first) if lines[number - 1].startswith("#")]
    return min([first, *above])


def _last_line(node: ast.stmt, lines: list[str]) -> int:
    """With the comments that stand as deep as its body."""
    last = end = node.end_lineno or node.lineno
    while hasattr(node, "body") and end < len(lines) and (not (line := lines[end]).strip() or line[0] in " \t"):
        end += 1
        if line.strip():
            last = end
    return last


def _source(lines: list[str], node: ast.stmt, first: int, rest: str) -> str:
    """The statement's lines from ``first`` on, without ``rest``: the others that a semicolon puts on the last."""
    if node.col_offset:
        first = node.lineno
    own = lines[first - 1 : node.end_lineno]
    own[-1] = own[-1] if rest.lstrip().startswith("#") else own[-1].removesuffix(rest)
    own[0] = own[0].encode()[node.col_offset :].decode()
    return "\n".join(own)


def _rest(lines: list[str], node: ast.stmt) -> str:
    """What stands behind the statement on its last line."""
    return lines[(node.end_lineno or node.lineno) - 1].encode()[node.end_col_offset :].decode()
