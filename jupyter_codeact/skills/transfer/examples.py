"""A module's doctests, or help on it, and its tests as cells of a notebook.

The notebook has either the module's names or imports them.
"""

from __future__ import annotations

import ast
import doctest
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeGuard

from ...parsing import parse
from ..scopes import names_of

# Functions on which a notebook has help where it has no example.
MOST_HELP = 4


class Here(NamedTuple):
    """A module on its way into a notebook.

    path: of a package's module, such as ``pkg/api``; "" where the notebook itself has its names. skill: the whole's.
    """

    tree: ast.Module
    path: str
    skill: str

    def names(self) -> set[str]:
        """All that it binds."""
        return {name for node in self.tree.body for name in names_of(node, ast.unparse(node)).binds}

    def defined(self) -> list[str]:
        """Its functions and classes."""
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        return [node.name for node in self.tree.body if isinstance(node, kinds)]

    def importing(self, wanted: set[str]) -> list[str]:
        """The line that brings those of its names into the notebook, unless they are there."""
        found = sorted(wanted & self.names())
        return [f"from {self.path.replace('/', '.')} import {', '.join(found)}"] if self.path and found else []


def examples_of(here: Here) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The doctests, each a cell up to an output, with what it promises. Those that raise or are skipped are left."""
    for node in ast.walk(here.tree):
        if not isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        examples = [e for e in _read(ast.get_docstring(node) or "") if _can_stand(e)]
        before = here.importing(_used(example.source for example in examples))
        for example in examples:
            before += _in_notebook(here, example.source.rstrip("\n"))
            if example.want:
                yield "\n".join(before), [_output(before[-1], example.want)]
                before = []
        if before:
            yield "\n".join(before), []


def help_of(here: Here) -> str:
    """What is known of the module without calling anything of it: help on its functions, or the value of a name."""
    public = [name for name in here.defined() if not name.startswith(("_", "test_"))][:MOST_HELP]
    values = sorted(name for name in here.names() if not name.startswith("_"))[:1]
    lines = [f"help({name})" for name in public] or values
    return "\n".join([*here.importing({*public} or {*values}), *lines])


def tests_of(here: Here) -> str:
    """Calls of the tests that need no fixtures; "" where there are none."""
    found = [node for node in here.tree.body if is_test(node) and not _needs(node.args)]
    calls = [f"{'await ' if isinstance(test, ast.AsyncFunctionDef) else ''}{test.name}()" for test in found]
    return "\n".join([*here.importing({test.name for test in found}), *calls])


def is_test(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _read(doc: str) -> list[doctest.Example]:
    try:
        return doctest.DocTestParser().get_examples(doc)
    except ValueError:
        return []


def _can_stand(example: doctest.Example) -> bool:
    try:
        parse(example.source)
    except (SyntaxError, ValueError):
        return False
    return example.exc_msg is None and doctest.SKIP not in example.options


def _used(sources: Iterator[str]) -> set[str]:
    """Names that are read, but for those that an example imports itself."""
    nodes = [node for source in sources for node in ast.walk(parse(source))]
    own = {a.asname or a.name for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for a in node.names}
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)} - own


def _in_notebook(here: Here, source: str) -> list[str]:
    """An example that imports its own module finds it in the notebook itself."""
    if here.path:
        return [source]
    if source.startswith(f"from {here.skill} import "):
        return []
    own = f"import {here.skill}"
    return ["import sys", f"{here.skill} = sys.modules[__name__]"] if source == own else [source]


def _output(source: str, want: str) -> dict[str, Any]:
    """What the doctest says: the value of an expression, or what was printed."""
    last = parse(source).body[-1:]
    call = last[0].value if last and isinstance(last[0], ast.Expr) else None
    printed = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"
    if call is None or printed:
        return {"output_type": "stream", "name": "stdout", "text": want}
    data = {"text/plain": want.rstrip("\n")}
    return {"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data}


def _needs(given: ast.arguments) -> bool:
    required = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    return bool(required) or None in given.kw_defaults
