"""One problem, from its statement to files: sandbox, agent, notebook, trajectory, patch."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..agent.config import AgentConfig, arguments_of
from ..agent.limits import Meter
from ..agent.loop import Agent
from ..agent.problem import ProblemStatement, stated
from ..agent.retrying import RetryConfig
from ..agent.shapes import AgentInfo
from ..agent.tools import ToolHandler
from ..agent.trajectory import ReplayConfig
from ..errors import ConfigError, KeyRefused
from ..events import RanCell
from ..files import Identity, by_descriptor, folder_in, write_atomically
from ..finding import Finder, sources_of
from ..settings import Settings
from ..skills.editor import LibraryEditor
from ..skills.index import Index
from ..skills.library import Library
from ..skills.search import Search
from ..skills.tool import SkillTool
from .cells import HeadlessCells, Reviewer, SandboxHolds
from .kernel import SandboxKernel
from .meter import FlagMeter
from .record import NotebookRecord
from .trial import Opener, fresh_of, try_apart, try_skill
from .workspace import part_of

Listener = Callable[[object], None]
READABLE = 0o644


@dataclass(frozen=True)
class Job:
    """workspace: the working folder of the sandbox. folder: where the run's files go; the sandbox does not see it.

    retry: several attempts, each in a copy of the workspace; ``config`` is then that of the first, with the limits of
    all attempts and reviews together.
    skills: those whose sources the agent is given. finds_skills: whether others are looked for.
    no_patch: why no patch can be made, where that is known before.
    known: which folder the workspace is, whatever lies there by now. out: the folder that she named, which ``folder``
    lies in; None where it is that. made: whether the workspace was made for this job alone.
    """

    problem: ProblemStatement
    config: AgentConfig
    workspace: Path
    folder: Path
    retry: RetryConfig | None = None
    skills: tuple[str, ...] = ()
    finds_skills: bool = True
    no_patch: str = ""
    known: Identity | None = None
    out: Path | None = None
    made: bool = False

    @property
    def name(self) -> str:
        """What the run's files are called."""
        return re.sub(r"[^\w.-]+", "-", self.problem.id).strip("-.")[:80] or "task"

    @property
    def named(self) -> Path:
        """The folder that she named: those in it code in a sandbox may have put there."""
        return self.out or self.folder

    def prepare(self) -> Job:
        """Make the folder; from now on the workspace is known.

        Raises ConfigError where workspace or folder can't be what they should.
        """
        if not self.workspace.is_dir():
            raise ConfigError(f"There is no folder {self.workspace}: `--workspace` names one that is there.")
        if self.workspace.resolve() == self.folder.resolve():
            raise ConfigError(f"{self.folder} is the workspace itself: choose another `--out` for the run's files.")
        part_of(self.named, *self.folder.relative_to(self.named).parts)
        return replace(self, known=self.known or Identity.of(self.workspace))


@dataclass(frozen=True)
class Result:
    """How a run ended.

    cost_usd: what is known of it. seconds: of all. files: what it left, by kind. no_patch: why no patch is
    among them, where there is more to say than that nothing was changed, or what the patch lacks. choice: of several
    attempts which one this is, and why. cut_short: whether a limit kept it from more attempts or reviews.
    """

    id: str
    exit_status: str = "exit_error"
    answer: str = ""
    error: str = ""
    steps: int = 0
    cost_usd: float = 0.0
    cost_known: bool = True
    tokens_sent: int = 0
    tokens_received: int = 0
    api_calls: int = 0
    seconds: float = 0.0
    files: dict[str, str] = field(default_factory=dict)
    no_patch: str = ""
    choice: str = ""
    cut_short: bool = False

    @property
    def ok(self) -> bool:
        """Whether the agent itself said that it was done."""
        return self.exit_status == "submitted"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


