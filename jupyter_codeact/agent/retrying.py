"""Several attempts at one problem, each from the start, and the best of them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from ..errors import ConfigError, ModelError, OutOfBudget
from ..events import Reply, Retrying, Usage
from ..parts import ModelConfig
from ..protocols import Model
from .config import AgentConfig
from .limits import Meter
from .shapes import AgentInfo
from .templates import Templates

FOLDER = Path(__file__).with_name("templates") / "retry"
# What of a submission the reviewer is shown, in characters.
LONGEST = 60_000
Run = Callable[[int, AgentConfig], Awaitable[AgentInfo]]
"""Makes attempt number n, in a fresh sandbox; what came of it."""


@dataclass(frozen=True, kw_only=True)
class ReviewConfig:
    """Who judges, and how.

    kind: "score" judges each attempt by itself, and ends with the first that gets ``accept`` (0 to 1); "choose" has all
    attempts made, and compares them. template: in place of ours.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    model: ModelConfig
    kind: Literal["score", "choose"] = "score"
    accept: float = 0.9
    template: str | None = None


@dataclass(frozen=True, kw_only=True)
class RetryConfig:
    """agents: taken in turn. cost_usd: all attempts and reviews together. least_usd: an attempt begins with no less."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    agents: tuple[AgentConfig, ...]
    review: ReviewConfig
    attempts: int = 3
    cost_usd: float | None = None
    least_usd: float = 0.0

    def __post_init__(self) -> None:
        if not self.agents or self.attempts < 1:
            raise ConfigError("A configuration with attempts needs at least one of `agents`, and one attempt.")


@dataclass(frozen=True)
class Attempt:
    """score: 0 to 1, None where nobody judged it."""

    number: int
    info: AgentInfo
    score: float | None = None

    @property
    def submission(self) -> str:
        return (self.info.get("submission") or "")[:LONGEST]

    @property
    def answer(self) -> str:
        return (self.info.get("answer") or "")[:LONGEST]

    @property
    def submitted(self) -> bool:
        """Whether its agent said that it was done."""
        return self.info.get("exit_status") == "submitted"


@dataclass
class RetryAgent:
    """Makes attempts until one is good enough, or none may be made any more.

    run: makes an attempt. reviewer: the model that judges. meter: what the reviews use. error: why the last attempt
    could not be made.
    """

    config: RetryConfig
    run_attempt: Run
    reviewer: Model
    meter: Meter
    attempts: list[Attempt] = field(default_factory=list)
    spent_usd: float = 0.0
    error: str = ""

    async def run(self, problem_statement: str) -> Attempt:
        """The best attempt. Raises what the first one raises: ConfigError and the like."""
        for number in range(1, self.config.attempts + 1):
            left = self._left()
            if self.attempts and left is not None and left <= self.config.least_usd:
                break
            try:
                attempt = await self._attempt(number, left)
            except Exception as error:  # a boundary: whatever is wrong with one, those before it stand
                if not self.attempts:
                    raise
                self.error = f"Attempt {number} could not be made: {str(error) or type(error).__name__}"
                break
            self.attempts.append(attempt)
            if self.config.review.kind == "score":
                attempt = self.attempts[-1] = replace(attempt, score=await self._score(attempt, problem_statement))
            if attempt.score is not None and attempt.score >= self.config.review.accept:
                break
        return await self._best(problem_statement)

    async def _attempt(self, number: int, left: float | None) -> Attempt:
        """With no more to spend than there is left."""
        config = self.config.agents[(number - 1) % len(self.config.agents)]
        own = config.limits.cost_usd
        if left is not None:
            config = replace(config, limits=replace(config.limits, cost_usd=left if own is None else min(own, left)))
        info = await self.run_attempt(number, config)
        self.spent_usd += float(info.get("model_stats", {}).get("instance_cost", 0.0))
        return Attempt(number, info)

    def _left(self) -> float | None:
        limit = self.config.cost_usd
        return None if limit is None else limit - self.spent_usd - self.meter.session_usd

    def _may_ask(self) -> bool:
        with suppress(OutOfBudget):
            self.meter.check()
            left = self._left()
            return left is None or left > 0
        return False

    # ---- reviews

    async def _score(self, attempt: Attempt, problem_statement: str) -> float:
        """0 for an attempt that handed in nothing, and where the reviewer says nothing that can be read."""
        if not attempt.submission:
            return 0.0
        return score_in(await self._ask("score", problem_statement=problem_statement, attempt=attempt)) or 0.0

    async def _best(self, problem_statement: str) -> Attempt:
        """The chosen one; else by score, what was submitted before what was not, the first of equals."""
        if self.config.review.kind == "choose":
            handed_in = [attempt for attempt in self.attempts if attempt.submission]
            chosen = await self._choose(handed_in, problem_statement) if len(handed_in) > 1 else None
            if chosen is not None:
                return chosen
        return self.best_so_far()

    def best_so_far(self) -> Attempt:
        """By what is known without asking anybody; there must have been one."""
        return max(self.attempts, key=lambda one: (one.score or 0.0, one.submitted, bool(one.submission), -one.number))

    async def _choose(self, attempts: list[Attempt], problem_statement: str) -> Attempt | None:
        text = await self._ask("choose", problem_statement=problem_statement, attempts=attempts)
        found = re.findall(r"CHOICE:[^\w-]*(\d+)", text)
        return next((one for one in attempts if found and one.number == int(found[-1])), None)

    async def _ask(self, kind: str, **values: Any) -> str:
        """The reviewer's words; "" where it can't be asked: a review that fails must not cost the attempts."""
        if not self._may_ask():
            return ""
        template = self.config.review.template or (FOLDER / f"{kind}.j2").read_text("utf-8")
        prompt = Templates().rendered(template, values)
        try:
            async with aclosing(self.reviewer.query([{"role": "user", "content": prompt}], [])) as deltas:
                async for delta in deltas:
                    if isinstance(delta, Reply | Retrying):
                        self.meter.charge(delta.usage)
                    if isinstance(delta, Reply):
                        return delta.text
                    if isinstance(delta, Retrying) and not self._may_ask():
                        return ""
        except ModelError as error:
            self.meter.charge(error.usage or Usage())
        return ""


def score_in(text: str) -> float | None:
    """The last score in the reviewer's words; None where that is no number from 0 to 1."""
    found = re.findall(r"SCORE:[\s*_`\"'(]*(\S+)", text)
    try:
        score = float(found[-1].rstrip("*_`\"').,;"))
    except (IndexError, ValueError):
        return None
    return score if 0 <= score <= 1 else None
