#!/usr/bin/env python3
"""P4, P5, P6, P12: our agent beside smolagents, mini-swe-agent and freeact, in turns, with one scripted model server.

    python benchmarks/agent.py [--rounds 10] [--only NAME ...] [--write]

Each of the others runs in an environment of its own, which is made with pip below --environments. All ask the same
server on loopback, and times are by its clock: when a request was there, when an answer's last byte was written.
``--write`` puts the tables into benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from contestants import CONTESTANTS, QUIET, Contestant, Worker, worker
from results import spread, table, taken, write_section
from servers import ModelServer

ENVIRONMENTS = Path(__file__).with_name(".environments")
STEPS, TOKEN_STEPS = 200, 30
# The beginning and the end of a run, which must cost the same.
EDGE = 20
IDLE_S = 5.0
# What is counted and not timed is the same in each round, but for outputs that are lost by chance.
COUNTED = 3
ROWS, WIDTH = 20, 60
# A line of an action's, with the number of its step in place of STEP.
LINE = 'f"{(row * 7919 + STEP * 104729) % 99991:05d} units sold in the northern market, {row} of them on Sunday"'


def printing(step: int) -> str:
    """The source of an action that prints 20 lines of 60 characters, no two alike."""
    return f'for row in range({ROWS}): print({LINE.replace("STEP", str(step))}[:{WIDTH}].ljust({WIDTH}, "."))'


def printed(step: int) -> list[str]:
    """The lines that it prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(printing(step), {})
    return out.getvalue().splitlines()


@dataclass
class Scores:
    """What was measured of one contestant: milliseconds, seconds, bytes and tokens, a value for each round."""

    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, value: float) -> None:
        self.values[name].append(value)

    def spread(self, name: str, digits: int = 1) -> str:
        return spread(self.values[name], digits) if self.values[name] else ""


# ---- what is measured


def measure_steps(server: ModelServer, contestant: Contestant, working: Worker, scores: Scores) -> None:
    """P4: from the last byte of a reply to the next request, in milliseconds, while the action does nothing."""
    _script(server, contestant, ["pass"] * STEPS)
    said = working.work()
    came, answered = [request.came_s for request in server.requests], server.answered
    assert len(came) == STEPS + 1, f"{contestant.name} made {len(came)} requests"
    gaps = [1000 * (request - reply) for request, reply in zip(came[1:], answered, strict=False)]
    scores.add("step", statistics.median(gaps))
    scores.add("first steps", statistics.median(gaps[:EDGE]))
    scores.add("last steps", statistics.median(gaps[-EDGE:]))
    if "round_trip_s" in said:
        scores.add("round trip", 1000 * statistics.median(said["round_trip_s"]))


def measure_outputs(server: ModelServer, contestant: Contestant, working: Worker, scores: Scores) -> None:
    """P4 and P12: what of the outputs reaches the model, and what the record of such a run weighs."""
    _script(server, contestant, [printing(n) for n in range(STEPS)])
    said = working.work()
    losses = [lost(step, request.json) for step, request in enumerate(server.requests[1:])]
    scores.add("bytes lost", sum(losses))
    scores.add("steps with a loss", sum(map(bool, losses)))
    if "record_bytes" in said:
        scores.add("record, ratio", said["record_bytes"] / (STEPS * ROWS * (WIDTH + 1)))
        for seconds in said["save_s"]:
            scores.add("save", 1000 * seconds)


def lost(step: int, request: dict[str, Any]) -> int:
    """Bytes of a step that are not in the request that followed it."""
    newest = "".join(text for message in request["messages"][-3:] for text in texts(message))
    return sum(len(line) + 1 for line in printed(step) if line not in newest)


def measure_tokens(server: ModelServer, contestant: Contestant, working: Worker, scores: Scores) -> None:
    """P6: tokens of all requests of a run, of the first, and how much of them had been sent before."""
    _script(server, contestant, [printing(n) for n in range(TOKEN_STEPS)])
    working.work()
    for name, value in count_tokens([request.json for request in server.requests]).items():
        scores.add(name, value)


def count_tokens(requests: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Of the requests of a run, in order: see ``measure_tokens``; ``prefix`` is a percentage."""
    encode = _o200k()
    sent = [[token for text in request_texts(request) for token in encode(text)] for request in requests]
    same = [_common(*pair) for pair in pairwise(sent)]
    total = sum(map(len, sent))
    broken = sum(common < len(before) for common, before in zip(same, sent, strict=False))
    return {
        "tokens": total,
        "prefix": 100 * sum(same) / total,
        "broken prefixes": broken,
        "first request": len(sent[0]),
    }


def _common(before: list[int], after: list[int]) -> int:
    """How many tokens at the beginning are the same."""
    differing = (place for place, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)
    return next(differing, min(len(before), len(after)))


def measure_idle(server: ModelServer, contestant: Contestant, working: Worker, scores: Scores) -> None:
    """P5: from the prompt to the first request, in milliseconds, after five seconds in which nothing happened."""
    time.sleep(IDLE_S)
    _script(server, contestant, [])
    began = working.work()["began"]
    scores.add("idle", 1000 * (server.requests[0].came_s - began))


def measure_fresh(server: ModelServer, contestant: Contestant, python: Path, scores: Scores) -> None:
    """P5: from the start of a process to its first request, in seconds."""
    _script(server, contestant, [])
    with worker(contestant, python, server.url) as working:
        working.go()
        working.word()
        working.word()
        scores.add("fresh", server.requests[0].came_s - working.started)


def measure_import(contestant: Contestant, python: Path, scores: Scores) -> None:
    """P5: what a person imports, in milliseconds."""
    code = f"import time; began = time.perf_counter(); import {contestant.imports}; print(time.perf_counter() - began)"
    with tempfile.TemporaryDirectory() as folder:
        options: Any = {"cwd": folder, "env": os.environ | QUIET, "capture_output": True, "text": True, "timeout": 60}
        done = subprocess.run([python, "-c", code], check=True, **options)
    scores.add("import", 1000 * float(done.stdout.split()[-1]))


def _script(server: ModelServer, contestant: Contestant, actions: Sequence[str]) -> None:
    server.reset()
    server.add(*map(contestant.act, actions), contestant.end)


# ---- requests as text


def request_texts(request: dict[str, Any]) -> Iterator[str]:
    """Everything that a model reads of a request, in the order in which services put it: tools, then messages."""
    yield from (json.dumps(tool) for tool in request.get("tools") or ())
    for message in request["messages"]:
        yield message["role"]
        yield from texts(message)


def texts(message: dict[str, Any]) -> Iterator[str]:
    content = message.get("content") or ""
    parts = [{"text": content}] if isinstance(content, str) else content
    yield from (part.get("text", "") for part in parts)
    for call in message.get("tool_calls") or ():
        yield call["function"]["name"]
        yield call["function"]["arguments"]


def _o200k() -> Any:
    """The tokenizer's data comes with litellm; elsewhere it would be fetched from the network."""
    from importlib.util import find_spec

    import tiktoken

    found = find_spec("litellm")
    assert found is not None
    assert found.origin is not None
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(Path(found.origin).parent / "litellm_core_utils" / "tokenizers"))
    return tiktoken.get_encoding("o200k_base").encode


