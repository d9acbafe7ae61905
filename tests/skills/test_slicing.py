"""Cells to module: what is kept, what is left out, what is said where it can't be done."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_codeact.errors import SkillError, SkillFailed
from jupyter_codeact.skills.left_out import left_out
from jupyter_codeact.skills.slicing import module_of


def loaded(cells: list[str], names: list[str] | None = None) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "skill"}
    exec(compile(module_of(cells, names), "skill.py", "exec", dont_inherit=True), namespace)
    return namespace


def result(cells: list[str]) -> Any:
    """What ``f()`` of the module returns."""
    return loaded(cells, ["f"])["f"]()


def test_definitions_come_with_what_they_need_and_nothing_else() -> None:
    cells = [
        "import numpy as np\nimport json\n\nSCALE = 3\nOTHER = 4",
        "def helper(x):\n    return x * SCALE\nprint(helper(2))",
        "def f():\n    return helper(1) + np.e\n\nf()",
    ]
    assert module_of(cells, ["f"]) == (
        "import numpy as np\n\n\nSCALE = 3\n\n\ndef helper(x):\n    return x * SCALE\n\n\n"
        "def f():\n    return helper(1) + np.e\n"
    )


def test_comments_and_formatting_are_kept() -> None:
    written = (
        "# Length scale, in metres.\n# From the paper.\nSCALE = {'a':1,\n         'b' : 2}  # not tuned\n\n\n"
        "# Fits.\n@staticmethod\n# twice\n@staticmethod\ndef f( x,\n       y=SCALE, ):\n"
        "    '''Doc.\n%not magic\n    '''\n\n    return x  # done\n"
    )
    assert module_of(["1 + 1  # no\n\n" + written.replace("\n\n\n", "\n\n")], ["f"]) == written


def test_comments_around_and_at_the_end_are_kept() -> None:
    remarks = "    # trailing remark\n\n  # of it"
    helpers = (
        f"# === helpers ===\n\n# about f\n\ndef f(n):\n    if n:\n        return 1\n    # else: nothing\n{remarks}"
    )
    kept = "class C:\n    n = 1\n\n    # def get(self):\n    #     return 2"
    late = "# === late ===\n\n@staticmethod\ndef g(): pass"
    cell = f"import math\n# of math\n\n{helpers}\n\n{kept}\nx = 1\n# of x\n\n{late}\n# the end\n"
    assert module_of([cell, helpers]) == "\n\n\n".join([kept, late, helpers]) + "\n"
    assert module_of([cell], ["f"]) == helpers + "\n"


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        (["def f(): return 1", "def f(): return 2"], 2),
        (["x = 1", "def f(): return x", "x = 2"], 2),
        (["x = 1\ny = x\nx = 2", "def f(): return (x, y)"], (2, 1)),
        (["x = 1", "def f(a=x): return (a, x)", "x = 2"], (1, 2)),
        (["def g(): return 1", "x = g()", "def g(): return 2", "def f(): return (x, g())"], (1, 2)),
        (["k = 1\ndef g(): return k", "x = g()\nk = 2", "def f(): return (x, k)"], (1, 2)),
        # CPython's own symbol tables are called `top`, and it takes a function's for one.
        (["def top(a):\n    b = a + k\n    return b", "k = 2", "def f(): return top(1)"], 3),
        (["class top:\n    n = 1\n    def top(self, m=2): return self.n + m", "def f(): return top().top()"], 3),
        (["def f(a=1):\n    def top(b): return a + b\n    return top(2)"], 3),
        (["x = 1", "x += 1", "x *= 5", "def f(): return x"], 10),
        (["x = x0 = 1", "def f(): return x"], 1),
        (["a, (b, *c) = 1, (2, 3, 4)", "def f(): return (a, b, c)"], (1, 2, [3, 4])),
        (["x: int = 3", "x: int", "def f(): return x"], 3),
        (["a = 1; x = undefined_here = 2; b = 3  # b", "def f(): return (x, b)"], (2, 3)),
        (["s = '''a;\nb'''; t = 1", "def f(): return s"], "a;\nb"),
        (["d = {}", "d['a'] = 1", "d['b'] = d['a'] + 1", "def f(): return d"], {"a": 1, "b": 2}),
        (["class A: pass", "a = A()", "a.n = 5", "def f(): return a.n"], 5),
        (["t = {}", "for i in range(3):\n    t[i] = i", "def f(): return t"], {0: 0, 1: 1, 2: 2}),
        (["n = 0", "for i in range(4): n += i", "def f(): return n"], 6),
        (["import contextlib\nwith contextlib.nullcontext(3) as x:\n    y = x", "def f(): return y"], 3),
        (["print(y := 4)", "def f(): return y"], 4),
        (["match (1, 2):\n    case (a, b):\n        c = a + b", "def f(): return (a, c)"], (1, 3)),
        (["try:\n    import nowhere\nexcept ImportError:\n    nowhere = None", "def f(): return nowhere"], None),
        (["if True:\n    def g(): return 1\nelse:\n    def g(): return 2", "def f(): return g()"], 1),
        (["def deco(g): return lambda: g() + 1", "@deco\ndef f(): return 1"], 2),
        (["from functools import cache", "def f(): return 1", "f = cache(f)"], 1),
        (["class Base:\n    n = 1", "class A(Base):\n    m = 2", "def f(): return A().n"], 1),
        (["k = 3", "class A:\n    n = k\n    def get(self, m=k): return self.n + m", "def f(): return A().get()"], 6),
        (["k = 3", "class A:\n    k = k\n    ks = [k for _ in range(2)]", "def f(): return (A.k, A.ks)"], (3, [3, 3])),
        (["k = 3", "def f(): return [i * k for i in range(3)]"], [0, 3, 6]),
        (["i = 9\nk = 3", "x = [i * k for i in range(3)]", "def f(): return x"], [0, 3, 6]),
        (["k = 1", "def f():\n    def g():\n        return (lambda: k)()\n    return g()"], 1),
        (["def f():\n    n = 0\n    def g():\n        nonlocal n\n        n = 1\n    g()\n    return n"], 1),
        (["def f():\n    import math as m\n    from math import floor\n    return floor(m.e)"], 2),
        (["from math import floor as down", "def f(): return down(2.5)"], 2),
        (["from math import *", "def f(): return floor(2.5)"], 2),
        (["import xml.dom.minidom\nimport xml.sax", "def f(): return xml.dom.minidom.__name__"], "xml.dom.minidom"),
        (["import xml.sax", "import xml", "def f(): return xml.sax.__name__"], "xml.sax"),
        (["import xml.sax as s, os.path", "def f(): return (s.__name__, os.sep)"], ("xml.sax", "/")),
        (["from math import floor", "floor = str", "def f(): return floor(1)"], "1"),
        (["floor = str", "from math import floor", "def f(): return floor(1.5)"], 1),
        (["count = 0", "def f():\n    global count\n    count += 1"], None),
        (["def f(n=3): return 1 if n == 0 else n * f(n - 1)"], 6),
        (["def odd(n): return even(n - 1)", "def even(n): return not n or odd(n - 1)", "def f(): return odd(1)"], True),
        (["a = 1\ndef f(): return a", "g = (lambda was: lambda: was())(f)", "a = 2", "a = g() + 1"], 3),
        (["b = 1", "if False:\n    b = 2\nelse:\n    c = 3", "def f(): return b"], 1),
        (["i = 9", "x = [i for i in range(3)]", "def f(): return (i, x)"], (9, [0, 1, 2])),
        (["a = 1", "for i in range(2): a += i", "a = 0", "for i in range(0): a += i", "def f(): return a"], 0),
        (["a = 1", "class K:\n    a += 2", "def f(): return K.a"], 3),
        (["a = 1", "if True:\n    class K:\n        class L:\n            a += 2", "def f(): return K.L.a"], 3),
        (["class K:\n    global a\n    a = 3", "def f(): return a"], 3),
        (["def f(): return __name__"], "skill"),
        (["s = 'a\x0cb'\nx = 1  # \u2028 \x0b", "def f(): return (s, x)"], ("a\x0cb", 1)),
        (["x = 1\r\ndef f():\r\n    return x\r\n"], 1),
        (["x = 1\ndel x\nx = 2\nt = 1; del t", "def f(): return x"], 2),
        (["é = 'ü'; x = 'ä'", "def f(): return x"], "ä"),
        # what a handler catches is its own
        (["try:\n    n = int('no')\nexcept ValueError as e:\n    n = len(str(e)) * 0", "def f(): return n"], 0),
        (["from math import e", "try: n = int(e)\nexcept OSError as e: n = e", "def f(): return n + (e < 3)"], 3),
        (["try: raise ExceptionGroup('', [OSError()])\nexcept* OSError as g: n = 1", "def f(): return n"], 1),
        # what is deleted is no more
        (["sum = 3\nx = sum + 1\ndel sum", "def f(): return sum([x, 1])"], 5),
        (["x = len('ab')", "len = 7", "del len", "def f(): return len('a') + x"], 3),
        (["d = {'a': 1, 'b': 2}", "del d['a']", "def f(): return d"], {"b": 2}),
        (["class A: pass\na = A()\na.n = 1\na.m = 2", "del a.n", "def f(): return vars(a)"], {"m": 2}),
        (["x = [1, 2]", "for i in range(1):\n    t = i\n    del x[t], t", "def f(): return x"], [2]),
        # a lambda may be called by what it is handed to
        (["k = 2", "x = list(map(lambda v: v * k, [1, 2]))", "k = 3", "def f(): return x, k"], ([2, 4], 3)),
        (["x = 1", "x = (lambda: x + 2)()", "def f(): return x"], 3),
        (["k = -1", "class A:\n    n = max([1, 2], key=lambda v: v * k)", "k = 1", "def f(): return A.n, k"], (1, 1)),
        # functions that another one is told of
        (["from functools import singledispatch as sd\n@sd\ndef g(v): return 1", "@g.register\ndef _(v: int): return 2",
          "@g.register(str)\ndef _(v): return 3", "def f(): return g(1), g(''), g(2.5)"], (2, 3, 1)),
    ],
)  # fmt: skip
def test_the_module_does_what_the_notebook_did(cells: list[str], value: Any) -> None:
    assert result(cells) == value


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        (["class A(Base): pass\ndef f(): return A().n", "class Base:\n    n = 1"], 1),
        (["x = y + 1\ndef f(): return x", "y = 1"], 2),
        (["x = g()\ndef f(): return x", "def helper(): return K\ndef g(): return helper()", "K = 7"], 7),
        (["def f(a=K): return a", "import math\nK = int(math.e)"], 2),
    ],
)
def test_a_cell_that_was_run_again_may_come_after_its_users(cells: list[str], value: Any) -> None:
    assert result(cells) == value


def test_future_imports_stay_and_come_first() -> None:
    cells = ["import math\nK = 1", "from __future__ import annotations\ndef f(x: float | math.nothing = K): return x"]
    assert module_of(cells).startswith("from __future__ import annotations\nimport math\n")
    assert result(cells) == 1


def test_names_for_types_alone_come_too() -> None:
    cells = [
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING",
        "if TYPE_CHECKING:\n    from nowhere import Frame",
        "def f(x: Frame = None): return x",
    ]
    assert "    from nowhere import Frame" in module_of(cells)
    assert result(cells) is None


def test_classes_that_register_themselves_come_along() -> None:
    """Whatever is made of a class that keeps a record of those: nothing names them."""
    base = "class Base:\n    known = {}\n    def __init_subclass__(cls): Base.known[cls.__name__] = cls"
    made = "class A(Base): n = 1", "class B(A): n = K", "class Other: n = 3", "class Gone(Base): pass\ndel Gone"
    use = "def f(): return {name: cls.n for name, cls in Base.known.items()}"
    assert result([base, *made, "K = 2", use, "class A(Base): n = 4"]) == {"A": 4, "B": 2}
    assert "Other" not in module_of([base, *made, "K = 2", use], ["f"])
    plain = base.replace("__init_subclass__", "other")
    assert result([plain, "class A(Base): pass", use]) == {}
    assert "class A" not in module_of([plain, "class A(Base): pass", use], ["f"])


def test_what_ipython_gives_to_cells_is_imported() -> None:
    assert module_of(["def f(x): display(x)"]).startswith("from IPython.display import display\n")


def test_what_is_set_in_an_imported_module_is_no_part_of_the_skill() -> None:
    module = module_of(["import os", "os.environ['KEY'] = 'secret'", "def f(): return os.sep"])
    assert "secret" not in module


def test_earlier_definitions_that_nobody_needs_are_left_out() -> None:
    module = module_of(["x = 'old'\ndef g(): return 'old'", "x = 1", "def g(): return x", "def f(): return g()"])
    assert "old" not in module


def test_the_same_import_in_two_cells_stands_once() -> None:
    module = module_of(["import math", "import math\ndef f(): return math.e", "import math"])
    assert module.count("import math") == 1


def test_by_default_every_function_and_class_is_stored_and_no_value() -> None:
    module = loaded(["x = 1\ndef f(): pass", "class A: pass", "async def g(): pass", "from math import e", "f = print"])
    assert {name for name in module if not name.startswith("__")} == {"f", "A", "g"}


def test_what_was_deleted_is_not_stored() -> None:
    assert module_of(["def f(): return 1", "def g(): return 2\ndel g"]) == "def f(): return 1\n"


def test_a_value_is_stored_where_it_is_named() -> None:
    assert module_of(["x = 1\ny = 2"], ["y"]) == "y = 2\n"


@pytest.mark.parametrize(("name", "module"), [("a", "a = 1\n"), ("x", "x = 2\n"), ("b", "b = 3  # b; c\n")])
def test_statements_of_one_line_are_taken_apart(name: str, module: str) -> None:
    assert module_of(["a = 1; x = 2; b = 3  # b; c"], [name]) == module


# ---- IPython


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline\ndef f(): return 1",
        "%%time\ndef f(): return 1",
        "!pip list\ndef f(): return 1\n!ls 'unclosed",
        "def f(): return 1\nf?\n?f\nf??",
        "!ls \\\n  -la \\\n  .\ndef f(): return 1",
        "files = !ls \\\n  -la\n%cd a\\\nb\ndef f(): return 1",
        "files = !ls\nx, y = %sx ls\ndef f(): return 1",
        "for i in range(2):\n    !echo {i}\ndef f(): return 1",
        "%matplotlib inline\ndef f():\n    '''\n    Is it?\n%x\n!y\n    '''\n    return 1",
    ],
)
def test_lines_of_ipython_are_left_out(cell: str) -> None:
    assert result([cell]) == 1
    assert "pass" not in module_of([cell])
    assert "ls" not in module_of([cell])


def test_a_line_that_goes_on_is_one_line() -> None:
    module = module_of(
        ["if True:\n    x = !echo a \\\n       b \\\n       c\n    y = x + [ # so\n 'd']\ndef f(): return y"]
    )
    assert "    x = subprocess.getoutput('echo a         b         c').splitlines()\n    y = x + [ # so\n" in module
    assert result(["x = !echo a \\\n  b\ndef f(): return x"]) == ["a b"]


@pytest.mark.parametrize(
    ("use", "value"),
    [
        ("files.s", "a b b"),
        ("files.fields(0)", ["a", "b"]),
        ("files.grep('a')", ["a b"]),
        ("files.sort(0)", ["a b", "b"]),
        ("[line for line in files]", ["a b", "b"]),
    ],
)
def test_lines_of_a_shell_have_what_is_used_of_them(use: str, value: Any) -> None:
    cells = ["files = !echo a b; echo b\nother = !ls", f"def f(): return {use}"]
    assert result(cells) == value
    assert ("SList" in module_of(cells)) is use.startswith("files.")


def test_what_is_the_shell_s_own_stays_its(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHO", "ann")
    assert result(["def f():\n    x = !echo ${WHO} {x}\n    return x"]) == ["ann {x}"]


@pytest.mark.parametrize("cell", ["cd data", "cd", "\n  pip install a b\n", "run fit.py --fast", "load_ext x"])
def test_a_magic_without_its_sign_is_left_out(cell: str) -> None:
    assert module_of([cell, "def f(): return 1"]) == "def f(): return 1\n"


def test_a_magic_without_its_sign_is_one() -> None:
    assert result(["time x = 1 + 1", "def f(): return x"]) == 2


# IPython lets whoever likes add a syntax to cells, as this one has.
ODD = "ok += 1\nx, y = solve(a =: 1)\nimport a.b, c.d as e\nfrom g import (h, i as j)\nclass K: 2 = 1"


def test_a_cell_that_can_not_be_read_matters_where_something_of_it_is_needed() -> None:
    cells = ["def ok(): return 1", ODD, "def f(): return ok()", "def g(): return y", "def h2(): return z"]
    labels = ["cell 3", "cell 6", "cell 7", "cell 8", "cell 9"]
    assert module_of(cells, ["f"]) == "def ok(): return 1\n\n\ndef f(): return ok()\n"
    for names in (["g"], ["x"], ["a"], ["e"], ["h"], ["j"], ["K"], ["f", "g"], None):
        with pytest.raises(SkillError, match=r"^Cell 6 can't be read as Python, line 2: "):
            module_of(cells, names, labels=labels)
    # the last definition is meant
    with pytest.raises(SkillError, match=r"^Cell 4 can't be read as Python, line 1: "):
        module_of([*cells[:3], "def ok(: pass"], ["f"], labels=["cell 1", "cell 2", "cell 3", "cell 4"])
    with pytest.raises(SkillFailed, match="h2 needs z, which none of these cells defines"):
        module_of(cells, ["h2"], labels=labels)
    with pytest.raises(SkillError, match=r"^Cell 6 can't be read as Python, line 2: "):
        module_of(cells[3:], ["g"], {"cell 6": ODD})


def test_a_cell_in_another_language_is_left_out() -> None:
    assert result(["%%bash\nfor f in *; do echo $f; done", "def f(): return 1"]) == 1


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["x = 1"], "no function and no class"),
        ([], "no function and no class"),
        (["def f(): return nowhere"], "f needs nowhere, which none of these cells defines"),
        (["x = y", "def f(): return x"], "x needs y"),
        (["d['a'] = 1", "def f(): return d"], "f needs d, which none"),
        (["x += 1", "def f(): return x"], "x needs x, which none"),
        (["x = x + 1", "def f(): return x"], "x needs x, which none"),
        (["def g(): pass\n\ndef f(a, a): pass"], "Cell 1 can't be read as Python, line 3: duplicate argument 'a'"),
        (["!a \\\n  b\nx = !c \\\n d\n\n1 = 2"], "Cell 1 can't be read as Python, line 6"),
        (["def f(): pass", "def g(:\n  pass"], "Cell 2 can't be read as Python, line 1"),
        (["x = 1\nx = = 2"], "Cell 1 can't be read as Python, line 2"),
        (["def f(a, a): pass"], "Cell 1 can't be read as Python, line 1"),
        (["x = '\0'"], "Cell 1 can't be read as Python"),
        (["x = " + "-" * 100_000 + "1"], "Cell 1 can't be read as Python"),
        (["def f():\n    %cd /\n    return 1"], "f uses `%cd /`"),
        (["files = %sx ls\ndef f(): return files"], "files uses `files = %sx ls` in cell 1: that is IPython's"),
        (["v = %env HOME=a", "def ve(): return v"], "v uses `v = %env HOME=a` in cell 1: that is IPython's"),
        (["d = {}\nd['a'] = %sql 1", "def ve(): return d"], "d uses `d['a'] = %sql 1` in cell 1: that is IPython's"),
        (["o = print\no.b: int = %cd /\ndef f(): return o"], "o uses `o.b: int = %cd /`"),
        (["x += %env HOME\ndef f(): return x"], "Cell 1 can't be read as Python, line 1"),
        (["if x == %env:\n    def f(): return x"], "Cell 1 can't be read as Python, line 1"),
        (["if 1:\n    a, q = %sql select 1\ndef f(): return q"], "a, q uses `a, q = %sql select 1`"),
        (["try:\n    1\nexcept E:\n    def f(): pass\nelse:\n    class C: pass"], "only: name those to take, of C, f."),
        (["data = await fetch()", "def fetch(): pass", "def f(): return data"], "'await' outside function"),
    ],
)
def test_what_cannot_be_a_module_is_said_in_one_line(cells: list[str], said: str) -> None:
    with pytest.raises(SkillError) as caught:
        module_of(cells)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_names_that_are_missing_are_told_with_the_cells_that_define_them() -> None:
    """Also what those need: who adds the cells that are named has all of them."""
    others = {
        "cell 1": "import numpy as np\nSCALE = 2",
        "cell 2": "def half(x): return np.half(x) * SCALE * SIZE + lost",
        "cell 3": "SIZE = 3",
        "cell 4": "def g(x): return half(x)",
    }
    cells = ["def f(x):\n    return np.mean(g(x)) + nowhere", "K = half(1)\nclass C:\n    n = K + nowhere"]
    with pytest.raises(SkillFailed) as caught:
        module_of(cells, None, others)
    assert str(caught.value) == (
        "f needs g, which cell 4 defines; f needs np, which cell 1 defines; K needs half, which cell 2 defines; "
        "half needs SIZE, which cell 3 defines: name those cells too. "
        "f needs nowhere, C needs nowhere, half needs lost, which none of these cells defines. Add the cell that does."
    )


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(SkillError, match=r"fit is not defined in these cells; they define: A, g\."):
        module_of(["def g(): pass\nclass A: pass\nx = 1"], ["g", "fit"])


def test_what_python_warns_of_in_a_cell_is_nothing_that_we_say() -> None:
    """In tests a warning is an error."""
    assert module_of(["def f(x):\n    return x is 1, '\\d'"], ["f"]).startswith("def f")


# ---- what is left out


@pytest.mark.parametrize(
    ("cells", "others", "told"),
    [
        (["data = []", "for i in range(3):\n    data.append(i)", "def f(): return data"], [],
         ["`data.append(…)` in cell 2 is left out: what it does to data is no part of it"]),
        (["data = []\ndef f(): return data"], ["data.append('hers')"],
         ["`data.append(…)` in cell 2 is left out: what it does to data is no part of it"]),
        (["df = g()\ndf.dropna(inplace=True)\ndef g(): pass\ndef f(): return df"], [],
         ["`df.dropna(…)` in cell 1 is left out: what it does to df is no part of it"]),
        (["R = {}\ndef reg(g):\n    R[g.__name__] = g\n    return g", "@reg\ndef a(): pass", "def f(): return R"], [],
         ["`@reg` of a in cell 2 is left out: what it does to R is no part of it"]),
        (["R = []\ndef put(n): R.append(n)", "put(1)", "def f(): return R"], [],
         ["`put(…)` in cell 2 is left out: what it does to R is no part of it"]),
        # these are nobody's, not of this value, or do nothing to it
        (["data = []\nother = []\nother.append(1)\ndef f(): return data"], ["data = [1]\ndata.append(1)"], []),
        (["data = []\ndata.append(1)\ndata = [2]\ndef f(): return data"], [], []),
        (["data = {}\ndata['a'] = 1\ndata.items()\nprint(len(data))\ndef f(): return data"], ["f()", "ls x y"], []),
        (["def g(data): data.append(1)\ndata = []\ng([])\ndef h2(): data.append(1)\ndef f(): return data"], [], []),
        (["import numpy as np\nx = [1]\nnp.append(x, 1)\ndef f(): return np.sum(x)"], ["x = = 1"], []),
    ],
)  # fmt: skip
def test_what_a_function_leaves_behind_is_told(cells: list[str], others: list[str], told: list[str]) -> None:
    labels = [f"cell {count}" for count in range(1, len(cells) + len(others) + 1)]
    here = dict(zip(labels, cells, strict=False))
    assert left_out(here, dict(zip(labels[len(cells) :], others, strict=True)), ["f"]) == told
