"""Actions that can't work in a notebook whose cells nobody watches: they would wait for a person, or end the kernel.

A policy for better runs, not a security boundary: the sandbox is that. Matched on the syntax tree of what IPython makes
of the cell, so that magics and shell commands are calls like any other, and never on how a text begins.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..parsing import parse
from ..texts import unwarned
from .commands import SHELLS, commands_in

Problem = tuple[Literal["format", "blocklist", "syntax"], str]
Transform = Callable[[str], str]
# Magics that run what they are given as a cell's source, in their line or below it.
RUNNERS = ("time", "timeit", "prun", "capture")
# How deep such code is looked into: a line may hold a thousand of them.
NESTED = 3


@dataclass(frozen=True, kw_only=True)
class Blocklist:
    """calls: functions by their dotted name. magics: names without %. programs: shell commands that want a terminal.

    bare: programs that want one where they stand alone, or with those options. interactive: those that want one with
    that flag. unattended: those that want none with it.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    calls: tuple[str, ...] = (
        "input",
        "breakpoint",
        "exit",
        "quit",
        "os._exit",
        "os.abort",
        "sys.exit",
        "getpass.getpass",
        "pdb.set_trace",
        "pdb.run",
        "pdb.post_mortem",
        "pdb.pm",
        "code.interact",
    )
    magics: tuple[str, ...] = ("debug", "pdb", "edit", "ed", "exit", "quit", "gui", "connect_info", "qtconsole")
    programs: tuple[str, ...] = (
        "vim",
        "vi",
        "nvim",
        "nano",
        "emacs",
        "less",
        "more",
        "man",
        "top",
        "htop",
        "watch",
        "gdb",
    )
    bare: tuple[str, ...] = (
        *(f"{python} -bBdEIOPqsSuvx" for python in ("python", "python3")),
        "ipython --no-banner --quick --classic",
        *(f"{shell} -elsuvx --login --norc --noprofile --posix" for shell in ("bash", "sh", "zsh")),
        "su",
        "cat -AbeEnstTuv",
    )
    interactive: tuple[str, ...] = ("python -i", "python3 -i", "ipython -i", "bash -i", "sh -i", "zsh -i")
    unattended: tuple[str, ...] = (
        "top -b",
        "vim -es",
        "nvim --headless",
        "emacs --batch",
        "emacs -batch",
        "gdb --batch",
        "gdb -batch",
    )


@unwarned()
def problem_in(source: str, transform: Transform, blocklist: Blocklist) -> Problem | None:
    """What is wrong with a cell's source, in words for the model; None where nothing is."""
    try:
        tree = _compiled(source, transform)
    except SyntaxError as error:
        text = (error.text or "").rstrip()
        place = f"Line {error.lineno}, column {error.offset}: " if error.lineno else ""
        return "syntax", f"{place}{error.msg}{f': {text}' if text else ''}"
    except ValueError as error:
        return "syntax", f"The source can't be read: {error}."
    except (MemoryError, RecursionError):
        return "syntax", "The source is nested too deeply for Python's parser."
    found = next(_blocked([*_nodes(tree, transform)], blocklist), None)
    return ("blocklist", found) if found else None


