"""A skill as a notebook that runs under any Python kernel: its doc, its code, its doctests as cells, its tests."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from ...parsing import parse
from .bundle import Bundle, written_past
from .examples import Here, examples_of, help_of, is_test, tests_of

# What our notebooks and cells say of themselves, in their metadata.
KEY = "jupyter_codeact"
Cell = dict[str, Any]
_WRITE = "%%writefile "
# What an example or a call of tests does not do.
_DEFINES = re.compile(r"^(?:async +def|def|class)\b.*", re.MULTILINE)
_LINE = re.compile(r".+")
_BESIDE = "Running this notebook writes the package's files beside it."


def notebook_of(bundle: Bundle, use: str = "") -> bytes:
    """The notebook's JSON. The cells that hold the code make it up again, byte for byte.

    use: the example of a skill without doctests; "" has it show help.
    """
    is_module = "/" not in bundle.main
    cells = [
        _cell(
            "markdown",
            "\n\n".join(filter(None, (f"# {bundle.name}", bundle.contents.doc, "" if is_module else _BESIDE))),
        ),
        *(_module(bundle.files[bundle.main]) if is_module else _package(bundle)),
        *_shown(bundle, use),
    ]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        KEY: {"skill": bundle.name, "history": written_past(bundle.past)},
    }
    numbered = [{"id": f"{bundle.name[:40]}-{n}", **cell} for n, cell in enumerate(cells)]
    return as_json({"cells": numbered, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def as_json(notebook: dict[str, Any]) -> bytes:
    return (json.dumps(notebook, indent=1) + "\n").encode()


def files_in(notebook: dict[str, Any]) -> tuple[str, list[tuple[str, str]], str] | None:
    """Name, files and notes of a notebook that ``notebook_of`` has made; None for any other. Nothing is checked."""
    about = about_of(notebook)
    name, parts = about.get("skill"), [cell for cell in cells_of(notebook) if "part" in about_of(cell)]
    if not isinstance(name, str) or not parts:
        return None
    code = "".join(_whole(text_of(cell), cell) for cell in parts if about_of(cell)["part"] != "file")
    files = [(f"{name}.py", code)] if any(about_of(cell)["part"] != "file" for cell in parts) else []
    for cell in parts:
        if about_of(cell)["part"] == "file":
            head, _, text = text_of(cell).partition("\n")
            files.append((head.removeprefix(_WRITE), _whole(text, cell)))
    return name, files, str(about.get("history", ""))


def left_cells(notebook: dict[str, Any]) -> list[str]:
    """The lines that say what code cells of a skill notebook hold which are neither its files nor of our making."""
    cells = [(text_of(cell).strip(), about_of(cell)) for cell in cells_of(notebook)]
    left = [(text, about) for text, about in cells if text and "part" not in about]
    lines = [_DEFINES.search(text) or (None if about else _LINE.search(text)) for text, about in left]
    return [line.group().strip()[:80] for line in lines if line]


def cells_of(notebook: dict[str, Any]) -> list[Cell]:
    """The code cells."""
    cells = notebook.get("cells")
    found = cells if isinstance(cells, list) else []
    return [cell for cell in found if isinstance(cell, dict) and cell.get("cell_type") == "code"]


def text_of(cell: Cell) -> str:
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def about_of(holder: dict[str, Any]) -> dict[str, Any]:
    """What a notebook or a cell of ours says of itself."""
    metadata = holder.get("metadata")
    about = metadata.get(KEY) if isinstance(metadata, dict) else None
    return about if isinstance(about, dict) else {}


def _whole(text: str, cell: Cell) -> str:
    """The text with the end that it had."""
    return text.rstrip() + str(about_of(cell).get("end", "\n"))


def _module(source: str) -> Iterator[Cell]:
    """One module, in cells that have its names in the notebook itself."""
    for kind, text in _parts(source, _tree(source)):
        yield _code(text.rstrip(), {"part": kind, "end": _end(text)})


def _package(bundle: Bundle) -> Iterator[Cell]:
    """A file a cell: they import each other, and so have to be files."""
    folders = sorted({path.rpartition("/")[0] for path in bundle.files})
    lines = ["from pathlib import Path", "", *(f"Path({folder!r}).mkdir(exist_ok=True)" for folder in folders)]
    yield _code("\n".join(lines), {"folders": True})
    for path, text in bundle.files.items():
        # A cell magic needs a body.
        yield _code(f"{_WRITE}{path}\n{text.rstrip() or chr(10)}", {"part": "file", "end": _end(text)})


def here_of(bundle: Bundle, path: str) -> Here:
    """A file of a skill, as its notebook has it."""
    module = "" if "/" not in path else path.removesuffix(".py").removesuffix("/__init__")
    return Here(_tree(bundle.files.get(path, "")), module, bundle.name)


def has_examples(bundle: Bundle) -> bool:
    """Whether a doctest says how it is used."""
    return any(next(examples_of(here_of(bundle, path)), None) for path in bundle.files)


def _shown(bundle: Bundle, use: str) -> Iterator[Cell]:
    """Examples and tests, those of what agents are shown first."""
    if not has_examples(bundle) and (source := use or help_of(here_of(bundle, bundle.shown))):
        yield _code(source, {"example": True})
    for path in sorted(bundle.files, key=lambda path: (path != bundle.shown, path)):
        here = here_of(bundle, path)
        for source, outputs in examples_of(here):
            yield _code(source, {"example": True}, outputs)
        if source := tests_of(here):
            yield _code(source, {"tests": True})


def _parts(source: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The source in pieces that follow each other: code and tests. What stands between two belongs to the former."""
    lines = source.encode().splitlines(keepends=True)
    kinds = ["tests" if is_test(node) else "code" for node in tree.body]
    if len({*kinds}) < 2 or any(a.end_lineno == b.lineno for a, b in zip(tree.body, tree.body[1:], strict=False)):
        yield "code", source
        return
    starts = [1, *(_first_line(node) for node in tree.body[1:]), len(lines) + 1]
    spans = zip(kinds, starts, starts[1:], strict=False)
    for kind, group in groupby(spans, key=lambda span: span[0]):
        span = [*group]
        yield kind, b"".join(lines[span[0][1] - 1 : span[-1][2] - 1]).decode()


def _first_line(node: ast.stmt) -> int:
    first: int = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return first


def _tree(source: str) -> ast.Module:
    return parse(source.encode())


def _end(text: str) -> str:
    return text[len(text.rstrip()) :]


def _code(source: str, about: dict[str, Any], outputs: list[Cell] | None = None) -> Cell:
    more = {"execution_count": None, "outputs": outputs or []}
    return {**_cell("code", source), **more, "metadata": {KEY: about}}


def _cell(kind: str, source: str) -> Cell:
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}
