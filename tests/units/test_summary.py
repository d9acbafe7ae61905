"""The line below a run's answer."""

from __future__ import annotations

from jupyter_codeact.agent.limits import Meter
from jupyter_codeact.events import Usage, UsageSeen
from jupyter_codeact.notebook.summary import Summary


def test_what_a_run_cost_is_told_whatever_an_earlier_one_did() -> None:
    meter, summary = Meter(), Summary()
    meter.charge(Usage(10, 5, 0, None, 1))
    meter.start_run()
    meter.charge(Usage(10, 5, 0, 0.75, 1))
    summary.count(UsageSeen(meter.conversation, meter.run))
    assert "15 tokens · $0.750" in summary.line()
