"""The agent's own hand on the library: it searches, reads and tests, and saves what cells have defined."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.cli.skill import NotebookFile
from jupyter_codeact.errors import EditError
from jupyter_codeact.events import RanCell
from jupyter_codeact.headless.trial import try_apart
from jupyter_codeact.session import Session
from jupyter_codeact.settings import Settings
from jupyter_codeact.skills.checks import Tried
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.index import Index
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.search import Search
from jupyter_codeact.skills.skill import Files
from jupyter_codeact.skills.tool import SkillTool

from .searching import CSV, GP, KIT

CELLS = [
    "import math\njunk = open('/nowhere')",
    "SCALE = 2\ndef area(r):\n    '''Area of a circle.'''\n    return SCALE * math.pi * r**2",
    "def broken(:",
    "def half(r):\n    '''Half of it.'''\n    return area(r) / 2",
]


class Hands:
    """The tool over a library, with cells that ran: the third failed, the last is the present run's."""

    def __init__(self, folder: Path) -> None:
        for name in ("own", "shared"):
            (folder / name).mkdir()
        self.library = Library(folder / "own", folder / "shared")
        self.index = Index(None)
        self.ran = [RanCell(n, f"id{n}", source, n != 3) for n, source in enumerate(CELLS, start=1)]
        self.tried: list[Files] = []
        self.failures: tuple[str, ...] = ()
        search = Search(self.index, self.library.folders)
        self.tool = SkillTool(self.library, search, lambda: (self.ran, ("id4",)), trial=self.trial, work=folder)
        self.tool.note = Note("agent", "Edited by the agent", {"Prompt": "store it"})

    async def trial(self, name: str, files: Files, tell: Callable[[str], None]) -> Tried:
        tell(f"importing {name}")
        self.tried.append(files)
        return Tried(self.failures)

    async def do(self, command: str, name: str = "circles", **arguments: Any) -> str:
        """What the model is told, where the person agrees."""
        answer = await self.tool.answer({"command": command, "name": name, **arguments})
        return answer if isinstance(answer, str) else await answer.apply()

    def put(self, name: str, source: str, *, shared: bool = False) -> None:
        ((self.library.shared if shared else self.library.own) / f"{name}.py").write_text(source)


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    made = Hands(tmp_path)
    yield made
    made.index.close()


async def test_what_is_left_out_of_a_save_is_said(hands: Hands) -> None:
    for count, source in enumerate(["data = []", "data.append('hers')", "def total(): return len(data)"], start=5):
        hands.ran.append(RanCell(count, f"id{count}", source, True))
    assert "`data.append(…)` in cell 6 is left out" in await hands.do("save", "sums", what=["total"])
    assert "left out" not in await hands.do("save", "circles", what=["area"])


async def test_a_skill_that_was_imported_is_extended(hands: Hands) -> None:
    await hands.do("save", what=["area"])
    for count, source in enumerate(["from circles import area", "def twice(r):\n    return 2 * area(r)"], start=5):
        hands.ran.append(RanCell(count, f"id{count}", source, True))
    said = await hands.do("save", what=["area", "twice"])
    assert "+def twice(r):" in said
    assert not [line for line in said.splitlines() if line.startswith("-")]
    # In a kernel that never saw the definition, too.
    hands.ran[:4] = []
    hands.ran.append(RanCell(7, "id7", "def half(r):\n    return area(r) / 2", True))
    assert "+def half(r):" in await hands.do("save", what=["twice", "half"])
    assert [
        name for name in ("math.pi", "SCALE = 2", "import area") if name in hands.library.get("circles").source
    ] == [
        "math.pi",
        "SCALE = 2",
    ]


async def test_words_find_names_signatures_and_first_lines(hands: Hands) -> None:
    hands.put("gp_fit", GP)
    hands.put("tables", CSV, shared=True)
    found = await hands.do("search", "fit a Gaussian process to these samples")
    assert found.splitlines() == [
        "gp_fit: Fit a Gaussian process to samples of one variable.",
        "  gp_fit(x: np.ndarray, y, n_restarts=10) -> 'Model': Fit a GP with an RBF kernel.",
    ]
    assert await hands.do("search", "zebra") == "No skill fits these words."


@pytest.mark.parametrize("name", ["tables", "tables.py", "tables.api"])
async def test_a_skill_is_read_wherever_it_lies(hands: Hands, name: str) -> None:
    hands.put("tables", CSV, shared=True)
    assert await hands.do("read", name) == CSV


