"""Runs whose actions come from a trajectory, or from a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_codeact.events import CodeAction, Outcome, Ran, Rejected
from jupyter_codeact.models.human import PROMPT, HumanModel
from jupyter_codeact.parts import ModelConfig, open_model

from .twins import ScriptedCells, StreamModel, agent_of, answered, calls, printing, run, words


async def test_a_replay_gives_the_same_cells(tmp_path: Path) -> None:
    edited = Ran("b = 22", (), "ok", edited=True)

    class Editing(ScriptedCells):
        async def run(self, action: CodeAction, timeout_s: float | None) -> Outcome:
            outcome = await super().run(action, timeout_s)
            return edited if action.source == "b = 2" else outcome

    first = agent_of(StreamModel(calls("a = 1", "b = 2"), calls("def"), calls("c"), words("So it is.")))
    await run(first, Editing(printing("1"), printing("2"), Rejected("no")), folder=tmp_path)
    cells = ScriptedCells()
    again = agent_of(open_model(ModelConfig(name="replay/r1.traj"), tmp_path))
    events = await run(again, cells)
    # What ran is done again: with her edits, and without what could not be read or was rejected.
    assert [action.source for action in cells.ran] == ["a = 1", "b = 22"]
    assert answered(events) == "So it is."


async def test_a_person_steps_in() -> None:
    class Writing(ScriptedCells):
        async def run(self, action: CodeAction, timeout_s: float | None) -> Any:
            self.ran.append(action)
            return Ran(f"x = {len(self.ran)}", (), "ok", edited=True) if len(self.ran) < 3 else Rejected()

    cells, agent = Writing(), agent_of(HumanModel())
    events = await run(agent, cells)
    assert [action.source for action in cells.ran] == [PROMPT] * 3
    assert agent.info["cells"] == ["x = 1", "x = 2"]
    assert answered(events) == "Ended by you."
