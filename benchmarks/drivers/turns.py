"""What all drivers have in common: prepare an agent once, then have it work once for each line on stdin.

A driver is started as ``python DRIVER.py ADDRESS`` in a folder of its own. Its packages may print what they like; lines
of JSON on the original stdout are ours: ``{"ready": …}`` once, then ``{"began": …}`` after each run, in seconds of
time.perf_counter, which on Linux is one clock for all processes. What ``run``
returns is said with them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from itertools import pairwise
from typing import Any

# What the agents are asked for; what they do is the scripted server's.
PROMPT = "Go on as you think best, and say when you are done."
STEPS = 10_000
MODEL, KEY = "gpt-4o", "none"


# What a run took, beside what can be seen from outside: seconds, bytes.
Taken = dict[str, Any] | None


def serve(prepare: Callable[[str], AbstractContextManager[Callable[[], Taken]]]) -> None:
    """``with prepare(address) as run``: ready; then ``run()`` for each line."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with prepare(sys.argv[1]) as run:
        _say(out, ready=time.perf_counter())
        for _ in sys.stdin:
            began = time.perf_counter()
            _say(out, began=began, **(run() or {}))


def serve_async(prepare: Callable[[str], AbstractAsyncContextManager[Callable[[], Awaitable[Taken]]]]) -> None:
    """The same for an agent that is run with ``await run()``, in one event loop."""
    import asyncio

    @contextmanager
    def prepared(address: str) -> Iterator[Callable[[], Taken]]:
        with asyncio.Runner() as runner:
            entered = prepare(address)
            run = runner.run(entered.__aenter__())
            try:
                yield lambda: runner.run(_awaited(run))
            finally:
                runner.run(entered.__aexit__(None, None, None))

    serve(prepared)


async def _awaited(run: Callable[[], Awaitable[Taken]]) -> Taken:
    return await run()


def timed(call: Callable[[], object], times: int) -> list[float]:
    """Seconds of each of so many calls."""
    clock = [time.perf_counter()]
    for _ in range(times):
        call()
        clock.append(time.perf_counter())
    return [end - start for start, end in pairwise(clock)]


def _say(out: Any, **words: object) -> None:
    print(json.dumps(words), file=out, flush=True)
