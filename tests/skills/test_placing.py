"""An export is written by descriptors: what code in a sandbox swaps in the working folder meanwhile leads nowhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact import leading
from jupyter_codeact.errors import SkillError
from jupyter_codeact.sandbox.homes import open_home
from jupyter_codeact.skills.transfer import placing
from jupyter_codeact.skills.transfer.entries import read
from jupyter_codeact.skills.transfer.imports import found_in
from jupyter_codeact.skills.transfer.placing import place

FOLDER = {"SKILL.md": b"# fit", "scripts/fit.py": b"exported"}
Swap = Callable[[Path], None]
Arrange = Callable[[str, str, Swap], None]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def hers(tmp_path: Path) -> Path:
    """A folder that no sandbox sees, with a file that has a skill's name."""
    folder = tmp_path / "hers"
    folder.mkdir()
    (folder / "fit.py").write_text("precious")
    return folder


@pytest.fixture
def after(work: Path, monkeypatch: pytest.MonkeyPatch) -> Arrange:
    """`after("mkdir", "fit", swap)`: once os.mkdir has made a `fit`, swap something of the folder it is written in."""

    def arrange(function: str, beginning: str, swap: Swap) -> None:
        real = getattr(os, function)

        def called(what: Any, *arguments: Any, **options: Any) -> Any:
            answer = real(what, *arguments, **options)
            if isinstance(what, int) or Path(what).name.startswith(beginning):
                monkeypatch.setattr(os, function, real)
                swap(next(work.glob(".exporting-*")))
            return answer

        monkeypatch.setattr(os, function, called)

    return arrange


def linked(target: Path, *names: str) -> Swap:
    """What is called so in there is a link from now on."""

    def swap(staging: Path) -> None:
        swapped = staging.joinpath(*names)
        if swapped.exists():
            swapped.rename(f"{swapped}-before")
        swapped.symlink_to(target)

    return swap


def untouched(hers: Path) -> bool:
    return {path.name: path.read_text() for path in hers.iterdir()} == {"fit.py": "precious"}


def test_a_link_in_the_way_of_a_part_is_not_written_through(work: Path, hers: Path, after: Arrange) -> None:
    after("mkdir", "fit", linked(hers, "fit", "scripts"))
    with pytest.raises(SkillError, match="can't be written"):
        place("fit", FOLDER, "", work)
    assert untouched(hers)
    assert not [*work.iterdir()]


def test_nor_is_a_link_in_the_place_of_a_part(work: Path, hers: Path, after: Arrange) -> None:
    after("mkdir", "scripts", linked(hers / "fit.py", "fit", "scripts", "fit.py"))
    with pytest.raises(SkillError, match="is there already"):
        place("fit", FOLDER, "", work)
    assert untouched(hers)


@pytest.mark.parametrize("content", [FOLDER, b"exported"])
def test_nor_is_one_in_the_place_of_the_folder_that_it_is_written_in(
    work: Path, hers: Path, after: Arrange, content: Any
) -> None:
    after("mkdir", ".exporting-", linked(hers))
    with pytest.raises(SkillError, match="can't be written"):
        place("fit" if content is FOLDER else "fit.py", content, "", work)
    assert untouched(hers)


def test_the_file_that_was_written_is_the_one_that_is_put_there(work: Path, hers: Path, after: Arrange) -> None:
    """Not one of hers that has its name by then, whose content cells would read."""
    after("fsync", "", linked(hers))
    path = place("fit.py", b"exported", "", work)
    assert path.read_bytes() == b"exported"
    assert not path.samefile(hers / "fit.py")
    assert untouched(hers)


def test_a_folder_that_was_swapped_is_not_said_to_be_the_export(work: Path, hers: Path, after: Arrange) -> None:
    """Between the look at what is there and the move."""
    after("listdir", "", linked(hers, "fit"))
    with pytest.raises(SkillError, match="can't be written: something else was put in its place"):
        place("fit", FOLDER, "", work)
    assert untouched(hers)


@pytest.mark.parametrize("content", [FOLDER, b"exported"])
def test_what_has_the_folder_s_name_in_the_end_is_not_removed(work: Path, after: Arrange, content: Any) -> None:
    """It may hold what is covered in the sandbox, which could not remove it."""
    (work / "project").mkdir()
    (work / "project" / "kept").touch()

    def swap(staging: Path) -> None:
        staging.rename(work / "away")
        (work / "project").rename(staging)

    after(*(("rename", "fit", swap) if content is FOLDER else ("link", "", swap)))
    place("fit" if content is FOLDER else "fit.py", content, "", work)
    assert [*work.glob(".exporting-*/kept")]


