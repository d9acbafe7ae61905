"""The example of a skill that has no doctest: a call in the person's own cells, or help."""

from __future__ import annotations

import pytest

from jupyter_codeact.events import RanCell
from jupyter_codeact.skills.transfer.bundle import Bundle
from jupyter_codeact.skills.transfer.examples import help_of
from jupyter_codeact.skills.transfer.notebooks import has_examples, here_of
from jupyter_codeact.skills.transfer.uses import LONGEST, use_of

FIT = "SCALE = 2\n\n\ndef fit(x, y=1):\n    return SCALE * sum(x) * y\n\n\ndef _hidden():\n    pass\n"
MODULE = Bundle("fits", {"fits.py": FIT})
PACKAGE = Bundle("kit", {"kit/__init__.py": "", "kit/api.py": FIT})


def use(*cells: str, bundle: Bundle = MODULE) -> tuple[str, int]:
    ran = [RanCell(count, f"id-{count}", source, "1/0" not in source) for count, source in enumerate(cells, start=1)]
    return use_of(here_of(bundle, bundle.shown), ran)


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        # The call with what it needs, and nothing else of the notebook.
        (["import math\njunk = 1\nx = [math.pi, 2]", FIT, "fit(x)"], ("import math\nx = [math.pi, 2]\nfit(x)", 3)),
        # A name that is set is shown.
        (["x = [1]\ny = 2", "model = fit(x, y=y)\nprint(model)"], ("x = [1]\ny = 2\nmodel = fit(x, y=y)\nmodel", 2)),
        # The newest, unless it failed or is not enough by itself.
        (["fit([1])", "fit([2])", "fit([3]); 1/0"], ("fit([2])", 2)),
        (["fit([1])", "fit(nowhere)"], ("fit([1])", 1)),
        (["fit([1])", "x = %magic\nfit([x])"], ("fit([1])", 1)),
        (["fit([1])", "%%bash\nfit([2])"], ("fit([1])", 1)),
        # As it was when it ran.
        (["x = [1]", "fit(x)", "x = [2]"], ("x = [1]\nfit(x)", 2)),
        # The notebook has it: it is not imported.
        (["from fits import fit\nfit([1])"], ("fit([1])", 1)),
        (["from fits import fit as g, SCALE\nfit([g([1])])"], ("", 0)),
        # In a value of several lines, and not where it is not called at once.
        (["round(\n    fit([1]),\n    2,\n)"], ("round(\n    fit([1]),\n    2,\n)", 1)),
        (["_hidden()", "x = [1]\nx += [2]", "def g(): return fit([1])", "for i in range(2): fit([i])"], ("", 0)),
        # Nothing of hers leaves with it, and nothing long.
        (["path = '/home/her/data.csv'", "fit([len(path)])"], ("", 0)),
        (["api_key = 'Zx81kPq09mLw7vTr'", "fit([len(api_key)])"], ("", 0)),
        ([f"x = {[*range(50)]}", "fit(x)"], ("", 0)),
        (["x = [0]\n" + "\n".join(f"x += [{n}]" for n in range(LONGEST)), "fit(x)"], ("", 0)),
    ],
)
def test_the_newest_call_that_stands_alone_is_the_example(cells: list[str], found: tuple[str, int]) -> None:
    assert use(*cells) == found


def test_what_only_the_agent_called_is_no_example_of_hers() -> None:
    """What the agent's cells have made for her own is."""
    ran = [
        RanCell(1, "", "x = [1]", True, True),
        RanCell(2, "", "fit(x)", True),
        RanCell(3, "", "fit([2])", True, True),
    ]
    assert use_of(here_of(MODULE, MODULE.shown), ran) == ("x = [1]\nfit(x)", 2)
    assert use_of(here_of(MODULE, MODULE.shown), ran[2:]) == ("", 0)


def test_of_a_package_the_example_imports_what_it_calls() -> None:
    assert use("x = [1]", "fit(x)", bundle=PACKAGE) == ("from kit.api import fit\nx = [1]\nfit(x)", 2)
    text, _ = use("from kit.api import fit\nfit([SCALE])", bundle=PACKAGE)
    assert text == "from kit.api import SCALE, fit\nfit([SCALE])"


@pytest.mark.parametrize(
    ("bundle", "text"),
    [
        (MODULE, "help(fit)"),
        (PACKAGE, "from kit.api import fit\nhelp(fit)"),
        (Bundle("k", {"k.py": "_a = 1\nSCALE = 2\n"}), "SCALE"),
        (Bundle("k", {"k.py": "_a = 1\n"}), ""),
        (Bundle("k", {"k.py": "def test_k(): pass\nclass K: pass\nasync def f(): pass\n"}), "help(K)\nhelp(f)"),
    ],
)
def test_without_a_call_help_is_the_example(bundle: Bundle, text: str) -> None:
    assert help_of(here_of(bundle, bundle.shown)) == text
    assert not has_examples(bundle)


def test_a_doctest_is_the_better_example() -> None:
    assert has_examples(Bundle("k", {"k.py": "def f():\n    '''\n    >>> f()\n    '''\n"}))
