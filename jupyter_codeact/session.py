"""Puts the parts together for one kernel: configuration → model, agent, notebook, library, trajectory."""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from . import config, words
from .agent.loop import Agent, Limits
from .agent.prompts import Prompts
from .agent.trajectory import Trajectory
from .errors import CodeActError, ConfigError
from .events import ActionDone, CodeAction, Ran, RanCell, Usage, Working
from .models.catalog import ModelOptions, open_model
from .models.scripted import shipped_scripts
from .notebook.live import LiveCells
from .notebook.plain import PlainCells
from .notebook.summary import Summary
from .notebook.syntax import problem_in
from .protocols import AgentCell, Notebook
from .settings import Settings
from .skills.editor import LibraryEditor
from .skills.library import Library

NO_SANDBOX = "There is no sandbox: this code runs with your own rights (`JUPYTER_CODEACT_SANDBOX=none`)."


@dataclass(frozen=True)
class RunOptions:
    """What the flags of one `%%agent` say; None and "" leave it to the configuration."""

    model: str = ""
    review: str | None = None
    skills: tuple[str, ...] = ()
    max_steps: int | None = None
    step_timeout_s: float | None = None
    reasoning_effort: str | None = None
    temperature: float | None = None


class Session:
    """One kernel's conversation and library."""

    def __init__(self, settings: Settings, notebook: Notebook) -> None:
        self.settings = settings
        self.notebook = notebook
        self.config = config.load()
        self.library = Library(settings.private_skills, settings.shared_skills)
        self.editor = LibraryEditor(self.library)
        self.agent: Agent | None = None
        self.spent_before = Usage()
        self.last_actions: tuple[str, ...] = ()
        self._model_key: tuple[str, ModelOptions] | None = None

    # ---- a run

    async def run(self, cell: AgentCell, wishes: RunOptions, prompt: str) -> None:
        """One `%%agent` cell, from its prompt to the line under its answer."""
        skills = [(name, self.library.get(name).source) for name in wishes.skills]
        run = secrets.token_hex(4)
        used = self.agent.usage if self.agent else Usage()
        summary = Summary(wishes.skills, used)
        cells = self._cells(cell, run, summary, wishes)
        cell.lead(cells)
        if self.settings.sandbox == "none":
            cell.display({"text/markdown": NO_SANDBOX, "text/plain": NO_SANDBOX})
        trajectory: Trajectory | None = None
        try:
            cells.show(Working("thinking", "Getting ready"))
            agent = await self._agent(wishes, cells)
            library = [skill.name for skill in self.library.list() if skill.name not in wishes.skills]
            trajectory = self._trajectory(run, prompt, agent)
            async for event in agent.run(agent.prompts.task(prompt, skills, library)):
                cells.show(event)
                summary.count(event)
                self._note(event)
                trajectory.note(event)
        except asyncio.CancelledError:
            if self.agent is not None and self.agent.stopped is not None and trajectory is not None:
                summary.interrupted = True
                summary.count(self.agent.stopped)
                trajectory.note(self.agent.stopped)
            cells.close(summary.line(summary.stopped()))
            raise
        except CodeActError as error:
            cells.close(summary.line("Stopped") if summary.steps else "")
            if trajectory is not None:
                trajectory.end(type(error).__name__)
            raise
        finally:
            if trajectory is not None:
                trajectory.save()
        cells.close(summary.line("Stopped at a limit" if summary.limit else "Done"))
        if summary.limit:
            cell.display({"text/markdown": summary.limit, "text/plain": summary.limit})

    def _cells(self, cell: AgentCell, run: str, summary: Summary, wishes: RunOptions) -> LiveCells | PlainCells:
        review = wishes.review or self.config.review
        timeout_s = wishes.step_timeout_s or self.config.step_timeout
        if cell.attached:
            return LiveCells(cell, run, summary, review, timeout_s)
        return PlainCells(cell, review, timeout_s)

    async def _agent(self, wishes: RunOptions, cells: LiveCells | PlainCells) -> Agent:
        """The conversation's agent, with the model and the limits of this run.

        A model is opened in a thread: litellm takes seconds to import, and Stop must not wait for it.
        """
        options = ModelOptions(
            api_base=self.config.api_base or None,
            temperature=self.config.temperature if wishes.temperature is None else wishes.temperature,
            reasoning_effort=wishes.reasoning_effort or self.config.reasoning_effort or None,
            max_tokens=self.config.max_tokens,
            tool_calls=self.config.tool_calls,
        )
        key = (wishes.model or self.config.model, options)
        limits = Limits(wishes.max_steps or self.config.max_steps, self.config.max_requeries)
        if self.agent is None:
            self.last_actions = ()
            prompts = Prompts(os.getcwd())
            model = await asyncio.to_thread(open_model, *key, Path.cwd())
            self.agent = Agent(
                model=model, cells=cells, editor=self.editor, prompts=prompts, limits=limits, check=problem_in
            )
        elif key != self._model_key:
            self.agent.model = await asyncio.to_thread(open_model, *key, Path.cwd())
        self._model_key = key
        self.agent.cells, self.agent.limits = cells, limits
        self.last_actions = ()
        return self.agent

    def _trajectory(self, run: str, prompt: str, agent: Agent) -> Trajectory:
        folder = self.settings.runs / run if self.config.record else None
        return Trajectory(folder, run, prompt, agent)

    def _note(self, event: object) -> None:
        if isinstance(event, ActionDone) and isinstance(event.action, CodeAction) and isinstance(event.outcome, Ran):
            self.last_actions += (event.action.id,)

    # ---- what the magics ask

    def ran(self) -> list[RanCell]:
        return self.notebook.ran()

    def names(self) -> tuple[list[str], list[str]]:
        """Skills and models, for Tab."""
        models = {self.config.model, *shipped_scripts()} - {""}
        return [skill.name for skill in self.library.list()], sorted(models)

    def reset(self) -> None:
        """Forget the conversation. Variables, cells and skills stay."""
        if self.agent is not None:
            self.spent_before += self.agent.usage
        self.agent = None
        self._model_key = None

    def use_model(self, name: str) -> str:
        """Set the model of the next runs, if it can be opened; or say which it is."""
        if name:
            open_model(name, ModelOptions(api_base=self.config.api_base or None), Path.cwd())
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
        messages = len(self.agent.history.messages) if self.agent else 0
        lines = [
            f"Model: **{self.config.model or 'none'}**",
            f"Review: **{self.config.review}**",
            f"Sandbox: **{self.settings.sandbox}**, working folder {os.getcwd()}",
            f"Conversation: {words.plural(messages, 'message')}",
            f"Skills: {len(self.library.list())} in {self.library.own}",
        ]
        return "  \n".join(lines)

    def cost(self) -> str:
        now = self.agent.usage if self.agent else Usage()
        both = self.spent_before + now
        return (
            f"This conversation: **{words.usage(now)}**, {words.plural(now.calls, 'call')}  \n"
            f"This kernel: **{words.usage(both)}**, {words.plural(both.calls, 'call')}"
        )
