"""What a batch writes down: ``ID/result.json`` when a problem is done, and a summary of all after each."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from ..files import read_in, write_atomically
from ..headless.solve import READABLE, Result

SUMMARY = "results"
# These say something about the service or the machine, and nothing about the problem: it is tried again.
OUTSIDE = ("exit_api", "exit_environment_error", "exit_error", "exit_replies", "exit_stopped")


def is_final(result: Result) -> bool:
    """Whether another try would only repeat it."""
    return not any(status in result.exit_status for status in OUTSIDE)


def read_result(folder: Path) -> tuple[Result, str] | None:
    """The result of an earlier batch, and what was asked; None where there is none that can be read."""
    try:
        found = json.loads(read_in(folder, folder / "result.json"))
        asked = found.pop("asked")
        return Result(**found), str(asked)
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None


def forget(folder: Path, name: str) -> None:
    """Take away what an earlier try has left: where this one fails early, that would be taken for its own."""
    for file in ("result.json", *(f"{name}.{kind}" for kind in ("traj", "ipynb", "patch"))):
        (folder / file).unlink(missing_ok=True)


def write_result(folder: Path, result: Result, asked: str) -> None:
    """``asked``: see Entry. Raises OSError."""
    text = json.dumps({"asked": asked, **result.as_dict()}, indent=1)
    write_atomically(folder / "result.json", text + "\n", READABLE)


def write_summary(out: Path, results: list[Result]) -> None:
    """``results.jsonl`` and ``results.csv``, a line each. Raises OSError."""
    rows = [result.as_dict() for result in results]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomically(out / f"{SUMMARY}.jsonl", lines, READABLE)
    table = io.StringIO(newline="")
    names = [name for name in Result.__dataclass_fields__ if name != "files"]
    writer = csv.DictWriter(table, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(out / f"{SUMMARY}.csv", table.getvalue(), READABLE)
