"""A job with several attempts: each in a sandbox and a copy of the workspace of its own; the best one's files count."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from ..agent.config import AgentConfig, arguments_of
from ..agent.hooks import RunDone
from ..agent.limits import Limits, Meter
from ..agent.problem import stated
from ..agent.retrying import Attempt, RetryAgent, RetryConfig
from ..agent.shapes import AgentInfo
from ..agent.trajectory import LARGEST
from ..errors import CodeActError, ConfigError, KeyRefused
from ..files import by_descriptor, content_of, folder_in, write_atomically
from ..parts import open_model
from ..protocols import Model
from ..settings import Settings
from ..words import reason
from .cells import Reviewer
from .copying import copy_file
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
    retry, job = job.retry, job.prepare()
    problem = await stated(job.problem, job.name)
    attempts = _Attempts(replace(job, problem=problem), retry, settings, reviewer, listeners, meter)
    return await attempts.run(problem.statement)


def open_reviewer(retry: RetryConfig) -> Model:
    """The model that judges; those of the agents are looked at, too, before anything is spent. Raises ConfigError."""
    for config in retry.agents:
        arguments_of(config)
    return open_model(retry.review.model)


@dataclass
class _Attempts:
    """whole: limits all attempts and reviews together. results, ends: of the attempts so far, by number.

    more: what the best one's trajectory says beside its own.
    """

    job: Job
    retry: RetryConfig
    settings: Settings
    reviewer: Reviewer | None
    listeners: Sequence[Listener]
    whole: FlagMeter
    results: dict[int, Result] = field(default_factory=dict)
    ends: dict[int, RunDone] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    async def run(self, statement: str) -> Result:
        began = time.monotonic()
        model = await asyncio.to_thread(open_reviewer, self.retry)
        agent = RetryAgent(self.retry, self._attempt, model, FlagMeter(Limits(cost_usd=None), self.whole))
        try:
            best = await agent.run(statement)
        except (asyncio.CancelledError, KeyRefused, ConfigError) as error:
            # What was made before a Stop counts, and before it came out what only a person can mend.
            if agent.attempts:
                best = agent.best_so_far()
                result = self._chosen(best, agent, time.monotonic() - began)
                self._ended_early(result, best, error)
            raise
        return self._chosen(best, agent, time.monotonic() - began)

    async def _attempt(self, number: int, config: AgentConfig) -> AgentInfo:
        folder = self._folder(number)
        job, notes = self.job, self.settings.made
        place, known = fresh_workspace(folder / "work", job.workspace, job.named, notes, job.known)
        job = replace(job, config=config, workspace=place, known=known, folder=folder, retry=None, made=True)
        meter = AttemptMeter(config.limits, self.whole)

        def take(event: object) -> None:
            # What is on disk by now a cell may have written.
            if isinstance(event, RunDone):
                self.ends[number] = event

        listeners = (take, *self.listeners)
        result = await solve(job, self.settings, reviewer=self.reviewer, listeners=listeners, meter=meter)
        self.results[number] = result
        return self.ends[number].info

    def _folder(self, number: int) -> Path:
        names = self.job.folder.relative_to(self.job.named).parts
        return part_of(self.job.named, *names, f"attempt-{number}")

    def _chosen(self, best: Attempt, agent: RetryAgent, seconds: float) -> Result:
        """The best attempt's result, with its files beside the attempts, and what all of them and the reviews used."""
        all_of_them, review, own = list(self.results.values()), agent.meter.session, self.results[best.number]
        for attempt in agent.attempts:
            _amend(self.job.named, self.results[attempt.number], {"review": attempt.reviewed})
        files, lost = _copied(own.files, self.job)
        error = " ".join(filter(None, (own.error, agent.error, *lost)))
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
        self.more = agent.record(best) | ({"error": error} if error else {})
        _amend(self.job.named, result, self.more, attempts=agent.outline)
        return result

    def _ended_early(self, result: Result, best: Attempt, error: BaseException) -> None:
        """Say so in the trajectory, whose attempt had an end of its own, and to those who count ends."""
        status = error.exit_status if isinstance(error, CodeActError) else STOPPED
        made = result.exit_status.startswith("submitted")
        ended = {"exit_status": f"submitted ({status})" if made else status}
        more = ended | ({"error": str(error)} if str(error) else {})
        _amend(self.job.named, result, more)
        end, info = self.ends[best.number], {"review": best.reviewed, **self.more, **more}
        for listener in self.listeners:
            listener(RunDone(end.trajectory, cast(AgentInfo, {**end.info, **info})))


def _amend(out: Path, result: Result, more: dict[str, Any], **beside: Any) -> None:
    """Write ``more`` into the info of a result's trajectory, where there is one: a cell may have put anything there."""
    path = Path(result.files.get("trajectory", ""))
    with (
        contextlib.suppress(OSError, ValueError, LookupError, TypeError, RecursionError),
        folder_in(out, *path.relative_to(out).parts[:-1]) as folder,
    ):
        own = by_descriptor(folder) / path.name
        document = json.loads(content_of(own, own.parent, LARGEST).text) | beside
        document["info"] |= more
        write_atomically(own, json.dumps(document, ensure_ascii=False))


def _copied(files: dict[str, str], job: Job) -> tuple[dict[str, str], list[str]]:
    """Where a result's files lie now, beside the attempts, and what is wrong with others: a sentence each."""
    copied, lost = {}, []
    for kind, path in files.items():
        name, (*folders, _) = Path(path).name, Path(path).relative_to(job.named).parts
        try:
            with (
                folder_in(job.named, *folders) as source,
                folder_in(job.named, *job.folder.relative_to(job.named).parts) as target,
            ):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=target)
                copy_file(name, source, target)
            copied[kind] = str(job.folder / name)
        except OSError as error:
            where = f"{path} can't be copied to {job.folder}"
            lost.append(f"{where}: {reason(error)}; code in a sandbox may have put something else there.")
    return copied, lost
