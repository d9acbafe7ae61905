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

from ..agent.config import AgentConfig
from ..agent.hooks import RunDone
from ..agent.limits import Limits, Meter
from ..agent.problem import stated
from ..agent.retrying import Attempt, RetryAgent
from ..agent.shapes import AgentInfo
from ..agent.trajectory import read
from ..files import write_atomically
from ..parts import open_model
from ..settings import Settings
from .cells import Reviewer
from .meter import FlagMeter
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
    if job.retry is None:
        meter = FlagMeter(job.config.limits, total)
        return await solve(job, settings, reviewer=reviewer, listeners=listeners, meter=meter)
    job.prepare()
    problem = await stated(job.problem, job.name)
    attempts = _Attempts(replace(job, problem=problem), settings, reviewer, listeners, total)
    return await attempts.run(problem.statement)


@dataclass
class _Attempts:
    """results: of the attempts so far, by number."""

    job: Job
    settings: Settings
    reviewer: Reviewer | None
    listeners: Sequence[Listener]
    total: Meter | None
    results: dict[int, Result] = field(default_factory=dict)

    async def run(self, statement: str) -> Result:
        began, retry = time.monotonic(), self.job.retry
        assert retry is not None
        model = await asyncio.to_thread(open_model, retry.review.model)
        meter = FlagMeter(Limits(cost_usd=None), self.total)
        agent = RetryAgent(retry, self._attempt, model, meter)
        try:
            best = await agent.run(statement)
        except asyncio.CancelledError:
            # What was made before a Stop counts.
            if agent.attempts:
                self._stopped(self._chosen(agent.best_so_far(), agent, time.monotonic() - began))
            raise
        return self._chosen(best, agent, time.monotonic() - began)

    async def _attempt(self, number: int, config: AgentConfig) -> AgentInfo:
        folder = part_of(self.job.folder, f"attempt-{number}")
        place = fresh_workspace(folder / "work", self.job.workspace, without=self.job.folder)
        job = replace(self.job, config=config, workspace=place, folder=folder, retry=None)
        meter = FlagMeter(config.limits, self.total)
        result = await solve(job, self.settings, reviewer=self.reviewer, listeners=self.listeners, meter=meter)
        self.results[number] = result
        info: AgentInfo = read(Path(result.files["trajectory"]))["info"]
        return info

    def _chosen(self, best: Attempt, agent: RetryAgent, seconds: float) -> Result:
        """The best attempt's result, with its files beside the attempts, and what all of them and the reviews used."""
        all_of_them, review = list(self.results.values()), agent.meter.session
        files = {kind: str(_copied(path, self.job)) for kind, path in self.results[best.number].files.items()}
        return replace(
            self.results[best.number],
            error=self.results[best.number].error or agent.error,
            cost_usd=round(agent.spent_usd + agent.meter.session_usd, 6),
            cost_known=review.cost is not None and all(one.cost_known for one in all_of_them),
            tokens_sent=review.sent + sum(one.tokens_sent for one in all_of_them),
            tokens_received=review.received + sum(one.tokens_received for one in all_of_them),
            api_calls=review.calls + sum(one.api_calls for one in all_of_them),
            seconds=round(seconds, 1),
            files=files,
        )

    def _stopped(self, result: Result) -> None:
        """Say so in the trajectory, whose attempt had an end of its own, and to those who count ends."""
        path = Path(result.files.get("trajectory", ""))
        with contextlib.suppress(OSError, ValueError):
            document = json.loads(path.read_text("utf-8"))
            made = str(document["info"]["exit_status"]).startswith("submitted")
            document["info"]["exit_status"] = f"submitted ({STOPPED})" if made else STOPPED
            write_atomically(path, json.dumps(document, ensure_ascii=False))
            for listener in self.listeners:
                listener(RunDone(document["trajectory"], document["info"]))


def _copied(path: str, job: Job) -> Path:
    target = job.folder / Path(path).name
    # A link there would be written through.
    target.unlink(missing_ok=True)
    return Path(shutil.copy2(path, target))
