"""Random notebooks: functions of the module return what functions of the notebook return."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_codeact.skills.slicing import module_of

START = [
    "import math\na, b, c = 1, 2, 3",
    "d = {'k': 1}",
    "def f(): return a",
    "def g(): return f() + b",
    "def h(): return g() + d['k']",
]
VALUE = st.sampled_from("abc")
NUMBER = st.integers(0, 9)
FUNCTION = st.sampled_from("fgh")
TEMPLATES = [
    "{x} = {n}",
    "{x} = {y} + {n}",
    "{x} += {n}",
    "{x}, {y} = {y}, {n}",
    "# {n}\n{x} = {n}; {y} = {x}  # {n}",
    "d['k'] = {x}",
    "d = {{'k': {x} + {n}}}",
    "{x} = {f}()",
    "{x} = max([i * {y} for i in range(3)])",
    "if {x} % 2:\n    {y} = {n}\nelse:\n    {z} = {x}",
    "for i in range({n}):\n    {x} += i",
    "try:\n    from nowhere import {x}\nexcept ImportError:\n    {x} = {n}",
    "from math import floor as {x}\n{x} = {x}({n})",
    "print({x}, {f}())",
    "def f(p={x}): return p * {y} + {n}",
    "def g(p={x}):\n    def inner(): return {y} + p\n    return inner() + f()",
    "def h(p={x}): return sum([i + g() for i in range(2)]) + d['k'] + {y}",
    "class K:\n    n = {x}\n    def get(self, m={y}): return self.n + m + {z}\n\ndef f(): return K().get()",
    "def wrap(w): return lambda: w() + {n}",
    "def wrap(w): return w\n\n@wrap\ndef f(): return {x} + {n}",
    "f = (lambda was: lambda: was() + {x})(f)",
    "def bump():\n    global {x}\n    {x} += {n}\n    return {x}",
]
STATEMENT = st.builds(
    lambda template, **names: template.format(**names),
    st.sampled_from(TEMPLATES),
    x=VALUE,
    y=VALUE,
    z=VALUE,
    n=NUMBER,
    f=FUNCTION,
)


def results(source: str) -> dict[str, Any]:
    """What each function returns at first, after the source has run."""
    found = {}
    for name in "fgh":
        namespace: dict[str, Any] = {"print": lambda *_: None}
        exec(source, namespace)
        found[name] = namespace[name]()
    return found


@settings(max_examples=150)
@given(statements=st.lists(STATEMENT, max_size=10), joined=st.lists(st.booleans(), min_size=10, max_size=10))
def test_functions_of_the_module_return_what_the_notebook_s_do(statements: list[str], joined: list[bool]) -> None:
    cells = [*START]
    for statement, together in zip(statements, joined, strict=False):
        cells[-1:] = [f"{cells[-1]}\n\n{statement}"] if together else [cells[-1], statement]
    assert results(module_of(cells, ["f", "g", "h"])) == results("\n".join(cells))
