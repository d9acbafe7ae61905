"""What a run may cost, and the meter that counts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .. import words
from ..errors import OutOfBudget
from ..events import Usage


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where a run ends; None is no limit. A cost that isn't known is not limited by USD.

    max_steps: actions. cost_usd, tokens, calls: model calls of one run; those with session_ of all runs together.
    execution_s: seconds that all actions of a run may take together.
    timeouts, deaths: actions in a row that may be interrupted at their timeout, or end their sandbox.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    max_steps: int | None = 30
    cost_usd: float | None = 3.0
    tokens: int | None = None
    calls: int | None = None
    session_cost_usd: float | None = None
    session_tokens: int | None = None
    session_calls: int | None = None
    execution_s: float | None = None
    timeouts: int = 3
    deaths: int = 3


class Meter:
    """Counts model calls: of this run, of this conversation, and of the whole session; one for each session.

    ``*_usd`` is what is known of the cost, also where a part of it isn't.
    one, whole: what a run and the session are called.
    """

    one, whole = "one run", "this session"

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.run = self.conversation = self.session = Usage()
        self.run_usd = self.session_usd = 0.0

    def start_run(self) -> None:
        self.run, self.run_usd = Usage(), 0.0

    def start_conversation(self) -> None:
        self.conversation = Usage()

    def charge(self, used: Usage) -> None:
        self.run += used
        self.conversation += used
        self.session += used
        self.run_usd += used.cost or 0.0
        self.session_usd += used.cost or 0.0

    @property
    def left_usd(self) -> float | None:
        """What may still be spent; None where nothing limits it."""
        pairs = ((self.limits.cost_usd, self.run_usd), (self.limits.session_cost_usd, self.session_usd))
        return min((limit - used for limit, used in pairs if limit is not None), default=None)

    def check(self) -> None:
        """Raises OutOfBudget where a limit has been reached."""
        limits = self.limits
        run = (limits.cost_usd, limits.tokens, limits.calls)
        session = (limits.session_cost_usd, limits.session_tokens, limits.session_calls)
        for wanted, used, usd, what, word in (
            (run, self.run, self.run_usd, self.one, ""),
            (session, self.session, self.session_usd, self.whole, "session "),
        ):
            if reached := _reached(wanted, used, usd):
                limit, name, more = reached
                raise OutOfBudget(f"Stopped at the limit of {limit} for {what}; {self.raises(word + name, more)}")

    def raises(self, name: str, more: str) -> str:
        """What to do about the limit ``name``: "", "tokens ", "calls ", or one of these after "session "."""
        return f"`%agent limit {name}{more}` raises it."


def _reached(
    limits: tuple[float | None, int | None, int | None], used: Usage, usd: float
) -> tuple[str, str, str] | None:
    """The limit that was reached, its name, and a value that leaves room."""
    cost, tokens, calls = limits
    if cost is not None and usd >= cost:
        return f"${cost:.2f}", "", _more(cost)
    if tokens is not None and used.tokens >= tokens:
        return words.tokens(tokens), "tokens ", _more(tokens)
    if calls is not None and used.calls >= calls:
        return words.plural(calls, "model call"), "calls ", _more(calls)
    return None


def _more(limit: float) -> str:
    """A limit that leaves room: 3 → 5, 100 → 167."""
    return f"{max(1, round(limit * 5 / 3))}"
