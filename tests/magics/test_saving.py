"""`%skill save` and `%%skill edit` where somebody else writes too, where a check fails, and in packages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.cli.skill import NotebookFile
from jupyter_codeact.errors import EditError, SandboxUnavailable, SkillError, SkillFailed
from jupyter_codeact.events import RanCell
from jupyter_codeact.magics import editing, listing, saving, versions
from jupyter_codeact.session import Session
from jupyter_codeact.settings import Settings
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.library import Library

CELLS = [
    "def area(r):\n    return 3 * r",
    "def go():\n    %cd /\n    return area(2)",
    "def late():\n    return nowhere",
]
PACKAGE = {
    "geo/__init__.py": "",
    "geo/api.py": "from .impl import area\n",
    "geo/impl.py": "def area(r):\n    return r\n",
}


class Cell:
    """What a cell shows, and what becomes of it."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.source = ""

    def display(self, data: dict[str, Any], display_id: str = "", update: bool = False) -> None:
        self.shown.append(str(data["text/plain"]))

    def withdraw(self, display_id: str) -> None:
        """What was shown is kept."""

    def become(self, source: str) -> None:
        self.source = source


class Desk:
    """A notebook whose cells ran, without a sandbox. ``meanwhile`` happens while one would be opened."""

    def __init__(self, home: Path) -> None:
        settings = Settings(home)
        settings.make_folders()
        self.meanwhile: Callable[[], object] = lambda: None
        ran = [RanCell(n, f"id{n}", source, True) for n, source in enumerate(CELLS, start=1)]
        self.session = Session(settings, NotebookFile(ran), self.fresh)
        self.library: Library = self.session.skills.library
        self.cell: Any = Cell()

    def fresh(self, *_: object) -> Any:
        self.meanwhile()
        raise SandboxUnavailable("There is none.")

    async def save(self, line: str) -> str:
        return await saving.save(self.session, self.cell, f"{line} --force")

    async def edit(self, line: str, body: str = "") -> str:
        return await editing.edit(self.session, self.cell, f"{line} --force" if body else line, body)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.session.skills.search.index.close()


async def test_what_somebody_else_saves_while_hers_is_checked_is_shown_and_kept(desk: Desk) -> None:
    await desk.save("fit 1")
    theirs = desk.library.own / "fit.py"
    desk.meanwhile = lambda: theirs.write_text("x = 'theirs'\n")
    with pytest.raises(SkillFailed, match="Run the cell again to make yours the next version"):
        await desk.save("fit 1-2")
    assert any("+x = 'theirs'" in shown for shown in desk.cell.shown)
    assert theirs.read_text() == "x = 'theirs'\n"
    desk.meanwhile = lambda: None
    assert "-x = 'theirs'" in await desk.save("fit 1-2")


async def test_a_line_that_only_ipython_knows_can_be_forced(desk: Desk) -> None:
    with pytest.raises(SkillFailed, match=r"uses `%cd /` in cell 2: that is IPython's.*`--force` saves it as it is"):
        await saving.save(desk.session, desk.cell, "fit 1-2")
    assert desk.library.list() == []
    said = await desk.save("fit 1-2")
    assert "Forced, though go uses `%cd /`" in said
    source = desk.library.get("fit").source
    assert source.startswith("from IPython import get_ipython\n")
    assert "    get_ipython().run_line_magic('cd', '/')\n" in source
    (version,) = desk.library.log("fit")
    assert version.note.about["Checks"].startswith("forced: go uses `%cd /`")
    assert "no tests, checks forced" in listing.listed(desk.session, "")
    assert "Forced, though late needs nowhere" in await desk.save("late 3")


async def test_what_a_function_of_statements_hands_back_is_said(desk: Desk) -> None:
    desk.session.skills.ran().append(RanCell(4, "id4", "total = 0\nfor v in x:\n    total += v", True))
    assert "sums hands back `total`." in await desk.save("add 4 --wrap sums(x)")
    assert desk.library.get("add").source.endswith("    return total\n")
    assert "hands back" not in await desk.save("fit 1")


