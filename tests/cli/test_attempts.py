"""A configuration with attempts: each in a fresh sandbox and workspace, and the best one's patch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("sandbox")
Command = Callable[..., Any]


def test_the_best_attempt_is_the_result(command: Command, replies: Command, checkout: Path, tmp_path: Path) -> None:
    """The second attempt finds the folder as it was, although the first wrote into it, and is the better one."""
    code = "old = open('a.txt').read()\nopen('a.txt', 'w').write(old + '{}\\n')"
    agents = [
        {"model": {"name": replies({"code": code.format(name)}, {"submit": name}, name=name)}}
        for name in ("first", "second")
    ]
    review = {"model": {"name": replies({"text": "SCORE: 0.4"}, {"text": "SCORE: 0.95"}, name="judge")}}
    (tmp_path / "retry.yaml").write_text(json.dumps({"agents": agents, "attempts": 3, "review": review}))
    out = tmp_path / "out"
    done = command("run", "--text", "go", "--config", tmp_path / "retry.yaml", "--review", "auto", "--out", out)
    assert done.code == 0, done.err
    assert sorted(path.name for path in out.iterdir()) == [
        *("attempt-1", "attempt-2", "task.ipynb", "task.patch", "task.traj"),
    ]
    patch = (out / "task.patch").read_text()
    assert patch == (out / "attempt-2" / "task.patch").read_text()
    assert " one\n+second\n" in patch
    assert (checkout / "a.txt").read_text() == "one\n"


def test_what_is_wrong_in_an_agent_is_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "retry.yaml").write_text(json.dumps({"agents": [{"model": {"nam": "x"}}], "review": {}}))
    done = command("run", "--text", "go", "--config", tmp_path / "retry.yaml", "--review", "auto")
    assert done.code == 2
    assert "retry.yaml, agent 1: model.nam is no key" in done.err
