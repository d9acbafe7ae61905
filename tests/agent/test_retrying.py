"""Several attempts, and the best of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_codeact.agent import AgentConfig, Limits, Meter
from jupyter_codeact.agent.retrying import RetryAgent, RetryConfig, ReviewConfig
from jupyter_codeact.agent.shapes import AgentInfo
from jupyter_codeact.agent.verdicts import score_in
from jupyter_codeact.errors import ConfigError, KeyRefused, ModelError
from jupyter_codeact.events import Reply, Retrying, TextDelta, Usage
from jupyter_codeact.parts import ModelConfig

from .twins import OPEN, StreamModel

MODEL = ModelConfig(name="m")


def info(submission: str, usd: float = 1.0, exit_status: str = "submitted") -> AgentInfo:
    stats: dict[str, float | bool] = {"instance_cost": usd}
    return {"submission": submission, "exit_status": exit_status, "model_stats": stats}


def said(text: str, usd: float = 0.0) -> list[Any]:
    return [TextDelta(text), Reply(text, usage=Usage(10, 1, cost=usd, calls=1))]


class Attempts:
    """Gives what was prepared, and keeps which configurations were asked for it."""

    def __init__(self, *infos: AgentInfo | Exception) -> None:
        self.infos = infos
        self.made: list[AgentConfig] = []

    async def __call__(self, number: int, config: AgentConfig) -> AgentInfo:
        self.made.append(config)
        info = self.infos[number - 1]
        if isinstance(info, Exception):
            raise info
        return info


def charging(attempts: Attempts, meter: Meter) -> Any:
    """Attempts that are charged, as an agent's are."""

    async def run(number: int, config: AgentConfig) -> AgentInfo:
        made = await attempts(number, config)
        meter.charge(Usage(1, 1, cost=float(made["model_stats"]["instance_cost"]), calls=1))
        return made

    return run


def retry(made: Attempts, reviewer: StreamModel, /, **options: Any) -> RetryAgent:
    review = {name: options.pop(name) for name in ("kind", "accept", "template") if name in options}
    agents = options.pop("agents", (AgentConfig(model=MODEL),))
    config = RetryConfig(agents=agents, review=ReviewConfig(model=MODEL, **review), **options)
    return RetryAgent(config, made, reviewer, Meter(Limits()))


def judge(*streams: list[Any]) -> StreamModel:
    return StreamModel(*streams, takes_tools=False)


async def test_the_first_that_is_good_enough_ends_it() -> None:
    agents = (AgentConfig(model=MODEL, name="a"), AgentConfig(model=MODEL, name="b"))
    attempts = Attempts(info("one"), info("two"), info("three"))
    reviewer = judge(said("Half. SCORE: 0.5"), said("SCORE: 0\nNo, better.\nSCORE: **0.95**"))
    agent = retry(attempts, reviewer, agents=agents, attempts=3)
    best = await agent.run("Count the a's.")
    assert (best.number, best.score) == (2, 0.95)
    assert [config.name for config in attempts.made] == ["a", "b"]
    assert "Count the a's." in reviewer.asked[0][0]["content"]
    assert "one" in reviewer.asked[0][0]["content"]


async def test_the_highest_score_is_taken_and_what_was_not_submitted_is_not_judged() -> None:
    attempts = Attempts(info("one"), info("", exit_status="exit_cost"), info("three"), info("four"))
    agent = retry(attempts, judge(said("SCORE: 0.2"), said("SCORE: 0.7"), said("no idea")), attempts=4)
    assert (await agent.run("x")).number == 3
    assert [one.score for one in agent.attempts] == [0.2, 0.0, 0.7, None]
    assert "Attempt 4 was not judged: the reviewer's words have no `SCORE: x`" in agent.error
    assert agent.choice(agent.attempts[2]) == "Attempt 3 of 4 was taken: scores: 0.2, 0, 0.7, not judged."


async def test_a_reviewer_that_fails_costs_no_attempt() -> None:
    attempts = Attempts(info("one", exit_status="submitted (exit_cost)"), info("two"))
    agent = retry(attempts, judge([ModelError("down")], [ModelError("down")]), attempts=2)
    best = await agent.run("x")
    assert best.number == 2
    assert agent.error == "Attempt 1 was not judged: down Attempt 2 was not judged: down"
    assert agent.choice(best) == "Attempt 2 of 2 was taken: the first that was done, since nobody could say."
    chooser = retry(Attempts(info("one"), info("two")), judge([ModelError("Down.")]), attempts=2, kind="choose")
    best = await chooser.run("x")
    assert (best.number, chooser.error) == (1, "None was chosen: Down.")
    assert chooser.choice(best) == "Attempt 1 of 2 was taken: the first, since nobody could say."


