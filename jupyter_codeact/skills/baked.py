"""What of the person's own is baked into a source: paths, keys, data. Pure; what is found is shown by its line only."""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator

# Elements of a literal, and characters of a text, from which on it is data and no constant.
LONG_LITERAL, LONG_TEXT = 40, 2000
_PATH = re.compile(r"~[/\\]\S|[A-Za-z]:[/\\]\S|/(home|Users|root|mnt|data|tmp|var|opt|srv)/\S|(/[\w.-]+){3,}/?$")
_KEY = re.compile(
    r"(sk|pk|rk)-[\w-]{16,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_\w{20,}|xox[abprs]-[\w-]{10,}"
    r"|(AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:]+:[^/\s@]+@"
)
_SECRET_NAME = re.compile(r"(^|_)(api_?key|token|secret|passw(or)?d|pwd|credentials?)$", re.IGNORECASE)
_DENSE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w+/=.-]{24,200}")
# Bits a character: identifiers and words stay below, hexadecimal and base64 of random bytes lie above.
_RANDOM_BITS = 3.4
_FRAMES = ("DataFrame", "Series", "read_json", "array")


def baked_in(source: str) -> Iterator[tuple[int, str]]:
    """Lines with a value of hers, and what it looks like; never the value itself."""
    tree = ast.parse(source)
    seen: set[ast.AST] = {*_docstrings(tree)}
    for node in ast.walk(tree):
        if node in seen:
            seen.update(ast.iter_child_nodes(node))
        elif what := _data(node) or _secret(node) or _text(node):
            # What is in it is told with it.
            seen.update(ast.iter_child_nodes(node))
            yield getattr(node, "lineno", 1), what


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _data(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in _FRAMES:
            values = [value for argument in node.args for value in _elements(argument)]
            return f"a {name} with its data" if len(values) >= LONG_LITERAL // 4 else ""
        case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
            return "a long literal: data?" if len(list(_elements(node))) >= LONG_LITERAL else ""
    return ""


def _elements(node: ast.AST) -> Iterator[ast.Constant]:
    """The constants of a literal; none of what is no literal."""
    if isinstance(node, ast.Constant):
        yield node
    elif isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict | ast.UnaryOp):
        for child in ast.iter_child_nodes(node):
            yield from _elements(child)


def _secret(node: ast.AST) -> str:
    """A text under a name such as ``api_key``."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            pass
        case ast.keyword(arg=str(name), value=value):
            pass
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(name)))], value=value):
            pass
        case _:
            return ""
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str | bytes) and len(value.value) >= 8
    return f"what looks like a secret, {name}" if is_text and _SECRET_NAME.search(name) else ""


def _text(node: ast.AST) -> str:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str | bytes):
        return ""
    text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
    if _KEY.search(text) or (_DENSE.fullmatch(text) and _bits(text) > _RANDOM_BITS and not _PATH.match(text)):
        return "what looks like a key or a token"
    if _PATH.match(text):
        return "a path of this machine"
    return "a long text: data?" if len(text) >= LONG_TEXT else ""


def _bits(text: str) -> float:
    """Shannon entropy of its characters."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)