@pytest.mark.parametrize("out", ["notes/out/", "notes/out/deep/", "notes/out/fit.py"])
def test_no_link_of_the_working_folder_is_followed(work: Path, out: str) -> None:
    """Nor one that stays there: in her home that may be where IPython looks for what it runs."""
    (work / ".ipython" / "startup").mkdir(parents=True)
    (work / "notes").mkdir()
    (work / "notes" / "out").symlink_to("../.ipython/startup")
    with pytest.raises(SkillError, match="a link of the working folder is not followed"):
        place("fit.py", b"exported", out, work)
    assert not [*(work / ".ipython" / "startup").iterdir()]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hers, where IPython looks for what it runs."""
    folder = tmp_path / "home"
    (folder / ".ipython" / "startup").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.mark.parametrize("out", ["results/fit.py", "results/", "results/new/", "results/startup/"])
@pytest.mark.parametrize("in_home", [True, False])
def test_nor_is_one_that_a_cell_of_another_kernel_can_have_made(
    work: Path, home: Path, tmp_path: Path, *, monkeypatch: pytest.MonkeyPatch, out: str, in_home: bool
) -> None:
    """In a folder that she can write, and that is no working folder of this kernel's."""
    startup, other = home / ".ipython" / "startup", tmp_path / "other"
    other.mkdir()
    (other / "results").symlink_to(startup.parent if out.endswith("startup/") else startup)
    work = home if in_home else work
    said = f"{other}/results is a link that code in a sandbox may have made: it leads to {home}/.ipython"
    with pytest.raises(SkillError, match=said):
        place("fit.py", b"exported", f"{other}/{out}", work)
    assert not [*startup.iterdir()]
    monkeypatch.setattr(leading, "is_closed", lambda _folder: True)
    place("fit.py", b"exported", f"{other}/{out}", work)
    assert [*startup.rglob("fit.py")], "the danger is real"


def test_nor_is_one_in_the_home_of_a_sandbox_though_that_is_kept_in_a_dot_folder(work: Path, home: Path) -> None:
    startup = home / ".ipython" / "startup"
    homes = home / ".local" / "share" / "codeact" / "homes"
    for empty in (False, True):
        homes.mkdir(parents=True, exist_ok=True)
        kept = open_home(str(homes), sys.executable, "/elsewhere", empty=empty)
        assert kept is not None
        kept.close()
        (Path(kept.path) / "results").symlink_to(startup)
        with pytest.raises(SkillError, match="code in a sandbox may have made"):
            place("fit.py", b"exported", f"{kept.path}/results/fit.py", work)
    assert not [*startup.iterdir()]


def test_somebody_who_is_not_there_has_no_home(work: Path) -> None:
    with pytest.raises(SkillError, match="can't be written"):
        place("fit.py", b"exported", "~nobody-of-that-name/fit.py", work)