@pytest.mark.parametrize("kind", ["score", "choose"])
@pytest.mark.parametrize("error", [KeyRefused("Refused."), ConfigError("No temperature.")])
async def test_a_reviewer_that_is_set_up_wrongly_is_raised_and_the_attempts_stand(kind: str, error: Exception) -> None:
    agent = retry(Attempts(info("one"), info("two")), judge([error], said("SCORE: 1")), attempts=2, kind=kind)
    with pytest.raises(type(error), match=str(error)):
        await agent.run("x")
    assert [one.number for one in agent.attempts] == ([1] if kind == "score" else [1, 2])


async def test_a_key_that_is_refused_in_a_later_attempt_is_raised() -> None:
    agent = retry(Attempts(info("one"), KeyRefused("Refused.")), judge(said("SCORE: 0.2")))
    with pytest.raises(KeyRefused):
        await agent.run("x")
    assert agent.best_so_far().number == 1


async def test_the_record_says_who_chose_in_swe_agents_names() -> None:
    scored = retry(Attempts(info("one"), info("two")), judge(said("SCORE: 0.2"), said("Good. SCORE: 90%", 0.5)))
    record = scored.record(await scored.run("x"))
    assert record["best_attempt_idx"] == 1
    assert record["rloop_model_stats"]["instance_cost"] == 0.5
    assert scored.outline[1]["info"]["review"] == {"accept": 0.9, "outputs": ["Good. SCORE: 90%"]}
    assert not scored.error
    compared = retry(Attempts(info("one"), info("two")), judge(said("CHOICE: 2")), attempts=2, kind="choose")
    record = compared.record(await compared.run("x"))
    assert record["chooser"] == {"chosen_idx": 1, "response": "CHOICE: 2"}
    assert record["choice"] == "Attempt 2 of 2 was taken: the reviewer chose it."


@pytest.mark.parametrize(
    ("text", "score"),
    [
        *(("SCORE: 0.5", 0.5), ("SCORE: .5", 0.5), ("SCORE: 1", 1.0), ("SCORE: 0.", 0.0), ("SCORE: `0.95`.", 0.95)),
        *(
            ("**SCORE:** 0.4", 0.4),
            ("SCORE: 10", None),
            ("SCORE: 1.5", None),
            ("SCORE: -1", None),
            ("SCORE: -.5", None),
        ),
        *(("Score: 0.9", 0.9), ("SCORE: 0.8/1", 0.8), ("SCORE: 0.8 / 1.", 0.8), ("**SCORE: 0.7**", 0.7)),
        *(("SCORE: 90%", 0.9), ("Good.\n**90 %**\n", 0.9), ("Final score = 0.6.", 0.6), ("0.4", 0.4)),
        *(("SCORE: 0.5\nThis is my score: fair.", 0.5), ("SCORE: 150%", None), ("SCORE: 0.8/10", None)),
        *(
            ("1 thing is wrong", None),
            ("Underscore: 0.5", None),
            ("SCORE: 1.2.3", None),
            ("SCORE: .", None),
            ("", None),
        ),
        *(("SCORE: 0.5\nNo.\nSCORE: 7", None), ("SCORE: nan", None), ("SCORE: 8/10", None), ("SCORE: **", None)),
    ],
)
def test_a_score_is_a_number_from_0_to_1(text: str, score: float | None) -> None:
    assert score_in(text) == score


async def test_a_later_attempt_that_can_not_be_made_takes_no_earlier_one_away() -> None:
    attempts = Attempts(info("one"), ConfigError("The disk is full."), info("three"))
    agent = retry(attempts, judge(said("SCORE: 0.2")))
    assert (await agent.run("x")).number == 1
    assert agent.error == "Attempt 2 could not be made: The disk is full."
    with pytest.raises(ConfigError, match="disk"):
        await retry(Attempts(ConfigError("The disk is full.")), judge()).run("x")


