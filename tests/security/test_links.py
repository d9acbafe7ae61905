"""What is bound or read by name is reached by no link that code in a sandbox may have made in another folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import environment

from jupyter_codeact import leading
from jupyter_codeact.errors import SandboxUnavailable
from jupyter_codeact.sandbox import gitconfig, links, mounts
from jupyter_codeact.sandbox.paths import check_unseen

from .rooms import room, started


@pytest.fixture
def hers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Her home, with a key in it."""
    home = tmp_path / "her"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "key").write_text("canary")
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Where another kernel's cells work."""
    folder = tmp_path / "other"
    folder.mkdir()
    return folder


def sources(other: Path, hers: Path) -> str:
    (other / "src").symlink_to(hers)
    return f"{other}/src/.ssh/key"


def project(other: Path, hers: Path) -> str:
    (other / "src").symlink_to(hers / ".ssh")
    return f"{other}/src/key"


def module(other: Path, hers: Path) -> str:
    (other / "src").mkdir()
    (other / "src" / "pyproject.toml").touch()
    (other / "src" / "x.py").symlink_to(hers / ".ssh" / "key")
    return f"{other}/src/x.py"


def above(other: Path, hers: Path) -> str:
    (hers / ".ssh" / "src").mkdir()
    (hers / ".ssh" / "src" / "key").write_text("canary")
    other.rmdir()
    other.symlink_to(hers / ".ssh")
    return f"{other}/src/key"


