"""What a batch writes down: ``ID/result.json`` when a problem is done, and a summary of all after each."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from contextlib import suppress
from pathlib import Path

from ..files import by_descriptor, folder_in, read_in, write_atomically
from ..headless.solve import READABLE, Result

SUMMARY = "results"
RESULT = "result.json"
# These say something about the service or the machine, and nothing about the problem: it is tried again.
OUTSIDE = ("exit_api", "exit_environment_error", "exit_error", "exit_replies", "exit_stopped")


def is_final(result: Result) -> bool:
    """Whether another try would only repeat it."""
    return not any(status in result.exit_status for status in OUTSIDE)


def read_result(out: Path, name: str) -> tuple[Result, str] | None:
    """The result of an earlier batch, and what was asked; None where there is none that can be read.

    A cell may have written it, where it can write the folder.
    """
    try:
        found = json.loads(read_in(out, out / name / RESULT))
        asked = found.pop("asked")
        result = Result(**found)
        return (result, str(asked)) if _is_sound(result) else None
    except (OSError, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return None


def _is_sound(result: Result) -> bool:
    """Whether all is of the kind that is written there, and what counts something is a number of it."""
    like, found = Result("").as_dict(), result.as_dict()
    return (
        all(
            type(found[name]) is type(value) or (type(value), type(found[name])) == (float, int)
            for name, value in like.items()
        )
        and all(math.isfinite(value) and value >= 0 for value in found.values() if isinstance(value, int | float))
        and all(isinstance(path, str) for path in result.files.values())
    )


def forget(out: Path, name: str) -> None:
    """Take away what an earlier try has left: where this one fails early, that would be taken for its own."""
    with folder_in(out, name) as folder:
        for file in (RESULT, *(f"{name}.{kind}" for kind in ("traj", "ipynb", "patch"))):
            with suppress(FileNotFoundError):
                os.unlink(file, dir_fd=folder)


def write_result(out: Path, name: str, result: Result, asked: str) -> None:
    """``asked``: see Entry. Raises OSError."""
    text = json.dumps({"asked": asked, **result.as_dict()}, indent=1)
    with folder_in(out, name) as folder:
        write_atomically(by_descriptor(folder) / RESULT, text + "\n", READABLE)


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
