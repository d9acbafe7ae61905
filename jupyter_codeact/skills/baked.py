"""What of the person's own is baked into a source: paths, keys, data. What is found is shown by its line only."""

from __future__ import annotations

import ast
import getpass
import io
import math
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..parsing import parse

# Elements of a literal, and characters of a text, from which on it is data and no constant.
LONG_LITERAL, LONG_TEXT = 40, 2000
# The same of a frame, names of columns with them, and of an array: a small matrix is often a constant.
FRAME, ARRAY = 8, 10
_KEY_WORDS, _PATH_WORDS = "what looks like a key or a token", "a path of this machine"
_PATH = re.compile(r"~[\w.-]*[/\\]\S|[A-Za-z]:[/\\]\S|/(home|Users|root|mnt|data|tmp|var|opt|srv)/\S|(/[\w.-]+){3,}/?$")
# Anywhere in a text, as in an address or a shell line; `https://example.org/home/a/b` is none.
_IN_HOME = re.compile(r"(?<![\w.-])/(home|Users)/[\w.@-]+/[\w.@-]|(?<![\w./-])/root/[\w.@-]")
_KEY = re.compile(
    r"(?<![A-Za-z0-9_-])((sk|pk|rk)-([a-z]+\d*-)*\w{16,}|(sk|pk|rk)_(live|test)_\w{16,}|gh[pousr]_\w{20,}|github_pat_\w{20,}"
    r"|glpat-[\w-]{16,}|hf_\w{20,}|xox[abprs]-[\w-]{10,}|(AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}|Bearer +(?=\S*\d)[\w.~+/=-]{16,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:]+:(?!pass(word)?@|[<{$*])[^/\s@]+@"
)
_SECRET_NAME = re.compile(
    r"(^|[_-])(api[_-]?key|token|secret|passw(or)?d|pwd|credentials?|authorization)$", re.IGNORECASE
)
_DENSE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w+/=.-]{24,200}")
# Bits a character: identifiers and words stay below, hexadecimal and base64 of random bytes lie above.
_RANDOM_BITS = 3.4
_FRAMES = ("DataFrame", "Series", "from_dict", "from_records", "read_json", "array")
# Calls whose second value stands in for the one that the first names.
_DEFAULTING = ("get", "getenv", "setdefault", "putenv", "setenv")


class Owner(NamedTuple):
    """Whose machine it is: the path of her home, and her name, "" where they are not known."""

    home: str = ""
    user: str = ""

    @classmethod
    def here(cls) -> Owner:
        try:
            return cls(str(Path.home()), getpass.getuser())
        except (OSError, KeyError, RuntimeError):
            return cls()

    def is_in_home(self, text: str) -> bool:
        """Whether the text names something under a home; a folder of her name is one, wherever it is."""
        found = _IN_HOME.search(text) is not None
        if self.home.count("/") > 1:
            found = found or re.search(rf"(?<![\w.-]){re.escape(self.home)}/[\w.@-]", text) is not None
        if self.user:
            folder = rf"(?<![\w./:-])(/[^/\n]+){{0,9}}/{re.escape(self.user)}/[\w.@-]"
            found = found or re.search(folder, text) is not None
        return found


def baked_in(source: str, owner: Owner | None = None) -> Iterator[tuple[int, str]]:
    """Lines with a value of hers, and what it looks like; never the value itself. owner: by default whoever runs it."""
    owner = owner or Owner.here()
    tree = parse(source)
    docstrings = [*_docstrings(tree)]
    seen: set[ast.AST] = {*docstrings}
    for node in ast.walk(tree):
        if node in seen:
            seen.update(ast.iter_child_nodes(node))
        elif what := _data(node) or _text(node, owner):
            # What is in it is told with it.
            seen.update(ast.iter_child_nodes(node))
            yield getattr(node, "lineno", 1), what
        for name, value in _named(node) if node not in seen else ():
            if value not in seen and _is_secret(name, value):
                seen.add(value)
                yield value.lineno, f"what looks like a secret, {name}"
    for docstring in docstrings:
        if isinstance(docstring, ast.Constant) and isinstance(docstring.value, str):
            yield from _in_words(docstring.value, docstring.lineno, owner)
    for line, comment in _comments(source):
        yield from _in_words(comment, line, owner)


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _comments(source: str) -> Iterator[tuple[int, str]]:
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def _in_words(text: str, first: int, owner: Owner) -> Iterator[tuple[int, str]]:
    """What stands in a comment or a docstring, of which the rest is prose."""
    for line, words in enumerate(text.split("\n"), start=first):
        if _KEY.search(words):
            yield line, _KEY_WORDS
        elif any(owner.is_in_home(word) for word in re.split(r"[\s'\"`(]+", words)):
            yield line, _PATH_WORDS


