"""The steps of a trajectory, whoever wrote it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..agent.demonstrations import text_of
from ..agent.tools import EDIT, RUN
from ..agent.trajectory import ENVIRONMENT, read
from ..errors import ConfigError
from ..events import Usage
from ..words import reason

SHELL = "shell"


@dataclass(frozen=True)
class RecordedStep:
    """One line of a trajectory.

    number: which action of the run it is, as the notebook and the limits count them; a reply that did not count has
    the number of the action that it was to be. tool: run_cell, edit_file, submit …, "shell" for a command of
    SWE-agent's, "" for a reply without an action. failed: why the reply did not count, or why the run ended with it, ""
    where all was well. rejected: the person did not let it run. seconds: of the action. used: of the model;
    None where that is not known, or nothing was asked.
    """

    number: int
    tool: str
    thought: str
    action: str
    observation: str
    seconds: float = 0.0
    failed: str = ""
    rejected: bool = False
    used: Usage | None = None

    @property
    def counts(self) -> bool:
        """Whether it is an action of the run's."""
        return bool(self.tool)

    @property
    def language(self) -> str:
        """What the action is written in."""
        return {RUN: "python", SHELL: "bash"}.get(self.tool, "json")

    @property
    def is_cell(self) -> bool:
        """Whether it ran as a cell."""
        return self.tool == RUN and bool(self.action) and not self.failed and not self.rejected

    @property
    def is_edit(self) -> bool:
        """Whether it was an edit that was tried."""
        return self.tool == EDIT and not self.failed and not self.rejected


@dataclass(frozen=True)
class Record:
    """A trajectory as it was read. ``document`` has SWE-agent's top-level keys."""

    path: Path
    document: dict[str, Any]
    steps: list[RecordedStep]

    @property
    def info(self) -> dict[str, Any]:
        return dict(self.document.get("info") or {})

    @property
    def stats(self) -> dict[str, float]:
        """Of the model's use, what is known, as numbers."""
        found = self.info.get("model_stats") or {}
        return {name: _number(value) for name, value in found.items()}

    @property
    def cost_known(self) -> bool:
        """Whether the cost in ``stats`` is all of it."""
        return "instance_cost" in self.stats and bool(self.stats.get("cost_known", True))

    @property
    def attempt(self) -> str:
        """Of several attempts, which one this is; "" where there were not several."""
        return str(self.document["attempt"])

    @property
    def history(self) -> list[dict[str, Any]]:
        return list(self.document["history"])

    @property
    def replay_config(self) -> dict[str, Any]:
        """{} where it has none. SWE-agent writes it as JSON in a text."""
        found = self.document.get("replay_config")
        try:
            found = json.loads(found) if isinstance(found, str) else found
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def is_ours(self) -> bool:
        """Whether an agent of this package wrote it."""
        return self.document.get("environment") == ENVIRONMENT

    @property
    def count(self) -> int:
        """How many actions the run had."""
        return sum(step.counts for step in self.steps)

    @property
    def problem(self) -> str:
        """What was asked for; "" where that is not known."""
        statement = self.replay_config.get("problem_statement")
        text = statement.get("text") if isinstance(statement, dict) else None
        return str(text or "")

    @property
    def cells(self) -> list[str]:
        """What ran, in order."""
        return [step.action for step in self.steps if step.is_cell]


def read_record(path: Path) -> Record:
    """Raises ConfigError where it is no trajectory."""
    document = read(path)
    try:
        steps, number = [], 1
        for step in document["trajectory"]:
            steps.append(_step(number, step))
            number += steps[-1].counts
        record = Record(path, document, steps)
        # What only some commands read has to be right for all.
        _ = record.stats, [(message["role"], text_of(message)) for message in record.history]
    except (TypeError, AttributeError, ValueError, KeyError) as error:
        raise ConfigError(f"{path} is no trajectory: {reason(error)}.") from None
    return record


def _step(number: int, step: dict[str, Any]) -> RecordedStep:
    extra = step.get("extra_info") or {}
    action = str(step.get("action") or "")
    # Every action of ours names its tool.
    tool = extra.get("tool") or (SHELL if action.strip() and "failed" not in extra else "")
    return RecordedStep(
        number,
        tool,
        str(step.get("thought") or step.get("response") or "").strip(),
        action.strip(),
        str(step.get("observation") or "").replace("\r\n", "\n"),
        _number(step.get("execution_time")),
        str(extra.get("failed") or ""),
        bool(extra.get("rejected")),
        _used(extra.get("model_stats")),
    )


def _used(stats: dict[str, Any] | None) -> Usage | None:
    if not stats:
        return None
    names = ("tokens_sent", "tokens_received", "tokens_cached", "api_calls")
    sent, received, cached, calls = (int(_number(stats.get(name))) for name in names)
    cost = _number(stats.get("instance_cost")) if stats.get("cost_known") else None
    return Usage(sent, received, cached, cost, calls)


def _number(value: Any) -> float:
    """0 for what is not known: None, and NaN and infinity, which Python writes into JSON."""
    number = float(value or 0.0)
    return number if math.isfinite(number) else 0.0
