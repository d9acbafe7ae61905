"""Random notebooks: functions of the module return what functions of the notebook return."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_codeact.skills.slicing import module_of

from .pieces import PIECES

START = [
    "import math\na, b, c = 1, 2, 3",
    "d = {'k': 1}",
    "def f(): return a",
    "def g(): return f() + b",
    "def h(): return g() + d['k'] + K().get()",
    "class K:\n    n = 1\n    def get(self, m=a): return self.n + m",
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
    # classes
    "class K:\n    {x} = {x} + {n}\n    def get(self): return self.{x} + {y}",
    "class K:\n    {x} += {n}\n    def get(self): return self.{x}",
    "class K(K):\n    n = {y}",
    "class K(K):\n    def get(self): return super().get() + {y}",
    (
        "class K:\n    class L:\n        n = {x}\n        def get(self): return self.n + {y}\n"
        "    def get(self): return self.L().get()"
    ),
    "class K:\n    @staticmethod\n    def make(p={x}): return p + {y}\n    def get(self): return self.make()",
    (
        "class K:\n    @property\n    def n(self): return {x}\n    @n.setter\n    def n(self, v): pass\n"
        "    def get(self): return self.n"
    ),
    "class K:\n    n = [i for i in range({n})]\n    m = sum(i for i in n)\n    def get(self): return self.m + {x}",
    "class K:\n    n = [{x} for i in range(2)][0]\n    def get(self): return self.n + K.n",
    (
        "class K:\n    if {x} % 2:\n        n = {y}\n    else:\n        n = {n}\n    for i in range(2):\n"
        "        n += i\n    def get(self): return self.n"
    ),
    "class K:\n    global {x}\n    {x} = {n}\n    def get(self): return {x} + {y}",
    "class K:\n    def __init__(self, {x}={y}): self.{x} = {x}\n    def get(self): return self.{x} + {z}",
    "class K:\n    __n = {x}\n    def get(self): return self.__n",
    (
        "class K:\n    def set(self):\n        global made\n        made = {x} + {n}\n        return made\n"
        "    def get(self): return self.set() + {y}"
    ),
    "class K:\n    n = (lambda p={x}: p + {y})()\n    def get(self): return (lambda: self.n + {z})()",
    "class M(type):\n    n = {x}\n\nclass K(metaclass=M):\n    def get(self): return type(self).n + {y}",
    "from typing import NamedTuple\nclass K(NamedTuple):\n    n: int = {x}\n    def get(self): return self.n + {y}",
    "import dataclasses as dc\n@dc.dataclass\nclass K:\n    n: int = {x}\n    def get(self): return self.n + {y}",
    "def add(cls):\n    cls.n = {x}\n    return cls\n\n@add\nclass K:\n    def get(self): return self.n + {y}",
    (
        "def add(n):\n    def inner(cls):\n        cls.n = n\n        return cls\n    return inner\n\n"
        "@add({x})\nclass K(K): pass"
    ),
    "class K:\n    def get(self): return self.n + {y}\n\nK.n = {x}",
    "class K:\n    n = {y}\n\nK.get = lambda self: self.n + {x}",
    "class O: pass\n\nk = O()\nk.m = {x}\n{y} = k.m",
    "def f(k=K): return k().get()",
    "def g(k=K()): return k.get() + f()",
    "def f(): return K().get() + {x}",
    # decorators
    (
        "def wrap(w):\n    def inner(*p, **q): return w(*p, **q) + {x}\n    return inner\n\n@wrap\n@wrap\n"
        "def f(p={y}): return p"
    ),
    (
        "class W:\n    def __init__(self, w): self.w = w\n    def __call__(self): return self.w() + {x}\n\n"
        "@W\ndef f(): return {y}"
    ),
    "import functools\n@functools.wraps(abs)\ndef f(): return {x} + {n}",
    "import functools as ft\n@ft.partial\ndef g(): return {x} + f()",
    # closures and globals
    (
        "def make(n):\n    def step():\n        nonlocal n\n        n += {y}\n        return n\n"
        "    return step\n\ndef h(): return make({x})() + g()"
    ),
    "f = (lambda p={x}: lambda: p + {y})()",
    (
        "def g():\n    def inner():\n        global made\n        made = {y} + {n}\n    inner()\n"
        "    return made + {x} + f()"
    ),
    "def f():\n    {x} = {n}\n    return [{x} + i for i in range(2)][1] + {y}",
    "def f():\n    global made\n    made = {x}\n    return made + {y}",
    # comprehensions, walrus, default arguments and the rest
    "{x} = sum({y} * j for i in range(3) for j in range(i) if i % 2)",
    "{x} = len({{i: {y} for i in range({n})}}) + len({{{z} for i in range(2)}})",
    "{x} = [({y} := i) for i in range(2)][-1]",
    "if ({x} := {n}) > 3:\n    {y} = {x}",
    "def g(p={x}, *rest, q={y}, **more): return p + q + len(rest) + len(more) + f()",
    "def h(p=lambda: {x} + {n}, q=[i + {y} for i in range(2)]): return p() + q[0] + g()",
    "def h(p=f()): return p + {x}",
    "def f(p=a, /, *, q: int = {x}) -> int: return p + q",
    "{x}: int = {n} + {y}",
    "[{x}, *rest] = [{y}, {n}, 3]",
    "match {x}:\n    case 1:\n        {y} = {n}\n    case int(found):\n        {z} = found",
    "with open('/dev/null') as file:\n    {x} = len(file.name) + {y}",
    "while {x} > 100:\n    {x} -= 100\nelse:\n    {y} = {n}",
    "tmp = {x}\n{y} = tmp + {n}\ndel tmp",
    "assert {x} == {x}, f'{{{y}}}'",
    "type({x})\n{y} = int(f'{{{n}}}')",
    *PIECES,
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
    """What each function returns at first, after the source has run, or what it raises."""
    found = {}
    code = compile(source, "<made>", "exec", dont_inherit=True)
    for name in "fgh":
        namespace: dict[str, Any] = {"print": lambda *_: None, "__name__": "made"}
        exec(code, namespace)
        try:
            found[name] = namespace[name]()
        except (AttributeError, RecursionError, TypeError) as error:
            found[name] = type(error).__name__
    return found


@settings(max_examples=250)
@given(statements=st.lists(STATEMENT, max_size=10), joined=st.lists(st.booleans(), min_size=10, max_size=10))
def test_functions_of_the_module_return_what_the_notebook_s_do(statements: list[str], joined: list[bool]) -> None:
    cells = [*START]
    for statement, together in zip(statements, joined, strict=False):
        cells[-1:] = [f"{cells[-1]}\n\n{statement}"] if together else [cells[-1], statement]
    assert results(module_of(cells, ["f", "g", "h"])) == results("\n".join(cells))
