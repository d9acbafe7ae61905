"""Several notebooks at once: what one saves the others see, and which of several skills of one name they import."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from helpers import shown
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_codeact.notebook.document import Document
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.library import Library

pytestmark = [
    pytest.mark.usefixtures("sandbox"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@dataclass
class Notebooks:
    """Two notebooks in one folder, each with a kernel, and the folders that they import from."""

    one: Document
    two: Document
    work: Path
    library: Library
    theirs: Path

    def write(self, name: str, files: dict[str, str], *, shared: bool = False) -> None:
        """As another process does."""
        self.library.write(name, files, Note(), folder=self.library.shared if shared else self.library.own)


async def run(document: Document, *cells: str) -> str:
    """What the last cell shows; all of them end well."""
    document.nb = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    for cell in [*document.nb.cells]:
        assert await document.run_cell(cell) == "ok", shown(cell)
    return shown(document.nb.cells[-1])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def notebooks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Notebooks]:
    home, work, theirs = (tmp_path_factory.mktemp(name) for name in ("home", "work", "theirs"))
    # The sandbox may be another user, and reads.
    theirs.chmod(0o755)
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("JUPYTER_CODEACT_HOME", str(home))
        patch.setenv("JUPYTER_CODEACT_SKILLS", str(theirs))
        one, two = [await stack.enter_async_context(opened(work)) for _ in range(2)]
        library = Library(home / "skills" / "private" / "default", home / "skills" / "shared", history=home / "history")
        yield Notebooks(one, two, work, library, theirs)


def opened(work: Path) -> Document:
    return Document(new_notebook(), resources={"metadata": {"path": str(work)}})


async def test_what_one_notebook_saves_the_other_has_at_once_and_what_it_imported_follows(notebooks: Notebooks) -> None:
    """More than once: what was imported at first is not what the last reload made."""
    await run(notebooks.one, "def grow(n=10):\n    return n", "%skill save growth 1")
    assert await run(notebooks.two, "import growth\nfrom growth import grow as imported\nimported()") == "10"
    for number in (15, 20, 25):
        await run(notebooks.one, f"def grow(n={number}):\n    return n")
        count = notebooks.one.nb.cells[0].execution_count
        await run(notebooks.one, f"%skill save growth {count}")
        assert await run(notebooks.two, "imported(), growth.grow()") == f"({number}, {number})"


DECORATED = """import functools


def wrapped(f):
    @functools.wraps(f)
    def called(*values):
        return f(*values)
    return called


def bare(f):
    def called(*values):
        return f(*values)
    return called


@wrapped
def first():
    return {0}


@bare
def second():
    return {0}


@functools.lru_cache
def third():
    return {0}


class Error(Exception):
    pass


def fails():
    raise Error
