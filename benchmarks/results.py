"""What the benchmarks share: a section of results.md for each, and the words for machine and spread."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

RESULTS = Path(__file__).with_name("results.md")
_SECTION = re.compile(r"^## (\S+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def write_section(script: str, text: str, path: Path = RESULTS) -> None:
    """Put ``text`` below the heading of ``script``; the sections of other scripts stay as they are."""
    before = path.read_text() if path.exists() else ""
    sections = {name: body.strip() for name, body in _SECTION.findall(before)} | {script: text.strip()}
    path.write_text("# Results\n" + "".join(f"\n## {name}\n\n{body}\n" for name, body in sections.items()))


def taken(packages: Iterable[tuple[str, str]], rounds: int) -> str:
    """When, where, with which versions, and how often."""
    versions = ", ".join(f"{name} {version}" for name, version in packages)
    # Of the cores there are, those that this process may use.
    cores = len(os.sched_getaffinity(0))
    machine = f"{cores} cores, Linux {platform.release()}, Python {platform.python_version()}"
    return f"Measured on {date.today()}, {machine}, {versions}; {rounds} rounds in turns.\n\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, with the smallest and largest."""
    median, least, most = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{median} ({least} to {most})"
