"""Puts the parts together for one kernel: configuration → model, agent, notebook, library, trajectory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

from . import config, words
from .agent.config import AgentConfig
from .agent.hooks import hooks_of
from .agent.ledger import Part, next_request
from .agent.limits import Meter
from .agent.loop import Agent
from .agent.problem import TextProblem
from .agent.templates import TemplateConfig, Templates
from .agent.tools import ToolConfig, ToolHandler
from .agent.trajectory import ReplayConfig
from .errors import ConfigError, ContextExceeded, NoModel, RunEnded, UsageError
from .events import ActionDone, CodeAction, Ran, Working
from .files import current_folder
from .finding import Finder, sources_of
from .models import litellm_model
from .models.catalog import is_local, open_model
from .models.scripted import shipped_scripts
from .notebook.live import LiveCells
from .notebook.plain import PlainCells
from .notebook.running import CellEnvironment
from .notebook.summary import Summary
from .notebook.syntax import transformed
from .parts import ModelConfig
from .protocols import AgentCell, Model, Notebook
from .sandbox.launch import Sandbox
from .settings import Settings
from .workshop import Workshop

NO_SANDBOX = "There is no sandbox: this code runs with your own rights (`JUPYTER_CODEACT_SANDBOX=none`)."
HUMAN_ALONE = (
    "`--model human` writes its actions in the cells that wait for you, and with `--review auto` none waits: "
    "write `--review ask`."
)


@dataclass(frozen=True)
class RunOptions:
    """What the flags of one `%%agent` say; None and "" leave it to the configuration.

    skills: those that are given with their sources. finds_skills: whether others are looked for.
    """

    model: str = ""
    review: str | None = None
    skills: tuple[str, ...] = ()
    finds_skills: bool = True
    max_steps: int | None = None
    step_timeout_s: float | None = None
    reasoning_effort: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    templates: str = ""


class Session:
    """One kernel's conversation and library."""

    def __init__(
        self, settings: Settings, notebook: Notebook, fresh: Callable[..., Sandbox] | None = None, name: str = ""
    ) -> None:
        self.settings = settings
        self.notebook = notebook
        # The Jupyter server says the notebook's name.
        name = name or os.path.basename(os.environ.get("JPY_SESSION_NAME", ""))
        self.config = config.load()
        self.skills = Workshop(settings, self.config, notebook.ran, fresh, name)
        self._complaints: set[str] = set()
        self.agent: Agent | None = None
        self.meter = Meter()
        self.limits = self.config.limits()
        self._config = AgentConfig(model=ModelConfig(name=""))

    # ---- a run

    async def run(self, cell: AgentCell, wishes: RunOptions, prompt: str) -> None:
        """One `%%agent` cell, from its prompt to the line under its answer."""
        if self._review(wishes) == "auto" and (wishes.model or self.config.model) == "human":
            raise UsageError(HUMAN_ALONE)
        run = secrets.token_hex(4)
        problem = TextProblem(prompt, run)
        self.skills.begin({"Run": run, "Model": wishes.model or self.config.model, "Prompt": prompt})
        finder = await self._finder(cell, wishes)
        summary = Summary()
        cells = self._cells(cell, run, summary, wishes)
        cell.lead(cells)
        if self.settings.sandbox == "none":
            _show(cell, NO_SANDBOX)
        try:
            cells.show(Working("thinking", "Getting ready"))
            await self._run(await self._agent(wishes), cells, summary, problem, finder)
        except asyncio.CancelledError:
            cells.close(summary.line(summary.stopped()))
            _show(cell, summary.left)
            raise
        except Exception:
            cells.close(summary.line("Stopped") if summary.steps else "")
            raise
        cells.close(summary.line("Stopped at a limit" if summary.limit else "Done"))
        _show(cell, summary.limit)
        self._complain(cell, finder.problem)

    async def _run(
        self, agent: Agent, cells: LiveCells | PlainCells, summary: Summary, problem: TextProblem, finder: Finder
    ) -> None:
        """Raises what ended the run, where that is an error and no limit: cells below must not run then."""
        statement = {"text": problem.statement, "id": problem.id}
        agent.replay_config = ReplayConfig(self._config.as_dict(), statement, {"sandbox": self.settings.sandbox})
        agent.listeners[1:] = [cells.show, summary.count, self._note, finder.note]
        agent.finder = finder
        go = agent.go_on if agent.history else agent.run
        try:
            await go(cells, problem, self.settings.runs / problem.id if self.config.record else None)
        finally:
            summary.unrecorded = agent.recorder.problem
            summary.offered, summary.used = finder.offered, tuple(finder.used)
            await asyncio.to_thread(finder.remember, self.skills.notebook)
        if agent.error is not None and not isinstance(agent.error, RunEnded):
            raise agent.error

    async def _finder(self, cell: AgentCell, wishes: RunOptions) -> Finder:
        """Raises SkillError for a skill that there isn't."""
        inside = CellEnvironment(cell).inside
        named = await sources_of(wishes.skills, self.skills.library, inside) if wishes.skills else {}
        before = [cell.source for cell in self.skills.ran()]
        return Finder(self.skills.search if wishes.finds_skills else None, named, before)

    def _complain(self, cell: AgentCell, problem: str) -> None:
        """Say once why skills are found less well than they could be."""
        if problem and problem not in self._complaints:
            self._complaints.add(problem)
            _show(cell, f"Skills were looked for by words alone. {problem}")

    def _cells(self, cell: AgentCell, run: str, summary: Summary, wishes: RunOptions) -> LiveCells | PlainCells:
        review = self._review(wishes)
        return LiveCells(cell, run, summary, review) if cell.attached else PlainCells(cell, review)

    def _review(self, wishes: RunOptions) -> str:
        return wishes.review or self.config.review

    async def _agent(self, wishes: RunOptions) -> Agent:
        """The conversation's agent, with the model, the limits and the texts of this run.

        A model is opened in a thread: litellm takes seconds to import, and Stop must not wait for it.
        """
        wanted = self._wanted(wishes)
        if self.agent is None or wanted.model != self._config.model:
            model = await asyncio.to_thread(_opened, wanted.model)
            self.agent = self.agent or self._new_agent(wanted, model)
            _check_goes_on(self.agent, model)
            self.agent.model = model
        self._config = wanted
        self.meter.limits = wanted.limits
        self.agent.tools.config = wanted.tools
        self.agent.templates.config = wanted.templates
        self.agent.max_requeries = wanted.max_requeries
        return self.agent

    def _new_agent(self, wanted: AgentConfig, model: Model) -> Agent:
        return Agent(
            templates=wanted.templates,
            tools=ToolHandler(wanted.tools, library=self.skills.editor, skills=self.skills.tool, transform=transformed),
            history_processors=wanted.history_processors,
            model=model,
            meter=self.meter,
            hooks=hooks_of(wanted.hooks),
        )

    def _wanted(self, wishes: RunOptions) -> AgentConfig:
        """The configuration, with what the flags of this run change in it."""
        own = self.config
        # Where none is configured a conversation goes on with the one that it has.
        present = self._config.model.name if self.agent is not None else ""
        folder = wishes.templates or own.templates
        return AgentConfig(
            model=replace(
                own.model_config(),
                name=wishes.model or own.model or present,
                temperature=own.temperature if wishes.temperature is None else wishes.temperature,
                max_tokens=wishes.max_tokens or own.max_tokens,
                reasoning_effort=wishes.reasoning_effort or own.reasoning_effort or None,
            ),
            templates=TemplateConfig.from_folder(Path(folder)) if folder else TemplateConfig(),
            tools=ToolConfig(timeout_s=wishes.step_timeout_s or own.step_timeout),
            limits=replace(self.limits, max_steps=wishes.max_steps or own.max_steps),
            max_requeries=own.max_requeries,
            hooks=tuple(own.hooks),
        )

    def _note(self, event: object) -> None:
        if isinstance(event, ActionDone) and isinstance(event.action, CodeAction) and isinstance(event.outcome, Ran):
            self.skills.last_actions += (event.action.id,)

    # ---- what the magics ask

    async def next_request(self, cell: AgentCell) -> list[Part]:
        """What the next prompt would send. Raises ConfigError, UsageError where it would."""
        agent = copy(self.agent or await self._agent(RunOptions()))
        wanted = self._wanted(RunOptions())
        # Another model may have been set since; one that answers by turns must not be opened anew.
        if wanted.model.name and wanted.model != self._config.model:
            agent.model = await asyncio.to_thread(_opened, wanted.model)
            _check_goes_on(self.agent, agent.model)
        # Those of the last run were for that run.
        agent.templates = agent.templates.of(wanted.templates)
        state = await CellEnvironment(cell).inside("state", names=[])
        if not agent.history:
            agent.templates.work = current_folder()
        state = state if isinstance(state, dict) else {}
        return next_request(agent, state, await Finder(self.skills.search).fields("", state))

    async def compact(self) -> bool:
        """Have the model sum up the older part of the conversation; False where there is nothing to sum up."""
        agent = self.agent
        if agent is None:
            return False
        exceeded = isinstance(agent.error, ContextExceeded)
        return await agent.compact(exceeded=exceeded, keep=0) is not None

    def names(self) -> tuple[list[str], list[str]]:
        """Skills and models, for Tab."""
        models = {self.config.model, *shipped_scripts(), *litellm_model.usable_models()} - {""}
        return [skill.name for skill in self.skills.library.list()], sorted(models)

    def reset(self) -> None:
        """Forget the conversation. Variables, cells and skills stay."""
        self.agent = None
        self.meter.start_conversation()

    def use_model(self, name: str) -> str:
        """Set the model of the next runs, if it can be opened; or say which it is."""
        if name:
            _opened(replace(self.config.model_config(), name=name))
            self.config.model = name
        return f"Model: **{self.config.model or 'none'}**"

    def use_review(self, mode: str) -> str:
        if mode:
            if mode not in ("ask", "auto"):
                raise ConfigError(f"`%agent review` is ask or auto, not {mode}.")
            self.config.review = mode
        meaning = {
            "ask": "you run each cell of the agent's",
            "auto": "the agent runs its cells in the sandbox",
        }
        return f"Review: **{self.config.review}** ({meaning[self.config.review]})"

    def status(self) -> str:
        messages = len(self.agent.history) if self.agent else 0
        lines = [
            f"Model: **{self.config.model or 'none'}**",
            f"Review: **{self.config.review}**",
            f"Sandbox: **{self.settings.sandbox}**, working folder {current_folder()}",
            f"Conversation: {words.plural(messages, 'message')}",
            f"Skills: {len(self.skills.library.list())} in {self.skills.library.own}",
        ]
        return "  \n".join(lines)

    def cost(self) -> str:
        now, both = self.meter.conversation, self.meter.session
        return (
            f"This conversation: **{words.usage(now)}**, {words.plural(now.calls, 'call')}  \n"
            f"This kernel: **{words.usage(both)}**, {words.plural(both.calls, 'call')}"
        )


def _opened(model: ModelConfig) -> Model:
    """The model. Raises ConfigError, in a notebook's words."""
    try:
        return open_model(model, Path())
    except NoModel as error:
        raise ConfigError(error.in_notebook) from None


def _check_goes_on(agent: Agent | None, model: Model) -> None:
    """One conversation is held in one way, to its end. Raises UsageError."""
    if agent is not None and agent.history and agent.model.takes_tools != model.takes_tools:
        how = "with tools, and {} is given none" if agent.model.takes_tools else "without tools, and {} has them"
        raise UsageError(
            f"This conversation was held {how.format(model.name)}: `%agent reset` begins another one. "
            "Variables, cells and skills stay."
        )


def _show(cell: AgentCell, text: str) -> None:
    if text:
        cell.display({"text/markdown": text, "text/plain": text})


def warm_up() -> None:
    """Import and make what a first run wants: our own things first, since litellm takes seconds where it is wanted."""
    Templates().system(tools=True)
    transformed("pass")
    with contextlib.suppress(ConfigError):
        if not is_local(config.load().model):
            litellm_model.warm_up()
