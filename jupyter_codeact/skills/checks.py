"""What is looked at before a skill is saved: it compiles, its names are there, nothing of hers is baked in.

Pure functions of its files. Whether it can be imported, and its tests, are tried elsewhere: nothing of it runs here.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

from ..errors import EditError, SandboxError
from ..events import Checked
from ..parsing import parse
from ..protocols import Tell, unheard
from ..texts import check_syntax
from ..words import plural, seconds
from .baked import baked_in
from .docstrings import undescribed
from .eager import runs_at_import
from .scopes import is_module_s, names_of
from .skill import Files

# What every module has.
_GIVEN = {"__file__", "__path__", "__annotations__", *dir(builtins), "__name__", "__doc__", "__spec__"}
# What a version remembers of its checks, and how they went: beside these "2 warnings", and "stopped".
CHECKS, PASSED, FAILED, FORCED = "Checks", "passed", "failed", "forced"
# For a check whose result the model waits for.
AGENT_S = 20.0


@dataclass(frozen=True)
class Tried:
    """What came of a skill in a fresh sandbox.

    failures: one line each, of a doctest more. left_out: tests that could not be run.
    """

    failures: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    tests: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        tests = f", {plural(self.tests, 'test')} passed" if self.tests else ""
        return f"imported in a fresh sandbox{tests}, in {seconds(self.seconds)}"


class Trial(Protocol):
    """Imports a skill in a fresh sandbox and runs its tests. Awaited in the host's loop; cancelling ends it."""

    async def __call__(self, name: str, files: Files, tell: Tell) -> Tried:
        """``tell`` hears how far it is. Raises SandboxError."""


def problems(files: Files) -> list[str]:
    """Why the files can't be a skill, one line each."""
    return [problem for path, text in files.items() for problem in _problems(path, text)]


def warnings(files: Files) -> list[str]:
    """What she may not have meant to save, one line each. The files must compile."""
    found = []
    for path, text in files.items():
        found += [f"{path}, line {line}: {what}" for line, what in sorted(baked_in(text))]
        found += [f"{path}, line {line}: {what}" for line, what in runs_at_import(text)]
        found += [f"{path}, line {node.lineno}: {node.name} has no docstring" for node in undescribed(text)]
    return found


def passed_with(found: Sequence[str]) -> str:
    """What is remembered of checks that passed, with so many warnings."""
    return plural(len(found), "warning") if found else PASSED


def undefined(source: str) -> Iterator[tuple[int, str]]:
    """Names that a module reads and nobody binds, each with the first line that reads it; none beside a star import."""
    if not _has_star(source):
        yield from _unbound(source)


def left_to_stars(source: str) -> dict[str, int]:
    """Names that a module has from its star imports or from nowhere, with the first line that reads each.

    None of one that does not compile, which whoever imports it hears.
    """
    try:
        return {name: line for line, name in _unbound(source)} if _has_star(source) else {}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def _has_star(source: str) -> bool:
    imports = (node for node in ast.walk(parse(source)) if isinstance(node, ast.ImportFrom))
    return any(node.names[0].name == "*" for node in imports)


def _unbound(source: str) -> Iterator[tuple[int, str]]:
    bound, read = {*_GIVEN}, set[str]()
    for scope in _scopes(symtable.symtable(source, "<module>", "exec")):
        for symbol in scope.get_symbols():
            if not is_module_s(symbol, scope):
                continue
            if symbol.is_assigned() or symbol.is_imported():
                bound.add(symbol.get_name())
            elif symbol.is_referenced():
                read.add(symbol.get_name())
    tree = parse(source)
    yield from sorted((_line(tree, name), name) for name in read - bound)


def _line(tree: ast.Module, name: str) -> int:
    """The first one that reads a global name."""
    for statement in tree.body:
        names = names_of(statement, ast.unparse(statement))
        if name in names.eager | names.lazy | names.maybe:
            return min(n.lineno for n in ast.walk(statement) if isinstance(n, ast.Name) and n.id == name)
    return 1


def _scopes(scope: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield scope
    for child in scope.get_children():
        yield from _scopes(child)


def _problems(path: str, text: str) -> Iterator[str]:
    try:
        check_syntax(PurePath(path), text)
    except EditError as error:
        yield str(error).removeprefix("Not saved: ")
        return
    for line, name in undefined(text):
        yield f"{path}, line {line}: {name} is not defined"


async def checked(name: str, files: Files, trial: Trial | None, tell: Tell = unheard) -> tuple[list[str], Tried | None]:
    """What is wrong with a skill, one line each, and what came of it in a sandbox, for somebody who waits for it."""
    found = problems(files)
    tried = None
    if trial is not None and not found:
        try:
            async with asyncio.timeout(AGENT_S):
                tried = await trial(name, files, tell)
            found = [*tried.failures]
        except TimeoutError:
            found = [f"import and tests took longer than {AGENT_S:.0f} seconds, and were ended"]
        except SandboxError as error:
            found = [f"it could not be tried: {error}"]
    return found, tried


async def report(name: str, files: Files, trial: Trial | None, tell: Tell = unheard) -> Checked:
    """What a model is told of a skill; it stands whatever that is."""
    found, tried = await checked(name, files, trial, tell)
    if found:
        return Checked("Checks failed, mend this:\n" + "\n".join(f"- {problem}" for problem in found), tuple(found))
    passed = f"Checks passed: {tried}." if tried else "Checks passed: it compiles, and its names are defined."
    return Checked(passed)
