"""A link out of a library is no skill: code in the sandbox may be able to put anything of hers behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.cli.skill import NotebookFile
from jupyter_codeact.errors import CodeActError, SkillConflict
from jupyter_codeact.magics.editing import edit, place_of
from jupyter_codeact.magics.listing import listed, search, show
from jupyter_codeact.session import Session
from jupyter_codeact.settings import Settings
from jupyter_codeact.skills import editor, files, library, writing
from jupyter_codeact.skills.alone import works_here_alone
from jupyter_codeact.skills.files import lies_in
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.offers import offer_of
from jupyter_codeact.skills.transfer.bundle import bundle_of

SECRET = '"""A zebra."""\n\n\ndef zebra():\n    """Count a zebra."""\n'
# Of what stands there, and of what lies beside it.
MARKS = ("A zebra", "Count a zebra", "zebra.csv")
API = "from .impl import zebra as horse\n"


class Cell:
    def become(self, source: str) -> None:
        self.source = source


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """With files of hers beside it, and the working folder of a notebook."""
    (tmp_path / "hers").mkdir()
    (tmp_path / "work").mkdir()
    for name in ("secret", "__init__", "api", "impl"):
        (tmp_path / "hers" / f"{name}.py").write_text(SECRET)
    (tmp_path / "hers" / "zebra.csv").write_text("1,2\n")
    settings = Settings(tmp_path / "home")
    settings.make_folders()
    made = Session(settings, NotebookFile([]))
    yield made
    made.skills.search.index.close()


def module(own: Path, door: Path) -> None:
    door.symlink_to("../hers/secret.py")
    (own / "fit.py").symlink_to(door)


def package(own: Path, door: Path) -> None:
    door.symlink_to("../hers")
    (own / "fit").symlink_to(door)


def part(own: Path, door: Path, name: str = "impl") -> None:
    (own / "fit").mkdir()
    for file, text in {"__init__": "", "api": API, "impl": "def zebra(): ...\n"}.items():
        (own / "fit" / f"{file}.py").write_text(text)
    door.symlink_to("../hers/secret.py")
    (own / "fit" / f"{name}.py").unlink()
    (own / "fit" / f"{name}.py").symlink_to(door)


def api(own: Path, door: Path) -> None:
    part(own, door, "api")


def init(own: Path, door: Path) -> None:
    part(own, door, "__init__")
    (own / "fit" / "api.py").unlink()


async def a_list(session: Session) -> object:
    return listed(session, "")


async def a_page(session: Session) -> object:
    return show(session, "fit")


async def a_search(session: Session) -> object:
    return await search(session, "count"), *map(offer_of, session.skills.search.find("count"))


async def given(session: Session) -> object:
    """As `--skills` does."""
    skill = session.skills.library.get("fit")
    return skill.read, skill.texts


async def viewed(session: Session) -> object:
    view, texts = session.skills.editor.view, []
    for path in (".", "fit.py", "fit/__init__.py", "fit/api.py", "fit/impl.py"):
        try:
            texts.append(view({"command": "view", "path": path}))
        except CodeActError as error:
            texts.append(str(error))
    return texts


async def asked_for(session: Session) -> object:
    return await session.skills.tool.answer({"command": "read", "name": "fit"})


async def exported(session: Session) -> object:
    return bundle_of(session.skills.library, "fit")


async def edited(session: Session) -> object:
    cell: Any = Cell()
    await edit(session, cell, "fit", "")
    return cell.source


async def a_version(session: Session) -> object:
    """What a save has found in its place."""
    skills = session.skills.library
    skills.write("fit", {"fit.py": "x = 1\n"}, Note())
    history = skills.history(skills.own)
    return [dict(history.files("fit", version.number)) for version in skills.log("fit")]


async def a_conflict(session: Session) -> object:
    with pytest.raises(SkillConflict) as caught:
        session.skills.library.write("fit", {"fit.py": "x = 2\n"}, Note(), base={"fit.py": "x = 1\n"})
    return str(caught.value), vars(caught.value)


async def copied(session: Session) -> object:
    """Beside a package that takes the place of one."""
    own = session.skills.library.own
    session.skills.library.write("fit", {"fit/__init__.py": "x = 1\n"}, Note())
    return [path.name for path in own.rglob("*") if not path.is_symlink()], (own / "fit" / "__init__.py").read_text()


PLACES = [module, package, part, api, init]
WAYS = [a_list, a_page, a_search, given, viewed, asked_for, exported, edited, a_version, a_conflict, copied]
# What shows the secret of which link where nobody looks whether it leads out.
DANGERS = {
    a_list: [module, package, api, init],
    edited: [module, package, api, init],
    copied: [package],
}


async def said(session: Session, way: Callable[[Session], Any]) -> str:
    try:
        return str(await way(session))
    except CodeActError as error:
        return str(error)


@pytest.mark.parametrize("put", PLACES)
@pytest.mark.parametrize("way", WAYS)
async def test_nothing_behind_a_link_out_of_a_library_is_read(
    session: Session, tmp_path: Path, way: Any, put: Callable[[Path, Path], None]
) -> None:
    put(session.skills.library.own, tmp_path / "work" / "door.py")
    text = await said(session, way)
    assert not [mark for mark in MARKS if mark in text]


@pytest.mark.parametrize(("way", "put"), [(way, put) for way in WAYS for put in DANGERS.get(way, PLACES)])
async def test_without_a_look_at_where_it_leads_it_would_be(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Any, put: Callable[[Path, Path], None]
) -> None:
    for user in (files, editor, library, writing):
        monkeypatch.setattr(user, "lies_in", lambda _folder, _path: True)
    put(session.skills.library.own, tmp_path / "work" / "door.py")
    text = await said(session, way)
    assert [mark for mark in MARKS if mark in text]


@pytest.mark.parametrize("put", PLACES)
def test_a_save_puts_files_in_the_place_of_such_a_link(
    session: Session, tmp_path: Path, put: Callable[[Path, Path], None]
) -> None:
    own = session.skills.library.own
    put(own, tmp_path / "work" / "door.py")
    new = {f"fit/{name}.py": f"x = {name!r}\n" for name in ("__init__", "api", "impl")}
    (told,) = session.skills.library.write("fit", new, Note()).unlinked
    assert f"was a link to `{tmp_path}/work/door.py`: that stays as it was" in told
    assert {path.relative_to(own).as_posix(): path.read_text() for path in own.rglob("*.py")} == new
    assert not [path for path in own.rglob("*") if path.is_symlink()]
    assert {path.read_text() for path in (tmp_path / "hers").glob("*.py")} == {SECRET}


def test_what_only_such_a_link_has_is_not_looked_for_there(session: Session, tmp_path: Path) -> None:
    skills = session.skills.library
    package(skills.own, tmp_path / "work" / "door")
    skills.write("kit", {"kit/__init__.py": ""}, Note())
    (skills.own / "kit" / "deep").symlink_to(tmp_path / "hers")
    assert place_of(session, "kit.deep") == ("kit", "kit/deep.py")
    files = {"new.py": "import fit, kit\n"}
    told = "imports `kit`, a skill of this workspace alone"
    assert works_here_alone(files, skills, skills.shared, tmp_path / "work") == [f"new.py, line 1: {told}"]


def test_a_link_out_and_back_is_one_out(session: Session, tmp_path: Path) -> None:
    """What it leads to may be swapped between the look and the reading."""
    own = session.skills.library.own
    (own / "real.py").write_text("x = 1\n")
    (tmp_path / "work" / "door.py").symlink_to(own / "real.py")
    (tmp_path / "work" / "folder").symlink_to(own)
    for name, target in {
        "straight": tmp_path / "work" / "door.py",
        "along": tmp_path / "work" / "folder" / "real.py",
        "up": f"../{own.name}/real.py",
    }.items():
        (own / f"{name}.py").symlink_to(target)
        assert (own / f"{name}.py").resolve() == (own / "real.py").resolve()
    assert [skill.name for skill in session.skills.library.list()] == ["real"]
    assert [module.name for module in files.modules_in(own)] == ["real"]


def test_links_that_stay_in_a_library_are_skills_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "far" / "kit").mkdir(parents=True)
    (tmp_path / "far" / "kit" / "__init__.py").write_text("x = 1\n")
    own = tmp_path / "own"
    own.symlink_to("far")
    for name, target in {"near": own / "kit", "far": tmp_path / "far" / "kit", "dots": "kit/../kit"}.items():
        (own / name).symlink_to(target)
    (own / "kit" / "api.py").symlink_to("../dots/__init__.py")
    names = ["dots", "far", "kit", "near"]
    assert [skill.name for skill in library.Library(own).list()] == names
    assert sorted(module.name for module in files.modules_in(own)) == [f"{name}.api" for name in names]
    assert {text for name in names for text in library.Library(own).get(name).texts.values()} == {"x = 1\n"}
    assert files.left_out(own) == []


@pytest.mark.parametrize("target", ["..", "/", "kit/..", "kit/../..", "round", "gone/../../x", "a/b"])
def test_wherever_a_link_leads_the_system_agrees(tmp_path: Path, target: str) -> None:
    own = tmp_path / "own"
    (own / "kit").mkdir(parents=True)
    (own / "a").symlink_to("kit")
    (own / "round").symlink_to(target)
    place = own / "round" / "x.py"
    try:
        inside = place.resolve(strict=False).is_relative_to(own.resolve())
    except RuntimeError:
        inside = False
    assert lies_in(own, place) is inside