@pytest.mark.parametrize("make", [sources, project, module, above])
def test_a_project_that_became_a_link_is_not_shown(
    tmp_path: Path,
    work: Path,
    other: Path,
    hers: Path,
    *,
    make: Callable[[Path, Path], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attack = f"print(open({make(other, hers)!r}).read())"
    python, _ = environment(tmp_path / "env", other / "src")
    with room("bubblewrap", work, python) as cells:
        assert cells.attempt(attack) == "ENOENT"
        assert cells.sandbox.asked is not None
        assert f"Cells don't see {other}/src" in cells.sandbox.asked.left_out
    if make is not sources:  # a home as a whole is not shown either
        monkeypatch.setattr(leading, "is_closed", lambda _folder: True)
        with room("bubblewrap", work, python) as cells:
            assert cells.attempt(attack) == "canary", "the danger is real"


def test_nor_is_a_library_or_a_kept_home_and_the_first_cell_says_so(
    tmp_path: Path, work: Path, home: Path, other: Path, hers: Path, *, monkeypatch: pytest.MonkeyPatch
) -> None:
    (other / "skills").symlink_to(hers / ".ssh")
    monkeypatch.setenv("JUPYTER_CODEACT_SKILLS", str(other / "skills"))
    attack = f"import os; print(os.path.exists('{other}/skills/key'))"
    with started(work) as kernel:
        printed, _ = kernel.run(attack)
        assert f"Cells don't see {other}/skills" in printed
        assert kernel.run(attack)[0] == "False\n"
    with room("bubblewrap", work, homes_folder=str(home / "homes")) as cells:
        cells("import os; open(os.path.expanduser('~/kept'), 'w').close()")
    (kept,) = home.glob("homes/*/home/kept")
    kept.parent.rename(tmp_path / "before")
    kept.parent.symlink_to(hers)
    with room("bubblewrap", work, homes_folder=str(home / "homes")) as cells:
        assert cells("import os; print(os.path.exists(os.path.expanduser('~/.ssh')))") == "False"
    monkeypatch.setattr(leading, "is_closed", lambda _folder: True)
    with room("bubblewrap", work, libraries=(str(other / "skills"),), homes_folder=str(home / "homes")) as cells:
        shown = cells(f"{attack}; print(os.path.exists(os.path.expanduser('~/.ssh')))")
        assert shown == "True\nTrue", "the danger is real"


def test_a_library_that_goes_away_leaves_the_next_sandbox_without_it_which_is_said(
    work: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it is unmounted. Another one is seen as before."""
    for name in ("away", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"in_{name}.py").touch()
    monkeypatch.setenv("JUPYTER_CODEACT_SKILLS", f"{tmp_path}/away:{tmp_path}/there")
    with started(work) as kernel:
        assert kernel.run("import in_away, in_there")[1] == ""
        (tmp_path / "away").rename(tmp_path / "moved")
        assert "ended" in kernel.run("import os; os._exit(1)")[1]
        printed, failed = kernel.run("import in_there; print('went on')")
        assert f"Cells don't see {tmp_path}/away: no folder of skills is there any more." in printed
        assert (printed.splitlines()[-1], failed) == ("went on", "")
        assert kernel.run("import in_away")[1] == "No module named 'in_away'"


def test_one_in_the_working_folder_is_made_anew(work: Path) -> None:
    """Where it is away, cells would make it."""
    with room("bubblewrap", work, libraries=(str(work / "skills"),)) as cells:
        assert cells.attempt("open('skills/mine.py', 'w')") in ("EROFS", "EACCES")
        assert cells.sandbox.asked is not None
        assert not cells.sandbox.asked.left_out


def test_links_that_no_cell_can_make_are_followed(tmp_path: Path, work: Path, hers: Path) -> None:
    """Those in her home itself, in its dot folders, and to her home."""
    data = tmp_path / "data"
    for name in ("projects/p", "skills", "ignored"):
        (data / name).mkdir(parents=True)
    (data / "projects" / "p" / "from_project.py").write_text("")
    (data / "skills" / "from_skills.py").write_text("")
    (data / "ignored" / "all").write_text("*.o\n")
    (hers / "projects").symlink_to(data / "projects")
    (hers / ".local").mkdir()
    (hers / ".local" / "skills").symlink_to("../skills")
    (hers / "skills").symlink_to(data / "skills")
    python, _ = environment(tmp_path / "env", hers / "projects" / "p")
    for folder, modules in ((work, "from_project, from_skills"), (hers, "from_skills")):
        with room("bubblewrap", folder, python, libraries=(str(hers / ".local" / "skills"),)) as cells:
            assert cells(f"import {modules}; print('all')") == "all"
            assert cells.sandbox.asked is not None
            assert not cells.sandbox.asked.left_out
    (hers / ".ignored").symlink_to(data / "ignored" / "all")
    assert links.text_of(str(hers / ".ignored")) == "*.o\n"


def test_an_environment_may_be_reached_by_links_in_a_dot_folder(tmp_path: Path, work: Path, hers: Path) -> None:
    """As Pythons of uv's and pyenv's are."""
    environment(hers / ".local" / "envs" / "1.2")
    (hers / ".local" / "envs" / "1").symlink_to("1.2")
    for folder in (work, hers):
        with room("bubblewrap", folder, str(hers / ".local" / "envs" / "1" / "bin" / "python")) as cells:
            assert cells("import sys; print(sys.prefix)") == f"{hers}/.local/envs/1"


def test_names_of_a_cells_choice_write_no_lines(other: Path, hers: Path) -> None:
    names = [str(other / f"{number}\nApproved\x1b[2J\udcff.py") for number in range(9)]
    for name in names:
        os.symlink(hers, name)
    said = links.led(names).left_out
    assert said.isprintable()
    assert "6 more" in said


def test_a_library_in_the_working_folder_is_bound_or_nothing_runs(work: Path, hers: Path) -> None:
    """Where it is a link for a moment, cells could write there in the next one."""
    (work / "skills").symlink_to(hers)
    found = links.led([str(work / "skills")])
    assert not found.places
    (work / "skills").unlink()
    with pytest.raises(SandboxUnavailable, match="a link in this kernel's working folder"):
        check_unseen(str(work), found.unseen)


@pytest.mark.parametrize("name", ["lib/skills", ".lib/skills"])
@pytest.mark.parametrize("home", [True, False])
@pytest.mark.parametrize("covered", ["conf", "../outside"])
def test_a_part_is_looked_at_where_it_is_named(
    work: Path, monkeypatch: pytest.MonkeyPatch, *, name: str, home: bool, covered: str
) -> None:
    """What is lent by another name is bound beside what is not, as root's libraries are.

    A link that is there for the moment of the look would else be what the mount is compared with.
    """
    if home:
        monkeypatch.setenv("HOME", str(work))
    for folder in (work / name, work / covered):
        folder.mkdir(parents=True)
    options = ["--bind", "/lent", str(work), "--ro-bind", str(work / name), str(work / name)]
    part = str(work / name)
    lent, led = {"/lent": str(work)}, links.led(())
    assert part in mounts.asked_by(options, str(work), lent, led).parts
    (work / name).rename(work / "before")
    (work / name).symlink_to(work / covered)
    # No cell makes a link in a dot folder of her home.
    if not (home and name.startswith(".")):
        with pytest.raises(mounts.PartGone, match=part):
            mounts.asked_by(options, str(work), lent, led)


@pytest.mark.parametrize("make", ["os.mkfifo(name)", "os.symlink('/dev/zero', name)", "os.symlink(key, name)"])
def test_git_is_told_of_no_file_behind_a_link_of_a_cells_and_waits_for_no_pipe(
    work: Path, other: Path, hers: Path, make: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, key = str(other / "ignore"), str(hers / ".ssh" / "key")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(hers / ".gitconfig"))
    (hers / ".gitconfig").write_text(f"[core]\nexcludesFile = {name}\nattributesFile = {name}\n")
    (other / "ignore").write_text("*.o\n")
    assert "*.o" in gitconfig.files(str(work))["gitignore"]
    os.remove(name)
    exec(make, {"os": os, "name": name, "key": key})
    assert gitconfig.files(str(work))["gitignore"] == ""
    if "key" in make:
        monkeypatch.setattr(leading, "is_closed", lambda _folder: True)
        assert gitconfig.files(str(work))["gitignore"] == "canary", "the danger is real"
