"""The record on disk: whole after every action."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.agent.loop import Agent
from jupyter_codeact.agent.trajectory import Trajectory
from jupyter_codeact.events import ActionDone, CodeAction, Edited, Outcome, Ran, Rejected

from .twins import ANSWER, ScriptedCells, agent_of, printing, scripted


def written(folder: Path) -> dict[str, Any]:
    [path] = folder.iterdir()
    document: dict[str, Any] = json.loads(path.read_text())
    return document


async def record(agent: Agent, folder: Path | None) -> Trajectory:
    trajectory = Trajectory(folder, "r1", "Go.", agent)
    async for event in agent.run("Go."):
        trajectory.note(event)
    trajectory.save()
    return trajectory


async def test_a_run_has_the_keys_of_swe_agent(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "r1"
    agent = agent_of(scripted({"code": "1 + 1"}, ANSWER), ScriptedCells(printing("2")))
    await record(agent, folder)
    document = written(folder)
    assert list(document) == ["trajectory", "history", "info", "replay_config", "environment"]
    assert [(step["action"], step["observation"]) for step in document["trajectory"]] == [("1 + 1", "2")]
    assert document["history"] == agent.history.messages
    assert document["info"]["exit_status"] == "submitted"
    assert document["info"]["submission"] == "Done."
    assert document["info"]["model_stats"]["api_calls"] == 2
    assert document["replay_config"] == {"model": "scripted/test", "problem_statement": "Go."}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_it_is_whole_after_every_action(tmp_path: Path) -> None:
    agent = agent_of(scripted({"code": "a"}, {"code": "b"}, ANSWER))
    trajectory, steps = Trajectory(tmp_path, "r1", "Go.", agent), []
    async for event in agent.run("Go."):
        trajectory.note(event)
        if isinstance(event, ActionDone):
            document = written(tmp_path)
            steps.append(len(document["trajectory"]))
            assert document["info"]["exit_status"] == "stopped"
    assert steps == [1, 2]


async def test_a_limit_is_an_exit(tmp_path: Path) -> None:
    await record(agent_of(scripted({"code": "a"}), max_steps=1), tmp_path)
    assert written(tmp_path)["info"]["exit_status"] == "exit_steps"


async def test_an_error_is_an_exit(tmp_path: Path) -> None:
    trajectory = Trajectory(tmp_path, "r1", "Go.", agent_of(scripted()))
    trajectory.end("ModelError")
    trajectory.save()
    assert written(tmp_path)["info"]["exit_status"] == "ModelError"


async def test_without_a_folder_nothing_is_written() -> None:
    assert (await record(agent_of(scripted({"code": "a"}, ANSWER)), None)).path is None


@pytest.mark.parametrize(
    ("outcome", "step"),
    [
        (Ran("x", (), "ok", seconds=1.23456), {"action": "x", "observation": "", "execution_time": 1.235}),
        (Ran("y", (), "ok", edited=True), {"action": "y", "proposed_action": "x"}),
        (Rejected("no"), {"action": "x", "observation": "rejected: no"}),
        (Edited("seen"), {"action": "x", "observation": "seen"}),
    ],
)
def test_what_ran_is_the_action(tmp_path: Path, outcome: Outcome, step: dict[str, Any]) -> None:
    trajectory = Trajectory(tmp_path, "r1", "Go.", agent_of(scripted()))
    trajectory.note(ActionDone(CodeAction("a", 1, "x"), outcome))
    [found] = written(tmp_path)["trajectory"]
    assert found | step == found


def test_text_that_is_no_unicode_is_no_reason_to_lose_the_record(tmp_path: Path) -> None:
    trajectory = Trajectory(tmp_path, "r1", "Go. \ud800", agent_of(scripted()))
    trajectory.note(ActionDone(CodeAction("a", 1, "ü"), Rejected("\udc80")))
    assert written(tmp_path)["trajectory"][0]["action"] == "ü"


def test_a_record_that_cannot_be_written_leaves_the_last_one(tmp_path: Path) -> None:
    agent = agent_of(scripted())
    trajectory = Trajectory(tmp_path, "r1", "Go.", agent)
    trajectory.save()
    agent.history.messages.append({"content": object()})
    with pytest.raises(TypeError):
        trajectory.save()
    assert written(tmp_path)["history"] == []