async def test_an_attempt_that_was_made_counts_before_it_is_judged() -> None:
    reviewer = judge([OPEN])
    agent = retry(Attempts(info("one")), reviewer)
    work = asyncio.ensure_future(agent.run("x"))
    await reviewer.waiting.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert agent.best_so_far().number == 1


@pytest.mark.parametrize("limits", [{"cost_usd": 3.0}, {}])
async def test_a_reviewer_that_asks_again_stays_within_the_budget(limits: dict[str, float]) -> None:
    """Of its own, or of all runs together."""
    again = Retrying("Busy.", 0.0, Usage(1, 1, cost=1.0, calls=1))
    reviewer = judge([*[again] * 9, *said("SCORE: 1")], said("SCORE: 1"))
    agent = retry(Attempts(info("one", 1.0), info("two", 1.0)), reviewer, attempts=2, **limits)
    if not limits:
        agent.meter = Meter(Limits(session_cost_usd=2.0))
    assert (await agent.run("x")).score is None
    assert "Attempt 1 was not judged: Stopped at the limit of $" in agent.error
    assert agent.cut_short
    assert agent.meter.session_usd == 2.0
    assert len(reviewer.asked) == 1


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(
            ("CHOICE: 3", 3),
            ("CHOICE: **3**", 3),
            ("Choice: 3", 3),
            ("CHOICE: attempt 3", 3),
            ("**CHOICE:** Attempt #3", 3),
        ),
        *(("CHOICE: -3", 1), ("CHOICE: 9", 1), ("Hm.", 1), ("Choices: 3", 1), ("CHOICE: 2", 1)),
    ],
)
async def test_choosing_compares_all_that_was_handed_in(text: str, number: int) -> None:
    attempts = Attempts(info("one"), info(""), info("three"))
    reviewer = judge(said(text))
    agent = retry(attempts, reviewer, kind="choose")
    assert (await agent.run("x")).number == number
    assert ("None was chosen: the reviewer's words have no `CHOICE: n`" in agent.error) is (number == 1)
    prompt = reviewer.asked[0][0]["content"]
    assert "Attempt 1:" in prompt
    assert "Attempt 3:" in prompt
    assert "Attempt 2:" not in prompt


async def test_the_budget_is_clipped_and_then_no_more_is_begun() -> None:
    agents = (AgentConfig(model=MODEL, limits=Limits(cost_usd=2.0)),)
    attempts = Attempts(info("one", 2.0), info("two", 0.8), info("three"))
    reviewer = judge(said("SCORE: 0.1", 0.2), said("SCORE: 0.3", 0.1), said("SCORE: 1"))
    agent = retry(attempts, reviewer, agents=agents, cost_usd=3.2, least_usd=0.5)
    assert (await agent.run("x")).number == 2
    assert [config.limits.cost_usd for config in attempts.made] == [2.0, pytest.approx(1.0)]
    assert (
        agent.error == "Attempt 3 was not begun: $0.10 is left, and `least_usd` in the file wants more for an attempt."
    )


async def test_what_limits_the_whole_limits_attempts_and_reviews() -> None:
    """The last attempt is cut short, and what was submitted before counts, without another call."""
    attempts = Attempts(info("one", 0.5), info("two", 0.5, "submitted (exit_cost)"), info("three"))
    reviewer = judge(said("Poor. SCORE: 0"), said("SCORE: 1"))
    agent = retry(attempts, reviewer)
    agent.meter = meter = Meter(Limits(cost_usd=1.0))
    agent.run_attempt = charging(attempts, meter)
    assert (await agent.run("x")).number == 1
    assert (len(attempts.made), len(reviewer.asked)) == (2, 1)
    assert agent.error.count("Stopped at the limit of $1.00") == 1
    assert agent.cut_short
    # As it is in a file, an attempt wants more than is left.
    agent = retry(Attempts(info("one")), judge(said("SCORE: 0")), least_usd=0.6)
    agent.meter = Meter(Limits(cost_usd=0.5))
    await agent.run("x")
    assert agent.error.startswith("Attempt 2 was not begun: $0.50 is left")


async def test_what_is_good_enough_was_not_cut_short() -> None:
    agent = retry(Attempts(info("one", 1.0, "submitted (exit_cost)")), judge(said("SCORE: 1")))
    await agent.run("x")
    assert not agent.cut_short


def test_a_configuration_needs_agents() -> None:
    with pytest.raises(ConfigError, match="at least one"):
        RetryConfig(agents=(), review=ReviewConfig(model=MODEL))
