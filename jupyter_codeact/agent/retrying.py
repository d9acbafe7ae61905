"""Several attempts at one problem, each from the start, and the best of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from ..errors import ConfigError, KeyRefused, ModelError, OutOfBudget
from ..events import Reply, Retrying, Usage
from ..parts import ModelConfig
from ..protocols import Model
from .config import AgentConfig
from .limits import Meter
from .shapes import AgentInfo, model_stats
from .templates import Templates
from .verdicts import choice_in, score_in

FOLDER = Path(__file__).with_name("templates") / "retry"
# What of a submission the reviewer is shown, in characters.
LONGEST = 60_000
# What of a reviewer's words a person is shown where they could not be read.
QUOTED = 100
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
    """score: 0 to 1, None where nobody could say. review: the reviewer's words about it."""

    number: int
    info: AgentInfo
    score: float | None = None
    review: str = ""

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

    @property
    def reviewed(self) -> dict[str, Any]:
        """What came of its review, in SWE-agent's names."""
        return {"accept": self.score, "outputs": [self.review] if self.review else []}

    @property
    def limited(self) -> bool:
        """Whether a limit of cost, tokens or calls ended it."""
        return OutOfBudget.exit_status in (self.info.get("exit_status") or "")


@dataclass
class RetryAgent:
    """Makes attempts until one is good enough, or none may be made any more.

    run_attempt: makes an attempt. reviewer: the model that judges. meter: what the reviews use, and what limits the
    whole. chosen: the attempt that the reviewer chose, by number; chooser: its words. problems: attempts and reviews
    that came to nothing, and why. limited: whether it was a limit of cost, tokens or calls that kept it from one.
    """

    config: RetryConfig
    run_attempt: Run
    reviewer: Model
    meter: Meter
    attempts: list[Attempt] = field(default_factory=list)
    spent_usd: float = 0.0
    chosen: int | None = None
    chooser: str = ""
    problems: list[str] = field(default_factory=list)
    limited: bool = False

    @property
    def error(self) -> str:
        """``problems`` as a text."""
        return " ".join(self.problems)

    @property
    def accepted(self) -> bool:
        """Whether an attempt was good enough."""
        return any(one.score is not None and one.score >= self.config.review.accept for one in self.attempts)

    @property
    def cut_short(self) -> bool:
        """Whether more of it would have been made, had a limit of cost, tokens or calls been higher."""
        return not self.accepted and (self.limited or any(one.limited for one in self.attempts))

    async def run(self, problem_statement: str) -> Attempt:
        """The best attempt. Raises what the first one raises: ConfigError and the like; and KeyRefused of any."""
        for number in range(1, self.config.attempts + 1):
            if self.attempts and not self._may_begin(number):
                break
            try:
                attempt = await self._attempt(number)
            except KeyRefused:
                raise
            except Exception as error:  # a boundary: whatever is wrong with one, those before it stand
                if not self.attempts:
                    raise
                self.problems.append(f"Attempt {number} could not be made: {str(error) or type(error).__name__}")
                break
            self.attempts.append(attempt)
            if self.config.review.kind == "score":
                self.attempts[-1] = await self._judged(attempt, problem_statement)
            if self.accepted:
                break
        return await self._best(problem_statement)

    async def _attempt(self, number: int) -> Attempt:
        """With no more to spend than there is left."""
        config = self.config.agents[(number - 1) % len(self.config.agents)]
        own, left = config.limits.cost_usd, self._left()
        if left is not None:
            config = replace(config, limits=replace(config.limits, cost_usd=left if own is None else min(own, left)))
        info = await self.run_attempt(number, config)
        self.spent_usd += float(info.get("model_stats", {}).get("instance_cost", 0.0))
        return Attempt(number, info)

    # ---- limits

    def _left(self) -> float | None:
        limit = self.config.cost_usd
        return None if limit is None else limit - self.spent_usd - self.meter.session_usd

    def _may_begin(self, number: int) -> bool:
        try:
            self._check(self.config.least_usd)
        except OutOfBudget as limit:
            self._limited(f"Attempt {number} was not begun", limit)
            return False
        return True

    def _check(self, least_usd: float = 0.0) -> None:
        """Raises OutOfBudget where a limit has been reached, or no more than ``least_usd`` is left."""
        self.meter.check()
        left, limit = self._left(), self.config.cost_usd
        if left is not None and left <= 0:
            raise OutOfBudget(
                f"Stopped at the limit of ${limit:.2f} for all attempts; `cost_usd` in the file raises it."
            )
        known = [usd for usd in (left, self.meter.left_usd) if usd is not None]
        if known and min(known) <= least_usd:
            raise OutOfBudget(f"${min(known):.2f} is left, and `least_usd` in the file wants more for an attempt.")

    def _limited(self, what: str, limit: OutOfBudget) -> None:
        """Say once that a limit is in the way."""
        self.limited = True
        if str(limit) not in self.error:
            self.problems.append(f"{what}: {limit}")

    # ---- reviews

    async def _judged(self, attempt: Attempt, problem_statement: str) -> Attempt:
        """With its score: 0 for one that handed in nothing."""
        if not attempt.submission:
            return replace(attempt, score=0.0)
        failed = f"Attempt {attempt.number} was not judged"
        words = await self._words("score", failed, problem_statement=problem_statement, attempt=attempt)
        score = score_in(words)
        if words and score is None:
            self._unreadable(failed, "SCORE: x", words)
        return replace(attempt, score=score, review=words)

    async def _best(self, problem_statement: str) -> Attempt:
        """The chosen one; else by score, what was submitted before what was not, the first of equals."""
        handed_in = [attempt for attempt in self.attempts if attempt.submission]
        if self.config.review.kind == "choose" and len(handed_in) > 1:
            await self._choose(handed_in, problem_statement)
        return self.best_so_far()

    def best_so_far(self) -> Attempt:
        """By what is known without asking anybody; there must have been one."""
        chosen = next((one for one in self.attempts if one.number == self.chosen), None)
        return chosen or max(self.attempts, key=_rank)

    async def _choose(self, attempts: list[Attempt], problem_statement: str) -> None:
        failed = "None was chosen"
        self.chooser = await self._words("choose", failed, problem_statement=problem_statement, attempts=attempts)
        number = choice_in(self.chooser)
        self.chosen = number if any(one.number == number for one in attempts) else None
        if self.chooser and self.chosen is None:
            self._unreadable(failed, "CHOICE: n", self.chooser)

    async def _words(self, kind: str, failed: str, **values: Any) -> str:
        """The reviewer's words; "" where it could not be asked: a review that fails must not cost the attempts."""
        template = self.config.review.template or (FOLDER / f"{kind}.j2").read_text("utf-8")
        try:
            words = await self._ask(Templates().rendered(template, values))
        except KeyRefused:
            raise
        except OutOfBudget as limit:
            self._limited(failed, limit)
            return ""
        except ModelError as error:
            self.problems.append(f"{failed}: {error}")
            return ""
        if not words.strip():
            self.problems.append(f"{failed}: the reviewer said nothing.")
        return words.strip()

    async def _ask(self, prompt: str) -> str:
        """Raises OutOfBudget before it asks, and ModelError."""
        self._check()
        try:
            async with aclosing(self.reviewer.query([{"role": "user", "content": prompt}], [])) as deltas:
                async for delta in deltas:
                    if isinstance(delta, Reply | Retrying):
                        self.meter.charge(delta.usage)
                    if isinstance(delta, Reply):
                        return delta.text
                    if isinstance(delta, Retrying):
                        self._check()
        except ModelError as error:
            self.meter.charge(error.usage or Usage())
            raise
        return ""

    def _unreadable(self, failed: str, wanted: str, words: str) -> None:
        said = " ".join(words.split())[-QUOTED:]
        self.problems.append(f"{failed}: the reviewer's words have no `{wanted}` that can be read. They end: {said!r}.")

    # ---- what is said of it

    @property
    def outline(self) -> list[dict[str, Any]]:
        """The attempts, as SWE-agent has them beside the chosen one's trajectory; without theirs."""
        return [{"info": {"exit_status": one.info.get("exit_status"), "review": one.reviewed}} for one in self.attempts]

    def record(self, best: Attempt) -> dict[str, Any]:
        """What the chosen one's info has more: SWE-agent's names, and ``choice``."""
        record = {
            "choice": self.choice(best),
            "best_attempt_idx": self.attempts.index(best),
            "rloop_model_stats": model_stats(self.meter.session, self.meter.session_usd),
        }
        if self.chooser:
            chosen = None if self.chosen is None else self.chosen - 1
            record["chooser"] = {"chosen_idx": chosen, "response": self.chooser}
        return record

    def choice(self, best: Attempt) -> str:
        """Which attempt counts, and why: a line for a person."""
        judged = any(one.score is not None for one in self.attempts if one.submission)
        if best.number == self.chosen:
            why = "the reviewer chose it"
        elif judged:
            scores = ("not judged" if one.score is None else f"{one.score:g}" for one in self.attempts)
            why = f"scores: {', '.join(scores)}"
        elif sum(bool(one.submission) for one in self.attempts) < 2:
            why = "nothing else was handed in"
        elif best == self.attempts[0]:
            why = "the first, since nobody could say"
        else:
            why = "the first that was done, since nobody could say"
        return f"Attempt {best.number} of {len(self.attempts)} was taken: {why}."


def _rank(attempt: Attempt) -> tuple[float, bool, bool, int]:
    return (attempt.score or 0.0, attempt.submitted, bool(attempt.submission), -attempt.number)