@pytest.mark.parametrize("name", ["kit", "kit.api", "kit/api.py"])
async def test_of_a_package_how_it_is_called_is_read(hands: Hands, name: str) -> None:
    """Its api, and of what that imports all but the code."""
    hands.library.write("kit", KIT, Note())
    text = await hands.do("read", name)
    assert text.startswith(KIT["kit/api.py"] + "\n\n# From kit.impl, without its code:\n\n\ndef fits(x, y=1):\n")
    for part in (
        "    x: a moraine.\n",
        '    """A glacier."""\n    height: float = 0.0\n',
        "Let it flow.",
        "flow(self, years)",
    ):
        assert part in text
    for part in ("SECRET", "_melt", "def _helper", "Never"):
        assert part not in text
    ast.parse(text)


async def test_a_module_of_a_package_is_read_by_its_name(hands: Hands) -> None:
    hands.library.write("kit", KIT, Note())
    assert await hands.do("read", "kit.impl") == await hands.do("read", "kit/impl.py") == KIT["kit/impl.py"]
    with pytest.raises(EditError, match=r"^kit has no module kit\.nope; it has kit, kit\.api, kit\.impl\.$"):
        await hands.do("read", "kit.nope")


async def test_functions_of_cells_are_saved_with_what_they_need(hands: Hands) -> None:
    change = await hands.tool.answer({"command": "save", "name": "circles", "what": "area, half"})
    assert not isinstance(change, str)
    assert change.summary == "Create circles.py"
    assert (hands.tried, hands.library.list()) == ([], [])
    said = await change.apply()
    assert said.startswith("Create circles.py: done.\n")
    assert "+def half(r):" in said
    assert "Checked: imported in a fresh sandbox" in said
    source = hands.library.get("circles").source
    assert source.startswith("import math\n\n\nSCALE = 2\n\n\ndef area(r):")
    assert "junk" not in source
    assert hands.tried == [{"circles.py": source}]
    (version,) = hands.library.log("circles")
    about = {"Prompt": "store it", "Cells": "2, 4", "Checks": "passed"}
    assert version.note == Note("agent", "Saved from cells by the agent", about)
    assert await hands.do("save", what="area,half") == "circles is already like this."


@pytest.mark.parametrize(
    ("what", "functions"),
    [("2", ["area(r)"]), ("1-4, half", ["area(r)", "half(r)"]), (["last", "area", "1", "2"], ["area(r)"])],
)
async def test_cells_are_named_as_the_person_names_them(hands: Hands, what: object, functions: list[str]) -> None:
    hands.ran[1] = RanCell(2, "id2", f"import math\n{CELLS[1]}", True)
    await hands.do("save", what=what)
    assert hands.library.get("circles").functions == functions


async def test_what_fails_its_checks_is_not_saved(hands: Hands) -> None:
    hands.failures = ("test_area: AssertionError",)
    with pytest.raises(EditError, match=r"Nothing was saved, since its checks failed:\n- test_area: Ass"):
        await hands.do("save", what="area")
    assert hands.library.list() == []


async def test_what_somebody_else_saved_meanwhile_is_not_overwritten(hands: Hands) -> None:
    change = await hands.tool.answer({"command": "save", "name": "circles", "what": "area"})
    assert not isinstance(change, str)
    hands.put("circles", "theirs = 1\n")
    with pytest.raises(EditError, match="changed by somebody else meanwhile") as caught:
        await change.apply()
    # Both are shown.
    assert "What they changed:\ncircles.py\n@@ -0,0 +1 @@\n+theirs = 1" in str(caught.value)
    assert "+def area(r):" in str(caught.value).partition("which was not saved:")[2]
    assert hands.library.get("circles").source == "theirs = 1\n"


async def test_statements_become_a_function(hands: Hands) -> None:
    """By default those of the present run."""
    hands.ran.append(RanCell(5, "id4", "r = 2\nquarter = area(r) / 4", True))
    change = await hands.tool.answer({"command": "save", "name": "circles", "wrap": "quarter_of(r)"})
    assert not isinstance(change, str)
    assert change.summary.startswith("Create circles.py: quarter_of hands back `quarter`")
    assert "quarter_of hands back `quarter`" in await change.apply()
    assert "quarter_of(r)" in hands.library.get("circles").functions
    assert "r = 2" not in hands.library.get("circles").source
    assert hands.library.log("circles")[0].note.about["Cells"] == "5"


async def test_a_shared_skill_is_said_to_be_one(hands: Hands) -> None:
    """Cells may be named by their ids."""
    hands.ran[1] = RanCell(2, "id2", f"import math\n{CELLS[1]}", True)
    change = await hands.tool.answer({"command": "save", "name": "circles", "what": "id2", "shared": True})
    assert not isinstance(change, str)
    assert change.summary == "Create circles.py in the shared library"
    heard: list[str] = []
    await change.apply(heard.append)
    assert heard == ["importing circles"]
    assert hands.library.get("circles").folder == hands.library.shared


