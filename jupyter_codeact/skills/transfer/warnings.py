"""What a person should look at before code from elsewhere is stored: pure functions from source to lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from ...parsing import parse
from .bundle import Bundle

# Characters that reorder or hide what stands beside them.
_HIDDEN = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_REACHING = (
    *("ctypes", "http", "httpx", "importlib", "multiprocessing", "os", "pickle"),
    *("requests", "shutil", "socket", "subprocess", "sys", "urllib"),
)
_RUNNING = ("compile", "eval", "exec", "__import__", "getattr", "globals", "setattr")
# Files, or cells, that are left out and named.
SHOWN = 10
_QUIET = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass)


def warnings_of(bundle: Bundle) -> list[str]:
    """One line each, the files in order."""
    found = [line for path, text in bundle.files.items() for line in _of_file(path, text)]
    if bundle.left_out:
        found.append(f"Files that are no sources are left out: {_listed(bundle.left_out)}.")
    if bundle.left_cells:
        cells = _listed(["`{}`".format(line.replace("`", "'")) for line in bundle.left_cells])
        found.append(
            f"Cells that are no part of the skill are left out: {cells}. `--names` takes functions from all cells."
        )
    return found


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _of_file(path: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), start=1):
        if _HIDDEN.search(line):
            yield f"{path}, line {number}: hidden or reordering characters: {ascii(line.strip())[:200]}"
    tree = parse(text.encode())
    for node in tree.body:
        if not isinstance(node, _QUIET) and not _is_constant(node):
            yield f"{path}, line {node.lineno}: runs when it is imported: `{_first_line(node)}`"
    for inner in ast.walk(tree):
        for what in _reached(inner):
            yield f"{path}, line {getattr(inner, 'lineno', 0)}: {what}"


def _is_constant(node: ast.stmt) -> bool:
    """A docstring, or an assignment that calls nothing."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    calls = any(isinstance(inner, ast.Call) for inner in ast.walk(node))
    return isinstance(node, ast.Assign | ast.AnnAssign) and not calls


def _reached(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (f"imports {a.name}" for a in node.names if a.name.split(".")[0] in _REACHING)
    elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _REACHING and not node.level:
        yield f"imports {node.module}"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _RUNNING:
        yield f"calls {node.func.id}"


def _first_line(node: ast.stmt) -> str:
    return ast.unparse(node).split("\n")[0][:80].replace("`", "'")