def _compiled(source: str, transform: Transform, levels: int = NESTED) -> ast.Module:
    """The tree of a cell, which Python can run, and so can what a magic at its top has it run. Raises SyntaxError."""
    tree = parse(transform(source), ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    match tree.body:
        case [ast.Expr(ast.Call(ast.Attribute(attr="run_cell_magic")) as call)]:
            magic, *_, body = _texts(call) or ["", ""]
            if levels and magic in RUNNERS:
                _compile_below(body.strip("\n"), source, transform, levels - 1)
    return tree


def _compile_below(body: str, source: str, transform: Transform, levels: int) -> None:
    try:
        _compiled(body, transform, levels)
    except SyntaxError as error:
        # Of the cell, not of the body.
        error.lineno = (error.lineno or 1) + source[: source.rfind(body)].count("\n")
        raise


def _nodes(tree: ast.AST, transform: Transform, levels: int = NESTED) -> Iterator[ast.AST]:
    """Of a cell, and of what it has magics run."""
    for node in ast.walk(tree):
        yield node
        if levels and isinstance(node, ast.Call):
            for inner in _run_by_magic(node, transform):
                yield from _nodes(inner, transform, levels - 1)


def _blocked(nodes: list[ast.AST], blocklist: Blocklist) -> Iterator[str]:
    names = _imported(nodes)
    # A function of the cell's own may have any name.
    names |= dict.fromkeys(_defined(nodes), "")
    for node in nodes:
        if isinstance(node, ast.Call):
            head, dot, rest = _dotted(node.func).partition(".")
            name = f"{names.get(head, head)}{dot}{rest}"
            if name in blocklist.calls:
                yield f"`{name}()`"
            yield from _in_ipython(node, name, blocklist)
        elif isinstance(node, ast.Expr) and (name := _dotted(node.value)) in ("exit", "quit") and name not in names:
            # IPython takes the word alone for a call.
            yield f"`{name}`"


def _imported(nodes: list[ast.AST]) -> dict[str, str]:
    """Names that stand for modules, or for what is in them."""
    names: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _defined(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def _in_ipython(call: ast.Call, name: str, blocklist: Blocklist) -> Iterator[str]:
    """Magics and shell commands, as IPython writes them: calls of methods of the shell with a text."""
    texts = _texts(call)
    match name.rpartition(".")[2]:
        case "run_line_magic" | "run_cell_magic" if texts and texts[0] in blocklist.magics:
            yield f"`%{texts[0]}`"
        case "run_line_magic" | "run_cell_magic" if len(texts) > 1:
            yield from _commands(_script(*texts), blocklist)
        case "system" | "getoutput" if texts:
            yield from _commands(texts[0], blocklist)
        case _:
            pass


def _run_by_magic(call: ast.Call, transform: Transform) -> Iterator[ast.AST]:
    """The code that a magic is given, without options and their numbers. What is no code, IPython says itself."""
    magic, *sources = _texts(call) or [""]
    if magic in RUNNERS and _dotted(call.func).endswith(("run_line_magic", "run_cell_magic")):
        for source in sources:
            with contextlib.suppress(SyntaxError, ValueError, MemoryError, RecursionError):
                yield parse(transform(re.sub(r"^\s*(-\S+\s+(\d+\s+)?)+", "", source)))


def _texts(call: ast.Call) -> list[str]:
    return [str(argument.value) for argument in call.args if isinstance(argument, ast.Constant)]


def _script(magic: str, line: str, body: str = "") -> str:
    """What a magic has a shell run; "" where it has not."""
    if magic == "script":
        program = next(commands_in(re.sub(r"--(out|err|proc)[ =]\S+|--\S+", "", line)), None)
        magic = program.program if program else ""
    return body or line if magic in ("sx", "system", "!", *SHELLS) else ""


def _commands(line: str, blocklist: Blocklist, from_pipe: bool = False) -> Iterator[str]:
    """Those of a shell line that want a terminal."""
    for command in commands_in(line, from_pipe):
        if any(command.has(flag) for flag in _flags(blocklist.unattended, command.program)):
            continue
        yield from _commands(command.script, blocklist, command.piped)
        # With a script, or with what comes through a pipe, they want none.
        alone = (entry.split()[1:] for entry in blocklist.bare if entry.split()[:1] == [command.program])
        bare = not command.piped and any(map(command.stands_alone, alone))
        if bare or command.program in blocklist.programs:
            yield f"`!{command.program}`"
        for flag in _flags(blocklist.interactive, command.program):
            if not command.piped and command.has(flag, command.leading):
                yield f"`!{command.program} {flag}`"


def _flags(entries: tuple[str, ...], program: str) -> Iterator[str]:
    return (flag for name, _, flag in (entry.partition(" ") for entry in entries) if name == program)


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Call):
        return ".".join([_dotted(node.func) + "()", *reversed(parts)])
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ".".join(["", *reversed(parts)])
