"""Cells that import the skill that they are saved into."""

from __future__ import annotations

import pytest

from jupyter_codeact.errors import SkillError
from jupyter_codeact.events import RanCell
from jupyter_codeact.skills.itself import Into
from jupyter_codeact.skills.selection import left_out_of, module_from

K, A = "K = 2", "def a(): return K"
STORED = f"{K}\n\n\n{A}\n"
EXTENDED = {
    "the cells have it": (
        ["def a(): return 1", "def b(): return a()", "from ab import a, b", "def b(): return a() + 1"],
        "",
        ["def a(): return 1", "def b(): return a() + 1"],
    ),
    "the stored one has it": (
        ["from ab import a, K", "def c(): return a() * K"],
        "c",
        [K, A, "def c(): return a() * K"],
    ),
    "what is imported stays": (["from ab import (a,\n    K)  # both\nx = 1"], "", [K, A]),
    "some of it": (["from ab import K", "def a(): return K + 1"], "", [K, "def a(): return K + 1"]),
    "under another name": (
        ["%matplotlib inline\nfrom ab import a as old; import ab as me", "me.a()", "def a(): return old() + 1"],
        "",
        [K, A, "old = a", "def a(): return old() + 1"],
    ),
    "a star": (["from ab import *", "def c(): return a()"], "c", [K, A, "def c(): return a()"]),
    "an import that nothing needs": (["import ab", "ab.a()", "def c(): return 1"], "", ["def c(): return 1"]),
    "wrapped": (["from ab import a", "y = a() + x"], "--wrap g(x)", [K, A, "def g(x):\n    y = a() + x\n    return y"]),
}


def made(cells: list[str], names: str = "", stored: str = STORED, *, lenient: bool = False) -> str:
    ran = [RanCell(n, f"id{n}", source, True) for n, source in enumerate(cells, start=1)]
    wrap = names.removeprefix("--wrap ") if names.startswith("--wrap ") else ""
    wanted = [names] if names and not wrap else []
    chosen = ran[-1:] if wrap else ran
    left_out_of(ran, chosen, wanted, Into("ab", stored))
    return module_from(ran, chosen, wanted, Into("ab", stored), wrap, lenient=lenient)


@pytest.mark.parametrize(("cells", "names", "parts"), EXTENDED.values(), ids=EXTENDED.keys())
def test_what_cells_import_from_the_skill_itself_is_taken_from_it(
    cells: list[str], names: str, parts: list[str]
) -> None:
    assert made(cells, names) == "\n\n\n".join(parts) + "\n"


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize(
    ("cells", "stored"),
    [
        (["from ab import q", "def f(): return q()"], STORED),
        (["from ab import a", "def f(): return a()"], ""),
        (["from ab import *", "def f(): return a()"], ""),
        (["import ab as me", "def f(): return me.a()"], STORED),
        (["def f():\n    from ab.part import a\n    return a()"], STORED),
    ],
)
def test_a_module_that_imports_itself_is_refused_forced_or_not(cells: list[str], stored: str, lenient: bool) -> None:
    with pytest.raises(SkillError, match=r"ab would import itself \(line \d+: `.*import") as raised:
        made(cells, "f", stored, lenient=lenient)
    # What is forced is what failed.
    assert type(raised.value) is SkillError
