"""Limits that several runs share."""

from __future__ import annotations

import pytest

from jupyter_codeact.agent.limits import Limits
from jupyter_codeact.errors import OutOfBudget
from jupyter_codeact.events import Usage
from jupyter_codeact.headless.meter import AttemptMeter, FlagMeter


def test_what_one_run_uses_counts_for_all() -> None:
    total = FlagMeter(Limits(session_cost_usd=2.0))
    one, other = FlagMeter(Limits(), total), FlagMeter(Limits(), total)
    one.charge(Usage(10, 10, cost=1.5))
    other.check()
    other.charge(Usage(10, 10, cost=0.5))
    with pytest.raises(OutOfBudget, match=r"limit of \$2.00 for all runs together; `--total-cost-limit 3` raises it"):
        one.check()
    assert (one.run_usd, total.session_usd) == (1.5, 2.0)


@pytest.mark.parametrize(
    ("limits", "flag"),
    [(Limits(cost_usd=0.1), "--cost-limit"), (Limits(tokens=5), "--token-limit"), (Limits(calls=1), "--call-limit")],
)
def test_the_flag_that_raises_a_limit_is_named(limits: Limits, flag: str) -> None:
    meter = FlagMeter(limits)
    meter.check()
    meter.charge(Usage(5, 5, cost=0.2, calls=1))
    with pytest.raises(OutOfBudget, match=f"for one run; `{flag} "):
        meter.check()


def test_the_file_limits_an_attempt_and_the_flags_limit_all_of_them() -> None:
    total = FlagMeter(Limits(cost_usd=5.0))
    whole = FlagMeter(Limits(cost_usd=2.0), total)
    first, second = (AttemptMeter(Limits(cost_usd=1.0), whole) for _ in range(2))
    assert (first.left_usd, whole.left_usd, FlagMeter(Limits(cost_usd=None)).left_usd) == (1.0, 2.0, None)
    first.charge(Usage(1, 1, cost=1.5))
    assert second.left_usd == 0.5
    with pytest.raises(OutOfBudget, match=r"limit of \$1.00 for one attempt; `cost_usd` in the file of `--config`"):
        first.check()
    second.check()
    second.charge(Usage(1, 1, cost=1.0))
    with pytest.raises(OutOfBudget, match=r"limit of \$2.00 for one run; `--cost-limit 3` raises it"):
        second.check()