async def test_a_skill_is_not_made_to_import_itself(desk: Desk) -> None:
    await desk.save("geo 1 --shared")
    cells = ["from geo import area\nimport geo", "def twice(r): return 2 * area(r)", "def far(r): return geo.area(r)"]
    desk.session.skills.ran()[:] = [RanCell(n, f"id{n}", source, True) for n, source in enumerate(cells, start=1)]
    # It takes the place of the shared one, for her.
    await desk.save("geo 1-2")
    assert desk.library.get("geo").source.count("def area(r)") == 1
    with pytest.raises(SkillError, match=r"geo would import itself \(line 1: `import geo`\)"):
        await desk.save("geo 1 3")


async def test_what_is_left_out_is_said(desk: Desk) -> None:
    for count, source in enumerate(["data = []", "data.append('hers')", "def total(): return len(data)"], start=4):
        desk.session.skills.ran().append(RanCell(count, f"id{count}", source, True))
    left = "Look at `data.append(…)` in cell 5 is left out"
    assert left in await desk.save("sums 4 6")
    assert left in await desk.save("sums 4-6")
    assert "left out" not in await desk.save("fit 1")


async def test_what_is_imported_from_here_alone_is_warned_of_and_saved(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "local.py").write_text("def g(): return 1\n")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "part.py").write_text("n = 1\n")
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "data.py").write_text("")
    for name, folder in (("priv", desk.library.own), ("both", desk.library.own), ("both", desk.library.shared)):
        desk.library.write(name, {f"{name}.py": "n = 1\n"}, Note(), folder=folder)
    source = "from local import g\ndef f():\n    import bare.part, json, numpy\n    import priv, both\n    return g()"
    desk.session.skills.ran().append(RanCell(4, "id4", source, True))
    local = "imports `local` from this folder: it works here alone"
    bare = "imports `bare` from this folder: it works here alone"
    priv = "imports `priv`, a skill of this workspace alone"
    for line, told in (("fit 4", [local, bare]), ("fit 4 --shared", [local, bare, priv])):
        said = await desk.save(line)
        assert [text for text in said.splitlines() if ": imports `" in text] == [
            f"- Look at fit.py, line {at}: {text}." for at, text in zip((1, 6, 7), told, strict=False)
        ]
    assert (desk.library.shared / "fit.py").is_file()
    assert (desk.library.own / "fit.py").is_file()
    body = "import local\n"
    assert f"line 1: {local}" in await desk.edit("priv", body)


