"""Code that can't work in a notebook never becomes a cell; code that only looks like it does."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.agent.blocklist import Blocklist, problem_in
from jupyter_codeact.agent.commands import commands_in
from jupyter_codeact.notebook.syntax import transformed


def blocked(source: str) -> str | None:
    found = problem_in(source, transformed, Blocklist())
    assert found is None or found[0] == "blocklist", found
    return found[1] if found else None


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("x = input('name? ')", "`input()`"),
        ("def f():\n    breakpoint()", "`breakpoint()`"),
        ("import os\nos._exit(0)", "`os._exit()`"),
        ("import os as o\no._exit(0)", "`os._exit()`"),
        ("from os import _exit\n_exit(1)", "`os._exit()`"),
        ("import sys; sys.exit()", "`sys.exit()`"),
        ("exit", "`exit`"),
        ("quit()", "`quit()`"),
        ("from getpass import getpass as ask\nask()", "`getpass.getpass()`"),
        ("import pdb; pdb.set_trace()", "`pdb.set_trace()`"),
        ("%debug", "`%debug`"),
        ("%pdb on", "`%pdb`"),
        ("x = 1\n%edit f", "`%edit`"),
        ("!vim notes.txt", "`!vim`"),
        ("!EDITOR=x /usr/bin/vi notes.txt", "`!vi`"),
        ("!cat log | less", "`!less`"),
        ("!cd src && python", "`!python`"),
        ("out = !man ls", "`!man`"),
        ("%%bash\ncd x\nnano y", "`!nano`"),
        ("get_ipython().system('top')", "`!top`"),
        ("!sudo vim /etc/hosts", "`!vim`"),
        ("!sudo -u bob -- /usr/bin/vim x", "`!vim`"),
        ("!env -u HOME X=1 vim", "`!vim`"),
        ("!nohup nice -n 5 python3", "`!python3`"),
        ("!timeout -k 1 5 top", "`!top`"),
        ("!git log | xargs -n 1 less", "`!less`"),
        ("!echo $(vim x)", "`!vim`"),
        ("!bash -i", "`!bash -i`"),
        ("!bash -lic ls", "`!bash -i`"),
        ("!python3 -qi script.py", "`!python3 -i`"),
        ("%%script bash\nvim x", "`!vim`"),
        ("%%script --out text sh -e\nvim x", "`!vim`"),
        ("%%bash\nif true; then vim; fi", "`!vim`"),
        ("%%bash --out text\ncat <<END\nless\nEND\nnano y", "`!nano`"),
        ("%%bash\nls # don't\nvim", "`!vim`"),
        ("%%!\nvim", "`!vim`"),
        ("%%bash\ncat <<< less\nvim", "`!vim`"),
        ("%%bash\necho $((1<<2))\nvim", "`!vim`"),
        ("%sx vim", "`!vim`"),
        ('!bash -c "vim x"', "`!vim`"),
        ("!sh -c 'cd x; less y'", "`!less`"),
        ("!sudo bash -eo pipefail -c 'git log | less'", "`!less`"),
        ("!bash --norc -euc 'vim'", "`!vim`"),
        ("""!bash -c "sh -c 'vim x'" """, "`!vim`"),
        (r'''!bash -c "sh -c \"vim x\""''', "`!vim`"),
        ("!bash -c python", "`!python`"),
        ("!python -q", "`!python`"),
        ("!python3 -Bsu -q", "`!python3`"),
        ("!python -", "`!python`"),
        ("!python -i", "`!python -i`"),
        ("!ipython --no-banner", "`!ipython`"),
        ("!bash -l", "`!bash`"),
        ("!cat -n", "`!cat`"),
        ("%time !vim", "`!vim`"),
        ("%timeit -n 1 -r 1 !less x", "`!less`"),
        ("x = %time input()", "`input()`"),
        ("%time %debug", "`%debug`"),
        ("%%time\nx = 1\n!vim x", "`!vim`"),
        ("%%capture out\nbreakpoint()", "`breakpoint()`"),
        ("%%timeit input()\n1", "`input()`"),
        ("import os as o\n%time o._exit(0)", "`os._exit()`"),
    ],
)
def test_what_would_wait_for_a_person_or_end_the_kernel(source: str, what: str) -> None:
    assert blocked(source) == what


@pytest.mark.parametrize(
    "source",
    [
        "view = 1\nview",
        "vi = 2\nprint(vi)",
        "!viewer x",
        "!python script.py",
        "!python -c 'print(1)'",
        "!grep more less.txt",
        "!echo 'vim; less'",
        "!git log | cat",
        "!bash run.sh",
        "!bash run.sh -i",
        "!python script.py -i",
        "!python -mpip list",
        "!python -Wignore script.py",
        "!echo 1 | python -i",
        "!top -b",
        "!top -d 1 -bn1",
        "!emacs x.el --batch",
        "!command -v vim",
        "!sudo -u vim ls",
        "!env",
        "!timeout 5 python script.py",
        '!echo "a; vim b"',
        "%%bash\ncat > x <<'END'\nless is more\nmore\nEND",
        "%%bash\ncat <<-EOF | wc\n\tvim\n\tEOF\necho 1",
        "%%bash\n# vim\nls # | less",
        "%%bash\nprograms=(vim nano)",
        "%%script python\nvim = 1",
        "%%script\nvim",
        "%%perl\nless;",
        "df.input()",
        "model.exit()",
        "input = fetch()\ninput()",
        "def exit(): pass\nexit()",
        "exit = 3\nexit",
        "def ask(input): return input()",
        "'breakpoint()'",
        "# input()",
        "%timeit f()",
        "%%time\nx = 1",
        "os._exit",
        "await f()",
        "topology = 3",
        "!bash -c 'ls; echo vim'",
        "!bash run.sh -c vim",
        "!bash -o pipefail run.sh -c vim",
        "!python -c 'vim'",
        "!python -V",
        "!python -VV",
        "!python --version",
        "!bash --version",
        "!cat -n notes.txt",
        "!git log | cat -n",
        "!git log | sh -c 'echo; cat'",
        "!python -u script.py",
        "!python -q < script.py",
        # Without a network it ends with an error.
        "!ssh host",
        "%time f('input()')",
        "%time def",
        "%%time\nls -l | x",
        "%%writefile x.sh\nvim",
        "def exit(): pass\n%time exit()",
        # Python warns of these, which is the sandbox's to say; in tests a warning is an error.
        r"x = '\d'",
        "x = 1\nx is 1",
        "assert (x, 'there')",
    ],
)
def test_what_only_looks_like_it(source: str) -> None:
    assert blocked(source) is None


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = (", "Line 1, column 5: '(' was never closed: x = ("),
        ("a\nb c", "Line 2"),
        ("x = 1\0", "source code string cannot contain null bytes"),
        ("(" * 300 + ")" * 300, "nested"),
        ("return 1", "'return' outside function"),
        ("# why\n%%time\n\nx = 1\ny = (", "Line 5, column 5: '(' was never closed: y = ("),
        ("%%capture out\n%%timeit -n 2\nx = )", "Line 3, column 5: unmatched ')': x = )"),
    ],
)
def test_what_does_not_compile_is_told_with_its_place(source: str, said: str) -> None:
    found = problem_in(source, transformed, Blocklist())
    assert found is not None
    assert found[0] == "syntax"
    assert said in found[1]


@given(st.text(alphabet="ab1='\"\\|;&()-#$ \t\n", max_size=60))
def test_what_is_quoted_begins_no_command(text: str) -> None:
    assert [command.program for command in commands_in(f"echo {shlex.quote(text)}; vim")] == ["echo", "vim"]


@given(st.text(alphabet="ab'\"\\|;&()<-=#$ \t\n", max_size=60))
def test_any_line_is_read(line: str) -> None:
    list(commands_in(line))


@pytest.mark.parametrize("part", ["=(", "<<a\n", "bash -c\\ ", '\'"\\"', "nohup ", "a|", "# ", "\\\n"])
def test_a_long_line_is_read_in_one_go(part: str) -> None:
    """A model may write anything: this would take hours where each piece had the rest looked through."""
    assert len(list(commands_in(part * 100_000 + "\nvim"))) >= 1


@pytest.mark.parametrize("magic", ["%time ", "%%time\n"])
def test_code_in_code_is_looked_into_a_few_times(magic: str) -> None:
    """And no more: a thousand of them would take minutes."""
    assert [blocked(magic * times + "input()") for times in (3, 4, 1000)] == ["`input()`", None, None]


def test_the_list_can_be_another() -> None:
    blocklist = Blocklist(calls=("open",), magics=("time",), programs=("ls",), bare=())
    assert [
        bool(problem_in(s, transformed, blocklist)) for s in ("open(1)", "%time x", "!ls -l", "input()", "!sh")
    ] == [
        True,
        True,
        True,
        False,
        False,
    ]
