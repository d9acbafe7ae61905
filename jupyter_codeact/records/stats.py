"""Figures of trajectories."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..agent.trajectory import LARGEST
from ..errors import ConfigError
from ..files import content_of
from .steps import Record, read_record

# What a batch writes of all its problems.
RESULTS = "results.jsonl"


@dataclass(frozen=True)
class Figures:
    """One run. seconds: of its actions. cost_known: whether cost_usd is all of it. attempt: which one of several."""

    path: Path
    exit_status: str
    steps: int
    cost_usd: float
    cost_known: bool
    tokens: int
    calls: int
    seconds: float
    attempt: str = ""


def figures(record: Record) -> Figures:
    stats = record.stats
    return Figures(
        record.path,
        str(record.info.get("exit_status") or "not ended"),
        record.count,
        stats.get("instance_cost", 0.0),
        record.cost_known,
        int(stats.get("tokens_sent", 0) + stats.get("tokens_received", 0)),
        int(stats.get("api_calls", 0)),
        sum(step.seconds for step in record.steps),
        record.attempt,
    )


def read_figures(paths: Iterable[Path]) -> tuple[list[Figures], list[str]]:
    """The figures of files, and of all runs in folders; and what could not be read."""
    found: list[Figures] = []
    wrong: list[str] = []
    for given in paths:
        batches = [_batch(file) for file in sorted(given.rglob(RESULTS))] if given.is_dir() else []
        told = {one.path: one for batch in batches for one in batch}
        found += told.values()
        for path in _files(given, told):
            try:
                found.append(figures(read_record(path)))
            except ConfigError as error:
                wrong.append(str(error))
    return sorted(found, key=lambda one: one.path), wrong


def counts(runs: list[Figures]) -> Counter[str]:
    """How many ended in which way."""
    return Counter(run.exit_status for run in runs)


def _batch(file: Path) -> list[Figures]:
    """The problems of a batch, as its own summary has them: those that failed before they had a trajectory, too."""
    try:
        rows = [json.loads(line) for line in content_of(file, largest=LARGEST).text.splitlines()]
        return [_problem(file.parent, row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        # Somebody else's file of that name.
        return []


def _problem(folder: Path, row: dict[str, Any]) -> Figures:
    path = folder / row["id"] / f"{row['id']}.traj"
    seconds = 0.0
    with contextlib.suppress(ConfigError):
        seconds = figures(read_record(path)).seconds
    tokens = int(row["tokens_sent"]) + int(row["tokens_received"])
    cost = (float(row["cost_usd"]), bool(row["cost_known"]))
    return Figures(path, str(row["exit_status"]), int(row["steps"]), *cost, tokens, int(row["api_calls"]), seconds)


def _files(given: Path, told: Collection[Path]) -> list[Path]:
    """The trajectories in a folder, but for those that a batch tells of, and those of attempts that were not chosen."""
    if not given.is_dir():
        return [given]
    found = [path for path in sorted(given.rglob("*.traj")) if path not in told]
    runs = {path.parent for path in (*found, *told)}
    return [path for path in found if not any(_is_part(path, run) for run in runs)]


def _is_part(path: Path, run: Path) -> bool:
    """Whether a trajectory lies among what a run worked with: its copy of the workspace, or its attempts."""
    inner = path.relative_to(run).parts if path.is_relative_to(run) else ()
    return len(inner) > 1 and (inner[0] == "work" or inner[0].startswith("attempt-"))
