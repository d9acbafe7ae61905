"""A configuration with attempts: each in a fresh sandbox and workspace, and the best one's patch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.agent import AgentConfig, TextProblem, ToolConfig
from jupyter_codeact.agent.hooks import ModelQueried, RunStarted
from jupyter_codeact.agent.retrying import RetryConfig, ReviewConfig
from jupyter_codeact.agent.trajectory import read
from jupyter_codeact.batch.running import Progress
from jupyter_codeact.headless.attempts import work_on
from jupyter_codeact.headless.solve import Job
from jupyter_codeact.parts import ModelConfig
from jupyter_codeact.records.stats import read_figures
from jupyter_codeact.settings import Settings

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


async def test_each_attempt_is_set_up_anew(replies: Command, checkout: Path, home: Path) -> None:
    """A fresh kernel, which has no variables of the attempt before, and figures of its own."""
    look = "print('left' in globals())\nleft = 1"
    models = [replies({"code": look}, {"submit": name}, name=name) for name in ("first", "second")]
    review = ReviewConfig(model=ModelConfig(name=replies({"text": "SCORE: 0"}, {"text": "SCORE: 0"}, name="judge")))
    agents = tuple(AgentConfig(model=ModelConfig(name=name), tools=ToolConfig(submits=True)) for name in models)
    retry = RetryConfig(agents=agents, review=review, attempts=2)
    job = Job(TextProblem("go", "task"), agents[0], checkout, checkout.parent / "out", retry)
    heard: list[object] = []
    await work_on(job, Settings.from_environment(), listeners=[heard.append])
    moments = [type(event).__name__ for event in heard]
    assert [name for name in moments if name in ("AttemptSetUp", "RunStarted")] == ["AttemptSetUp", "RunStarted"] * 2
    documents = [read(job.folder / f"attempt-{n}" / "task.traj") for n in (1, 2)]
    assert [document["trajectory"][0]["observation"] for document in documents] == ["False", "False"]
    assert [document["info"]["model_stats"]["api_calls"] for document in documents] == [2, 2]
    assert [document["info"]["answer"] for document in documents] == ["first", "second"]


async def test_a_stop_leaves_the_best_attempt_so_far(replies: Command, checkout: Path, home: Path) -> None:
    first = replies({"code": "open('a.txt', 'a').write('first\\n')"}, {"submit": "first"}, name="first")
    second = replies({"text": "On and on."}, name="second", delay_s=600)
    review = ReviewConfig(model=ModelConfig(name=replies({"text": "SCORE: 0.4"}, name="judge")))
    agents = tuple(
        AgentConfig(model=ModelConfig(name=name), tools=ToolConfig(submits=True)) for name in (first, second)
    )
    job = Job(
        TextProblem("go", "task"),
        agents[0],
        checkout,
        checkout.parent / "out",
        RetryConfig(agents=agents, review=review),
    )
    runs: list[RunStarted] = []

    def stop(event: object) -> None:
        runs.extend([event] if isinstance(event, RunStarted) else [])
        if len(runs) == 2 and isinstance(event, ModelQueried):
            work.cancel()

    counted = Progress("task")
    work = asyncio.ensure_future(work_on(job, Settings.from_environment(), listeners=[stop, counted]))
    with pytest.raises(asyncio.CancelledError):
        await work
    assert "+first\n" in (job.folder / "task.patch").read_text()
    assert (job.folder / "task.ipynb").exists()
    # A batch says how it ended, and so do figures of what it left.
    (figures,), _ = read_figures([job.folder])
    assert (counted.ended, figures.exit_status) == ("submitted (exit_stopped)", "submitted (exit_stopped)")


def test_what_is_wrong_in_an_agent_is_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "retry.yaml").write_text(json.dumps({"agents": [{"model": {"nam": "x"}}], "review": {}}))
    done = command("run", "--text", "go", "--config", tmp_path / "retry.yaml", "--review", "auto")
    assert done.code == 2
    assert "retry.yaml, agent 1: model.nam is no key" in done.err
