"""A module as a notebook that runs under any Python kernel: its doc, its code, its doctests as cells, its tests."""

from __future__ import annotations

import ast
import doctest
import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from .bundle import Bundle, written_past

# What our notebooks and cells say of themselves, in their metadata.
KEY = "jupyter_codeact"
Cell = dict[str, Any]


def notebook_of(bundle: Bundle, source: str) -> str:
    """The notebook's JSON. The cells that hold the module make it up again, byte for byte."""
    tree = ast.parse(source.encode())
    doc = ast.get_docstring(tree) or ""
    cells = [
        _cell("markdown", f"# {bundle.name}\n\n{doc}".strip()),
        *(_code(text, {"part": kind, "end": text[len(text.rstrip()) :]}) for kind, text in _parts(source, tree)),
        *_examples(bundle.name, tree),
        *_calls(tree),
    ]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        KEY: {"skill": bundle.name, "history": written_past(bundle.past)},
    }
    numbered = [{"id": f"{bundle.name[:40]}-{n}", **cell} for n, cell in enumerate(cells)]
    return json.dumps({"cells": numbered, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def module_in(notebook: dict[str, Any]) -> tuple[str, str, str] | None:
    """Name, source and notes of a notebook that ``notebook_of`` has made; None for any other."""
    about = _about(notebook)
    parts = [(cell, _about(cell)) for cell in cells_of(notebook) if "part" in _about(cell)]
    if not isinstance(about.get("skill"), str) or not parts:
        return None
    source = "".join(text_of(cell).rstrip() + str(own.get("end", "\n")) for cell, own in parts)
    return about["skill"], source, str(about.get("history", ""))


def cells_of(notebook: dict[str, Any]) -> list[Cell]:
    """The code cells."""
    cells = notebook.get("cells")
    found = cells if isinstance(cells, list) else []
    return [cell for cell in found if isinstance(cell, dict) and cell.get("cell_type") == "code"]


def text_of(cell: Cell) -> str:
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _about(holder: dict[str, Any]) -> dict[str, Any]:
    metadata = holder.get("metadata")
    about = metadata.get(KEY) if isinstance(metadata, dict) else None
    return about if isinstance(about, dict) else {}


def _parts(source: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The source in pieces that follow each other: code and tests. What stands between two belongs to the former."""
    lines = source.encode().splitlines(keepends=True)
    kinds = ["tests" if _is_test(node) else "code" for node in tree.body]
    if len({*kinds}) < 2 or any(a.end_lineno == b.lineno for a, b in zip(tree.body, tree.body[1:], strict=False)):
        yield "code", source
        return
    starts = [1, *(_first_line(node) for node in tree.body[1:]), len(lines) + 1]
    spans = zip(kinds, starts, starts[1:], strict=False)
    for kind, group in groupby(spans, key=lambda span: span[0]):
        span = [*group]
        yield kind, b"".join(lines[span[0][1] - 1 : span[-1][2] - 1]).decode()


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _first_line(node: ast.stmt) -> int:
    first: int = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return first


def _examples(name: str, tree: ast.Module) -> Iterator[Cell]:
    """The doctests, each a cell up to an output; those that raise or are skipped stay where they are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            before: list[str] = []
            for example in _read(ast.get_docstring(node) or ""):
                if example.exc_msg is not None or doctest.SKIP in example.options:
                    continue
                before += _here(name, example.source.rstrip("\n"))
                if example.want:
                    yield _code("\n".join(before), {"example": True}, [_output(before[-1], example.want)])
                    before = []
            if before:
                yield _code("\n".join(before), {"example": True})


def _read(doc: str) -> list[doctest.Example]:
    try:
        return doctest.DocTestParser().get_examples(doc)
    except ValueError:
        return []


def _here(name: str, source: str) -> list[str]:
    """An example that imports its own module finds it in the notebook itself."""
    if source.startswith(f"from {name} import "):
        return []
    return ["import sys", f"{name} = sys.modules[__name__]"] if source == f"import {name}" else [source]


def _output(source: str, want: str) -> Cell:
    """What the doctest says: the value of an expression, or what was printed."""
    try:
        last = ast.parse(source).body[-1]
    except (SyntaxError, IndexError):
        last = None
    call = last.value if isinstance(last, ast.Expr) else None
    printed = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"
    if call is None or printed:
        return {"output_type": "stream", "name": "stdout", "text": want}
    data = {"text/plain": want.rstrip("\n")}
    return {"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data}


def _calls(tree: ast.Module) -> Iterator[Cell]:
    """Calls of the tests that need no fixtures."""
    tests = [n for n in tree.body if isinstance(n, ast.FunctionDef) and _is_test(n) and not _needs(n.args)]
    if tests:
        yield _code("\n".join(f"{test.name}()" for test in tests), {"tests": True})


def _needs(given: ast.arguments) -> bool:
    required = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    return bool(required) or None in given.kw_defaults


def _code(source: str, about: dict[str, Any], outputs: list[Cell] | None = None) -> Cell:
    more = {"execution_count": None, "outputs": outputs or []}
    return {**_cell("code", source.rstrip()), **more, "metadata": {KEY: about}}


def _cell(kind: str, source: str) -> Cell:
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}
