"""Plain statements to function: what becomes a parameter, what stays outside, what is handed back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_codeact.errors import SkillError
from jupyter_codeact.skills.handed import told
from jupyter_codeact.skills.statements import statements_of
from jupyter_codeact.skills.wrap import wrapped


def made(chosen: list[str], others: list[str], signature: str, names: Sequence[str] = ()) -> str:
    """The module of cells that are called by their places."""
    labels = [f"cell {count}" for count in range(1, len(others) + len(chosen) + 1)]
    here, there = labels[len(others) :], labels[: len(others)]
    return wrapped(dict(zip(here, chosen, strict=True)), dict(zip(there, others, strict=True)), signature, names)


def loaded(chosen: list[str], signature: str, others: list[str] | None = None) -> Any:
    """The function that the statements were made."""
    namespace: dict[str, Any] = {"__name__": "skill"}
    exec(compile(made(chosen, others or [], signature), "skill.py", "exec", dont_inherit=True), namespace)
    return namespace[signature.partition("(")[0].partition("->")[0].strip()]


def test_a_fit_becomes_a_function_with_its_comments() -> None:
    cells = [
        "import math\n# How often.\nn_restarts = 10",
        (
            "# The mean.\nmean = sum(x) / len(x)\n\n# An odd model,\n\n"
            "model = [mean, math.e, y,\n         '''a\nb''']  # done\n# The end."
        ),
        "for _ in range(n_restarts):\n    model.append(_)\nprint(model)",
    ]
    assert made(cells, [], "fit(x, y, n_restarts=10) -> model") == (
        "import math\n\n\n"
        "def fit(x, y, n_restarts=10):\n"
        "    # The mean.\n    mean = sum(x) / len(x)\n\n    # An odd model,\n\n"
        "    model = [mean, math.e, y,\n             '''a\nb''']  # done\n    # The end.\n"
        "    for _ in range(n_restarts):\n        model.append(_)\n    print(model)\n    return model\n"
    )


@pytest.mark.parametrize(
    ("chosen", "others", "signature", "arguments", "value"),
    [
        (["y = x + 1"], [], "f(x) -> y", (1,), 2),
        (["y = x + 1"], [], "f", (1,), 2),
        (["x + 1"], [], "f(x)", (1,), 2),
        (["y = 2\n# so\nmax(x,\n    y)"], [], "f(x)", (1,), 2),
        (["a = x\nb = a + 1\nprint(b)"], [], "f(x)", (1,), 2),
        (["a = x\nb = a + 1"], [], "f(x) -> a, b", (1,), (1, 2)),
        (["a = x\nb = a + 1"], [], "f(x) -> (a, b)", (1,), (1, 2)),
        (["n = 5\ny = x * n"], [], "f(x, n=7) -> y", (2,), 14),
        (["n: int = 5\ny = x * n"], [], "f(x, *, n=7) -> y", (2,), 14),
        (["n = n + 5\ny = x * n"], [], "f(x, n) -> y", (2, 1), 12),
        (["n = 5\nn = n + 1"], [], "f(n) -> n", (1,), 2),
        (["for i in range(x):\n    total += i"], [], "f(x, total=0) -> total", (4,), 6),
        (["for i in range(x):\n    t = i\ny = t"], ["t = 9"], "f(x) -> y", (4,), 3),
        (["d['a'] = 1"], [], "f", ({},), {"a": 1}),
        (["y = math.floor(x)"], ["import math"], "f(x)", (1.5,), 1),
        (["y = g(x)"], ["K = 3\ndef g(x): return x * K"], "f(x)", (2,), 6),
        (["k = 3\ndef g(x): return x * k\ny = g(x)"], [], "f(x, k) -> y", (2, 5), 10),
        (["def g(x): return x * k\ny = g(x)"], [], "f", (5, 2), 10),
        (["def h(x): return x\ndef g(x): return h(x) * k\nk = 4\ny = g(x)"], [], "f(x)", (2,), 8),
        (["import math\nmath = math.floor(x)"], [], "f(x) -> math", (1.5,), 1),
        (["y = [i * x for i in range(3)]"], [], "f", (2,), [0, 2, 4]),
        (["if x:\n    y = 1\nelse:\n    y = z"], [], "f(x, z) -> y", (0, 3), 3),
        (["if c:\n    x = 1\n    y = 0\nelse:\n    y = x"], [], "f", (0, 5), 5),
        (["if x:\n    y = 1\nelse:\n    y = z"], ["z = 4"], "f", (0, 3), 3),
        (["with open(p) as file:\n    y = file.name"], [], "f(p) -> y", ("/dev/null",), "/dev/null"),
        (["try:\n    y = int(x)\nexcept ValueError as e:\n    y = str(e)[:7]"], [], "f(x)", ("a",), "invalid"),
        (["y = sorted(x, key=lambda v: -v * k)"], [], "f(x, k) -> y", ([1, 2], 1), [2, 1]),
        (["y = f'''{x}\n  b'''\n"], [], "f(x)", (1,), "1\n  b"),
        (["%matplotlib inline\n%time y = x + 1\ny?"], [], "f(x) -> y", (1,), 2),
        (["%%time\ny = x + 1", "%time\n%time z = y + 1"], [], "f(x) -> z", (1,), 3),
        (["%%capture --no-stderr\nimport os\n%matplotlib inline\ny = x"], [], "f(x)", (1,), 1),
        (["lines = !echo {x}"], [], "f(x)", ("hello",), ["hello"]),
        (["class K:\n    global k\n    k = 3\ny = x + k"], [], "f(x) -> y", (1,), 4),
        (["class K:\n    n = x\n    n = n + 1\n    m = n\ny = K.m"], [], "f(x, n=5) -> y", (1,), 2),
        (["n = 5\nclass K:\n    n = x\n    m = n + 1\ny = K.m"], [], "f(x) -> y", (1,), 2),
        (
            ["from math import floor as r\ny = r(x)\nfrom math import ceil as r\nz = r(x)"],
            [],
            "f -> y, z",
            (1.5,),
            (1, 2),
        ),
        (["class B: n = 1\ny = B.n + x\nclass B: n = 2\nz = B.n"], [], "f -> y, z", (1,), (2, 2)),
        (
            ["match x:\n    case [int(first), *rest] if first > n:\n        y = rest\n    case _:\n        y = x"],
            [],
            "f",
            ([2, 3], 1),
            [3],
        ),
    ],
)
def test_the_function_does_what_the_cells_did(
    chosen: list[str], others: list[str], signature: str, arguments: tuple[Any, ...], value: Any
) -> None:
    assert loaded(chosen, signature, others)(*arguments) == value


@pytest.mark.parametrize(
    ("chosen", "handed"),
    [
        ("total = 0\nfor v in x:\n    total += v", "total"),
        ("with open(p) as f:\n    text = f.read()", "text"),
        ("best = None\nfor v in x:\n    if best is None or v > best:\n        best = v", "best"),
        ("if x: a = x; b = a + x", "b"),
        ("for i in range(3): last = i; z = last * 2\nprint(z)", "z"),
        ("if x:\n    a = x\nelse:\n    b = 2\nfig.show()", "b"),
        # in place
        ("d = {}\ne = 1\nfor k in x:\n    d[k] = e", "d"),
        ("d = {}\ne = 1\nd['a'], e.b = x", "e"),
        ("d = x\ne = 1\ndel d[0]", "d"),
        ("rows = []\nfor v in x:\n    w = v * 2\n    rows.append(w)", "rows"),
        ("import os\ny = x\nos.environ['A'] = y", "y"),
        ("f = open(p)\ntext = f.read()\nf.close()", "text"),
        # where nothing but a target is there, or its name is taken
        ("for v in x:\n    print(v)", "v"),
        ("y = x\nfor v in x:\n    print(v)", "y"),
        ("y = []\nfor v in x:\n    v = v.strip()\n    v.a = 1\n    y += [v]\n    v.b = 2", "y"),
        ("y = 1\nfor v in x: pass\nv = v + y", "v"),
        ("y = 1\nfor v in x:\n    pass\nelse:\n    v = 2", "v"),
        ("try:\n    y = int(x)\nexcept ValueError as e:\n    e.n = 1", "y"),
        ("y = 1\nmatch x:\n    case {'a': a, **rest}:\n        print(a)\n    case [b, *c]:\n        pass", "y"),
        ("y = 1\nif x:\n    def g2(): pass\n    class K: n = y", "y"),
        ("y = [v for v in x if (n := v)]", "y"),
        ("print([n for v in x if (n := v)])", "n"),
        ("while (n := x.pop()):\n    y = n", "y"),
        ("y = x\nz: int", "y"),
        ("y = x\ntmp = y\ndel tmp", "y"),
        # what shows nothing
        ("y = clean = x\nclean.dropna(inplace=True)", "clean"),
        ("rows = x\ny = 1\nrows.sort(key=len)", "rows"),
        ("seen = set()\ny = 1\nseen.add(x)", "seen"),
        ("out = x\nout.to_csv(p)", "out"),
        ("out = x\nout.to_csv(path_or_buf=p)", "out"),
        ("import json\ny = x\njson.dump(y, file)", "y"),
        # the last line's own value
        ("y = x\ny.to_csv()", "y.to_csv()"),
        ("y = x\ny.dropna(inplace=False)", "y.dropna(inplace=False)"),
        ("import numpy as np\ny = x\nnp.append(y, 1)", "np.append(y, 1)"),
        ("y = x\nnumpy.sort(y)", "numpy.sort(y)"),
        ("y = x\ny + 1  # so", "y + 1  # so"),
        ("y = x\n4", "4"),
        ("y = x\n'''put aside\n'''", "y"),
        ("a = b = x\n# é\n(a,\n b)  # so", "(a,\n     b)  # so"),
    ],
)
def test_without_names_the_last_one_that_changed_is_handed_back(chosen: str, handed: str) -> None:
    source = made([chosen], ["import numpy"], "g")
    assert source.endswith(f"\n    return {handed}\n")
    assert source.count("return") == 1


@pytest.mark.parametrize(
    ("chosen", "signature", "end"),
    [
        ("y = x + 1\ny", "g -> y", "    y = x + 1\n    return y\n"),
        ("y = x\nz = 1\n# So.\ny, z  # é", "g -> z", "    z = 1\n    # So.\n    return z  # é\n"),
        ("y = x\ny.fit(1)", "g -> y", "    y.fit(1)\n    return y\n"),
        ("y = x\ny.set_index(1)", "g", "    y = x\n    return y.set_index(1)\n"),
        ("y = x\ny.set_title(1)", "g", "    y.set_title(1)\n    return y\n"),
        ("y = x\nlen(y);", "g", "    len(y)\n    return y\n"),
        ("a = x; len(a) ; # no", "g", "    len(a)\n    return a\n"),
        ("x.plot();", "g", "    x.plot()\n"),
        ("y = x + 1\ny;", "g", "    y = x + 1\n    return y\n"),
        ("x;", "g", "def g(x):\n    x\n"),
        ("len(x);", "g", "def g(x):\n    len(x)\n"),
        ("len(x)\nabs(x)", "g", "    len(x)\n    return abs(x)\n"),
        ("import math as plt\nplt.plot(x)\nplt.title(x)", "g", "    plt.plot(x)\n    plt.title(x)\n"),
    ],
)
def test_what_only_shows_a_value_does_not_stand_above_the_return(chosen: str, signature: str, end: str) -> None:
    assert made([chosen], [], signature).endswith(end)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("y = x", "g hands back `y`"),
        ("y = x\n(y, 1)", "g hands back `y, 1`"),
        ("x.fit(1)", "g hands back `x.fit(1)`"),
        (f"x.fit('{'a' * 60}')", "g hands back the value of its last line"),
        ("x.fit('`')", "g hands back the value of its last line"),
    ],
)
def test_what_is_handed_back_is_said(chosen: str, said: str) -> None:
    assert told(made([chosen], ["def g2(): return 1"], "g", ["g2"]), "g") == said


def test_another_cell_that_can_not_be_read_matters_where_something_of_it_is_needed() -> None:
    others = ["cd data", "!pip install a \\\n  b", "K = 2\ny = (1 =: 2)\ndef g(:"]
    assert made(["s = sum(y)"], others, "summed(y) -> s") == "def summed(y):\n    s = sum(y)\n    return s\n"
    with pytest.raises(SkillError, match=r"^Cell 3 can't be read as Python, line 2: "):
        made(["s = sum(y)"], others, "summed(y) -> s", ["g"])
    with pytest.raises(SkillError, match=r"^Cell 2 can't be read as Python, line 1: "):
        made(["s = sum(y)", "y = (1 =: 2)"][::-1], [*others[:1]], "summed(y) -> s")


def test_comments_stand_once_in_a_function() -> None:
    cell = "# === all ===\n\n# It.\n\nif x:\n    y = 1\n    # so\n\n# then\n\nz = y\n# end\n"
    body = "".join(f"    {line}" if line.strip() else line for line in cell.splitlines(keepends=True))
    assert made([cell], [], "f(x, y) -> z") == f"def f(x, y):\n{body}    return z\n"


def test_what_is_imported_twice_stays_outside() -> None:
    cells = [
        "# Numbers.\nimport os.path as p\nimport os",
        "import os.path as p\nimport os.path",
        "y = p.join(x, os.sep)",
    ]
    assert made(cells, [], "f(x) -> y").endswith("def f(x):\n    y = p.join(x, os.sep)\n    return y\n")


@pytest.mark.parametrize(
    ("chosen", "others", "signature", "said"),
    [
        (["y = x + z"], ["z = 2"], "f(x)", "f needs z: name it in the signature"),
        (["y = x + z + w"], [], "f(x)", "f needs z, w: name them"),
        (["y = x"], [], "f(x, q)", "q: these cells use nothing of that name. They use x, y"),
        (["y = x"], [], "f(x) -> q", "q: these cells bind nothing of that name"),
        (["a, n = 1, 2\ny = n"], [], "f(n) -> y", "n can't be a parameter: `a, n = 1, 2` in cell 1 sets it"),
        (["def g(): return 1"], [], "f()", "no plain statement"),
        (["print(x)"], [], "f(x)", "bind nothing that could be handed back"),
        (["try:\n    int(x)\nexcept ValueError as e:\n    e.n = 1\n    print(e)"], [], "f(x)", "bind nothing that"),
        (["y = x"], [], "f(x", "is no signature"),
        (["y = x"], [], "2f(x)", "is no signature"),
        (["y = x"], [], "f(x) -> y z", "is no signature"),
        (["k = 1\ndef g():\n    global k\n    k = 2\ng()"], [], "f() -> k", "`global k`"),
        (["for i in x:\n    %run {i}\n    y = i"], [], "f(x) -> y", "`%run {i}` in cell 1 is IPython's"),
        (["%%capture out\ny = x"], [], "f(x) -> y", "`%%capture out` in cell 1 is IPython's"),
        (["y = g(x)\ndef g(v):\n    %run {v}"], ["k = 1"], "f(x) -> y", "g uses `%run {v}` in cell 2: that"),
        (["y = await x"], [], "f(x) -> y", "'await' outside"),
        (["class K:\n    x = x + 1\ny = K.x"], [], "f(x) -> y", "class K in cell 1 reads x before it sets its own"),
        (["x = 2\nclass K:\n    x += 1\ny = K.x"], [], "f() -> y", "class K in cell 1 reads x before it sets its own"),
        (["x = 1\nclass K:\n    global x\n    x = 3\ny = x"], [], "f() -> y", "`global x`"),
    ],
)
def test_what_can_not_be_a_function_is_said(chosen: list[str], others: list[str], signature: str, said: str) -> None:
    with pytest.raises(SkillError) as caught:
        made(chosen, others, signature)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


NAME = st.sampled_from("abcdef")
LINES = [
    "{x} = {n}",
    "{x} = {y} + {n}",
    "{x} += {y}",
    "{x}, {y} = {y}, {n}",
    "{x} = max({y}, {z}); {z} = {x}",
    "if {x} % 2:\n    {y} = {n}\nelse:\n    {y} = {z}",
    "for i in range({n}):\n    {x} = {x} + i * {y}",
    "{x} = sum([j * {y} for j in range(3)])",
    "def g(v): return v + {y}\n{x} = g({n})",
    "{x} = (lambda v: v * {y})({z})",
    "# {n}\n{x} = len('''a\n  b''') + {y}",
    # classes
    "class K:\n    n = {y}\n{x} = K.n + {n}",
    "class K:\n    n = {y} + {n}\n    def get(self, m={z}): return self.n + m + {x}\n{x} = K().get()",
    "class K:\n    def get(self):\n        '''{n}\n  two'''\n        return {y}\n{x} = K().get() + len(K.get.__doc__)",
    "class K:\n    n = [i * {n} for i in range({n})]\n    m = [{y} for i in range(2)]\n{x} = sum(K.n) + K.m[0]",
    "class K:\n    class L:\n        n = {y}\n        def get(self): return {z}\n{x} = K.L().get() + K.L.n",
    "class K:\n    if {y} % 2:\n        n = {y}\n    else:\n        n = {z}\n{x} = K.n",
    "class K:\n    def __init__(self, {y}): self.{y} = {y}\n{x} = K({z}).{y}",
    (
        "class K:\n    @property\n    def n(self): return {y}\n    @staticmethod\n"
        "    def m(p={z}): return p\n{x} = K().n + K.m()"
    ),
    "class K:\n    n = (lambda p={y}: p + {z})()\n{x} = K.n",
    (
        "class B:\n    def get(self): return {y}\n\nclass K(B):\n"
        "    def get(self): return super().get() + {n}\n{x} = K().get()"
    ),
    "class B: n = {n}\n{x} = B.n",
    "import dataclasses\n@dataclasses.dataclass\nclass K:\n    n: int = {y}\n{x} = K().n + K({z}).n",
    "def add(cls):\n    cls.n = {y}\n    return cls\n\n@add\nclass K: pass\n{x} = K.n",
    "class K: pass\nk = K()\nk.n = {y}\n{x} = k.n",
    "class M(type):\n    n = {y}\n\nclass K(metaclass=M): pass\n{x} = K.n",
    # decorators, closures, default arguments, comprehensions
    "def wrap(w): return lambda *p: w(*p) + {y}\n\n@wrap\ndef g(v): return v + {z}\n\n{x} = g({n})",
    "def g(p={y}, *, q={z}): return p + q\n{x} = g() + g({n})",
    (
        "def make():\n    n = {y}\n    def step():\n        nonlocal n\n        n += {n}\n        return n\n"
        "    return step\nstep = make()\nstep()\n{x} = step()"
    ),
    "def g(v): return g(v - 1) + {y} if v > 0 else {z}\n{x} = g(3)",
    "{x} = [({y} := i) for i in range(2)][0] + {y}",
    "{x} = sum({y} * j for i in range(3) for j in range(i) if i % 2)",
    "{x} = len({{i: {y} for i in range({n})}}) + len({{{z} for i in range(2)}})",
    "{x}, *rest = {y}, {n}, 3\n{z} = len(rest)",
    "match {y}:\n    case 1:\n        {x} = {n}\n    case int(found):\n        {x} = found",
    "while {x} > 9:\n    {x} -= {n} + 1\nelse:\n    {y} = {x}",
    "with open('/dev/null') as file:\n    {x} = len(file.name) + {y}",
    "tmp = {y} + {n}\n{x} = tmp\ndel tmp",
    # handlers, deletions, lambdas, coroutines, branches that define
    "try:\n    {x} = int('no')\nexcept ValueError as problem:\n    {x} = {n} + len(str(problem)) + {y}",
    "k = [{y}, {n}]\ndel k[0]\n{x} = k[0]",
    "{x} = sorted([1, 2], key=lambda v: v * {y} - {z})[0]",
    "{x} = sum(map(lambda v: v + {y}, range({n})))",
    "async def later(): return {y}\nimport asyncio\n{x} = asyncio.run(later())",
    "def gen(m={n}):\n    for i in range(m): yield i + {y}\n{x} = sum(gen())",
    "try:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n{x} = {y} if nowhere is None else 0",
    "if {y} % 2:\n    def g(v): return v + {n}\nelse:\n    def g(v): return v - {z}\n{x} = g({n})",
    (
        "from functools import singledispatch\n@singledispatch\ndef one(v): return {y}\n"
        "@one.register\ndef _(v: int): return {z} + v\n{x} = one({n}) + one('a')"
    ),
    "if (t := {y}) > {n}:\n    {x} = t\nelse:\n    {x} = {z}",
    "from enum import Enum\nclass E(Enum):\n    A = {y}\n{x} = E.A.value",
    "def g(): return g.n + {y}\ng.n = {n}\n{x} = g()",
    "Alias = int | None\ndef g(v: Alias = {y}) -> 'Alias': return v\n{x} = g()",
    "for i in range(2):\n    def g(v=i): return v + {y}\n{x} = g()",
    "from contextlib import contextmanager\n@contextmanager\ndef held(): yield {y}\nwith held() as v: {x} = v + {n}",
]
LINE = st.builds(
    lambda line, **names: line.format(**names), st.sampled_from(LINES), x=NAME, y=NAME, z=NAME, n=st.integers(0, 9)
)

# Each of them has one of NAME to the left of its last `=`.
BOUND = re.compile(r"(?<![\w.])([a-f])(?:, \*rest)? [-+]?= ")


@settings(max_examples=150)
@given(lines=st.lists(LINE, min_size=1, max_size=8), values=st.lists(st.integers(0, 9), min_size=6, max_size=6))
def test_the_function_gives_what_the_statements_gave(lines: list[str], values: list[int]) -> None:
    source, start = "\n".join(lines), dict(zip("abcdef", values, strict=True))
    after: dict[str, Any] = {**start}
    exec(source, after)
    bound = sorted({name for s in statements_of([source]) for name in s.names.binds} & {*start})
    function = loaded([source], f"f -> {', '.join(bound)}")
    given_values = {name: start[name] for name in function.__code__.co_varnames[: function.__code__.co_argcount]}
    found = function(**given_values)
    assert (found if len(bound) > 1 else (found,)) == tuple(after[name] for name in bound)
    assert loaded([source], "f")(**given_values) == after[BOUND.findall(lines[-1])[-1]]
