"""What is looked at before a skill is saved."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.headless.trial import try_skill
from jupyter_codeact.sandbox.launch import Sandbox, open_sandbox
from jupyter_codeact.skills.baked import Owner, baked_in
from jupyter_codeact.skills.checks import Tried, problems, undefined, warnings
from jupyter_codeact.skills.docstrings import with_stubs
from jupyter_codeact.skills.eager import runs_at_import
from jupyter_codeact.skills.ipython import python_of
from jupyter_codeact.skills.skill import Files
from jupyter_codeact.skills.slicing import definer_of, module_of

# ---- names


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(): return nowhere", [(1, "nowhere")]),
        ("import a.b\nx = [i for i in a]\ny = i", [(3, "i")]),
        ("x = y\nx = y\ny = z", [(3, "z")]),
        ("class A:\n    n = k", [(2, "k")]),
        ("class A:\n    k = k", []),
        ("def f(a: Frame): return a", [(1, "Frame")]),
        ("from math import *\nx = floor(1)", []),
        ("def f():\n    global count\n    count = 1\ndef g(): return count", []),
        ("def f(x): return lambda: x + len(__name__) + __file__", []),
        ("try:\n    import a\nexcept ImportError:\n    a = None\nwith open(a) as b: c = b", []),
        ("def top(a):\n    b = a\n    return b, nowhere\nx = b", [(3, "nowhere"), (4, "b")]),
        ("class top:\n    n = 1\n    m = n\n    def top(self): return n", [(2, "n")]),
        ("def f():\n    n = 1\n    def top():\n        nonlocal n\n        n = 2\n    return top, n\nn", [(7, "n")]),
        ("def top():\n    global n\n    n = 1\ndef f(): return n", []),
        ("def f():\n    return f()\nif (n := 1): print(n)\nfor i in n: i\ndel i", []),
    ],
)
def test_names_that_nobody_defines_are_found(source: str, found: list[tuple[int, str]]) -> None:
    assert [*undefined(source)] == found


def test_a_missing_name_is_told_with_its_cell() -> None:
    cells = {"cell 1": "k = 1", "cell 4": "k = 2", "cell 5": "no python k", "cell 6": "k + 1"}
    assert (definer_of(cells, "k"), definer_of(cells, "q")) == ("cell 4", "")
    assert problems({"a.py": "\nx = k + q"}) == [
        "a.py, line 2: k is not defined",
        "a.py, line 2: q is not defined",
    ]
    assert problems({"a.py": "x = (", "b.py": "x = 1"})[0].startswith("a.py would not compile, line 1")


# ---- IPython


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("!ls -l", "subprocess.run('ls -l', shell=True, check=False)"),
        ("x = !ls", "x = subprocess.getoutput('ls').splitlines()"),
        ("!echo {x} $y $HOME $$z", "subprocess.run(f'echo {x} {y} $HOME $z', shell=True, check=False)"),
        ("!awk '{print $1}'", "subprocess.run(\"awk '{print $1}'\", shell=True, check=False)"),
        ("d['a=b'] = !ls", "d['a=b'] = subprocess.getoutput('ls').splitlines()"),
        ("v = %env HOME", "v = os.environ['HOME']"),
        ("d['a'] = %env HOME", "d['a'] = os.environ['HOME']"),
        ("%env HOME", None),
        ("%env A=1", None),
        ("v = %env", None),
        ("v = %env A B", None),
        ("%matplotlib inline", "pass  # %matplotlib inline"),
        ("%load_ext autoreload", "pass  # %load_ext autoreload"),
        ("%time x = f()", "x = f()"),
        ("%timeit -n 10 -r3 f(x)", "f(x)"),
        ("f?", "pass  # f?"),
        ("?f", "pass  # ?f"),
        ("%timeit x = 1", None),
        ("%cd /", None),
        ("%time x = (", None),
        ("!ls \\", None),
        ("x = %sx ls", None),
    ],
)
def test_lines_of_ipython_become_python(line: str, python: str | None) -> None:
    assert python_of(line) == python


def test_shell_lines_bring_their_import() -> None:
    module = module_of(["def f(n):\n    names = !echo {n}\n    return names"])
    assert module.startswith("import subprocess\n")
    namespace: dict[str, Any] = {}
    exec(module, namespace)
    assert namespace["f"]("a b") == ["a b"]
    assert module_of(["d = {}\nd['a'] = %env HOME\ndef f(): return d"]).startswith("import os\n\n\nd = {}\n")


def test_a_file_that_a_cell_writes_is_no_part_of_the_notebook() -> None:
    assert "g" not in module_of(["%%writefile g.py\ndef g(): pass", "%%time\ndef f(): pass"])


# ---- docstrings


@pytest.mark.parametrize(
    "source",
    [
        "def f(): return 1",
        "def f(): return 1; x = 'ü'",
        "def f(\n    a,\n):  # why\n    # so\n    return '''\na'''",
        "def f():\n\t@staticmethod\n\tdef g(): pass\n\treturn 1",
        "@staticmethod\nasync def f(): pass\n\ndef g(): pass\n",
        "class A:\n    def f(self): pass\ndef _f(): pass\ndef test_f(): pass\ndef f():\n    'Doc.'",
        "def f():\n    f'no {1} doc'",
        "if 1:\n    def f(): pass",
    ],
)
def test_public_functions_get_a_stub_and_stay_what_they_are(source: str) -> None:
    made = ast.parse(with_stubs(source))
    for node in made.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith(("_", "test_")):
            text = ast.get_docstring(node)
            assert text
            if "nobody has described" in text:
                del node.body[0]
    assert ast.dump(made) == ast.dump(ast.parse(source))


# ---- what is hers

ANN = Owner("/u/ann", "ann")


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("x = 1\nopen('/home/ann/a.csv')", 2, "a path"),
        ("open('~/a.csv')", 1, "a path"),
        ("open('/scratch/a/b.csv')", 1, "a path"),
        ("open(r'C:\\data\\a.csv')", 1, "a path"),
        ("open(f'/home/ann/{name}')", 1, "a path"),
        ("key = 'sk-abcdefghijklmnop1234'", 1, "a key"),
        ("x = 'AKIA" + "ABCDEFGH12345678'", 1, "a key"),
        ("x = b'ghp_" + "a1" * 12 + "'", 1, "a key"),
        ("connect('postgres://ann:secret@host/db')", 1, "a key"),
        ("x = '9f86d081884c7d659a2feaa0c55ad015'", 1, "a key"),
        ("api_key = 'not so random'", 1, "a secret, api_key"),
        ("connect(password='not so random')", 1, "a secret, password"),
        ("os.environ['MY_TOKEN'] = 'not so random'", 1, "a secret, MY_TOKEN"),
        ("\n\ndf = pd.DataFrame({'a': [1, 2, 3, 4, 5], 'b': [1, 2, 3, -4, 5]})", 3, "a DataFrame with its data"),
        ("x = [" + "1, " * 50 + "]", 1, "a long literal"),
        ("x = '" + "word " * 500 + "'", 1, "a long text"),
        # in comments and docstrings: keys and paths under a home
        ("def f():\n    '''Uses\n    ghp_" + "a1" * 12 + "'''", 3, "a key"),
        ("def f():\n    '''\n    >>> load(\"/home/ann/a.csv\")\n    '''", 3, "a path"),
        ("'''(/home/ann/a.csv) is read.'''", 1, "a path"),
        ("x = 1\n# key: sk-abcdefghijklmnopqrstuvwxyz12", 2, "a key"),
        ("x = 1  # see /u/ann/notes", 1, "a path"),
        # by the name of what they are given to
        ("H = {'Authorization':\n 'not so random'}", 2, "a secret, Authorization"),
        ("H = ['Bearer 0123456789abcdef0123456789abcdef']", 1, "a key"),
        ("C = {'host': 'db', 'password': 'not so random'}", 1, "a secret, password"),
        ("C = {'x-api-key': 'not so random'}", 1, "a secret, x-api-key"),
        ("def f(a, api_key='not so random'): pass", 1, "a secret, api_key"),
        ("f = lambda *, token='not so random', n: 1", 1, "a secret, token"),
        ("K = os.environ.get('API_KEY', 'not so random')", 1, "a secret, API_KEY"),
        ("K = getenv('API_KEY', 'not so random')", 1, "a secret, API_KEY"),
        ("user, password = 'ann', 'not so random'", 1, "a secret, password"),
        ("K = 'sk_live_" + "a1" * 10 + "'", 1, "a key"),
        ("K = 'sk-proj-" + "a1" * 10 + "'", 1, "a key"),
        # homes
        ("DB = 'sqlite:////home/ann/db.sqlite'", 1, "a path"),
        ("U = 'file:///home/ann/x.csv'", 1, "a path"),
        ("run('ls /home/ann/secret | wc')", 1, "a path"),
        ("P = '/u/ann'", 1, "a path"),
        ("run('ls /u/ann/secret | wc')", 1, "a path"),
        ("P = '/Volumes/My Disk/ann/x.csv'", 1, "a path"),
        ("P = '~ann/x.csv'", 1, "a path"),
        # data
        ("P = pd.DataFrame(data={'a': [1, 2, 3], 'b': [1, 2, 3]})", 1, "a DataFrame with its data"),
        ("P = pd.DataFrame.from_dict({'a': [1, 2, 3], 'b': [1, 2, 3]})", 1, "a from_dict with its data"),
        ("P = pd.DataFrame([dict(a=1, b=2), dict(a=1, b=2)] + [[3, 4], [5, 6]])", 1, "a DataFrame with its data"),
        ("P = pd.read_csv(io.StringIO('''n,a\nAnna,3\nBert,4\nCarl,5'''))", 1, "a table"),
    ],
)
def test_values_of_hers_are_named_by_their_line(source: str, line: int, what: str) -> None:
    ((at, said),) = baked_in(source, ANN)
    assert at == line
    assert what in said
    assert "not so random" not in said


def test_her_home_is_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [*baked_in("P = '/u/ann'", Owner())] == []
    monkeypatch.setenv("HOME", "/u/ann")
    assert warnings({"a.py": "P = '/u/ann'"}) == ["a.py, line 1: a path of this machine"]


@pytest.mark.parametrize(
    "source",
    [
        "'''a.csv is read.'''\ndef f():\n    '''From /home/ann, or https://example.org/home/ann/a or /data/a.'''",
        "def f():\n    '''The task-oriented-optimization-of-1 of sk-learn-compatible-estimators, //root/item.'''",
        "# 9f86d081884c7d659a2feaa0c55ad015, https://github.com/ann/x/y, postgres://u:password@host\n# ~/.x, a/ann/b",
        "'''Send `Authorization: Bearer <token>`, with password='not so random'.'''\nx = 'Bearer '",
        "def f(token=None, *, password='', key='id', n=3): return {'token': token, 'password': 'x', 'kind': 'a word'}",
        "x = os.environ.get('DATA_FOLDER', 'a folder')\ny = d.get('token', None), d.get('API_KEY', '')",
        "url = 'https://example.org/Users/ann/page'\nx = '//root/item'\ny = 'annie/ann/x'",
        "df = pd.DataFrame(data=rows, columns=['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])\ns = pd.Series([1, 2, 3])",
        "t = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])\nbuffer = io.StringIO('a line')\nx, y = 'first', 'second'",
        "x = 'a/b'\ny = '/'\nz = 'application/json; charset=utf-8'",
        "x = 'RandomForestClassifierWithVeryLongName'\ny = 'sklearn.gaussian_process.kernels'",
        "token = None\npassword = input()\nkey = ''",
        "df = pd.DataFrame({'a': x, 'b': [1, 2]})\ny = [i for i in range(100)]",
        "stamp = '2024-01-01-2024-01-01-ab'",
        "https = 'https://example.org/a/b/c'\nfmt = '%Y-%m-%d %H:%M:%S'",
    ],
)
def test_ordinary_values_are_nobody_s(source: str) -> None:
    assert [*baked_in(source, ANN)] == []


def test_a_warning_names_file_and_line() -> None:
    found = warnings({"a.py": "x = '/home/ann/a'\ndef f(): pass\ndef test_f(): pass"})
    assert found == ["a.py, line 1: a path of this machine", "a.py, line 2: f has no docstring"]


@given(st.text(max_size=300))
def test_any_text_is_looked_at_without_an_error(text: str) -> None:
    found = warnings({"a.py": f"x = {text!r}"}) if "\0" not in text else []
    assert len(found) <= 1


# ---- in a fresh sandbox

GOOD = '''"""Doubles."""
import asyncio


def twice(x):
    """
    >>> twice(2)
    4
    """
    return 2 * x


def test_twice():
    print("said")
    assert twice(1) == 2


async def test_later():
    await asyncio.sleep(0)


def test_own_loop():
    """
    >>> asyncio.run(asyncio.sleep(0, 3))
    3
    """
    import signal

    asyncio.run(test_later())
    asyncio.new_event_loop().close()
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)


def test_with(fixture):
    pass
'''
BAD = '''import atexit, sys


def test_exit():
    sys.exit(3)


def test_wrong():
    assert 1 == 2, "one is not two"


async def test_async():
    raise ValueError("later")


def helper():
    """
    >>> helper()
    1
    >>> print('a    b')
    a b
    >>> test_wrong()
    """
'''


HELPER = """doctest of mine.helper: line 18:
  Failed example:
      helper()
  Expected:
      1
  Got nothing
  line 20:
  Failed example:
      print('a    b')
  Expected:
      a b
  Got:
      a    b
  line 22:
  Failed example:
      test_wrong()
  Raised:
      AssertionError: one is not two (mine.py, line 9)"""
EAGER = {
    "print('hi')": "print(…)",
    "import os\nos.makedirs('out')": "os.makedirs(…)",
    "import pandas as pd\nDATA = pd.read_csv('a.csv')": "pd.read_csv(…)",
    "with open('a', 'w') as f:\n    n = f.write('x')": "open(…)",
    "X = [float(line) for line in open('a')]": "open(…)",
    "for i in range(3):\n    try:\n        fit(i)\n    finally:\n        pass": "fit(…)",
    "class A:\n    print(1)": "print(…)",
    "import subprocess\nfiles = subprocess.getoutput('ls').splitlines()": "subprocess.getoutput(…)",
    "if __name__ == '__main__':\n    pass\nelse:\n    run()": "run(…)",
    "Figure(\n  1).show()": "Figure(1).show(…)",
    f"f{'()' * 30}": "a call",
}
LAZY = """import re
from pathlib import Path
WORD = re.compile("a")
HERE = Path(__file__).parent
def f(path=HERE):
    print(open(path).read())