async def test_she_is_told_what_of_hers_is_in_it(hands: Hands) -> None:
    hands.ran.append(RanCell(5, "id5", "def load(p='/home/her/data.csv'):\n    '''Load.'''\n    return p", True))
    change = await hands.tool.answer({"command": "save", "name": "loads", "what": "load"})
    assert not isinstance(change, str)
    assert change.summary == "Create loads.py. Look at loads.py, line 1: a path of this machine"


async def test_she_is_told_what_works_here_alone(hands: Hands, tmp_path: Path) -> None:
    (tmp_path / "local.py").write_text("k = 1\n")
    hands.put("priv", "k = 1\n")
    hands.ran.append(RanCell(5, "id5", "import local, priv\ndef k():\n    '''K.'''\n    return local.k + priv.k", True))
    here = "fives.py, line 1: imports `local` from this folder: it works here alone"
    for shared, more in (
        (False, ""),
        (True, ". Look at fives.py, line 1: imports `priv`, a skill of this workspace alone"),
    ):
        arguments = {"command": "save", "name": "fives", "what": "k", "shared": shared}
        change = await hands.tool.answer(arguments)
        assert not isinstance(change, str)
        assert change.summary.partition(". Look at ")[2] == here + more
    assert "it works here alone" in await change.apply()
    assert hands.library.log("fives")[0].note.about["Checks"] == "2 warnings"
    assert here in await hands.do("test", "fives")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"command": "rename"}, "no command 'rename'; there are search, read, test, save"),
        ({"command": "search", "name": "  "}, "search needs name, a text"),
        ({"command": "read", "name": "circels"}, "no skill called circels"),
        ({"command": "read", "name": 5}, "read needs name, a text"),
        ({"command": "test", "name": "../own"}, "no skill called"),
        ({"command": "save", "name": "x"}, "save needs what"),
        ({"command": "save", "name": "../x", "what": "area"}, "can't be a module's name"),
        ({"command": "save", "name": "os", "what": "area"}, "Python's own"),
        ({"command": "save", "name": "x", "what": "nope"}, "nope is not defined in these cells"),
        ({"command": "save", "name": "x", "what": "half,last"}, "needs area, which cell 2 defines"),
        ({"command": "save", "name": "x", "what": "area,9"}, "9 names no cell that ran"),
        ({"command": "save", "name": "x", "what": 3}, "save needs what"),
    ],
)
async def test_what_is_impossible_is_told(hands: Hands, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(EditError, match=said):
        await hands.tool.answer(arguments)
    assert hands.library.list() == []


async def test_before_any_cell_ran_there_is_nothing_to_save(hands: Hands) -> None:
    hands.ran.clear()
    with pytest.raises(EditError, match="no cell has run yet"):
        await hands.do("save", what="area")


TESTED = '''def twice(x):
    """Twice.

    >>> twice(2)
    4
    """
    return 2 * x


def test_twice():
    assert twice(1) == 3
'''


async def test_a_stored_skill_is_tested_where_nothing_of_hers_is(
    hands: Hands, sandbox: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is asked for it."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "hers.txt").write_text("hers")
    hands.put("doubling", TESTED)
    hands.put(
        "looking", "import os\n\n\ndef test_it():\n    assert os.listdir() == []\n    open('left', 'w').close()\n"
    )
    tested = partial(try_apart, Settings(tmp_path / "home"))
    hands.tool = SkillTool(hands.library, Search(hands.index, []), lambda: ([], ()), test=tested)
    failed, looked = await asyncio.gather(hands.do("test", "doubling"), hands.do("test", "looking"))
    assert failed.splitlines()[0] == "Checks failed, mend this:"
    assert "test_twice: AssertionError" in failed
    assert looked.startswith("Checks passed: imported in a fresh sandbox, 1 test passed")
    assert [path.name for path in work.iterdir()] == ["hers.txt"]


async def test_without_a_sandbox_a_test_only_reads(hands: Hands, tmp_path: Path) -> None:
    """With JUPYTER_CODEACT_SANDBOX=none, what would run would have her rights. The twin shows that it would."""
    settings = Settings(tmp_path / "home", sandbox="none")
    settings.make_folders()
    session, source = Session(settings, NotebookFile([])), f"open({str(tmp_path / 'reached')!r}, 'w').close()\n"
    session.skills.library.write("reaching", {"reaching.py": source}, Note())
    said = await session.skills.tool.answer({"command": "test", "name": "reaching"})
    assert said.startswith("Checks passed: it compiles, and its names are defined.")
    assert not (tmp_path / "reached").exists()
    hands.put("reaching", source)
    alone = partial(try_apart, settings)
    hands.tool = SkillTool(hands.library, Search(hands.index, []), lambda: ([], ()), test=alone)
    await hands.do("test", "reaching")
    assert (tmp_path / "reached").exists()
