"""A job with several attempts: each in a sandbox and a copy of the workspace of its own; the best one's files count."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..agent.config import AgentConfig, arguments_of
from ..agent.hooks import RunDone
from ..agent.limits import Limits, Meter
from ..agent.problem import stated
from ..agent.retrying import Attempt, RetryAgent, RetryConfig
from ..agent.shapes import AgentInfo
from ..agent.trajectory import read
from ..errors import CodeActError, ConfigError, KeyRefused
from ..files import write_atomically
from ..parts import open_model
from ..protocols import Model
from ..settings import Settings
from .cells import Reviewer
from .meter import AttemptMeter, FlagMeter
from .solve import Job, Listener, Result, solve
from .workspace import fresh_workspace, part_of

# How a run ends that its person stops.
STOPPED = "exit_stopped"


async def work_on(
    job: Job,
    settings: Settings,
    *,
    reviewer: Reviewer | None = None,
    listeners: Sequence[Listener] = (),
    total: Meter | None = None,
) -> Result:
    """``solve``, once or as often as the job says. ``total`` counts what several jobs use. Raises as ``solve`` does."""
    meter = FlagMeter(job.config.limits, total)
    if job.retry is None:
        return await solve(job, settings, reviewer=reviewer, listeners=listeners, meter=meter)
    job.prepare()
    problem = await stated(job.problem, job.name)
    attempts = _Attempts(replace(job, problem=problem), job.retry, settings, reviewer, listeners, meter)
    return await attempts.run(problem.statement)


def open_reviewer(retry: RetryConfig) -> Model:
    """The model that judges; those of the agents are looked at, too, before anything is spent. Raises ConfigError."""
    for config in retry.agents:
        arguments_of(config)
    return open_model(retry.review.model)


@dataclass
class _Attempts:
    """whole: limits all attempts and reviews together. results: of the attempts so far, by number."""

    job: Job
    retry: RetryConfig
    settings: Settings
    reviewer: Reviewer | None
    listeners: Sequence[Listener]
    whole: FlagMeter
    results: dict[int, Result] = field(default_factory=dict)

    async def run(self, statement: str) -> Result:
        began = time.monotonic()
        model = await asyncio.to_thread(open_reviewer, self.retry)
        agent = RetryAgent(self.retry, self._attempt, model, FlagMeter(Limits(cost_usd=None), self.whole))
        try:
            best = await agent.run(statement)
        except (asyncio.CancelledError, KeyRefused, ConfigError) as error:
            # What was made before a Stop counts, and before it came out what only a person can mend.
            if agent.attempts:
                result = self._chosen(agent.best_so_far(), agent, time.monotonic() - began)
                self._ended_early(result, error)
            raise
        return self._chosen(best, agent, time.monotonic() - began)

    async def _attempt(self, number: int, config: AgentConfig) -> AgentInfo:
        folder = self._folder(number)
        place = fresh_workspace(folder / "work", self.job.workspace, without=self.job.folder)
        job = replace(self.job, config=config, workspace=place, folder=folder, retry=None)
        meter = AttemptMeter(config.limits, self.whole)
        result = await solve(job, self.settings, reviewer=self.reviewer, listeners=self.listeners, meter=meter)
        self.results[number] = result
        info: AgentInfo = read(Path(result.files["trajectory"]))["info"]
        return info

    def _folder(self, number: int) -> Path:
        return part_of(self.job.folder, f"attempt-{number}")

    def _chosen(self, best: Attempt, agent: RetryAgent, seconds: float) -> Result:
        """The best attempt's result, with its files beside the attempts, and what all of them and the reviews used."""
        all_of_them, review, own = list(self.results.values()), agent.meter.session, self.results[best.number]
        error = " ".join(filter(None, (own.error, agent.error)))
        for attempt in agent.attempts:
            _amended(self.results[attempt.number], {"review": attempt.reviewed})
        files = {kind: str(_copied(path, self.job)) for kind, path in own.files.items()}
        result = replace(
            own,
            error=error,
            cost_usd=round(agent.spent_usd + agent.meter.session_usd, 6),
            cost_known=review.cost is not None and all(one.cost_known for one in all_of_them),
            tokens_sent=review.sent + sum(one.tokens_sent for one in all_of_them),
            tokens_received=review.received + sum(one.tokens_received for one in all_of_them),
            api_calls=review.calls + sum(one.api_calls for one in all_of_them),
            seconds=round(seconds, 1),
            files=files,
            choice=agent.choice(best),
            cut_short=agent.cut_short,
        )
        _amended(result, agent.record(best) | ({"error": error} if error else {}), attempts=agent.outline)
        return result

    def _ended_early(self, result: Result, error: BaseException) -> None:
        """Say so in the trajectory, whose attempt had an end of its own, and to those who count ends."""
        status = error.exit_status if isinstance(error, CodeActError) else STOPPED
        made = result.exit_status.startswith("submitted")
        ended = {"exit_status": f"submitted ({status})" if made else status}
        if document := _amended(result, ended | ({"error": str(error)} if str(error) else {})):
            for listener in self.listeners:
                listener(RunDone(document["trajectory"], document["info"]))


def _amended(result: Result, more: dict[str, Any], **beside: Any) -> dict[str, Any]:
    """Write ``more`` into the info of a result's trajectory; the document, {} where there is none to write."""
    path = Path(result.files.get("trajectory", ""))
    document: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        document = json.loads(path.read_text("utf-8")) | beside
        document["info"] |= more
        write_atomically(path, json.dumps(document, ensure_ascii=False))
    return document


def _copied(path: str, job: Job) -> Path:
    target = job.folder / Path(path).name
    # A link there would be written through.
    target.unlink(missing_ok=True)
    return Path(shutil.copy2(path, target))
