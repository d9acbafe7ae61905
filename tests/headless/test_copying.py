"""Workspaces are copied by descriptors: what code in a sandbox swaps for a link meanwhile leads nowhere."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.errors import ConfigError
from jupyter_codeact.files import Identity, write_atomically
from jupyter_codeact.headless.workspace import fresh_workspace

Swap = Callable[[str, str, Callable[[], None]], None]


@pytest.fixture
def hers(tmp_path: Path) -> Path:
    """What no run is about."""
    folder = tmp_path / "hers"
    folder.mkdir()
    (folder / "aa").write_text("secret")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "d").mkdir(parents=True)
    (folder / "d" / "aa").write_text("theirs")
    (folder / "d" / "z").write_text("theirs")
    return folder


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "data" / "made"


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Swap:
    """`after("mkdir", "d", swap)`: once os.mkdir has been called for a `d`, swap."""

    def arrange(function: str, name: str, swap: Callable[[], None]) -> None:
        real = getattr(os, function)

        def called(path: Any, *arguments: Any, **options: Any) -> Any:
            answer = real(path, *arguments, **options)
            if not isinstance(path, int) and Path(path).name == name:
                monkeypatch.setattr(os, function, real)
                swap()
            return answer

        monkeypatch.setattr(os, function, called)

    return arrange


def linked(place: Path, target: Path) -> Callable[[], None]:
    """A swap: a link in its place."""

    def swap() -> None:
        place.rename(place.with_name(f"{place.name}-before"))
        place.symlink_to(target)

    return swap


def test_a_folder_swapped_where_it_is_copied_to_is_not_written_through(
    after: Swap, project: Path, hers: Path, notes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    after("mkdir", "d", linked(out / "mean" / "work" / "d", hers))
    with pytest.raises(ConfigError, match="'d' was changed while it was copied"):
        fresh_workspace(out / "mean" / "work", project, out, notes)
    assert [(path.name, path.read_text()) for path in hers.iterdir()] == [("aa", "secret")]
    after("mkdir", "d", linked(tmp_path / "copy" / "d", hers))
    shutil.copytree(project, tmp_path / "copy", symlinks=True)
    assert {path.read_text() for path in hers.iterdir()} == {"theirs"}, "the danger is real"


@pytest.mark.parametrize("swapped", ["d", "d/aa"])
def test_what_is_swapped_where_it_is_copied_from_is_not_read_through(
    after: Swap, project: Path, hers: Path, notes: Path, tmp_path: Path, *, swapped: str
) -> None:
    target = hers / "aa" if swapped == "d/aa" else hers
    after("lstat", Path(swapped).name, linked(project / swapped, target))
    with pytest.raises(ConfigError, match=f"'{Path(swapped).name}' was changed while it was copied"):
        fresh_workspace(tmp_path / "out" / "work", project, tmp_path / "out", notes)
    assert not [path for path in (tmp_path / "out").rglob("aa") if path.read_text() == "secret"]
    (project / swapped).unlink()
    (project / f"{swapped}-before").rename(project / swapped)
    after("mkdir", "copy", linked(project / "d", hers))
    shutil.copytree(project, tmp_path / "copy", symlinks=True)
    assert (tmp_path / "copy" / "d" / "aa").read_text() == "secret", "the danger is real"


@pytest.mark.parametrize("swapped", ["mean", "mean/work"])
def test_no_folder_on_the_way_to_the_copy_is_followed(
    after: Swap, project: Path, hers: Path, notes: Path, tmp_path: Path, *, swapped: str
) -> None:
    out = tmp_path / "out"
    after("mkdir", Path(swapped).name, linked(out / swapped, hers))
    with pytest.raises(ConfigError, match=f"{out / swapped} is a link to {hers}, and code in a sandbox may have"):
        fresh_workspace(out / "mean" / "work", project, out, notes)
    assert [path.name for path in hers.iterdir()] == ["aa"]


def test_a_workspace_is_the_folder_that_it_was_when_it_was_named(
    project: Path, hers: Path, notes: Path, tmp_path: Path
) -> None:
    known = Identity.of(project)
    linked(project, hers)()
    with pytest.raises(ConfigError, match=f"{project} is no longer the folder that it was when this began"):
        fresh_workspace(tmp_path / "out" / "work", project, tmp_path / "out", notes, known)
    place, _ = fresh_workspace(tmp_path / "out" / "work", project, tmp_path / "out", notes)
    assert (place / "aa").read_text() == "secret", "the danger is real"


def test_what_is_copied_is_as_it_was(project: Path, notes: Path, tmp_path: Path) -> None:
    """Results may lie in the workspace. Nobody answers at a socket's copy, nor writes into a FIFO's."""
    out = project / "out"
    (out / "mean").mkdir(parents=True)
    (project / "link").symlink_to("nowhere")
    (project / "d" / "z").chmod(0o751)
    for name in ("d/z", "d", "link"):
        os.utime(project / name, ns=(10**18, 10**18 + 7), follow_symlinks=False)
    os.mkfifo(project / "fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        folder = os.open(project, os.O_RDONLY)
        bound.bind(f"/proc/self/fd/{folder}/socket")
        os.close(folder)
    place, identity = fresh_workspace(out / "mean" / "work", project, out, notes)
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*")) == ["d", "d/aa", "d/z", "link"]
    assert os.readlink(place / "link") == "nowhere"
    assert (place / "d" / "z").read_text() == "theirs"
    for name in (".", "d", "d/z", "link"):
        then, now = (os.lstat(folder / name) for folder in (project, place))
        assert (now.st_mode, now.st_mtime_ns) == (then.st_mode, then.st_mtime_ns)
    assert identity == Identity.of(place)
    (place / "left").touch()
    place, again = fresh_workspace(place, None, out, notes)
    assert (os.listdir(place), again) == ([], Identity.of(place))


def test_a_file_that_is_gone_meanwhile_is_said(after: Swap, project: Path, notes: Path, tmp_path: Path) -> None:
    after("lstat", "z", (project / "d" / "z").unlink)
    with pytest.raises(ConfigError, match="can't be made a workspace: 'z' was changed while it was copied"):
        fresh_workspace(tmp_path / "out" / "work", project, tmp_path / "out", notes)


def test_what_is_being_made_is_not_copied_into_itself(after: Swap, project: Path, notes: Path, tmp_path: Path) -> None:
    """A cell may move it into what is copied."""
    out = tmp_path / "out"
    after("mkdir", "d", lambda: (out / "work").rename(project / "d" / "work"))
    fresh_workspace(out / "work", project, out, notes)
    assert sorted(path.name for path in (project / "d" / "work").rglob("*")) == ["aa", "d", "z"]


def test_the_mode_of_a_file_that_is_saved_is_no_other_ones(tmp_path: Path) -> None:
    """Its name may be swapped until it is the file's."""
    hers, place = tmp_path / "hers.txt", tmp_path / "work"
    hers.write_text("secret")
    hers.chmod(0o600)
    place.mkdir()

    def swap(_: int) -> None:
        (temporary,) = place.iterdir()
        linked(temporary, hers)()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", swap)
        write_atomically(place / "result.json", "{}", 0o644)
    assert (hers.stat().st_mode & 0o777, hers.read_text()) == (0o600, "secret")
