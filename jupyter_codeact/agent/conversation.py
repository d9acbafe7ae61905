"""What an agent remembers: history, trajectory, facts about the run; and who hears of it."""

from __future__ import annotations

import logging
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import ConfigError
from ..events import Action, EditAction, Edited, Event, Usage, UsageSeen
from ..protocols import Environment, Finder, Model
from .acting import Streaks, state_of
from .context import context_of, named_in
from .demonstrations import demonstration_messages
from .editing import place_of
from .history import open_calls, result_message, text_message
from .hooks import AbstractAgentHook, AttemptSetUp, Hooks, MessageAdded, Moment, SetupDone, ToolsInstallationStarted
from .limits import Meter
from .pictures import without_pictures
from .problem import ProblemStatement
from .processors import Processor, squeezed
from .shapes import AgentInfo, Message, StepOutput, Trajectory, model_stats
from .submission import Accepted, accepted_in, may_have_changed
from .templates import TemplateConfig, Templates
from .tools import ToolHandler
from .trajectory import Recorder, ReplayConfig, trajectory_step

# Everything that an agent logs; people set its level and handlers.
LOGGER = logging.getLogger(__package__)
Listener = Callable[[Event | Moment], None]
TOLD_IN_OURS = "The model is told in our own words what came of the action."


