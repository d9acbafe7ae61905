"""The record on disk: whole after every step, and nothing in it twice."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.agent.hooks import StepDone
from jupyter_codeact.agent.processors import Compact
from jupyter_codeact.agent.trajectory import ReplayConfig, read
from jupyter_codeact.errors import ConfigError, ModelError
from jupyter_codeact.events import Edited, Outcome, Ran, Rejected, Reply, Retrying, Usage

from .test_observing import plotting, png
from .twins import ANSWER, ScriptedCells, StreamModel, agent_of, calls, printing, run, scripted, words


def text_of(folder: Path) -> str:
    return (folder / "r1.traj").read_text()


def written(folder: Path) -> dict[str, Any]:
    return read(folder / "r1.traj")


async def test_a_run_has_the_keys_of_swe_agent(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "r1"
    agent = agent_of(scripted({"text": "I add.", "code": "1 + 1"}, ANSWER))
    await run(agent, ScriptedCells(printing("2")), folder=folder)
    assert agent.traj_path == folder / "r1.traj"
    raw = json.loads(text_of(folder))
    assert list(raw) == ["trajectory", "history", "info", "replay_config", "environment"]
    step, last = raw["trajectory"]
    assert (step["action"], step["observation"], step["thought"]) == ("1 + 1", "2", "I add.")
    assert step["state"]["working_dir"] == "/home/her/work"
    assert last["response"] == "Done."
    # Of each reply SWE-agent's inspector for browsers shows the action.
    assert [item["action"] for item in raw["history"] if item["role"] == "assistant"] == ["1 + 1", ""]
    info = raw["info"]
    assert (info["exit_status"], info["submission"]) == ("submitted", "Done.")
    assert (info["model_stats"]["api_calls"], info["model_stats"]["instance_cost"]) == (2, 0.0)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_what_is_left_out_of_the_file_is_put_back(tmp_path: Path) -> None:
    source = "print('a', \"b\\n\")\n# a second line, far behind what stays of an action in the history" + " of it" * 9
    long = "two\nlines, " + "x" * 200 + " and their end"
    outputs = [plotting(png(9, 9)), printing(long), Rejected("no")]
    replies = [calls("a", "b"), calls("'ü'"), calls("d"), calls(source), words("Done."), words("Again.")]
    agent = agent_of(StreamModel(*replies, sees_images=True))
    await run(agent, ScriptedCells(*outputs, printing("")), folder=tmp_path)
    history = [{k: v for k, v in m.items() if not k.startswith(("trajectory", "observation"))} for m in agent.history]
    assert written(tmp_path)["history"] == history
    assert history[-3]["action"] == source
    assert [m["content"][0]["type"] for m in history if m["message_type"] == "images"] == ["image_url"]
    assert text_of(tmp_path).count("and their end") == 1
    assert text_of(tmp_path).count("in the history") == 1
    assert written(tmp_path)["info"]["cells"] == agent.info["cells"] == ["a", "b", "d", source]
    # A later run of the conversation has its own steps alone.
    await run(agent, folder=tmp_path / "again")
    assert written(tmp_path / "again")["history"][: len(history)] == history


async def test_every_step_has_what_it_used_and_all_together_is_what_the_run_used() -> None:
    void, unread, good = Usage(5, 1, 0, None, 1), Usage(20, 2, 10, 0.5, 1), Usage(30, 3, 25, 0.25, 1)
    streams = [
        [Retrying("Busy.", 0.0, void), replace(calls("def")[-1], usage=unread)],
        *([replace(calls(*sources)[-1], usage=good)] for sources in ("ab", "c", "d")),
        [Reply("In short.", usage=good)],
        [Reply("Done.", usage=good)],
    ]
    agent = agent_of(StreamModel(*streams), history_processors=[Compact(tokens=30)])
    await run(agent)
    stats = [step["extra_info"].get("model_stats") for step in agent.trajectory]
    # The summary before the last step is that step's, and the second action of a reply has nothing of its own.
    assert [found and found["tokens_cached"] for found in stats] == [10, 25, None, 25, 25, 50]
    assert [found["cost_known"] for found in stats if found] == [False, True, True, True, True]
    whole = agent.info["model_stats"]
    assert (whole["tokens_cached"], whole["instance_cost"]) == (135, 1.75)
    for name in whole.keys() - {"cost_known"}:
        assert sum(found[name] for found in stats if found) == whole[name]


async def test_a_later_run_of_the_conversation_stands_for_itself(tmp_path: Path) -> None:
    agent = agent_of(scripted({"code": "a"}, ANSWER, {"code": "b"}, ANSWER))
    await run(agent, ScriptedCells(printing("from before")), folder=tmp_path / "1")
    await run(agent, ScriptedCells(printing("from now")), folder=tmp_path / "2")
    document = written(tmp_path / "2")
    assert [step["action"] for step in document["trajectory"]] == ["b", ""]
    assert [text for text in ("from before", "from now") if text in str(document["history"])] == [
        "from before",
        "from now",
    ]
    assert document["info"]["model_stats"]["api_calls"] == 2


async def test_it_is_whole_after_every_step(tmp_path: Path) -> None:
    agent, counts = agent_of(scripted({"code": "a"}, {"code": "b"}, ANSWER)), []

    def look(event: object) -> None:
        if isinstance(event, StepDone):
            agent.save_trajectory()
            counts.append(len(written(tmp_path)["trajectory"]))

    agent.listeners.append(look)
    await run(agent, folder=tmp_path)
    assert counts == [1, 2, 3]


async def test_the_file_grows_with_the_outputs(tmp_path: Path) -> None:
    """Not with the square of the steps: twice as many make it twice as long."""
    sizes = []
    for steps in (20, 40):
        actions = [f"for row in range(20): print(row, 'of the {steps}', {'x' * 80!r})"] * steps
        agent = agent_of(StreamModel(*map(calls, actions), words("Done.")), max_steps=None)
        await run(agent, ScriptedCells(*[printing("x" * 1200)] * steps), folder=tmp_path / str(steps))
        sizes.append(len(text_of(tmp_path / str(steps))))
    assert sizes[1] < 2.1 * sizes[0]
    assert sizes[1] <= 2 * 40 * 1200


async def test_an_error_is_an_exit(tmp_path: Path) -> None:
    await run(agent_of(StreamModel([ModelError("Refused.")])), folder=tmp_path)
    assert written(tmp_path)["info"]["exit_status"] == "exit_api"
    assert written(tmp_path)["info"]["error"] == "Refused."


async def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    agent = agent_of(scripted({"code": "a"}, ANSWER))
    await run(agent)
    assert agent.traj_path is None
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("outcome", "step"),
    [
        (Ran("x", (), "ok", seconds=1.23456), {"action": "x", "observation": "", "execution_time": 1.235}),
        (Rejected("no"), {"action": "x", "observation": "rejected: no"}),
        (Edited("seen"), {"action": "x", "observation": "seen"}),
    ],
)
async def test_what_ran_is_the_action(tmp_path: Path, outcome: Outcome, step: dict[str, Any]) -> None:
    await run(agent_of(scripted({"code": "x"}, ANSWER)), ScriptedCells(outcome), folder=tmp_path)
    found = written(tmp_path)["trajectory"][0]
    assert found | step == found


async def test_text_that_is_no_unicode_is_no_reason_to_lose_the_record(tmp_path: Path) -> None:
    await run(agent_of(scripted({"code": "'ü'"}, ANSWER)), ScriptedCells(Rejected("\udc80")), folder=tmp_path)
    assert written(tmp_path)["trajectory"][0]["action"] == "'ü'"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"agnet": {}}, "'agnet'"),
        (["agent"], "no list"),
        ({"agent": "x"}, "each a mapping"),
        ({"env": {"x": object()}}, "can't be written down"),
        (ReplayConfig(agent="x"), "each a mapping"),  # type: ignore[arg-type]
        (ReplayConfig(env={"x": object()}), "can't be written down"),
    ],
)
def test_a_replay_config_is_checked_when_it_is_assigned(value: Any, said: str) -> None:
    agent = agent_of(scripted())
    with pytest.raises(ConfigError, match=said):
        agent.replay_config = value
    agent.replay_config = {"agent": {"name": "main"}}
    assert agent.replay_config == ReplayConfig({"name": "main"})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"trajectory": 1}', '{"trajectory": [], "history": [{"x"'])
def test_what_is_no_trajectory_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.traj").write_text(text)
    with pytest.raises(ConfigError, match="is no trajectory") as caught:
        read(tmp_path / "x.traj")
    assert "\n" not in str(caught.value)


async def test_a_run_goes_on_without_its_record_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    agent = agent_of(scripted({"code": "a"}, ANSWER))
    await run(agent, folder=tmp_path / "file" / "runs")
    assert agent.info["exit_status"] == "submitted"
    assert "can't be written: Not a directory" in agent.recorder.problem


async def test_of_the_state_a_step_has_what_changed(tmp_path: Path) -> None:
    x, y, z = ({"name": name, "type": "int"} for name in "xyz")
    states = iter([[x], [x, y], [x, y], [y | {"type": "str"}, z]])
    cells = ScriptedCells(state=lambda names: {"working_dir": "/w", "variables": next(states)})
    agent = agent_of(scripted({"code": "a"}, {"code": "b"}, {"code": "c"}, ANSWER))
    await run(agent, cells, folder=tmp_path)
    kept = [step["state"] for step in written(tmp_path)["trajectory"][:3]]
    assert [[item["name"] for item in state.get("variables", ())] for state in kept] == [["y"], [], ["y", "z"]]
    assert [state.get("working_dir") for state in kept] == ["/w", None, None]
    assert kept[2]["gone"] == ["x"]
    assert agent.info["variables"] == ["y", "z"]


async def test_a_state_that_came_with_the_end_of_an_action_is_not_asked_for(tmp_path: Path) -> None:
    came = {"working_dir": "/w", "variables": [{"name": "x", "type": "int"}]}
    cells = ScriptedCells(replace(printing("1"), state=came), printing("2"))
    await run(agent_of(scripted({"code": "a"}, {"code": "b"}, ANSWER)), cells, folder=tmp_path)
    # At the beginning, and after the second action.
    assert [function for function, _ in cells.called] == ["state", "state"]
    assert written(tmp_path)["trajectory"][0]["state"]["variables"] == came["variables"]


async def test_the_files_that_were_edited_are_named(tmp_path: Path) -> None:
    (tmp_path / "skills").mkdir()
    edit = {"command": "create", "path": "skill:m.py", "file_text": "x = 1\n"}
    agent = agent_of(scripted({"edit": edit}, {"edit": edit | {"command": "view"}}, ANSWER), tmp_path / "skills")
    await run(agent)
    assert agent.info["edited_files"] == ["skill:m.py"]
