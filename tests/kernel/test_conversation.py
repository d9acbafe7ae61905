"""A conversation of several cells: what is sent, what is left out, and what it may cost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import examples, history, shown

from jupyter_codeact.agent.trajectory import read
from jupyter_codeact.parts import ModelConfig

Opened = Callable[..., Any]
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def test_what_is_told_of_a_conversation(opened: Opened, script: Any, home: Path, work: Path) -> None:
    script(
        {"code": "print('seen')"}, {"text": "**One**."}, {"text": "In short: one."}, {"text": "Two."}, {"text": "3."}
    )
    cells = ["x = 41", "%agent context", "%agent history", "%%agent --review auto\none", "%agent context"]
    cells += ["%agent history", "%agent compact", "%agent compact", "%%agent\ntwo", "%agent cost"]
    cells += ["%%agent --templates texts\nthree", "%agent context"]
    (work / "texts").mkdir()
    (work / "texts" / "instance.j2").write_text("Hers: {{ problem_statement }}")
    async with opened(*cells) as document:
        await document.run_cells()
        _, empty, none, _, _, context, told, summed, again, two, cost, _, after = document.nb.cells
    assert "x: int" in shown(empty)
    assert "(what you write next)" in shown(empty)
    assert "There is no conversation yet" in shown(none)
    for word in ("system: system_prompt", "user: instance", "tool: observation", "seen", "run_cell(", "tokens"):
        assert word in shown(context)
    assert "assistant: thought" in shown(told)
    # Whole, and where it is recorded: the cell that showed it may have been deleted.
    assert shown(told).endswith("The last answer:\n\nOne.")
    assert f"The last run is in `{home}/runs/" in shown(told)
    assert "are sent as" in shown(summed)
    assert "nothing to sum up" in shown(again)
    assert "Two." in shown(two)
    assert "This conversation: " in shown(cost)
    assert "4 calls" in shown(cost)
    assert "In short: one." in str(history(home))
    # Texts of one run are not those of the next.
    assert "Hers: three" in shown(after)
    assert "Hers: (what you write next)" not in shown(after)


@pytest.mark.parametrize("before", ["%agent cost", "%agent context", "%agent reset\n%agent context"])
async def test_before_the_first_prompt_there_is_nothing_to_sum_up(opened: Opened, script: Any, before: str) -> None:
    script({"text": "Nobody asks for this."})
    async with opened(*before.splitlines(), "%agent compact") as document:
        await document.run_cells()
    assert "nothing to sum up" in shown(document.nb.cells[-1])


async def test_thinking_is_shown_folded(opened: Opened, script: Any) -> None:
    """In a terminal, where nothing can be unfolded, there is a line that says how long it took."""
    script({"thinking": "Hm, a *sine*.", "code": "1"}, {"thinking": "Yes. </DETAILS> it", "text": "Done."})
    async with opened("%%agent --review auto\ngo") as document:
        await document.run_cells()
    data = [output.data for output in document.nb.cells[0].outputs]
    thought = [re.sub(r"\d+ s", "0 s", one["text/html"]) for one in data if "text/html" in one]
    folded = "<details><summary>Thought for 0 s</summary>\n<p>{}</p>\n</details>"
    assert thought == [folded.format("Hm, a <em>sine</em>."), folded.format("Yes. &lt;/DETAILS&gt; it")]
    said = next(one["text/plain"] for one in data)
    assert re.fullmatch(r"\[Thought for \d+ s\]", said)
    assert [one["text/plain"] for one in data if "sine" in str(one)] == [said]


HOOK = """
import sys
sys.path.insert(0, {folder!r})
c.Agent.hooks = ["hooks_of_hers:Noting"]
"""
HOOKS = """
from pathlib import Path
from jupyter_codeact.agent import AbstractAgentHook

class Noting(AbstractAgentHook):
    def on_run_done(self, *, trajectory, info):
        with (Path(__file__).parent / "noted").open("a") as file:
            file.write(str(info["exit_status"]) + " ")