async def solve(
    job: Job,
    settings: Settings,
    *,
    reviewer: Reviewer | None = None,
    listeners: Sequence[Listener] = (),
    meter: Meter | None = None,
) -> Result:
    """Work on a problem in a sandbox of its own, and write down what came of it, whatever that is.

    Cancelling it is a Stop: the files are written, and the cancellation goes on. Raises ConfigError, UsageError,
    SkillError and SandboxUnavailable, which only a person can mend; and KeyRefused, once all is written.
    """
    job = job.prepare()
    began = time.monotonic()
    library = Library(*map(Path, settings.libraries), history=settings.histories)
    problem = await stated(job.problem, job.name)
    with contextlib.closing(Index(settings.skill_index)) as index:
        search = Search(index, library.folders, notes=library.notes)
        # litellm takes seconds to import, and Ctrl-C must not wait for it.
        agent = await asyncio.to_thread(agent_of, job, settings, library, search, meter)
        agent.templates.folder = job.workspace
        agent.replay_config = ReplayConfig(
            job.config.as_dict(), {"text": problem.statement, "id": job.name}, {"workspace": str(job.workspace)}
        )
        record = NotebookRecord(job.name, problem.statement)
        agent.finder = finder = Finder(search if job.finds_skills else None)
        agent.listeners += [record, finder.note, *listeners]
        with folder_in(job.named, *job.folder.relative_to(job.named).parts) as folder:
            # A link that is put in its place meanwhile gets none of the files.
            held = by_descriptor(folder)
            try:
                async with SandboxKernel(opener(settings, job)) as kernel:
                    cells = HeadlessCells(kernel, reviewer or SandboxHolds())
                    finder.named = await sources_of(job.skills, library, cells.inside)
                    await agent.run(cells, problem, held)
            finally:
                files = {kind: str(job.folder / name) for kind, name in _write(held, job.name, record, agent).items()}
                finder.remember(job.name)
    if isinstance(agent.error, KeyRefused):
        raise agent.error
    return _result(job, agent.info, agent.steps, files, time.monotonic() - began)


def agent_of(job: Job, settings: Settings, library: Library, search: Search, meter: Meter | None = None) -> Agent:
    """The agent that a job's configuration describes, with the skill library's tools. Raises ConfigError."""
    arguments, config = arguments_of(job.config), job.config
    trial = partial(try_skill, opener(settings, job))
    # Nobody is asked whether a test may run: without a sandbox it does not.
    test = None if settings.sandbox == "none" else partial(try_apart, settings)
    arguments["tools"] = ToolHandler(
        config.tools,
        library=LibraryEditor(library, trial, job.workspace),
        skills=SkillTool(library, search, lambda: ran_in(agent), trial=trial, test=test, work=job.workspace),
        transform=arguments["tools"].transform,
    )
    agent = Agent(**arguments | {"meter": meter or FlagMeter(config.limits)})
    return agent


def ran_in(agent: Agent) -> tuple[list[RanCell], tuple[str, ...]]:
    """The run's cells, as the notebook that is written of it has them."""
    cells = [RanCell(n, cell.id, cell.source, cell.ok, True) for n, cell in enumerate(agent.accepted, start=1)]
    return cells, tuple(cell.cell_id for cell in cells)


def opener(settings: Settings, job: Job) -> Opener:
    """Opens a sandbox with the workspace as its working folder, and without the run's own files."""
    return fresh_of(settings, str(job.workspace), str(job.folder.resolve()), known=job.known, made=job.made)


def _write(folder: Path, name: str, record: NotebookRecord, agent: Agent) -> dict[str, str]:
    """The notebook and the patch, beside the trajectory; a full disk takes nothing else away. Names by kind."""
    files: dict[str, str] = {}
    patch = agent.info.get("patch") or ""
    with contextlib.suppress(OSError):
        record.notebook.save(folder / f"{name}.ipynb")
        files["notebook"] = f"{name}.ipynb"
        path = folder / f"{name}.patch"
        # That of a run before, in the same folder, is not this one's.
        path.unlink(missing_ok=True)
        if patch:
            write_atomically(path, patch, READABLE)
            files["patch"] = path.name
    if agent.traj_path is not None and agent.traj_path.exists():
        files["trajectory"] = agent.traj_path.name
    return files


def _result(job: Job, info: AgentInfo, steps: int, files: dict[str, str], seconds: float) -> Result:
    stats: dict[str, Any] = info.get("model_stats") or {}
    return Result(
        job.name,
        str(info.get("exit_status") or "exit_error"),
        info.get("answer") or "",
        info.get("error") or "",
        steps,
        stats.get("instance_cost", 0.0),
        bool(stats.get("cost_known", True)),
        stats.get("tokens_sent", 0),
        stats.get("tokens_received", 0),
        stats.get("api_calls", 0),
        round(seconds, 1),
        files,
        info.get("no_patch") or ("" if "patch" in files else job.no_patch),
    )