def test_nor_one_that_comes_once_its_name_was_looked_at(
    work: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    startup, results = home / ".ipython" / "startup", tmp_path / "other" / "results"
    results.mkdir(parents=True)
    real = placing.place_of

    def looked_at(name: str) -> str:
        place = real(name)
        linked(startup)(results)
        return place

    monkeypatch.setattr(placing, "place_of", looked_at)
    with pytest.raises(SkillError, match="can't be written"):
        place("fit.py", b"exported", str(results / "fit.py"), work)
    assert not [*startup.iterdir()]


def test_a_name_of_a_cells_choice_writes_no_line(work: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "other" / "a\nWrote\x1b[2J").mkdir(parents=True)
    (tmp_path / "other" / "link").symlink_to("a\nWrote\x1b[2J")
    with pytest.raises(SkillError) as refused:
        place("fit.py", b"exported", str(tmp_path / "other" / "link" / "fit.py"), work)
    assert str(refused.value).isprintable()


def test_links_that_no_cell_can_have_made_are_hers(
    work: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In her home itself and its dot folders, and whatever leads to her home or to the working folder."""
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to("work")
    (work / "file").touch()
    for number, link in enumerate((home / "link", home / ".ipython" / "link")):
        link.symlink_to(tmp_path / "real")
        assert place(f"fit{number}.py", b"exported", f"{link}/", work).read_bytes() == b"exported"
        assert (tmp_path / "real" / f"fit{number}.py").exists()
    (tmp_path / "her").symlink_to("home")
    monkeypatch.setenv("HOME", str(tmp_path / "her"))
    assert place("fit2.py", b"exported", "~/link/deep/", work).read_bytes() == b"exported"
    assert (tmp_path / "real" / "deep" / "fit2.py").exists()
    assert place("fit3.py", b"exported", "../real/", work).read_bytes() == b"exported"
    assert place("fit.py", b"exported", str(tmp_path / "alias" / "sub/"), work).read_bytes() == b"exported"
    assert (work / "sub" / "fit.py").exists()
    with pytest.raises(SkillError, match="can't be written: Not a directory"):
        place("fit.py", b"exported", "file/fit.py", work)


@pytest.fixture
def here(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, which this process works in, as a kernel's does."""
    monkeypatch.chdir(work)
    return work


@pytest.mark.parametrize("out", ["", "fit.py", "new/", "{moved}/fit.py"])
def test_a_working_folder_that_was_swapped_is_the_one_that_it_was(here: Path, hers: Path, out: str) -> None:
    """By cells of a kernel that works in the folder above it; by its name it leads to her files."""
    moved = here.with_name("moved")
    here.rename(moved)
    here.symlink_to(hers)
    written = place("fit.py", b"exported", out.format(moved=moved), Path(), force=True)
    assert written.read_bytes() == b"exported"
    assert written.is_relative_to(moved)
    assert untouched(hers)
    place("fit.py", b"exported", "", here, force=True)
    assert (hers / "fit.py").read_bytes() == b"exported", "the danger is real"


def test_nor_is_anything_read_where_its_name_leads(here: Path, hers: Path) -> None:
    (here / "fit.py").write_text("x = 1\n")
    name = Path.cwd()
    here.rename(here.with_name("moved"))
    here.symlink_to(hers)
    for path in ("fit.py", f"{here.with_name('moved')}/fit.py"):
        assert read(Path(path), Path()) == b"x = 1\n"
    (Path.cwd() / "fit.py").unlink()
    (Path.cwd() / "fit.py").symlink_to(hers / "fit.py")
    with pytest.raises(SkillError, match="it is no plain file of this folder"):
        read(Path("fit.py"), Path())
    assert read(name / "fit.py", name) == b"precious", "the danger is real"


def test_a_working_folder_that_is_gone_is_said_to_be(here: Path) -> None:
    here.rmdir()
    with pytest.raises(SkillError, match=r"fit\.py can't be written: No such file or directory"):
        place("fit.py", b"exported", "", Path())
    with pytest.raises(SkillError, match=r"fit\.py can't be read: No such file or directory"):
        read(Path("fit.py"), Path())


@pytest.mark.parametrize("out", [f"{'a' * 300}/", "a" * 300, "a\0b", f"{'a/' * 3000}"])
def test_a_name_that_no_file_has_is_said_to_be_none(here: Path, out: str) -> None:
    with pytest.raises(SkillError, match=r"can't be written: File name too long|is no path"):
        place("fit.py", b"exported", out, Path())
    assert not [*here.iterdir()]


@pytest.mark.parametrize("source", ["a" * 300, "a\0b"])
def test_nor_is_one_read(here: Path, source: str) -> None:
    with pytest.raises(SkillError, match=r"can't be read: File name too long|is no path"):
        found_in(source, Path())


def test_a_folder_that_cells_made_very_deep_is_replaced_and_leaves_nothing(here: Path) -> None:
    """And closed, as far as an ordinary user's can."""
    descriptor = os.open(here, os.O_RDONLY)
    for name in ("fit.py", *["d"] * 3000):
        os.mkdir(name, dir_fd=descriptor)
        inner = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.fchmod(descriptor, 0)
    os.close(descriptor)
    place("fit.py", b"exported", "", Path(), force=True)
    assert [path.name for path in here.iterdir()] == ["fit.py"]
    assert (here / "fit.py").read_bytes() == b"exported"


def test_a_deep_name_is_made_in_one_go(here: Path) -> None:
    written = place("fit.py", b"exported", "a/" * 900, Path())
    assert written == here / ("a/" * 900) / "fit.py"
    assert written.read_bytes() == b"exported"