"""


async def test_hooks_hear_of_runs_in_a_notebook(
    opened: Opened, script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = tmp_path / "jupyter"
    hers.mkdir()
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(hers))
    (hers / "jupyter_codeact_config.py").write_text(HOOK.format(folder=str(hers)))
    (hers / "hooks_of_hers.py").write_text(HOOKS)
    script({"code": "1"}, {"text": "Done."}, {"text": "Again."})
    async with opened("%%agent --review auto\ngo", "%%agent\non") as document:
        await document.run_cells()
    assert (hers / "noted").read_text() == "submitted submitted "


async def test_limits_are_told_and_raised(opened: Opened, script: Any, home: Path) -> None:
    script(*[{"code": "1"}] * 3, {"text": "Done."})
    cells = ["%agent limit", "%agent limit calls 2", "%%agent --review auto\ngo", "%agent limit calls 9"]
    async with opened(*cells, "%%agent --review auto\non", "%agent limit off", "%agent limit tokens many") as document:
        await document.run_cells()
    cell = {c.source: shown(c) for c in document.nb.cells}
    assert "One run may cost $3.00; all runs of this kernel as much as they take." in cell["%agent limit"]
    assert "$3.00 and 2 model calls" in cell["%agent limit calls 2"]
    said = cell["%%agent --review auto\ngo"]
    assert "Stopped at a limit" in said
    assert "Stopped at the limit of 2 model calls for one run; `%agent limit calls 3` raises it." in said
    assert "Done." in cell["%%agent --review auto\non"]
    assert "as much as it takes" in cell["%agent limit off"]
    assert "`%agent limit` takes a number of USD" in cell["%agent limit tokens many"]
    assert {record["info"]["exit_status"] for record in recorded(home)} == {"submitted (exit_cost)", "submitted"}


def recorded(home: Path) -> list[dict[str, Any]]:
    return [read(path) for path in home.glob("runs/*/*.traj")]


async def test_a_run_that_was_recorded_can_be_run_again(opened: Opened, script: Any, home: Path, work: Path) -> None:
    script({"text": "First.", "code": "a = 20"}, {"code": "print(a * 2 + 2)"}, {"text": "It is 42."})
    async with opened("%%agent\ngo") as document:
        await document.run_cells()
        cells = [cell.source for cell in document.nb.cells[1:]]
    (record,) = recorded(home)
    (work / "before.traj").write_text(json.dumps(record))
    config = record["replay_config"]
    assert ModelConfig(**config["agent"]["model"]).name == "scripted/script"
    assert config["problem_statement"]["text"] == "go"
    async with opened("%%agent --model replay/before.traj\ngo") as document:
        await document.run_cells()
        assert [cell.source for cell in document.nb.cells[1:]] == cells
        assert shown(document.nb.cells[2]) == "42\n"
        assert "It is 42." in shown(document.nb.cells[0])


async def test_the_script_of_the_document_runs_and_says_when_it_is_spent(opened: Opened, work: Path) -> None:
    (work / "first.yaml").write_text(examples("scripted.md")[0])
    async with opened("%%agent --model scripted/first\nAdd two numbers.", "%%agent\nand more") as document:
        agent, more = document.nb.cells
        assert await document.run_cell(agent) == "ok"
        assert shown(document.nb.cells[1]) == "42\n"
        assert "It is **42**" in shown(agent)
        more.source = "%%agent --model scripted/first\nand more"
        assert await document.run_cell(more) == "error"
        assert "scripted/first has no more replies: it had 3 replies." in shown(more)
    assert (work / "sums.txt").read_text() == "19 + 23 = 42\n"


async def test_a_person_writes_the_actions(opened: Opened) -> None:
    written = iter(["x = 6 * 7", "print(x)"])

    async def write(proposal: Any) -> None:
        source = next(written, None)
        if source is None:
            proposal.reject()
        else:
            proposal.cell.source = source
            proposal.run()

    async with opened("%%agent --model human\ngo", review=write) as document:
        await document.run_cells()
        assert [cell.source for cell in document.nb.cells[1:3]] == ["x = 6 * 7", "print(x)"]
        assert shown(document.nb.cells[2]) == "42\n"
        assert "Ended by you." in shown(document.nb.cells[0])


async def test_where_no_model_is_configured_a_conversation_keeps_its_own(
    opened: Opened, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script({"text": "First."}, {"text": "Second."})
    monkeypatch.delenv("JUPYTER_CODEACT_MODEL")
    cells = ("%%agent --model scripted/script\none", "%agent context", "%%agent\ntwo", "%agent reset", "%%agent\nthree")
    async with opened(*cells) as document:
        for cell in [*document.nb.cells]:
            await document.run_cell(cell)
        first, _, second, _, third = document.nb.cells
    assert "First." in shown(first)
    assert "Second." in shown(second)
    assert "No model is set up" in shown(third)