def _data(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in _FRAMES:
            data = [*node.args, *(k.value for k in node.keywords if k.arg == "data")]
            least = ARRAY if name == "array" else FRAME
            return f"a {name} with its data" if sum(len([*_values(a)]) for a in data) >= least else ""
        case ast.Call(
            func=ast.Attribute(attr="StringIO" | "BytesIO") | ast.Name(id="StringIO" | "BytesIO"),
            args=[ast.Constant(value=str() | bytes() as text)],
        ):
            values = re.split(r"[,;|\s]+", text if isinstance(text, str) else text.decode("latin-1"))
            return "a table as a text: data?" if len(values) >= FRAME else ""
        case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
            return "a long literal: data?" if len([*_values(node)]) >= LONG_LITERAL else ""
    return ""


def _values(node: ast.AST) -> Iterator[ast.Constant]:
    """The constants of a literal; none of what is no literal."""
    match node:
        case ast.Constant():
            yield node
        case ast.Dict(keys=keys, values=values):
            for child in [*filter(None, keys), *values]:
                yield from _values(child)
        case ast.List(elts=children) | ast.Tuple(elts=children) | ast.Set(elts=children):
            for child in children:
                yield from _values(child)
        case ast.UnaryOp(operand=operand):
            yield from _values(operand)
        case ast.BinOp(left=left, right=right, op=ast.Add()):
            yield from _values(left)
            yield from _values(right)
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            for keyword in keywords:
                yield from _values(keyword.value)


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Values with the names that they are given, as by an assignment, a default or a key."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _assigned(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _assigned(target, value)
        case ast.keyword(arg=str(name), value=value):
            yield name, value
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant):
                    yield str(key.value), value
        case ast.arguments():
            positional = [*node.posonlyargs, *node.args]
            yield from (
                (argument.arg, value)
                for argument, value in [
                    *zip(reversed(positional), reversed(node.defaults), strict=False),
                    *zip(node.kwonlyargs, node.kw_defaults, strict=True),
                ]
                if value is not None
            )
        case ast.Call(
            func=ast.Attribute(attr=called) | ast.Name(id=called), args=[ast.Constant(value=str(name)), value]
        ) if called in _DEFAULTING:
            yield name, value


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match target, value:
        case ((ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name)))), _):
            yield name, value
        case ((ast.Tuple() | ast.List()), (ast.Tuple() | ast.List())) if len(target.elts) == len(value.elts):
            for part, its_value in zip(target.elts, value.elts, strict=True):
                yield from _assigned(part, its_value)


def _is_secret(name: str, value: ast.expr) -> bool:
    """Whether it is a text under a name such as ``api_key``."""
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str | bytes) and len(value.value) >= 8
    return is_text and _SECRET_NAME.search(name) is not None


def _text(node: ast.AST, owner: Owner) -> str:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str | bytes):
        return ""
    text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
    if _KEY.search(text) or (_DENSE.fullmatch(text) and _bits(text) > _RANDOM_BITS and not _PATH.match(text)):
        return _KEY_WORDS
    if _PATH.match(text) or text == owner.home != "" or owner.is_in_home(text):
        return _PATH_WORDS
    return "a long text: data?" if len(text) >= LONG_TEXT else ""


def _bits(text: str) -> float:
    """Shannon entropy of its characters."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)
