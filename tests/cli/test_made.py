"""A folder that is there already is made anew where an earlier run made it, and is hers anywhere else."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.cli import chapters
from jupyter_codeact.errors import ConfigError
from jupyter_codeact.headless.workspace import fresh_workspace

Command = Callable[..., Any]
HERS = "is there already, and not known as a folder that was made for a run. It stays as it is"


@pytest.fixture
def trajectory(command: Command, replies: Command, tmp_path: Path, sandbox: None) -> Path:
    """Of a run whose one cell leaves a file."""
    model = replies({"code": "open('left', 'w').close()"}, {"submit": "Done."})
    assert command("run", "--text", "go", "--model", model, "--review", "auto", "--out", tmp_path / "first").code == 0
    return tmp_path / "first" / "task.traj"


def thesis(folder: Path) -> Path:
    """A file of hers in a folder that is called as those of runs are."""
    path = folder / "work" / "thesis.txt"
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    return path


def test_a_replay_takes_no_folder_of_hers_and_makes_its_own_anew(
    command: Command, trajectory: Path, work: Path, tmp_path: Path
) -> None:
    """Behind a link that a cell has put there neither, be it one of hers or one that an earlier replay made."""
    for folder, out in ((work, "."), (tmp_path / "hers", "results")):
        path = thesis(folder)
        Path("results").symlink_to(tmp_path / "hers")
        done = command("replay", trajectory, "--out", out)
        assert done.code == 2
        assert HERS in done.err
        assert path.read_text() == "precious"
        shutil.rmtree(path.parent)
        Path("results").unlink()
    for _ in range(2):
        assert command("replay", trajectory, "--out", tmp_path / "own").code == 0
        assert os.listdir(tmp_path / "own" / "work") == ["left"]
        (tmp_path / "own" / "work" / "more").touch()
    Path("results").symlink_to(tmp_path / "own")
    done = command("replay", trajectory, "--out", "results")
    assert done.code == 2
    assert f"{work}/results, a link on the way there, may be of a sandbox's making" in done.err
    assert sorted(os.listdir(tmp_path / "own" / "work")) == ["left", "more"]


def test_nor_does_a_batch_nor_an_attempt(command: Command, replies: Command, work: Path, sandbox: None) -> None:
    """As where the folder of the results is that of the problem."""
    model = replies({"submit": "Done."})
    Path("problems.yaml").write_text("[{id: proj, text: go, workspace: proj}]")
    review = {"model": {"name": replies({"text": "SCORE: 1"}, name="judge")}}
    Path("retry.yaml").write_text(json.dumps({"agents": [{"model": {"name": model}}], "attempts": 1, "review": review}))
    paths = [thesis(work / "proj"), thesis(work / "out" / "attempt-1")]
    batch = command("batch", "problems.yaml", "--model", model, "--out", ".")
    run = command("run", "--text", "go", "--config", "retry.yaml", "--review", "auto", "--out", "out")
    assert (batch.code, run.code) == (1, 2)
    assert HERS in batch.out
    assert HERS in run.err
    assert [path.read_text() for path in paths] == ["precious"] * 2
    (work / "proj" / "work").rename(work / "proj" / "mine")
    for more in ((), ("--redo",)):
        assert command("batch", "problems.yaml", "--model", model, "--out", "results", *more).code == 0


def test_nor_does_the_demo(home: Path, tmp_path: Path) -> None:
    for name in ("codeact", "plots"):
        hers = tmp_path / "out" / name / "hers"
        hers.mkdir(parents=True)
        with pytest.raises(ConfigError, match=HERS):
            chapters._fresh(tmp_path / "out")
        assert hers.is_dir()
        shutil.rmtree(tmp_path / "out" / name)
    for _ in range(2):
        chapters._fresh(tmp_path / "out")
        (tmp_path / "out" / "plots" / "a.png").touch()
    chapters._fresh(tmp_path / "out")
    assert not [*(tmp_path / "out").rglob("*.png")]


def test_a_folder_is_known_by_more_than_its_name_and_number(tmp_path: Path) -> None:
    """What she puts in the place of one that she removed often has its inode."""
    out, notes, place = tmp_path / "out", tmp_path / "notes", tmp_path / "out" / "work"
    _, identity = fresh_workspace(place, None, out, notes)
    place.rmdir()
    place.mkdir()
    for number in range(20):
        if place.stat().st_ino == identity.number:
            break
        place.rename(out / f"other-{number}")
        place.mkdir()
    path = place / "thesis.txt"
    path.touch()
    with pytest.raises(ConfigError, match=HERS):
        fresh_workspace(place, None, out, notes)
    assert path.exists()
    shutil.rmtree(place)
    fresh_workspace(place, None, out, notes)
    place.rename(out / "kept")
    with pytest.raises(ConfigError, match=HERS):
        fresh_workspace(out / "kept", None, out, notes)
