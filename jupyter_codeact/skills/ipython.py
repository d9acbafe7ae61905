"""IPython's lines as Python, where they mean something outside of a notebook: pure functions of one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from string import Formatter

from ..parsing import parse, parse_expression

# What is about the notebook alone. %pip belongs to the environment, which a module does not change.
_DROPPED = ("matplotlib", "load_ext", "reload_ext", "autoreload", "config", "precision", "pip", "conda", "pdb", "who")
_SHELL = re.compile(r"(?P<name>[^!%].*?)\s*=\s*!(?P<lines>.+)|!(?P<command>[^!].*)")
_VARIABLE = re.compile(r"(?P<name>[^!%].*?)\s*=\s*%env\s+(?P<variable>\w+)")
_MAGIC = re.compile(r"%(?P<name>\w+)\s*(?P<rest>.*)")
_TIMEIT_OPTIONS = re.compile(r"(?:-[nrp]\s*\d+\s+|-[a-z]\s+)*")
# A name in capitals is the shell's own, such as $HOME and ${HOME}.
_BRACED = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")
_DOLLAR = re.compile(r"\$(\$?)([a-z_]\w*)")
# Cell magics that bind nothing, above cells whose statements stand as they are.
_CELL_MAGIC = re.compile(r"%%(time|capture|prun)(\s+-\S+)*")
# Cell magics whose body is Python that runs among the other cells' names.
_PYTHON = ("time", "capture", "prun")


# What IPython's lists of lines have and other lists do not, or do otherwise.
_OF_LINES = re.compile(r"\b(\w+)\s*\.\s*(?:fields|grep|sort|(?:get_)?(?:list|spstr|nlstr|paths)|[lsnp])\b")


def lists_of_lines(sources: Iterable[str]) -> frozenset[str]:
    """Names of which something is used that IPython's lists of lines have alone."""
    return frozenset(name for source in sources for name in _OF_LINES.findall(source))


def python_of(line: str, lists: Container[str] = ()) -> str | None:
    """A line of IPython syntax, without its indentation, as one line of Python; None for what has none.

    lists: names that have to be IPython's own kind of list.
    """
    line = line.strip()
    python = None
    if line.startswith("?") or line.endswith("?") or _CELL_MAGIC.fullmatch(line):
        python = f"pass  # {line}"
    elif shell := _SHELL.fullmatch(line):
        python = _shell(shell["name"], shell["lines"] or shell["command"], lists)
    elif read := _VARIABLE.fullmatch(line):
        python = f"{read['name']} = os.environ[{read['variable']!r}]"
    elif magic := _MAGIC.fullmatch(line):
        python = _magic(magic["name"], magic["rest"], line)
    return python if python and _is_statement(python) else None


def as_ipython(line: str) -> str | None:
    """The line as calls of IPython, which work where that is there; None for what is none of its."""
    from IPython.core.inputtransformer2 import TransformerManager

    python = str(TransformerManager().transform_cell(line.strip())).strip()
    return python if _is_statement(python) else None


def is_other_language(cell: str) -> bool:
    """Whether a cell magic takes the cell for something else than code of this notebook."""
    first = cell.lstrip()
    magic = re.match(r"%%(\w+|!)", first)
    return magic is not None and magic[1] not in _PYTHON


def _shell(name: str | None, command: str, lists: Container[str]) -> str | None:
    if command.rstrip().endswith("\\"):
        return None
    if name:
        lines = f"subprocess.getoutput({_expanded(command)}).splitlines()"
        return f"{name} = SList({lines})" if name in lists else f"{name} = {lines}"
    return f"subprocess.run({_expanded(command)}, shell=True, check=False)"


def _magic(name: str, rest: str, line: str) -> str | None:
    if name in _DROPPED or (name == "time" and not rest):
        return f"pass  # {line}"
    if name == "time":
        return rest
    if name == "timeit":
        timed = _TIMEIT_OPTIONS.sub("", rest, count=1)
        # What is timed binds nothing outside.
        return timed if _is_expression(timed) else None
    return None


def _expanded(command: str) -> str:
    """A string literal. IPython fills in ``{expression}`` and ``$name``, unless one of them is no Python."""
    if _BRACED.search(command):
        # Where one name is no Python's, IPython leaves them all to the shell.
        return repr(command)
    text = _DOLLAR.sub(lambda found: f"${found[2]}" if found[1] else f"{{{found[2]}}}", command)
    made, filled = "", False
    try:
        for literal, field, spec, conversion in Formatter().parse(text):
            made += literal.replace("{", "{{").replace("}", "}}")
            if field is not None:
                if not _is_expression(field):
                    return repr(command)
                made += f"{{{field}{f'!{conversion}' if conversion else ''}{f':{spec}' if spec else ''}}}"
                filled = True
    except ValueError:
        return repr(command)
    return f"f{made!r}" if filled else repr(command)


def _is_expression(text: str) -> bool:
    return _parses(text, parse_expression)


def _is_statement(text: str) -> bool:
    return _parses(text, parse)


def _parses(text: str, parser: Callable[[str], object]) -> bool:
    try:
        parser(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
