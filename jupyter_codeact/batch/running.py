"""The workers of a batch."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..agent.config import AgentConfig, arguments_of
from ..agent.hooks import ActionStarted, RunDone
from ..agent.limits import Limits
from ..agent.problem import FileProblem, ProblemStatement, TextProblem
from ..agent.retrying import RetryConfig
from ..errors import CodeActError, ConfigError, KeyRefused, OutOfBudget
from ..events import ActionDone, Usage, UsageSeen, Working
from ..files import Identity
from ..headless.attempts import open_reviewer, work_on
from ..headless.meter import FlagMeter
from ..headless.solve import Job, Result
from ..headless.workspace import beyond, fresh_workspace, part_of
from ..settings import Settings
from .problems import Entry
from .results import forget, is_final, read_result, write_result, write_summary


@dataclass
class Progress:
    """How far a problem is. state: "waiting", what is being done now, or "done before", "done", "not begun".

    ended: how its run ended, also where it was stopped and has no result. changed: whether it was done before, and
    something else was asked then.
    """

    id: str
    state: str = "waiting"
    steps: int = 0
    usage: Usage = field(default_factory=Usage)
    began: float | None = None
    result: Result | None = None
    ended: str = ""
    changed: bool = False

    def __call__(self, event: object) -> None:
        """Hear an event of the run."""
        match event:
            case Working(_, text):
                self.state = text
            case UsageSeen(usage):
                self.usage = usage
            case ActionStarted():
                self.state = "Running code"
            case ActionDone():
                self.steps += 1
            case RunDone(_, info):
                self.ended = str(info["exit_status"] or "exit_stopped")
            case _:
                pass


class Batch:
    """Works on problems with several workers, and goes on where an earlier one stopped.

    total_usd: what all may cost together, with what earlier ones of the same folder did cost. issue: makes a problem
    of an issue's address. skills: names of those that agents are given, and whether others are looked for. told: hears
    of each problem that has ended. Raises ConfigError where ``out`` can't be a folder, or a workspace is none.
    """

    def __init__(
        self,
        entries: list[Entry],
        config: AgentConfig,
        settings: Settings,
        out: Path,
        *,
        retry: RetryConfig | None = None,
        skills: tuple[tuple[str, ...], bool] = ((), True),
        redo: bool = False,
        total_usd: float | None = None,
        issue: Callable[[str], ProblemStatement],
        told: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.entries = entries
        self.progress = [Progress(entry.id) for entry in entries]
        self.total = FlagMeter(Limits(cost_usd=None, session_cost_usd=total_usd))
        self._config, self._retry, self._skills = config, retry, skills
        self._settings = settings
        self._out = out
        self._issue = issue
        self._told = told
        # Of the workspaces, which folders they are: their turn may come hours later.
        self._known: dict[str, Identity] = {}
        self._due = self._begin(redo)
        part_of(out)

    @property
    def results(self) -> list[Result]:
        return [one.result for one in self.progress if one.result is not None]

    @property
    def ok(self) -> bool:
        """Whether every problem was submitted by its agent."""
        return all(one.result is not None and one.result.ok for one in self.progress)

    async def run(self, workers: int) -> None:
        """Until all are done. Cancelling it stops what runs; what is done stays done.

        Raises ConfigError and KeyRefused.
        """
        # What is wrong with the model is wrong for all of them.
        if self._retry is None:
            await asyncio.to_thread(arguments_of, self._config)
        else:
            await asyncio.to_thread(open_reviewer, self._retry)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(workers, len(self.entries))):
                    group.create_task(self._work())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            self._summarize()

    def _begin(self, redo: bool) -> Iterator[tuple[Entry, Progress]]:
        due = []
        for entry, progress in zip(self.entries, self.progress, strict=True):
            result, asked = (None if redo else read_result(self._out, entry.id)) or (None, "")
            if result is not None and asked == entry.asked:
                progress.result, progress.state = result, "done before"
                self.total.charge(Usage(cost=result.cost_usd))
            elif entry.workspace is not None and not entry.workspace.is_dir():
                raise ConfigError(
                    f"There is no folder {entry.workspace}, which the problem {entry.id} names as its workspace."
                )
            else:
                if entry.workspace is not None:
                    self._known[entry.id] = Identity.of(entry.workspace)
                progress.changed = result is not None
                due.append((entry, progress))
        return iter(due)

    async def _work(self) -> None:
        for entry, progress in self._due:
            try:
                self.total.check()
            except OutOfBudget:
                progress.state = "not begun"
                continue
            progress.began, progress.state, progress.ended = time.monotonic(), "Starting", "exit_stopped"
            progress.result = await self._solved(entry, progress)
            progress.state = "done"
            self._told(progress)
            self._summarize()

    async def _solved(self, entry: Entry, progress: Progress) -> Result:
        try:
            folder = part_of(self._out, entry.id)
            forget(self._out, entry.id)
            before, notes = self._known.get(entry.id), self._settings.made
            place, known = fresh_workspace(folder / "work", entry.workspace, self._out, notes, before)
            no_patch = beyond(entry.workspace) if entry.workspace else ""
            job = Job(
                self._problem(entry),
                self._config,
                place,
                folder,
                self._retry,
                *self._skills,
                no_patch,
                known=known,
                out=self._out,
                made=True,
            )
            result = await work_on(job, self._settings, listeners=[progress], total=self.total)
            if is_final(result) and not self._cut_short(result):
                write_result(self._out, entry.id, result, entry.asked)
        except KeyRefused:
            # So it would be for every other.
            raise
        except CodeActError as error:
            return Result(entry.id, error=str(error))
        except Exception as error:  # noqa: BLE001  a boundary: whatever is wrong with one, the others go on
            return Result(entry.id, error=f"{type(error).__name__}: {error}")
        return result

    def _cut_short(self, result: Result) -> bool:
        """It was the limit of all together that ended it: with a higher one it goes on."""
        try:
            self.total.check()
        except OutOfBudget:
            return result.cut_short or "exit_cost" in result.exit_status
        return False

    def _problem(self, entry: Entry) -> ProblemStatement:
        if entry.text is not None:
            return TextProblem(entry.text, entry.id)
        if entry.file is not None:
            return _Named(FileProblem(entry.file), entry.id)
        assert entry.issue is not None
        return _Named(self._issue(entry.issue), entry.id)

    def _summarize(self) -> None:
        with contextlib.suppress(OSError):
            write_summary(self._out, self.results)


@dataclass(frozen=True)
class _Named:
    """A problem under the entry's id."""

    problem: ProblemStatement
    id: str

    @property
    def extra_fields(self) -> dict[str, object]:
        return self.problem.extra_fields

    async def text(self) -> str:
        return await self.problem.text()