async def test_a_skill_that_was_a_link_is_said_to_be_none_any_more(desk: Desk, tmp_path: Path) -> None:
    """What it led to, a checkout of hers, stays as it was, and nothing of it is taken over."""
    checkout, own = tmp_path / "checkout", desk.library.own
    (checkout / "geo").mkdir(parents=True)
    for path, text in {**PACKAGE, "fit.py": "x = 1\n", "geo/hers.csv": "1,2\n"}.items():
        (checkout / path).write_text(text)
    for name in ("geo", "fit.py"):
        (own / name).symlink_to(checkout / name)
    said = f"was a link to `{checkout}/"
    assert f"`fit.py` {said}fit.py`: that stays as it was" in await desk.save("fit 1")
    assert said not in await desk.save("fit 1-2")
    assert (checkout / "fit.py").read_text() == "x = 1\n"
    edit = desk.session.skills.editor.plan
    with pytest.raises(EditError, match="is a link to a file outside of the library"):
        edit({"command": "create", "path": "geo/impl.py", "file_text": "x = 1\n"})
    with pytest.raises(SkillError, match="geo is no package"):
        await desk.edit("geo.impl", "x = 1\n")
    # A module takes the place of a package, which Python would take before it.
    assert f"`geo` {said}geo`" in await desk.edit("geo", "x = 1\n")
    assert sorted(path.name for path in own.rglob("*")) == ["fit.py", "geo.py"]
    (own / "whole").symlink_to(checkout / "geo")
    files = {path.replace("geo", "whole"): text for path, text in PACKAGE.items()}
    (told,) = desk.library.write("whole", files, Note()).unlinked
    assert f"`whole` {said}geo`" in told
    assert sorted(path.name for path in own.rglob("*/*")) == ["__init__.py", "api.py", "impl.py"]
    assert {path.stat().st_nlink for path in own.rglob("*.py")} == {1}
    assert {name: len(desk.library.log(name)) for name in ("fit", "geo", "whole")} == {"fit": 2, "geo": 1, "whole": 1}
    assert (checkout / "geo" / "impl.py").read_text() == PACKAGE["geo/impl.py"]
    (own / "one.py").symlink_to("fit.py")
    done = edit({"command": "create", "path": "one.py", "file_text": "x = 1\n"}).apply()
    assert "Change one.py: done. `one.py` was a link to `fit.py`: that stays as it was" in done
    (own / "kit").mkdir()
    for name in ("__init__", "impl"):
        (own / "kit" / f"{name}.py").symlink_to("../fit.py")
    assert "`kit/impl.py` was a link to `../fit.py`" in await desk.edit("kit.impl", "x = 1\n")
    assert (own / "kit" / "__init__.py").is_symlink()
    (own / "two.py").symlink_to(checkout / "nowhere.py")
    assert f"`two.py` {said}nowhere.py`" in await desk.save("two 1")
    (own / "three.py").symlink_to("fit.py")
    assert "`three.py` was a link to `fit.py`" in versions.answer(desk.session, "rm", "three")
    assert (own / "fit.py").exists()
    (own / "four.py").symlink_to(checkout / "fit.py")
    with pytest.raises(SkillError, match="There is no skill called four"):
        versions.answer(desk.session, "rm", "four")
    (own / "five.py").symlink_to(checkout / "geo")
    assert f"`five.py` {said}geo`" in await desk.save("five 1")
    (own / "kit" / "deep").symlink_to(checkout / "geo")
    files = {"kit/__init__.py": "", "kit/deep/__init__.py": "", "kit/deep/more.py": "x = 1\n"}
    assert f"`kit/deep` {said}geo`" in desk.library.write("kit", files, Note()).unlinked[-1]
    assert sorted(path.name for path in (checkout / "geo").iterdir()) == [
        "__init__.py",
        "api.py",
        "hers.csv",
        "impl.py",
    ]
    assert (own / "kit" / "deep" / "more.py").is_file()


async def test_what_does_not_parse_is_refused_though_it_is_forced(desk: Desk) -> None:
    desk.session.skills.ran().append(RanCell(4, "id4", "def f(:", True))
    with pytest.raises(SkillError, match=r"can't be read as Python.*`--force` does not help: what does not parse"):
        await desk.save("fit 4")


async def test_the_last_run_is_the_last_that_ran_something(desk: Desk) -> None:
    """The prompt after it may have been to store what it made."""
    skills = desk.session.skills
    skills.begin({"Run": "one"})
    skills.last_actions += ("id1",)
    for run in ("two", "three"):
        skills.begin({"Run": run})
    assert "`area(" in await desk.save("fit")
    skills.last_actions += ("id3",)
    assert "area" not in await desk.save("late --force")


async def test_what_is_shared_lies_there_and_hers_comes_first(desk: Desk) -> None:
    await desk.save("fit 1 --shared")
    assert desk.library.get("fit").folder == desk.library.shared
    assert not [*desk.library.own.iterdir()]
    await desk.save("fit 1-2")
    assert desk.library.get("fit").folder == desk.library.own
    assert "go" not in (desk.library.shared / "fit.py").read_text()
    hidden = await desk.save("fit 1 --names area --shared --message two")
    assert "Your own **fit** comes before it" in hidden
    assert ("`area(" in hidden, "`go(" in hidden) == (True, False)
    versions.answer(desk.session, "rm", "fit")
    await desk.save("late 3")
    first = await desk.save("late 3 --shared")
    assert first.startswith("Saved **late** in the shared library. Your own **late** comes before it: `import late`")
    assert "works from now on" not in first
    assert "comes before it" in versions.answer(desk.session, "rollback", "late 1 --shared")
    await desk.save("fit 1-2 --shared --message 'for all'")
    assert [v.note.message for v in desk.library.log("fit")] == ["for all", "Saved from cells"]


