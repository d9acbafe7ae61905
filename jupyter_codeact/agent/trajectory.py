"""The record of a run on disk, with the top-level keys of SWE-agent's ``.traj`` files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..events import ActionDone, Answered, CodeAction, Event, LimitReached, Ran, Rejected
from ..files import write_atomically
from .observation import printed

if TYPE_CHECKING:
    from .loop import Agent


class Trajectory:
    """Written after every action, whole or not at all. ``folder`` None records nothing."""

    def __init__(self, folder: Path | None, run: str, prompt: str, agent: Agent) -> None:
        self.path = folder / f"{run}.traj" if folder else None
        self._prompt = prompt
        self._agent = agent
        self._steps: list[dict[str, Any]] = []
        self._exit_status: str | None = None
        self._submission: str | None = None
        if folder:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def note(self, event: Event) -> None:
        match event:
            case ActionDone():
                self._steps.append(_step(event))
                self.save()
            case Answered(text):
                self._exit_status, self._submission = "submitted", text
            case LimitReached():
                self._exit_status = "exit_steps"
            case _:
                pass

    def end(self, exit_status: str) -> None:
        self._exit_status = exit_status

    def save(self) -> None:
        if self.path is not None:
            # What a lone surrogate stood for is lost either way; the rest of the record must not be.
            text = json.dumps(self._document(), ensure_ascii=False, indent=1)
            write_atomically(self.path, text.encode(errors="replace").decode())

    def _document(self) -> dict[str, Any]:
        usage = self._agent.usage
        stats = {
            "instance_cost": usage.cost,
            "tokens_sent": usage.sent,
            "tokens_received": usage.received,
            "tokens_cached": usage.cached,
            "api_calls": usage.calls,
        }
        return {
            "trajectory": self._steps,
            "history": self._agent.history.messages,
            "info": {
                "exit_status": self._exit_status or "stopped",
                "submission": self._submission,
                "model_stats": stats,
                "versions": {"jupyter_codeact": __version__},
            },
            "replay_config": {"model": self._agent.model.name, "problem_statement": self._prompt},
            "environment": "notebook",
        }


def _step(done: ActionDone) -> dict[str, Any]:
    action, outcome = done.action, done.outcome
    source = action.source if isinstance(action, CodeAction) else json.dumps(action.arguments)
    step: dict[str, Any] = {
        "action": source,
        "observation": "",
        "state": {},
        "execution_time": 0.0,
        "extra_info": {},
    }
    match outcome:
        case Ran():
            step |= {"observation": printed(outcome), "execution_time": round(outcome.seconds, 3)}
            if outcome.edited:
                step |= {"action": outcome.source, "proposed_action": source}
        case Rejected(reason):
            step |= {"observation": f"rejected: {reason}"}
        case _:
            step |= {"observation": outcome.text}
    return step
