"""Limits of runs that are started from a command line."""

from __future__ import annotations

from ..agent.limits import Limits, Meter
from ..events import Usage


class FlagMeter(Meter):
    """Names the flags that raise a limit. ``total`` counts what several runs use together, and ends them all."""

    whole = "all runs together"

    def __init__(self, limits: Limits | None = None, total: Meter | None = None) -> None:
        super().__init__(limits)
        self._total = total

    def charge(self, used: Usage) -> None:
        super().charge(used)
        if self._total is not None:
            self._total.charge(used)

    def check(self) -> None:
        super().check()
        if self._total is not None:
            self._total.check()

    def raises(self, name: str, more: str) -> str:
        words = name.split()
        what = next((word.removesuffix("s") for word in words if word != "session"), "cost")
        total = "total-" if "session" in words else ""
        return f"`--{total}{what}-limit {more}` raises it."
