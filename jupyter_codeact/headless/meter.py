"""Limits of runs that are started from a command line."""

from __future__ import annotations

from ..agent.limits import Limits, Meter
from ..events import Usage


class FlagMeter(Meter):
    """Names the flags that raise a limit. ``total`` counts what several runs use together, and ends them all.

    Where both are reached, the limit of all is named: a higher one of the run alone would not help.
    """

    whole = "all runs together"

    def __init__(self, limits: Limits | None = None, total: Meter | None = None) -> None:
        super().__init__(limits)
        self._total = total

    def charge(self, used: Usage) -> None:
        super().charge(used)
        if self._total is not None:
            self._total.charge(used)

    @property
    def left_usd(self) -> float | None:
        known = (super().left_usd, self._total.left_usd if self._total else None)
        return min((usd for usd in known if usd is not None), default=None)

    def check(self) -> None:
        if self._total is not None:
            self._total.check()
        super().check()

    def raises(self, name: str, more: str) -> str:
        words = name.split()
        what = next((word.removesuffix("s") for word in words if word != "session"), "cost")
        total = "total-" if "session" in words else ""
        return f"`--{total}{what}-limit {more}` raises it."


class AttemptMeter(FlagMeter):
    """Of one of several attempts: the flags limit all of them together, and the file each."""

    one = "one attempt"

    def raises(self, name: str, more: str) -> str:
        key = {"": "cost_usd"}.get(name, name.strip())
        return f"`{key}` in the file of `--config` raises it."