g = lambda: print(1)
class A:
    def write(self):
        print(self)
if __name__ == "__main__":
    f()
"""


def test_what_runs_at_import_is_warned_of_with_its_line() -> None:
    assert [*runs_at_import(LAZY)] == []
    for source, call in EAGER.items():
        [(line, what)] = runs_at_import(source)
        assert what == f"{call} runs at each import"
        assert call == "a call" or call.partition("(")[0] in source.splitlines()[line - 1]
    assert warnings({"a.py": "x = 1\nprint(x)"}) == ["a.py, line 2: print(…) runs at each import"]


PACKAGE = {
    "kit/__init__.py": "",
    "kit/api.py": """from .impl import half, test_half


def quarter(x):
    '''
    >>> quarter(4)
    1.0
    '''
    return half(half(x))


def test_quarter():
    assert quarter(8) == 2
""",
    "kit/impl.py": """def half(x):
    '''
    >>> half(1)
    0.5
    '''
    return x / 2


def test_half():
    assert half(2) == 1
""",
}


async def tried(
    work: Path, text: str | Files, step_s: float = 30, name: str = "mine", kind: str = "bubblewrap"
) -> tuple[Tried, list[str]]:
    said: list[str] = []
    opened: list[Sandbox] = []

    def fresh(first: tuple[str, ...]) -> Sandbox:
        opened.append(open_sandbox(kind, sys.executable, str(work), first))
        return opened[-1]

    files = {f"{name}.py": text} if isinstance(text, str) else text
    found = await try_skill(fresh, name, files, said.append, step_s)
    assert not any(sandbox.alive for sandbox in opened)
    return found, said


@pytest.mark.usefixtures("sandbox")
async def test_its_tests_run_in_a_fresh_sandbox_and_are_told_as_they_go(work: Path) -> None:
    found, said = await tried(work, GOOD)
    assert (found.failures, found.left_out, found.tests) == ((), ("mine.test_with",), 5)
    assert said[1:] == [
        "importing mine",
        "test 1 of 5: doctest of mine.test_own_loop",
        "test 2 of 5: doctest of mine.twice",
        "test 3 of 5: test_twice",
        "test 4 of 5: test_later",
        "test 5 of 5: test_own_loop",
    ]
    assert "5 tests passed" in str(found)


@pytest.mark.usefixtures("sandbox")
async def test_a_test_that_takes_too_long_is_ended_and_those_before_it_are_told(work: Path) -> None:
    waits = "await asyncio.sleep(99)"
    for body in (f"async def test_b(): {waits}", f"async def go(): {waits}\ndef test_b(): asyncio.run(go())"):
        found, _ = await tried(work, f"import asyncio\ndef test_a(): raise ValueError\n{body}\n", step_s=3)
        first, last = found.failures
        assert first.startswith("test_a: ValueError")
        assert last == "test_b takes longer than 3 s, and was ended."


@pytest.mark.usefixtures("sandbox")
async def test_each_failure_is_a_line_and_a_doctest_s_has_its_lines(work: Path) -> None:
    found, _ = await tried(work, BAD)
    assert found.failures == (
        HELPER,
        "test_exit: SystemExit: 3 (mine.py, line 5)",
        "test_wrong: AssertionError: one is not two (mine.py, line 9)",
        "test_async: ValueError: later (mine.py, line 13)",
    )


STARRED = """from string import *
from math import *
def f(): return digits, floor, nowhere, len
"""


@pytest.mark.usefixtures("sandbox")
async def test_what_a_star_import_does_not_bring_is_found_where_it_is_tried(work: Path) -> None:
    """Nothing of what is imported is run out here."""
    found, _ = await tried(work, STARRED)
    assert found.failures == ("mine.py, line 3: nowhere is not defined, and no star import brings it",)
    api = "from .impl import *\nfrom .impl import *\ndef quarter(x): return half(x) + third(x)\n"
    found, _ = await tried(work, PACKAGE | {"kit/api.py": api}, name="kit")
    assert found.failures == ("kit/api.py, line 3: third is not defined, and no star import brings it",)
    assert found.tests == 2
    found, _ = await tried(work, "from string import *\nreturn nowhere\n")
    assert "SyntaxError: 'return' outside function" in found.failures[0]


@pytest.mark.usefixtures("sandbox")
async def test_a_package_s_modules_are_each_tested_once(work: Path) -> None:
    found, said = await tried(work, PACKAGE, name="kit")
    assert (found.failures, found.left_out, found.tests) == ((), (), 4)
    assert [line.partition(": ")[2] for line in said[2:]] == [
        "doctest of kit.api.quarter",
        "test_quarter",
        "doctest of kit.impl.half",
        "test_half",
    ]


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (
            "kit/api.py",
            "import half,",
            "import third,",
            "ImportError: cannot import name 'third' from 'kit.impl' (kit/impl.py) (kit/api.py, line 1)",
        ),
        (
            "kit/impl.py",
            "def half",
            "1 / 0\ndef half",
            "ZeroDivisionError: division by zero (kit/impl.py, line 1)",
        ),
        (
            "kit/api.py",
            "1.0",
            "2.0",
            "doctest of kit.api.quarter: line 6: Failed example: quarter(4) Expected: 2.0 Got: 1.0",
        ),
        (
            "kit/impl.py",
            "0.5",
            "0.6",
            "doctest of kit.impl.half: line 3: Failed example: half(1) Expected: 0.6 Got: 0.5",
        ),
        ("kit/api.py", "== 2", "== 3", "test_quarter: AssertionError (kit/api.py, line 13)"),
        ("kit/impl.py", "== 1", "== 3", "test_half: AssertionError (kit/impl.py, line 10)"),
    ],
)
async def test_what_fails_in_a_package_is_told_with_its_file(
    work: Path, path: str, old: str, new: str, said: str
) -> None:
    found, _ = await tried(work, PACKAGE | {path: PACKAGE[path].replace(old, new)}, name="kit")
    (failure,) = found.failures
    assert " ".join(failure.removeprefix("import kit.api: ").split()) == said


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("import nowhere_at_all", "mine", "import mine: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("raise SystemExit('no')", "mine", "import mine: SystemExit: no (mine.py, line 1)"),
        ("import os\nos._exit(1)", "mine", "import mine: The sandbox ended before it answered."),
        ("while True:\n    pass", "mine", "import mine takes longer than 1 s, and was ended."),
        ("x = 1", "numpy", "finds"),
        ("raise ValueError('a\\n b\\x1b[31m')", "mine", "import mine: ValueError: a b[31m (mine.py, line 1)"),
    ],
)
async def test_what_can_not_be_imported_is_told_in_one_line(work: Path, text: str, name: str, said: str) -> None:
    found, _ = await tried(work, text, 1 if "while" in text else 30, name)
    assert len(found.failures) == 1
    assert said in found.failures[0]


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(("kind", "escapes"), [("bubblewrap", False), ("none", True)])
async def test_its_code_reaches_nothing_outside_of_the_sandbox(
    work: Path, tmp_path: Path, kind: str, escapes: bool
) -> None:
    (tmp_path / "home").mkdir()
    reached = tmp_path / "home" / "hers"
    text = f"import os\nPID = os.getpid()\nassert PID != {os.getpid()}\nopen({str(reached)!r}, 'w').close()"
    found, _ = await tried(work, text, kind=kind)
    assert reached.exists() is escapes
    assert bool(found.failures) is not escapes
    assert all("hers" in failure for failure in found.failures)
