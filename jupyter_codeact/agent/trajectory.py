"""The record of a run on disk, with the top-level keys of SWE-agent's ``.traj`` files.

Nothing long is written twice: a query names messages of the history, and a message there names the step that has its
texts (``references.py``). So the file grows with the outputs, and not with the square of the steps.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..attempts import attempt_in
from ..errors import ConfigError
from ..events import Rejected
from ..files import content_of, write_atomically
from ..words import reason
from .context import variables_in
from .history import tool_of
from .references import cut, drawn, placed, rehydrated, unbound
from .shapes import Message, StepOutput, TrajectoryStep

if TYPE_CHECKING:
    from .conversation import Conversation

ENVIRONMENT = "notebook"
LARGEST = 2**30


@dataclass(frozen=True)
class ReplayConfig:
    """What is needed to run the same thing again: an AgentConfig as a dict, the problem, and where it ran."""

    agent: dict[str, Any] = field(default_factory=dict)
    problem_statement: dict[str, Any] = field(default_factory=dict)
    env: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, value: ReplayConfig | dict[str, Any] | None) -> ReplayConfig | None:
        """Raises ConfigError for an unknown key, a part that is no mapping, and what can't be written as JSON."""
        if value is None:
            return None
        if isinstance(value, cls):
            value = {item.name: getattr(value, item.name) for item in fields(cls)}
        if not isinstance(value, dict):
            raise ConfigError(f"replay_config is a mapping, and no {type(value).__name__}.")
        names = [item.name for item in fields(cls)]
        wrong = [key for key, part in value.items() if key not in names or not isinstance(part, dict)]
        if wrong:
            raise ConfigError(f"replay_config has {wrong[0]!r}; its parts are {', '.join(names)}, each a mapping.")
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"replay_config can't be written down: {error}.") from None
        return cls(**value)


def trajectory_step(step: StepOutput, before: dict[str, Any]) -> TrajectoryStep:
    """A step as it is kept. ``before``: the state until then; what has not changed since is not written again."""
    more: dict[str, Any] = {"proposed_action": step.proposed_action} if step.proposed_action != step.action else {}
    more |= {"tool": tool_of(step.call)} if step.call else {}
    more |= {"rejected": True} if isinstance(step.outcome, Rejected) else {}
    return {
        "action": step.action,
        "observation": step.observation,
        "response": words_of(step),
        "state": changed(before, step.state),
        "thought": step.thought,
        "execution_time": round(step.execution_time, 3),
        "query": [_reference(step.query)] if step.query else [],
        "extra_info": step.extra_info | more,
    }


def words_of(step: StepOutput) -> str:
    """The reply as text. Calls that could be read are left out, as SWE-agent does: they are the action."""
    message = step.message or {}
    return str(message["content"]) if message.get("tool_calls") else step.output


def changed(before: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """What is new in ``state``: variables that were made or look different, and the names that are gone."""
    if not state:
        return {}
    old, new = ({str(item.get("name")): item for item in variables_in(s)} for s in (before, state))
    made = [item for name, item in new.items() if old.get(name) != item]
    gone = [name for name in old if name not in new]
    rest = {key: value for key, value in state.items() if key != "variables" and before.get(key) != value}
    return rest | ({"variables": made} if made else {}) | ({"gone": gone} if gone else {})


def _reference(query: list[Message]) -> dict[str, Any]:
    """How many messages of the history were sent, and what followed them in a second try."""
    failed = sum(message["message_type"] in ("failed", "error") for message in query)
    again = f" and {failed} about the last try" if failed else ""
    return {"role": "reference", "content": f"{len(query) - failed} messages{again}"}


class Recorder:
    """Writes an agent's trajectory, whole or not at all, in a thread of its own: the next query need not wait.

    problem: why the last one could not be written. A run goes on without its record.
    """

    def __init__(self) -> None:
        self._writer: ThreadPoolExecutor | None = None
        self.begin(0)

    def begin(self, messages: int) -> None:
        """A run begins, and finds ``messages`` in the history."""
        self._before = messages
        self._steps: list[str] = []
        self._messages: list[str] = []
        self._history: list[Message] | None = None
        self.problem = ""

    def save_soon(self, agent: Conversation) -> None:
        """Take down what there is now, and have it written."""
        if agent.traj_path is not None:
            self._writer = self._writer or ThreadPoolExecutor(1, "codeact-trajectory")
            self._writer.submit(self._write, agent.traj_path, self.text(agent))

    def save(self, agent: Conversation) -> None:
        """Write, and wait for it."""
        self.save_soon(agent)
        if self._writer is not None:
            self._writer.shutdown()
            self._writer = None

    def text(self, agent: Conversation) -> str:
        """The document. Steps and messages don't change any more, and are made JSON once."""
        if self._history is not agent.history:
            self._history, self._messages = agent.history, []
        self._steps += [_json(step) for step in agent.trajectory[len(self._steps) :]]
        done = len(self._messages)
        self._messages += [_json(self._kept(done + n, m)) for n, m in enumerate(agent.history[done:])]
        rest = {
            "info": self._info(agent),
            "replay_config": asdict(agent.replay_config) if agent.replay_config else None,
            "environment": ENVIRONMENT,
        }
        steps, messages = (",\n".join(items) for items in (self._steps, self._messages))
        return f'{{"trajectory": [\n{steps}\n],\n"history": [\n{messages}\n],\n{_json(rest)[1:]}\n'

    def _write(self, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, text)
            self.problem = ""
        except OSError as error:
            self.problem = f"{path} can't be written: {error.strerror or error}"

    def _kept(self, place: int, message: Message) -> Message:
        """Without what its step has, if that is in the same file."""
        return drawn(cut(message) if place >= self._before else unbound(message))

    def _info(self, agent: Conversation) -> dict[str, Any]:
        info: dict[str, Any] = {**agent.info}
        if info.get("cells"):
            info["cells"] = placed(info["cells"], agent.trajectory)
        if info.get("patch") == info.get("submission"):
            info.pop("patch", None)
        return info


def _json(value: Any) -> str:
    # What a lone surrogate stood for is lost either way; the rest of the record must not be.
    return json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":")).encode(errors="replace").decode()


def read(path: Path) -> dict[str, Any]:
    """A trajectory, ours or SWE-agent's, with every text where it belongs. Raises ConfigError where it is none.

    attempt: of several, which one it is; "" where there were not several.
    """
    try:
        document, attempt = attempt_in(json.loads(content_of(path, largest=LARGEST).text))
        document = rehydrated(document)
        return document | {"trajectory": list(document["trajectory"]), "attempt": attempt}
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ConfigError(f"{path} is no trajectory: {reason(error)}.") from None
