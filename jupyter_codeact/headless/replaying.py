"""A trajectory's actions once more, in a fresh sandbox, and whether the same cells came of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path

from .. import words
from ..agent.config import AgentConfig, checked
from ..agent.limits import Limits
from ..agent.problem import TextProblem
from ..agent.tools import RUN, SUBMIT, ToolConfig, ToolHandler
from ..errors import ConfigError, Unreadable
from ..events import ActionDone, CodeAction, EditAction, Edited
from ..files import temporary
from ..models.replay import foreign_command
from ..parts import ModelConfig, code_transform
from ..records.steps import SHELL, Record, RecordedStep, read_record
from ..settings import Settings
from ..skills.files import lies_in
from ..words import reason
from .cells import YesToAll
from .solve import Job, Listener, Result, solve
from .workspace import fresh_workspace


@dataclass(frozen=True)
class Outcome:
    """before, after: the cells that ran then and now. left_out: how many actions there is nothing here to run with.

    edits: how many there were. not_made: how many of them were made then, and could not be now. no_files: whether it
    began with an empty folder.
    """

    result: Result
    before: list[str]
    after: list[str]
    left_out: int = 0
    edits: int = 0
    not_made: int = 0
    no_files: bool = False

    @property
    def same(self) -> bool:
        return self.before == self.after

    @property
    def verdict(self) -> str:
        """In a sentence, or some."""
        said = [self._compared]
        if self.left_out:
            were = "was" if self.left_out == 1 else "were"
            actions = words.plural(len(self.before) + self.left_out, "action")
            said.append(f"{len(self.after)} of {actions} ran; {self.left_out} {were} left out.")
        if self.not_made:
            said.append(f"{self.not_made} of {words.plural(self.edits, 'edit')} could not be made.")
        if self.not_made and self.no_files:
            said.append("The folder was empty at first: `--workspace DIR` names the files that the run began with.")
        return " ".join(said)

    @property
    def _compared(self) -> str:
        if self.same:
            return f"The same {words.plural(len(self.after), 'cell')} ran."
        pairs = zip(self.before, self.after, strict=False)
        equal = next((n for n, (then, now) in enumerate(pairs) if then != now), min(len(self.before), len(self.after)))
        return f"Of {words.plural(len(self.before), 'cell')} {equal} ran as before; {len(self.after)} ran in all."


@dataclass(frozen=True)
class Replay:
    """problems: what of it can't be replayed here, a sentence each."""

    record: Record
    tools: ToolConfig
    problems: list[str]

    @classmethod
    def of(cls, path: Path) -> Replay:
        """Raises ConfigError where it is no trajectory, or its configuration is none."""
        record = read_record(path)
        tools = replace(_tools(record), submits=any(step.tool == SUBMIT for step in record.steps))
        handler = ToolHandler(tools, library=None, transform=code_transform())
        problems = [problem for step in record.steps if (problem := _problem(step, handler))]
        return cls(record, tools, problems)

    @property
    def about(self) -> str:
        """``12 steps, 9 cells``."""
        return f"{words.plural(self.record.count, 'step')}, {words.plural(len(self.cells), 'cell')}"

    @property
    def cells(self) -> list[str]:
        """What is to run."""
        return [source for step in self.record.steps if (source := _cell(step))]

    async def run(self, settings: Settings, workspace: Path | None, out: Path, *listeners: Listener) -> Outcome:
        """Into ``out``: notebook, trajectory, and ``work``, a copy of the workspace. Raises as ``solve`` does."""
        path = self.record.path.resolve()
        config = AgentConfig(
            model=ModelConfig(name=f"replay/{path}"),
            tools=self.tools,
            limits=Limits(max_steps=None, cost_usd=None),
        )
        place, known = fresh_workspace(out / "work", workspace, out, settings.made)
        problem = TextProblem(self.record.problem or f"Replay of {path.name}", path.stem)
        job = Job(problem, config, place, out, known=known, made=True)
        edits = _Edits()
        with _with_a_copy_of_the_library(settings) as own:
            result = await solve(job, own, reviewer=YesToAll(), listeners=[*listeners, edits])
        left_out = sum(bool(_left_out(step)) for step in self.record.steps)
        cells = read_record(Path(result.files["trajectory"])).cells
        not_made = edits.not_made(step.observation for step in self.record.steps if step.is_edit)
        return Outcome(result, self.cells, cells, left_out, len(edits.made), not_made, workspace is None)


class _Edits:
    """A listener: what became of each edit."""

    def __init__(self) -> None:
        self.made: list[Edited] = []

    def __call__(self, event: object) -> None:
        match event:
            case ActionDone(EditAction(), Edited() as edited):
                self.made.append(edited)
            case _:
                pass

    def not_made(self, before: Iterable[str]) -> int:
        """How many failed that did not fail in the same way ``before``, by what was told of each then."""
        pairs = zip_longest(self.made, before)
        return sum(now is not None and not now.ok and now.text.strip() != (then or "").strip() for now, then in pairs)


def _tools(record: Record) -> ToolConfig:
    agent = record.replay_config.get("agent")
    found = agent.get("tools") if isinstance(agent, dict) and record.is_ours else None
    return ToolConfig() if found is None else checked(ToolConfig, found, f"{record.path}, replay_config")


def _cell(step: RecordedStep) -> str:
    if step.tool == SHELL and not foreign_command(step.action):
        return f"%%bash\n{step.action}"
    return step.action if step.is_cell else ""


def _left_out(step: RecordedStep) -> str:
    """The command of SWE-agent's own that a step is, other than the run's end; "" for any other step."""
    command = foreign_command(step.action) if step.tool == SHELL else ""
    return "" if command == SUBMIT else command


def _problem(step: RecordedStep, handler: ToolHandler) -> str:
    """Why a step can't be replayed; "" where it can, or where nothing ran."""
    if command := _left_out(step):
        return f"Step {step.number}: `{command}` is a command of SWE-agent's own."
    if step.tool == RUN and step.is_cell:
        try:
            handler.check([CodeAction("", step.number, step.action)])
        except Unreadable as error:
            return f"Step {step.number}: {error}"
    return ""


@contextmanager
def _with_a_copy_of_the_library(settings: Settings) -> Iterator[Settings]:
    """A replay changes skills as the run did: those of a copy, which ends with it."""
    # Not in ``out``, where a cell may put a link in its place.
    with temporary("replay") as root:
        own = settings._replace(root=Path(root), hidden=(*settings.hidden, str(settings.root)))
        try:
            for before, after in zip(_writable(settings), _writable(own), strict=True):
                if before.is_dir():
                    shutil.copytree(before, after, symlinks=True, ignore=partial(_leading_out, before))
        except OSError as error:
            raise ConfigError(f"The skill library can't be copied to {root}: {reason(error)}.") from None
        yield own


def _writable(settings: Settings) -> tuple[Path, Path]:
    """All others are only read, and where they are."""
    return settings.private_skills, settings.shared_skills


def _leading_out(library: Path, parent: str, names: list[str]) -> list[str]:
    """The links in a folder of the library that lead out of it: they are no skills."""
    return [name for name in names if not lies_in(library, Path(parent, name))]
