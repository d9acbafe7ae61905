"""The moments of a run, and hooks: people's own code that is called at each of them.

A moment is a frozen value like every event; its fields are the arguments of the hook's method.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import ConfigError
from ..events import Event
from .shapes import AgentInfo, Message, StepOutput, Trajectory

if TYPE_CHECKING:
    from .conversation import Conversation
    from .loop import Agent

log = logging.getLogger(__name__)


class AbstractAgentHook:
    """Override what you want to hear of. All methods are called in the run's own task and must not block.

    A method that raises is logged; the run goes on.
    """

    def on_init(self, *, agent: Agent) -> None:
        """The hook was added to ``agent``."""

    def on_tools_installation_started(self) -> None:
        """The tools are about to be made ready in the environment."""

    def on_setup_attempt(self) -> None:
        """A fresh attempt begins."""

    def on_query_message_added(
        self,
        *,
        agent: str,
        role: str,
        content: Any,
        message_type: str,
        is_demo: bool,
        thought: str,
        action: str,
        tool_calls: list[dict[str, Any]] | None,
        tool_call_ids: list[str] | None,
        thinking_blocks: list[dict[str, Any]] | None,
    ) -> None:
        """A message was added to the history."""

    def on_setup_done(self) -> None:
        """The history holds all that comes before the first query."""

    def on_run_start(self) -> None:
        """The first step is about to be made."""

    def on_step_start(self) -> None:
        """A step begins."""

    def on_model_query(self, *, messages: list[Message], agent: str) -> None:
        """The model is about to be asked with ``messages``."""

    def on_actions_generated(self, *, step: StepOutput) -> None:
        """A reply was read."""

    def on_action_started(self, *, step: StepOutput) -> None:
        """An action goes to the environment."""

    def on_action_executed(self, *, step: StepOutput) -> None:
        """An action has ended."""

    def on_step_done(self, *, step: StepOutput, info: AgentInfo) -> None:
        """A step is in history and trajectory."""

    def on_run_done(self, *, trajectory: Trajectory, info: AgentInfo) -> None:
        """The run is over."""


class Moment:
    """Base of the moments; ``hook`` is the method that hears of it."""

    hook: ClassVar[str]


@dataclass(frozen=True)
class ToolsInstallationStarted(Moment):
    hook = "on_tools_installation_started"


@dataclass(frozen=True)
class AttemptSetUp(Moment):
    hook = "on_setup_attempt"


@dataclass(frozen=True)
class MessageAdded(Moment):
    hook = "on_query_message_added"
    agent: str
    role: str
    content: Any
    message_type: str
    is_demo: bool = False
    thought: str = ""
    action: str = ""
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_ids: list[str] | None = None
    thinking_blocks: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class SetupDone(Moment):
    hook = "on_setup_done"


@dataclass(frozen=True)
class RunStarted(Moment):
    hook = "on_run_start"


@dataclass(frozen=True)
class StepStarted(Moment):
    hook = "on_step_start"


@dataclass(frozen=True)
class ModelQueried(Moment):
    hook = "on_model_query"
    messages: list[Message]
    agent: str


@dataclass(frozen=True)
class ActionsGenerated(Moment):
    hook = "on_actions_generated"
    step: StepOutput


@dataclass(frozen=True)
class ActionStarted(Moment):
    hook = "on_action_started"
    step: StepOutput


@dataclass(frozen=True)
class ActionExecuted(Moment):
    hook = "on_action_executed"
    step: StepOutput


@dataclass(frozen=True)
class StepDone(Moment):
    hook = "on_step_done"
    step: StepOutput
    info: AgentInfo


@dataclass(frozen=True)
class RunDone(Moment):
    hook = "on_run_done"
    trajectory: Trajectory
    info: AgentInfo


class Hooks:
    """A listener that calls the hooks."""

    def __init__(self) -> None:
        self._hooks: list[AbstractAgentHook] = []

    def add(self, hook: AbstractAgentHook, agent: Conversation) -> None:
        _call(hook, "on_init", {"agent": agent})
        self._hooks.append(hook)

    def __call__(self, event: Event | Moment) -> None:
        if isinstance(event, Moment):
            arguments = {field.name: getattr(event, field.name) for field in fields(event)}  # type: ignore[arg-type]
            for hook in self._hooks:
                _call(hook, event.hook, arguments)


def hooks_of(names: Iterable[str]) -> list[AbstractAgentHook]:
    """A hook of each class that is named as ``package.module:Class``. Raises ConfigError.

    Their code runs in this process: names come from the person's own configuration, and from nowhere else.
    """
    return [_hook(name) for name in names]


def _hook(name: str) -> AbstractAgentHook:
    module, _, kind = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), kind)
        hook = found() if isinstance(found, type) and issubclass(found, AbstractAgentHook) else None
    except (Exception, SystemExit) as error:  # noqa: BLE001  people's own code: anything may be raised
        raise ConfigError(f"The hook {name!r} can't be made: {type(error).__name__}: {error}") from None
    if hook is None:
        raise ConfigError(f"The hook {name!r} is no subclass of AbstractAgentHook; hooks are package.module:Class.")
    return hook


def _call(hook: AbstractAgentHook, method: str, arguments: dict[str, Any]) -> None:
    try:
        getattr(hook, method)(**arguments)
    except (Exception, SystemExit):
        # People's own code: whatever it raises must not end the run.
        log.exception("The hook %s raised in %s", type(hook).__name__, method)