async def test_what_is_told_of_a_shared_save_is_the_shared_one_s(desk: Desk) -> None:
    await desk.save("fit 1 --shared")
    await desk.save("fit 1-2")
    said = await desk.save("fit 2 --names go --shared")
    assert "Saved **fit** as version 2; `%skill rollback fit 1 --shared` takes that back." in said
    assert "-def area(r):" in said
    versions.answer(desk.session, "rollback", "fit 1 --shared")
    assert "area" in (desk.library.shared / "fit.py").read_text()
    assert len(desk.library.log("fit")) == 1


async def test_a_mark_at_the_start_is_no_part_of_the_source_and_stays_in_the_file(desk: Desk) -> None:
    path = desk.library.own / "fit.py"
    path.write_bytes(b"\xef\xbb\xbfdef f(x):\n    return x\n")
    await desk.edit("fit")
    assert desk.cell.source == "%%skill edit fit --version 1\ndef f(x):\n    return x"
    said = await desk.edit("fit --version 1", "def f(x):\n    return 2 * x\n")
    assert "+    return 2 * x" in said
    assert "-def f" not in said
    assert path.read_bytes().startswith(b"\xef\xbb\xbfdef f(x):\n")
    assert len(desk.library.log("fit")) == 2


@pytest.mark.parametrize("version", ["", " --version 1"])
async def test_what_is_no_utf_8_is_not_edited(desk: Desk, version: str) -> None:
    path = desk.library.own / "fit.py"
    path.write_bytes(there := b"# -*- coding: latin-1 -*-\ndef f():\n    return '\xa3'\n")
    desk.library.log("fit")
    for body in ("", "def f():\n    return '?'\n"):
        with pytest.raises(SkillError, match=r"'fit\.py' is no UTF-8, and can't be shown as it is"):
            await desk.edit(f"fit{version}", body)
    assert path.read_bytes() == there
    assert desk.cell.source == ""


async def test_each_module_of_a_package_is_edited(desk: Desk) -> None:
    desk.library.write("geo", PACKAGE, Note())
    assert "`geo.impl`" in await desk.edit("geo")
    assert desk.cell.source == "%%skill edit geo --version 1\nfrom .impl import area"
    await desk.edit("geo.impl")
    assert desk.cell.source == "%%skill edit geo.impl --version 1\ndef area(r):\n    return r"
    await desk.edit("geo.impl --version 1", "def area(r):\n    return 3 * r\n")
    stub = '    """area: nobody has described it yet."""\n'
    assert desk.cell.source == f"%%skill edit geo.impl --version 2\ndef area(r):\n{stub}    return 3 * r"
    assert (desk.library.own / "geo" / "impl.py").read_text() == f"def area(r):\n{stub}    return 3 * r\n"
    assert (desk.library.own / "geo" / "api.py").read_text() == PACKAGE["geo/api.py"]
    await desk.edit("geo.deep.new", "x = 1\n")
    assert (desk.library.own / "geo" / "deep" / "new.py").read_text() == "x = 1\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("geo.none", r"There is no geo/none\.py"),
        ("fit.impl", "fit is no package"),
        ("nope.impl", "nope is no package"),
        ("geo.../x", "can't be a module's name"),
        ("theirs.impl", r"theirs is not your own: `%%skill edit theirs\.impl` alone fetches it"),
    ],
)
async def test_what_is_no_module_of_a_package_is_said(desk: Desk, line: str, said: str) -> None:
    desk.library.write("geo", PACKAGE, Note())
    theirs = {path.replace("geo", "theirs"): text for path, text in PACKAGE.items()}
    desk.library.write("theirs", theirs, Note(), folder=desk.library.shared)
    await desk.save("fit 1")
    with pytest.raises(SkillError, match=said):
        await desk.edit(line, "x = 1\n" if "theirs" in line else "")


