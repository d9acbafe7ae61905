"""A software task for real: a repository with a failing test is repaired, and the patch holds in a clean clone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.agent.trajectory import read

pytestmark = pytest.mark.usefixtures("sandbox")

SOURCE = '''\
"""Means of samples."""


def mean(samples):
    """The arithmetic mean; 0 where there are no samples."""
    return sum(samples) / len(samples)
'''
TEST = """\
from samples import mean


def test_mean():
    assert mean([1, 2, 6]) == 3


def test_mean_of_nothing():
    assert mean([]) == 0
"""
REPLIES = [
    {"text": "First I look at what there is.", "code": "!git log --oneline\n!cat samples.py tests/test_samples.py"},
    {"text": "Does it fail as reported?", "code": "!python -m pytest -q -p no:cacheprovider"},
    {"edit": {"command": "view", "path": "samples.py"}},
    {
        "text": "No samples is a case of its own.",
        "edit": {
            "command": "str_replace",
            "path": "samples.py",
            "old_str": "    return sum(samples) / len(samples)",
            "new_str": "    return sum(samples) / len(samples) if samples else 0",
        },
    },
    {"text": "And now?", "code": "!python -m pytest -q -p no:cacheprovider"},
    {"submit": "`mean` returns 0 where there are no samples. Both tests pass."},
]


def git(folder: Path, *arguments: str) -> None:
    name = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


def passes(folder: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.fixture
def repository(work: Path) -> Path:
    (work / "tests").mkdir()
    (work / "samples.py").write_text(SOURCE)
    (work / "tests" / "test_samples.py").write_text(TEST)
    (work / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    git(work, "init", "-q")
    git(work, "add", ".")
    git(work, "commit", "-qm", "Means")
    return work


def test_a_failing_test_is_repaired_and_the_patch_applies_to_a_clean_clone(
    repository: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    git(tmp_path, "clone", "-q", str(repository), "clean")
    clean, out = tmp_path / "clean", tmp_path / "out"
    assert not passes(clean)
    (tmp_path / "replies.yaml").write_text(json.dumps({"replies": REPLIES}))
    flags = ("--model", f"scripted/{tmp_path / 'replies'}", "--review", "auto", "--out", out)
    done = command("run", "--text", "mean([]) fails; it should be 0.", *flags)
    assert done.code == 0, done.err
    assert done.out.index("1 failed, 1 passed") < done.out.index("2 passed")
    git(clean, "apply", str(out / "task.patch"))
    assert passes(clean)
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=clean, capture_output=True, text=True, check=True)
    assert [line for line in changed.stdout.splitlines() if "__pycache__" not in line] == [" M samples.py"]
    trajectory = read(out / "task.traj")
    assert trajectory["info"]["submission"] == (out / "task.patch").read_text()
    assert "ZeroDivisionError" in trajectory["trajectory"][1]["observation"]
