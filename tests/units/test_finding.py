"""What a prompt is told of skills, and which of them an action used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import ANY

import pytest

from jupyter_codeact import tokens
from jupyter_codeact.errors import SkillError
from jupyter_codeact.events import ActionDone, CodeAction, Ran, Rejected
from jupyter_codeact.finding import OFFER_TOKENS, Finder, sources_of
from jupyter_codeact.skills.index import Index
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.offers import offer_of
from jupyter_codeact.skills.outlines import LONGEST
from jupyter_codeact.skills.search import Found, Search


@pytest.fixture
def search(tmp_path: Path) -> Iterator[Search]:
    for name in ("gp_fit", "maps"):
        (tmp_path / f"{name}.py").write_text(f'"""Do {name}."""\n\n\ndef {name}(x): ...\n')
    index = Index(tmp_path / "index.sqlite")
    yield Search(index, [tmp_path])
    index.close()


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("import gp_fit", {"gp_fit"}),
        ("import gp_fit as g, os", {"gp_fit"}),
        ("from gp_fit import gp_fit as f", {"gp_fit"}),
        ("def f():\n    from maps import draw", {"maps"}),
        ("import pack.api", {"pack.api"}),
        ("from pack import api", {"pack.api"}),
        ("from pack.api import f", {"pack.api"}),
        ("%matplotlib inline\nimport maps\n!ls", {"maps"}),
        ("gp_fit(x)", {"gp_fit"}),
        ("maps(x)", set()),
        ("x.gp_fit", set()),
        ("gp_fit = 1", set()),
        ("def gp_fit(x): return x\ngp_fit(1)", set()),
        ("async def gp_fit(x): return x\nawait gp_fit(1)", set()),
        ("class gp_fit: pass\ngp_fit()", set()),
        ("gp_fit = abs\ngp_fit(1)", set()),
        ("from math import floor as gp_fit\ngp_fit(1)", set()),
        ("(lambda gp_fit: gp_fit + 1)(2)", set()),
        ("from gp_fit import gp_fit\ndef gp_fit(x): return x\ngp_fit(1)", {"gp_fit"}),
        ("# gp_fit\n'import gp_fit'", set()),
        ("from .gp_fit import f", set()),
        ("def broken(", set()),
        ("import os", set()),
    ],
)
async def test_what_is_imported_is_used_and_what_was_offered_also_by_its_name(
    search: Search, source: str, used: set[str]
) -> None:
    assert {*await uses(search, source)} == used


async def uses(search: Search, *actions: str, before: Sequence[str] = ()) -> dict[str, bool]:
    """What a run used whose actions are these: those fail that divide by zero."""
    finder = Finder(search, {"pack.api": "source"}, before)
    await finder.fields("gp_fit", {})
    for number, source in enumerate(actions):
        ran = Ran(source, (), "error" if "1/0" in source else "ok")
        finder.note(ActionDone(CodeAction(str(number), number, source), ran))
    return finder.used


async def test_what_the_run_itself_has_made_is_used_where_it_imports_it(search: Search) -> None:
    finder = Finder(search)
    await finder.fields("gp_fit", {})
    files = {"made.py": "x = 1\n", "kit/__init__.py": "", "kit/api.py": "x = 1\n"}
    (search.folders[0] / "kit").mkdir()
    for path, text in files.items():
        (search.folders[0] / path).write_text(text)
    for number, source in enumerate(["import os, made", "from kit.api import x", "import other"]):
        finder.note(ActionDone(CodeAction(str(number), number, source), Ran(source, (), "ok")))
    assert finder.used == {"made": True, "kit.api": True}


@pytest.mark.parametrize(
    ("before", "source", "used"),
    [
        ("import maps", "maps.draw()", {"maps"}),
        ("import maps as m, os", "m.draw(os)", {"maps"}),
        ("from maps import draw as d", "[d(x) for x in y]", {"maps"}),
        ("from pack import api", "api.f()", {"pack.api"}),
        ("import pack.api\nimport pack.plots", "pack.api.f()", {"pack.api"}),
        ("if True:\n    import maps", "def f(): return maps.draw()", {"maps"}),
        ("%matplotlib inline\nimport maps", "!ls\nmaps.draw()", {"maps"}),
        # What the notebook's name does not mean, or not any more.
        ("import maps", "1", set()),
        ("def f():\n    import maps", "maps.draw()", set()),
        ("import maps\nmaps = 1", "maps.draw()", set()),
        ("import maps\ndel maps", "maps.draw()", set()),
        ("import maps as m\nimport math as m", "m.floor(1)", set()),
        ("import maps", "maps = 1\nmaps", set()),
        ("maps = 1\nimport maps\n[maps for maps in 'ab']", "maps.draw()", {"maps"}),
    ],
)
async def test_what_an_earlier_cell_imported_is_used_where_its_name_is(
    search: Search, before: str, source: str, used: set[str]
) -> None:
    """Hers, or an action of an earlier run; and of the actions of a run, the last one says how it went."""
    assert {*await uses(search, source, before=["x = 1", before])} == used
    if used:
        assert await uses(search, before, f"{source}\n1/0") == dict.fromkeys(used, False)
        assert await uses(search, f"{before}\n1/0", source) == dict.fromkeys(used, True)


def test_an_offer_is_short() -> None:
    functions = tuple((f"fit_{n}(x{'x' * 500})", "Fit.\nIt.") for n in range(9))
    offer = offer_of(Found("gp_fit", "", "Fit.", functions)).splitlines()
    assert offer[0] == "gp_fit: Fit."
    assert offer[1].startswith("  fit_0(xxx")
    assert offer[-1] == "  … and 5 more"
    assert max(map(len, offer)) <= 162


async def test_offers_stay_within_their_budget(tmp_path: Path) -> None:
    for number in range(9):
        functions = "\n".join(f"def do_{n}(first: int, second: int): '''{'Do it. ' * 20}'''" for n in range(4))
        (tmp_path / f"zebra_{number}.py").write_text(f'"""{"A zebra of words. " * 9}"""\n{functions}\n')
    finder = Finder(Search(Index(None), [tmp_path]))
    fields = await finder.fields("zebra", {})
    assert 1 <= len(fields["offers"]) == len(finder.offered) < 5
    assert tokens.estimated("\n".join(fields["offers"])) <= OFFER_TOKENS
    assert fields["library"] == 9 - len(finder.offered)


async def test_what_was_named_is_not_offered_again(search: Search) -> None:
    fields = await Finder(search, {"gp_fit": "source"}).fields("do gp_fit on maps", {})
    assert fields["skills"] == [("gp_fit", "source")]
    assert [offer.split(":")[0] for offer in fields["offers"]] == ["maps"]
    assert fields["library"] == 0


async def unasked(*_: object, **__: object) -> None:
    raise AssertionError("The library has it.")


async def test_a_package_is_given_as_it_is_called(tmp_path: Path) -> None:
    """By the name that is imported, whichever was written, and not offered again."""
    (tmp_path / "kit").mkdir()
    for name, source in {"__init__": "", "api": "from .impl import f", "impl": "def f(): 'A zebra.'"}.items():
        (tmp_path / "kit" / f"{name}.py").write_text(source)
    search = Search(Index(None), [tmp_path])
    for name in ("kit", "kit.api"):
        named = await sources_of([name], Library(tmp_path), unasked)
        assert [*named] == ["kit.api"]
        assert named["kit.api"].startswith("from .impl import f\n\n\n# From kit.impl, without its code:\n\n\ndef f():")
        assert (await Finder(search, named).fields("zebra", {}))["offers"] == []
    search.index.close()


@pytest.mark.parametrize(
    ("texts", "source"),
    [
        ({"lib.py": "from lib import f", "../x.py": "", "a\nb.py": "", "c.py": 5}, "from lib import f"),
        ({"other.py": "x = 1"}, "x = 1"),
        ({"lib.py": "x" * 2 * LONGEST, "more.py": "x"}, "x" * LONGEST),
        ({"lib.py": "-" * LONGEST}, "-" * LONGEST),
        ({"lib.py": "(" * 500}, "(" * 500),
        ({}, ""),
        ([], ""),
        ({"lib.py": None}, ""),
    ],
)
async def test_what_the_sandbox_says_of_a_module_is_read_as_far_as_it_is_text(
    tmp_path: Path, texts: object, source: str
) -> None:
    """It chooses no name, and what it says of others is only so much."""

    async def inside(*_: object, **__: object) -> dict[str, object]:
        return {"texts": texts}

    if source:
        assert await sources_of(["lib"], Library(tmp_path), inside) == {"lib": source}
    else:
        with pytest.raises(SkillError, match="no source in Python"):
            await sources_of(["lib"], Library(tmp_path), inside)


async def test_where_skills_can_not_be_searched_the_prompt_goes_as_it_is(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_codeact.skills.database._SCHEMA", "CREATE VIRTUAL TABLE texts USING fts99 (name)")
    finder = Finder(search)
    assert await finder.fields("maps", {}) == {"skills": [], "offers": [], "library": 0}
    assert "fts99" in finder.problem
    finder.remember("fit.ipynb")


async def test_how_a_use_ended_is_remembered(search: Search) -> None:
    finder = Finder(search)
    await finder.fields("do maps", {})
    for number, (source, status) in enumerate([("import maps", "ok"), ("import gp_fit", "error"), ("1", "ok")]):
        finder.note(ActionDone(CodeAction(str(number), number, source), Ran(source, (), status)))
    finder.note(ActionDone(CodeAction("4", 4, "maps()"), Rejected()))
    assert finder.used == {"maps": True, "gp_fit": False}
    finder.remember("fit.ipynb")
    uses = search.index.uses()
    assert (uses["maps"].good, uses["gp_fit"].bad) == (1, 1)
    finder.remember("other.ipynb")
    assert search.index.places() == {name: dict.fromkeys(("other.ipynb", "fit.ipynb"), ANY) for name in finder.used}
    assert [*search.index.places()["maps"]] == ["other.ipynb", "fit.ipynb"]