class Conversation:
    """The part of an Agent that does not act; see Agent for its parameters.

    history: every message, oldest first; it only grows. trajectory, info: of the present run.
    listeners: called with every event and moment, in order; they must not block.
    accepted: cells that ran in this run. acted: whether anything was done in the working folder.
    nonce: the run's own secret. error: what ended it early.
    last_request: tokens of the newest request and its reply. squeezed: how many of its messages are sent with short
    outputs, since they no longer fitted. current: the step that is being made.
    steps: actions of this run so far. finder: what finds skills for a prompt; None where nothing does.
    logger: what a developer wants to know: queries made again, and how runs end.
    """

    def __init__(
        self,
        *,
        templates: TemplateConfig,
        tools: ToolHandler,
        history_processors: Sequence[Processor],
        model: Model,
        name: str,
        meter: Meter | None,
    ) -> None:
        self.templates = Templates(templates)
        self.tools = tools
        self.history_processors = list(history_processors)
        self.model = model
        self.name = name
        self.meter = meter or Meter()
        self.hooks = Hooks()
        self.listeners: list[Listener] = [self.hooks]
        self.recorder = Recorder()
        self.finder: Finder | None = None
        self.logger = LOGGER
        self.history: list[Message] = []
        self.last_request = self.squeezed = 0
        self.problem_statement: ProblemStatement | None = None
        self._environment: Environment | None = None
        self._replay_config: ReplayConfig | None = None
        self._attempts = 0
        self.start_run(None)

    def start_run(self, output_dir: Path | None) -> None:
        """Forget the last run, but not the conversation."""
        self.info: AgentInfo = {"exit_status": None, "submission": None, "versions": {"jupyter_codeact": __version__}}
        self.trajectory: Trajectory = []
        name = self.problem_statement.id if self.problem_statement else "run"
        self.traj_path = output_dir / f"{name}.traj" if output_dir else None
        self.recorder.begin(len(self.history))
        limits = self.meter.limits
        self.streaks = Streaks(limits.timeouts, limits.deaths, limits.execution_s)
        self.meter.start_run()
        self.nonce = secrets.token_hex(8)
        self.accepted: list[Accepted] = []
        self.acted = False
        self.error: Exception | None = None
        self.current: StepOutput | None = None
        self.steps = 0
        self.pending: deque[Action] = deque()
        self._images: list[dict[str, Any]] = []
        self._known_state: dict[str, Any] = {}
        self._start_counting()

    # ---- what it knows

    @property
    def messages(self) -> list[Message]:
        """The history of this agent, passed through the processors in order: what the next query sends."""
        return self.processed([message for message in self.history if message["agent"] == self.name])

    def processed(self, messages: list[Message]) -> list[Message]:
        messages = squeezed(messages, self.squeezed) if self.squeezed else messages
        for processor in self.history_processors:
            messages = processor(messages)
        # The model may be another one than those that saw them.
        return messages if self.model.sees_images else without_pictures(messages)

    @property
    def usage(self) -> Usage:
        """What the conversation has used."""
        return self.meter.conversation

    @property
    def environment(self) -> Environment:
        if self._environment is None:
            raise RuntimeError("There is no environment yet: call setup first.")
        return self._environment

    @property
    def replay_config(self) -> ReplayConfig | None:
        """What is needed to run the same thing again. A dict is checked when it is assigned."""
        return self._replay_config

    @replay_config.setter
    def replay_config(self, value: ReplayConfig | dict[str, Any] | None) -> None:
        self._replay_config = ReplayConfig.of(value)

    # ---- who listens

    def add_hook(self, hook: AbstractAgentHook) -> None:
        self.hooks.add(hook, self)

    def emit(self, event: Event | Moment) -> None:
        for listener in self.listeners:
            listener(event)

    def charge(self, used: Usage) -> None:
        """Count what a reply, good or void, has used."""
        self.meter.charge(used)
        self._step_used += used
        self._step_usd += used.cost or 0.0
        self.emit(UsageSeen(self.usage, self.meter.run))

    def _start_counting(self) -> None:
        """What is charged from now on belongs to the next step of the trajectory."""
        self._step_used, self._step_usd = Usage(), 0.0

    # ---- setting up

    async def setup(
        self, env: Environment, problem_statement: ProblemStatement, output_dir: Path | None = Path()
    ) -> None:
        """A new conversation about ``problem_statement``. ``output_dir`` gets the trajectory; None records nothing."""
        self._environment, self.problem_statement = env, problem_statement
        self.history, self.squeezed, self._attempts = [], 0, 0
        self.meter.start_conversation()
        self.start_run(output_dir)
        self.emit(ToolsInstallationStarted())
        await self.tools.install(env)
        await self.setup_attempt()
        state = await self._state()
        self.templates.work = str(state.get("working_dir") or self.templates.work)
        self.add_system_message_to_history()
        self.add_demonstrations_to_history()
        self.add_instance_template_to_history(state)
        self.emit(SetupDone())

    async def setup_attempt(self) -> None:
        """Model stats start anew; an attempt after the first gets a fresh kernel."""
        self.meter.start_run()
        self._attempts += 1
        if self._attempts > 1:
            await self.environment.restart()
        self.emit(AttemptSetUp())

    async def setup_next(self, env: Environment, problem_statement: ProblemStatement, output_dir: Path | None) -> None:
        """The next prompt of the same conversation."""
        self._environment, self.problem_statement = env, problem_statement
        self.start_run(output_dir)
        self.add_instance_template_to_history(await self._state())

    async def _state(self) -> dict[str, Any]:
        assert self.problem_statement is not None
        self._prompt = await self.problem_statement.text()
        state = await state_of(self, named_in(self._prompt))
        self._known_state = {"variables": state.get("variables")}
        self._found = await self.finder.fields(self._prompt, state) if self.finder else {}
        return state

    def add_system_message_to_history(self) -> None:
        self.append(self.system_message())

    def add_demonstrations_to_history(self) -> None:
        for message in demonstration_messages(self.templates, self.name):
            self.append(message)

    def add_instance_template_to_history(self, state: dict[str, Any]) -> None:
        """The prompt, with what the model should know of the notebook. ``state``: see ``acting.state_of``."""
        assert self.problem_statement is not None
        self.append(self.instance_message(self._prompt, state, self._found | self.problem_statement.extra_fields))

    def system_message(self) -> Message:
        tools, skills = self.model.takes_tools, self.tools.library is not None
        text = self.templates.system(tools=tools, submits=self.tools.config.submits, skills=skills)
        return text_message("system", text, "system_prompt", self.name)

    def instance_message(self, prompt: str, state: dict[str, Any], extra_fields: dict[str, Any]) -> Message:
        context = self.templates.context(context_of(state))
        text = self.templates.instance(prompt, **{"context": context} | extra_fields)
        return text_message("user", text, "instance", self.name)

    # ---- what it takes down

    def append(self, message: Message) -> None:
        """Add a message to the history, and say so."""
        self.history.append(message)
        names = ("thought", "action", "tool_calls", "tool_call_ids", "thinking_blocks", "is_demo")
        more = {name: message[name] for name in names if name in message}
        self.emit(MessageAdded(message["agent"], message["role"], message["content"], message["message_type"], **more))

    def add_step_to_history(self, step: StepOutput) -> None:
        """The reply, if the step began with one, and what came of its action. Raises ConfigError of a template's."""
        if step.message is not None:
            self.append(step.message | {"trajectory_step": len(self.trajectory)})
        if step.call is not None:
            kind = type(step.outcome).__name__.lower() if step.outcome else "none"
            self._images += step.images
            try:
                text = self.templates.next_step(step, timeout_s=self.tools.config.timeout_s)
            except ConfigError as error:
                # The model must know of what ran, though not in the words that were wanted.
                text = self.templates.of(TemplateConfig()).next_step(step, timeout_s=self.tools.config.timeout_s)
                self._add_result(step.call.call_id, text, step.observation, outcome=kind)
                raise ConfigError(f"{error}. {TOLD_IN_OURS}") from error
            self._add_result(step.call.call_id, text, step.observation, outcome=kind)
        if not self.pending:
            self._add_images()

    def close_history(self, reason: str) -> None:
        """Answer what is still open, so that the next prompt can follow."""
        self.pending.clear()
        for call_id in open_calls(self.history):
            self._add_result(call_id, reason)
        self._add_images()

    def _add_result(self, call_id: str, text: str, observation: str = "", outcome: str = "none") -> None:
        at = text.rfind(observation) if observation else -1
        place = [at, at + len(observation)]
        reference = {"trajectory_step": len(self.trajectory), "observation_at": place} if at >= 0 else {}
        self.append(result_message(call_id, text, self.name, outcome=outcome, **reference))

    def _add_images(self) -> None:
        """Images follow when every call of a reply has been answered: services take them from the person alone."""
        images, self._images = self._images, []
        if images:
            self.append(text_message("user", images, "images", self.name, tags=["images"]))

    def add_step_to_trajectory(self, step: StepOutput) -> None:
        if self._step_used != Usage():
            step.extra_info["model_stats"] = model_stats(self._step_used, self._step_usd)
            self._start_counting()
        kept = trajectory_step(step, self._known_state)
        self._known_state = step.state or self._known_state
        self.trajectory.append(kept)
        names = {str(item["name"]): None for item in kept["state"].get("variables", ())}
        self.info["variables"] = [*dict.fromkeys(self.info.get("variables", [])) | names]

    def add_step_to_info(self, step: StepOutput) -> None:
        """Bring the facts about the run up to date."""
        cell = accepted_in(step)
        self.accepted += [cell] if cell else []
        self.acted = self.acted or may_have_changed(step)
        self.steps += step.call is not None
        self.info["model_stats"] = model_stats(self.meter.run, self.meter.run_usd)
        self.info["cells"] = [cell.source for cell in self.accepted if cell.ok]
        if isinstance(step.call, EditAction) and isinstance(step.outcome, Edited) and step.outcome.changed:
            edited = dict.fromkeys([*self.info.get("edited_files", []), place_of(step.call)])
            self.info["edited_files"] = list(edited)
        self.info["touched_cells"] = [cell.id for cell in self.accepted]
        if step.done:
            self.info |= {"exit_status": step.exit_status, "submission": step.submission}
