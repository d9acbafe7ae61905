"""Our trajectories as SWE-agent's own tools read them.

Installing SWE-agent would bring a hundred packages, so what its tools take of a file is written down here: the keys
that ``inspector/server.py``, ``fileViewer.js``, ``inspector/static.py``, ``run/inspector_cli.py``,
``run/run_traj_to_demo.py`` and ``run/quick_stats.py`` of its version 1.1 read, and what they need of each.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.events import Rejected, Usage

from .test_observing import plotting, png
from .twins import ScriptedCells, StreamModel, agent_of, calls, printing, run, words

LONG = "".join(f"{n} units sold in the northern market\n" for n in range(200))
CODE = "total = 0\n" + "\n".join(f"total += {n}" for n in range(100))


@pytest.fixture
async def document(tmp_path: Path) -> Any:
    """The file of a run with all that may be in one, as JSON alone reads it."""
    *_, short = calls("short")
    short = replace(short, usage=Usage(1500, 20, 0, 0.25, 1))
    replies = [[short], calls("def"), calls(CODE), calls("a", "plot"), calls("no"), words("It is **so**.")]
    outcomes = [printing("3\n"), printing(LONG), printing("b"), plotting(png(9, 9)), Rejected("not that")]
    agent = agent_of(StreamModel(*replies, sees_images=True))
    await run(agent, ScriptedCells(*outcomes), "Find the total.", tmp_path)
    return json.loads((tmp_path / "r1.traj").read_text())


def test_its_inspectors_show_the_problem_every_step_and_the_end(document: Any) -> None:
    """``add_problem_statement``, ``append_exit``, ``createTrajectoryItem`` and ``_show_step_simple``."""
    problem = next(item["content"] for item in document["history"] if item["role"] == "user")
    assert problem.endswith("Find the total.")
    assert document["info"]["exit_status"].startswith("submitted")
    assert document["info"]["submission"] == "It is **so**."
    steps = document["trajectory"]
    assert [step["action"] for step in steps] == ["short", "def", CODE, "a", "plot", "no", ""]
    assert [step["observation"] for step in steps][2] == LONG.strip()
    for step in steps:
        assert {step[name].__class__ for name in ("response", "thought", "action", "observation")} == {str}
        assert isinstance(step["execution_time"], float)
        assert all(isinstance(message["role"], str) and message["content"] for message in step["query"])


def test_its_summary_has_an_action_of_every_reply(document: Any) -> None:
    """``get_action_summary`` wants the key in each, and cuts at 70 with three points."""
    actions = [item["action"] for item in document["history"] if item["role"] == "assistant"]
    shown = [action[:67] + "..." if len(action) > 70 else action for action in actions]
    assert shown == ["short", CODE[:67] + "...", "a", "no", ""]


def test_its_history_has_no_hollow_message(document: Any) -> None:
    """``static.py`` shows ``content``, which must be text; ``run_traj_to_demo`` copies it, and calls of tools."""
    contents = [item["content"] for item in document["history"]]
    assert {content.__class__ for content in contents} == {str}
    told = [item["content"] for item in document["history"] if item["role"] == "tool"]
    mark = told[0].splitlines()[0].strip("<>")
    assert told[0] == f"<{mark}>\n3\n</{mark}>"
    head = LONG[:60]
    assert told[1] == f"<{mark}>\n{head}\n[… {len(LONG.strip())} characters: step 3]\n</{mark}>"
    (picture,) = [item["content"] for item in document["history"] if item["message_type"] == "images"]
    assert picture == f"![picture](data:image/png;base64,{png(9, 9)})"
    made = [call["function"] for item in document["history"] for call in item.get("tool_calls") or ()]
    assert [json.loads(call["arguments"])["code"] for call in made] == ["short", "# step 3", "a", "plot", "no"]


def test_its_figures_are_numbers(document: Any) -> None:
    """``quick_stats`` takes the mean of the calls; ``_build_overview_stats`` formats the cost."""
    stats = document["info"]["model_stats"]
    assert f"${stats['instance_cost']:.2f} {stats['api_calls']:,} {stats['tokens_sent']:,}" == "$0.25 1 1,500"
