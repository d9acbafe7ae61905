"""Figures of trajectories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError
from .steps import Record, read_record


@dataclass(frozen=True)
class Figures:
    """One run. seconds: of its actions. cost_known: whether cost_usd is all of it."""

    path: Path
    exit_status: str
    steps: int
    cost_usd: float
    cost_known: bool
    tokens: int
    calls: int
    seconds: float


def figures(record: Record) -> Figures:
    stats = record.stats
    return Figures(
        record.path,
        str(record.info.get("exit_status") or "not ended"),
        sum(bool(step.action) and not step.failed for step in record.steps),
        stats.get("instance_cost", 0.0),
        bool(stats.get("cost_known", True)),
        int(stats.get("tokens_sent", 0) + stats.get("tokens_received", 0)),
        int(stats.get("api_calls", 0)),
        sum(step.seconds for step in record.steps),
    )


def read_figures(paths: Iterable[Path]) -> tuple[list[Figures], list[str]]:
    """The figures of files, and of all `.traj` files in folders; and what could not be read."""
    found, wrong = [], []
    for path in [file for given in paths for file in _files(given)]:
        try:
            found.append(figures(read_record(path)))
        except ConfigError as error:
            wrong.append(str(error))
    return found, wrong


def counts(runs: list[Figures]) -> Counter[str]:
    """How many ended in which way."""
    return Counter(run.exit_status for run in runs)


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.traj")) if path.is_dir() else [path]