"""


async def test_decorated_functions_follow_wherever_they_are_held(notebooks: Notebooks) -> None:
    notebooks.write("decorated", {"decorated.py": DECORATED.format(1)})
    take = "from decorated import *\nfrom decorated import first as renamed\nheld = [first, second, third]"
    use = "renamed(), first(), second(), third(), [f() for f in held]"
    assert await run(notebooks.two, take, use) == "(1, 1, 1, 1, [1, 1, 1])"
    for number in (2, 3):
        notebooks.write("decorated", {"decorated.py": DECORATED.format(number)})
        assert await run(notebooks.two, use) == f"({', '.join(f'{number}' * 4)}, {[number] * 3})"
    assert await run(notebooks.two, "try:\n    fails()\nexcept Error:\n    print('caught')") == "caught\n"


CACHED = "import functools\n\n\n@functools.cache\n"


async def test_what_gains_or_loses_a_decorator_follows_by_name_and_what_can_not_is_told(notebooks: Notebooks) -> None:
    plain, after = "def f():\n    return {}\n", "\n\ndef late():\n    return {}\n"
    notebooks.write("gains", {"gains.py": plain.format(1) + after.format(1)})
    notebooks.write("gainer", {"gainer.py": "from gains import f\n"})
    assert await run(notebooks.two, "import gainer\nfrom gains import f, late\nf(), late()") == "(1, 1)"
    notebooks.write("gains", {"gains.py": CACHED + plain.format(2) + after.format(2)})
    # Nobody had it but the name, and a skill that is reloaded later.
    assert await run(notebooks.two, "f(), late()") == "(2, 2)"
    assert await run(notebooks.two, "held = [f, late]\nf(), late()") == "(2, 2)"
    notebooks.write("gains", {"gains.py": plain.format(3) + after.format(3)})
    said = await run(notebooks.two, "f(), late(), [h() for h in held]")
    assert "other objects hold what gains.f was before" in said
    assert said.endswith("(3, 3, [2, 3])")


async def test_instances_follow_a_class_whose_method_gains_a_closure(notebooks: Notebooks) -> None:
    source = "class Base:\n    def value(self):\n        return 1\n\n\nclass Keeps(Base):\n    def value(self):\n"
    source += "        return {}\n"
    notebooks.write("keeps", {"keeps.py": source.format(5)})
    use = "kept.value(), Keeps().value(), isinstance(kept, Keeps)"
    assert await run(notebooks.two, "from keeps import Keeps\nkept = Keeps()", use) == "(5, 5, True)"
    notebooks.write("keeps", {"keeps.py": source.format("super().value() + 1")})
    assert await run(notebooks.two, use) == "(2, 2, True)"


API = "from .impl import LEAST, doubled\nfrom . import impl\n\n\ndef f():\n    return LEAST, doubled(), impl.LEAST\n"
IMPL = "LEAST = {0}\n\n\ndef doubled():\n    return 2 * {0}\n"


def package(number: int) -> dict[str, str]:
    return {"kit/__init__.py": "", "kit/api.py": API, "kit/impl.py": IMPL.format(number)}


async def test_her_own_subclasses_stay_what_they_are(notebooks: Notebooks) -> None:
    """`except` and isinstance know them by the class that cells have now, which is what a cell made them of."""
    skill = "class Problem(Exception): pass\nclass Grid:\n    n = {}\nclass Fine(Grid): pass\n"
    notebooks.write("grids", {"grids.py": skill.format(1)})
    made = "class Mine(Problem): pass\nclass My(Fine):\n    def got(self): return super().n\nmy = My()"
    await run(notebooks.one, f"import grids\nfrom grids import Grid, Fine, Problem\n{made}")
    known = "isinstance(my, Grid), isinstance(my, grids.Fine), issubclass(My, Fine), my.got()"
    for n in (2, 3):
        notebooks.write("grids", {"grids.py": skill.format(n)})
        assert await run(notebooks.one, known) == f"(True, True, True, {n})"
        assert (
            await run(notebooks.one, "try:\n    raise Mine\nexcept Problem as it:\n    print('caught')") == "caught\n"
        )
    # What Python does not allow is told.
    notebooks.write("grids", {"grids.py": skill.format("4\n    __slots__ = ['a']")})
    assert "subclasses and other objects hold what grids.Grid, grids.Fine was" in await run(notebooks.one, "1")


async def test_a_package_s_api_follows_what_it_imports_from_its_other_files(notebooks: Notebooks) -> None:
    """Though its own file did not change; and a skill that uses the package follows, too."""
    notebooks.write("kit", package(1))
    notebooks.write("user", {"user.py": "from kit.api import LEAST\n\n\ndef g():\n    return LEAST\n"})
    use = "f(), g()"
    assert await run(notebooks.two, "from kit.api import f\nfrom user import g", use) == "((1, 2, 1), 1)"
    for number in (2, 3):
        notebooks.write("kit", package(number))
        assert await run(notebooks.two, use) == f"(({number}, {2 * number}, {number}), {number})"


async def test_a_skill_of_one_s_own_takes_the_place_of_a_shared_one_that_was_imported(notebooks: Notebooks) -> None:
    """And when it goes, the shared one is back."""
    where = "import place\nfrom place import who\nwho()"
    notebooks.write("place", {"place.py": "def who(): return 'shared'\n"}, shared=True)
    assert await run(notebooks.two, where) == "'shared'"
    notebooks.write("place", {"place.py": "def who(): return 'own'\n"})
    assert await run(notebooks.two, "who(), place.__file__.split('/')[-2]") == "('own', 'default')"
    await run(notebooks.two, "%skill rm place")
    assert await run(notebooks.two, "who(), place.__file__.split('/')[-2]") == "('shared', 'shared')"
    package = {"place/__init__.py": "from .inner import who\n", "place/inner.py": "def who(): return 'package'\n"}
    notebooks.write("place", package)
    assert await run(notebooks.two, "who()") == "'package'"


async def test_a_package_of_one_s_own_takes_the_place_of_a_shared_one_file_by_file(notebooks: Notebooks) -> None:
    def files(name: str) -> dict[str, str]:
        inner = f"NAME = {name!r}\n\n\ndef who(): return {name!r}\n"
        init = "from .inner import NAME, who\nfrom .same import same\n"
        return {"whole/__init__.py": init, "whole/inner.py": inner, "whole/same.py": f"def same(): return {name!r}\n"}

    notebooks.write("whole", files("shared"), shared=True)
    assert await run(notebooks.two, "import whole\nfrom whole.inner import who\nwho()") == "'shared'"
    notebooks.write("whole", files("own"))
    seen = "who(), whole.NAME, whole.inner.NAME, whole.inner.__file__.split('/')[-3], whole.same()"
    assert await run(notebooks.two, seen) == "('own', 'own', 'own', 'default', 'own')"


async def test_a_reload_that_fails_is_shown_once_and_the_cell_runs(notebooks: Notebooks) -> None:
    notebooks.write("frail", {"frail.py": "def f(): return 1\n"}, shared=True)
    assert await run(notebooks.two, "from frail import f\nf()") == "1"
    notebooks.write("frail", {"frail.py": "1 / 0\n"})
    said = await run(notebooks.two, "f()")
    assert "frail was changed and can't be reloaded" in said
    assert said.endswith("1")
    assert await run(notebooks.two, "f()") == "1"
    notebooks.write("frail", {"frail.py": "def f(): return 2\n"})
    assert await run(notebooks.two, "f()") == "2"


PLACES = ["work", "own", "shared", "theirs"]


async def test_the_first_place_that_has_a_name_wins_and_where_says_the_order(notebooks: Notebooks) -> None:
    """The working folder, the environment, one's own library, the shared one, those that are read."""
    library = notebooks.library
    folders = dict(zip(PLACES, (notebooks.work, library.own, library.shared, notebooks.theirs), strict=True))
    for number, name in enumerate(PLACES):
        # `in_own` is in all places from the own library on, and so on.
        for place in PLACES[number:]:
            (folders[place] / f"in_{name}.py").write_text(f"place = {place!r}\n")
    for place in PLACES[1:]:
        (folders[place] / "yaml.py").write_text(f"place = {place!r}\n")
    asked = ", ".join(f"in_{name}.place" for name in PLACES)
    imports = "import yaml, " + ", ".join(f"in_{name}" for name in PLACES)
    said = await run(notebooks.one, f"{imports}\n{asked}, hasattr(yaml, 'safe_load')")
    assert said == f"{(*PLACES, True)}"
    path = await run(notebooks.one, "import sys\nsys.path")
    order = [path.index(repr(str(folders[place]))) for place in PLACES[1:]]
    assert order == sorted(order)
    assert path.index("site-packages") < order[0]
    where = await run(notebooks.one, "%skill where")
    places = [where.index(str(folder)) for folder in folders.values()]
    assert places == sorted(places)


async def test_each_workspace_has_a_library_of_its_own_and_all_have_the_shared_one(
    notebooks: Notebooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebooks.write("mine", {"mine.py": "x = 'of the first'\n"})
    notebooks.write("common", {"common.py": "x = 'of all'\n"}, shared=True)
    monkeypatch.setenv("JUPYTER_CODEACT_HOME", str(notebooks.library.shared.parents[1]))
    monkeypatch.setenv("JUPYTER_CODEACT_WORKSPACE", "second")
    async with opened(notebooks.work) as document:
        assert await run(document, "import common\ncommon.x") == "'of all'"
        find = "import importlib.util\nimportlib.util.find_spec('mine')"
        assert await run(document, find) == ""
        await run(document, "def x(): return 'of the second'", "%skill save mine 1-99 --names x")
        assert await run(document, "import mine\nmine.x()") == "'of the second'"
        assert "| mine |" in await run(document, "%skill list")
    assert await run(notebooks.one, "import mine\nmine.x") == "'of the first'"
