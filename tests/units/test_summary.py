"""The line below a run's answer."""

from __future__ import annotations

import pytest

from jupyter_codeact.agent.limits import Meter
from jupyter_codeact.events import ActionDone, EditAction, Edited, SkillAction, Usage, UsageSeen
from jupyter_codeact.notebook.summary import Summary


def test_what_a_run_cost_is_told_whatever_an_earlier_one_did() -> None:
    meter, summary = Meter(), Summary()
    meter.charge(Usage(10, 5, 0, None, 1))
    meter.start_run()
    meter.charge(Usage(10, 5, 0, 0.75, 1))
    summary.count(UsageSeen(meter.conversation, meter.run))
    assert "15 tokens · $0.750" in summary.line()


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (["notes.txt"], "1 change to files"),
        (["skill:gp.py"], "1 change to skills"),
        ([None], "1 change to skills"),
        (["a.py", None, "skill:gp.py", "a.py"], "2 changes to skills · 2 changes to files"),
    ],
)
def test_changes_of_skills_and_of_files_are_told_apart(places: list[str | None], said: str) -> None:
    """None stands for a save with the skills' own tool."""
    summary = Summary()
    for place in places:
        edit = EditAction("a", 1, {"command": "create", "path": place})
        action = edit if place else SkillAction("a", 1, {"command": "save", "name": "gp"})
        summary.count(ActionDone(action, Edited("Done.", changed=True)))
    summary.count(ActionDone(EditAction("a", 1, {"path": "seen"}), Edited("1  x")))
    assert f"**Done** · {said} · 0 tokens" in summary.line()
