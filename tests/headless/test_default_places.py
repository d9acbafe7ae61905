"""Where nothing is named: an ordinary home, our data folder in it, and what runs leave there."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact import leading
from jupyter_codeact.agent.trajectory import read
from jupyter_codeact.errors import SandboxUnavailable
from jupyter_codeact.headless.trial import try_apart
from jupyter_codeact.sandbox.launch import open_sandbox
from jupyter_codeact.settings import Settings

pytestmark = pytest.mark.usefixtures("sandbox")
Command = Callable[..., Any]
LOOK = """\
import os
try:
    open('/'.join(os.getcwd().split('/')[:-1]) + '/{name}').read()
except OSError as error:
    print(type(error).__name__)
print(sorted(os.listdir('..')), os.listdir('.'))
os.symlink({hers!r}, 'results')"""


@pytest.fixture
def hers(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Her home; commands run in a folder of it."""
    place = tmp_path / "her"
    (place / "nb").mkdir(parents=True)
    for name in ("JUPYTER_CODEACT_HOME", "JUPYTER_DATA_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.chdir(place / "nb")
    return place


def scripted(*replies: dict[str, Any], name: str = "script") -> str:
    Path(f"{name}.yaml").write_text(json.dumps({"replies": replies}))
    return f"scripted/{name}"


def test_a_replay_and_attempts_work_in_our_data_folder_and_see_no_other_file_of_it(
    command: Command, hers: Path
) -> None:
    """Nor is a link that their cells make there taken for hers, by whoever comes by that name."""
    look = LOOK.format(name="task.traj", hers=str(hers))
    agents = [{"model": {"name": scripted({"code": look}, {"submit": "Done."})}}]
    review = {"model": {"name": scripted({"text": "SCORE: 1"}, name="judge")}}
    Path("retry.yaml").write_text(json.dumps({"agents": agents, "attempts": 1, "review": review}))
    (hers / "project").mkdir()
    (hers / "project" / "a.txt").touch()
    flags = ("--config", "retry.yaml", "--review", "auto", "--workspace", hers / "project")
    done = command("run", "--text", "go", *flags)
    assert done.code == 0, done.err
    runs = hers / ".local" / "share" / "jupyter" / "codeact" / "runs"
    (first,) = runs.glob("run-*")
    done = command("replay", first / "task.traj", "--workspace", hers / "project")
    assert done.code == 0, done.err
    assert "The same 1 cell ran." in done.out
    (again,) = runs.glob("replay-*")
    for place in (first / "attempt-1", again):
        (step, *_) = read(place / "task.traj")["trajectory"]
        assert step["observation"].split() == ["FileNotFoundError", "['work']", "['a.txt']"]
        assert (place / "work" / "results").is_symlink()
        with pytest.raises(OSError, match="results"):
            leading.place_of(f"{place}/work/results/nb")


def test_what_was_made_for_a_run_is_no_notebook_s_working_folder(command: Command, hers: Path) -> None:
    """A cell of another kernel can have put a link to it in the place of a notebook's folder."""
    model = scripted({"code": "1 + 1"}, {"submit": "Done."})
    assert command("run", "--text", "go", "--model", model, "--review", "auto", "--out", "first").code == 0
    assert command("replay", "first/task.traj").code == 0
    (again,) = hers.glob(".local/share/jupyter/codeact/runs/replay-*")
    for place in (again / "work", again, again.parent):
        Path("project").symlink_to(place)
        with pytest.raises(SandboxUnavailable, match="in a dot folder of your home"):
            open_sandbox("bubblewrap", sys.executable, "project")
        Path("project").unlink()


async def test_a_folder_for_temporary_files_in_a_dot_folder_is_for_trials_alone(
    hers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that a skill makes there leads nobody anywhere."""
    temporary_files = hers / ".tmpd"
    (temporary_files / "nb").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary_files))
    led: list[str] = []

    def look(said: str) -> None:
        for link in temporary_files.glob("codeact-*/results"):
            with pytest.raises(OSError, match="results"):
                leading.place_of(f"{link}/nb")
            led.append(said)

    make = f"import os, sys\nos.symlink({str(hers)!r}, 'results')\n\ndef test_one():\n    pass\n"
    tried = await try_apart(Settings.from_environment(), "maker", {"maker.py": make}, look)
    assert (tried.failures, led) == ((), ["test 1 of 1: test_one"])
    with pytest.raises(SandboxUnavailable, match="in a dot folder of your home"):
        open_sandbox("bubblewrap", sys.executable, str(temporary_files / "nb"))
