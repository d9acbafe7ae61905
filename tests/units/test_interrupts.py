"""When an interrupt is followed by a signal."""

from __future__ import annotations

import pytest

from jupyter_codeact.kernel import interrupts
from jupyter_codeact.kernel.interrupts import Interrupts
from jupyter_codeact.kernel.requests import Requests
from jupyter_codeact.kernel.wire import build


@pytest.mark.parametrize(("in_time", "signals"), [(True, 0), (False, 1)])
def test_where_the_sandbox_came_to_it_too_late_and_said_so_first(
    in_time: bool, signals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process may be kept waiting too, by a busy machine, and read that before it has sent the signal."""
    monkeypatch.setattr(interrupts, "SIGNAL_S", 0.0)
    sent: list[bool] = []
    requests = Requests()
    requests.add(build("execute_request", {"code": "while True: pass"}, "session"), "shell")
    told = Interrupts(requests, lambda: sent.append(True))
    told.asked()
    told.answered(in_time)
    assert not told.is_deaf()
    assert len(sent) == signals