# ---- rounds and tables


def measure(entries: list[tuple[Contestant, Path]], rounds: int) -> dict[str, Scores]:
    scores = {contestant.name: Scores() for contestant, _ in entries}
    with ModelServer(strict=False) as server:
        for number in range(rounds):
            for contestant, python in entries if number % 2 == 0 else reversed(entries):
                try:
                    _timed_round(server, contestant, python, scores[contestant.name])
                    if number < COUNTED:
                        _counted_round(server, contestant, python, scores[contestant.name])
                except RuntimeError as error:
                    # What it printed stands above. Half an hour's figures of the others are worth more than this one.
                    print(f"{contestant.name} has no whole round {number + 1}: {error}", file=sys.stderr)
            print(f"round {number + 1} of {rounds}", flush=True)
    return scores


def _timed_round(server: ModelServer, contestant: Contestant, python: Path, scores: Scores) -> None:
    measure_import(contestant, python, scores)
    measure_fresh(server, contestant, python, scores)
    with worker(contestant, python, server.url) as working:
        working.word()
        measure_idle(server, contestant, working, scores)
        measure_steps(server, contestant, working, scores)


def _counted_round(server: ModelServer, contestant: Contestant, python: Path, scores: Scores) -> None:
    """In a fresh process, since some contestants go on with their conversation."""
    with worker(contestant, python, server.url) as working:
        working.word()
        measure_tokens(server, contestant, working, scores)
        measure_outputs(server, contestant, working, scores)


COLUMNS = (
    ("P4 a round trip of `pass` alone, with its kernel, ms", "round trip", 1, ""),
    ("P4 a step, ms", "step", 1, "≤ 9"),
    (f"P4 steps 1 to {EDGE}, ms", "first steps", 1, ""),
    (f"P4 steps {STEPS - EDGE + 1} to {STEPS}, ms", "last steps", 1, "no growth"),
    (f"P4 bytes of {STEPS * ROWS * (WIDTH + 1):,} that don't reach the model", "bytes lost", 0, "0"),
    (f"P4 steps of {STEPS} that lose output", "steps with a loss", 0, "0"),
    ("P5 import, ms", "import", 0, "≤ 50"),
    ("P5 prompt to first request after 5 s at rest, ms", "idle", 0, "≤ 50"),
    ("P5 fresh process to first request, s", "fresh", 2, "≤ 1.0"),
    (f"P6 tokens sent in {TOKEN_STEPS} steps", "tokens", 0, "≤ 128,000"),
    ("P6 sent before, unchanged, %", "prefix", 1, "≥ 95"),
    ("P6 requests that don't continue the one before", "broken prefixes", 0, ""),
    ("P6 tokens of the first request", "first request", 0, "≤ 1,200"),
    (f"P12 record of {STEPS} steps by bytes of their outputs", "record, ratio", 2, "≤ 2"),
    ("P12 one save after them, ms", "save", 1, "≤ 50"),
)


def report(scores: dict[str, Scores], packages: list[tuple[str, str]], rounds: int) -> str:
    """Tables with a row a figure and a column a contestant."""
    rows = [
        [name, *(found.spread(key, digits) for found in scores.values()), target]
        for name, key, digits, target in COLUMNS
    ]
    return taken(packages, rounds) + table(["figure", *scores, "target"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="contestants whose names begin so")
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS, help="where the others are installed")
    parser.add_argument("--write", action="store_true", help="write its section of benchmarks/results.md")
    options = parser.parse_args()
    chosen = [c for c in CONTESTANTS if not options.only or c.name.startswith(tuple(options.only))]
    found = [(contestant, contestant.environment(options.environments)) for contestant in chosen]
    entries = [(contestant, python) for contestant, python in found if python is not None]
    for contestant in (contestant for contestant, python in found if python is None):
        print(f"{contestant.name} is left out: it needs {' or '.join(contestant.python)}", file=sys.stderr)
    packages = {(c.packages or ("jupyter-codeact",))[0]: c.version(python) for c, python in entries}
    text = report(measure(entries, options.rounds), list(packages.items()), options.rounds)
    print(text)
    if options.write:
        write_section("agent.py", text)


if __name__ == "__main__":
    main()