WRITES = """
import asyncio, sys
from pathlib import Path
from jupyter_codeact.errors import EditError, SkillFailed
from jupyter_codeact.events import RanCell
from jupyter_codeact.skills.tool import SkillTool
from magics.test_saving import Desk

class Writer:
    def __init__(self, desk):
        self.desk, self.ran = desk, desk.session.skills.ran()
        # Nothing is tried here.
        self.tool = SkillTool(desk.library, desk.session.skills.search, lambda: (self.ran, ()))

    async def save(self, name, source):
        await self.desk.save(f"{name} 9")

    async def edit(self, name, source):
        newest = self.desk.library.history(self.desk.library.own).newest(name.partition(".")[0])
        await self.desk.edit(f"{name} --version {newest.number}", source)

    async def agents_save(self, name, source):
        await (await self.tool.answer({"command": "save", "name": name, "what": "f"})).apply()

    async def agents_edit(self, name, source):
        path = name.replace(".", "/") + ".py"
        self.desk.session.skills.editor.plan({"command": "create", "path": path, "file_text": source}).apply()

async def writes(writer, who, way, name):
    refused = 0
    for number in range(100):
        source = f"def f():\\n    return '{who} {number}'\\n"
        writer.ran[:] = [RanCell(9, "id9", source, True)]
        while True:
            writer.desk.cell.shown.clear()
            try:
                await getattr(writer, way)(name, source)
                break
            except (SkillFailed, EditError) as error:
                # The conflict is shown, to her or to the agent.
                assert "changed by somebody else" in str(error), error
                assert "What they changed" in str(error) or any(writer.desk.cell.shown), error
                refused += 1
        print(refused, flush=True)

asyncio.run(writes(Writer(Desk(Path(sys.argv[1]))), *sys.argv[2:]))
"""
NAMES = ("fit0", "fit1", "fit2", "geo")
WRITERS = (
    *(("save", "fit0"), ("save", "fit1"), ("save", "fit2"), ("agents_save", "fit0")),
    *(("agents_edit", "fit1"), ("agents_edit", "fit2"), ("agents_edit", "geo.impl"), ("edit", "geo.impl")),
)


def test_eight_who_save_at_once_and_a_hand_that_writes_between_lose_nothing(desk: Desk, tmp_path: Path) -> None:
    """Persons and agents, modules and a package: who is refused saves again. A hand's text is there, or a version."""
    library, own = desk.library, desk.library.own
    library.write("geo", PACKAGE, Note())
    # What holds after a power cut is not looked at here, and takes its time.
    config = library.history(own).folder / "config"
    config.write_text(config.read_text().replace("fsyncObjectFiles = true", "fsyncObjectFiles = false"))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    with ExitStack() as stack:
        writers = []
        for n, (way, name) in enumerate(WRITERS):
            words = [sys.executable, "-c", WRITES, str(tmp_path), f"writer {n}", way, name]
            writer = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
            stack.enter_context(writer)
            stack.callback(writer.kill)
            writers.append(writer)
        # She writes after some of the first one's saves.
        assert writers[0].stdout is not None
        for edits, _ in enumerate(islice(writers[0].stdout, 0, None, 4)):
            name = NAMES[edits % 4]
            (own / ("geo/impl.py" if name == "geo" else f"{name}.py")).write_text(f"x = 'hers {edits}'\n")
            # A look, without which her next edit would take the place of this one.
            assert any(f"x = 'hers {edits}'\n" in text for text in texts(library, name))
        refused = [int(writer.communicate()[0].split()[-1]) for writer in writers[1:]]
        writers[0].wait()
    assert [writer.returncode for writer in writers] == [0] * 8
    # Of those who wrote to a module, and of those who wrote to the package.
    assert any(refused[:5])
    assert any(refused[5:])
    kept = {name: texts(library, name, most=10_000) for name in NAMES}
    assert [n for n in range(25) if not any(f"x = 'hers {n}'\n" in text for text in kept[NAMES[n % 4]])] == []
    for n, (_, name) in enumerate(WRITERS):
        there = {text.partition("return ")[2].strip() for text in kept[name.partition(".")[0]]}
        assert {f"'writer {n} {number}'" for number in range(100)} <= there
    agents = {name: sum(version.note.by == "agent" for version in library.log(name)) for name in NAMES}
    assert agents == dict.fromkeys(NAMES, 100)


def texts(library: Library, name: str, most: int = 40) -> list[str]:
    """What the newest versions hold."""
    library.log(name)
    with library.history(library.own).opened() as history:
        return ["".join(history.content(version).values()) for version in islice(history.versions(name), most)]
