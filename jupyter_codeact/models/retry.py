"""Asking again when a service is busy: exponential back-off with jitter, or as long as it asked for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable

from ..errors import ModelBusy
from ..events import Delta, Retrying

TRIES = 5
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0


async def with_retries(query: Callable[[], AsyncIterator[Delta]]) -> AsyncIterator[Delta]:
    """The deltas of ``query``. Where it fails in mid-stream, a Retrying says that what came so far is void."""
    for attempt in range(TRIES):
        try:
            async for delta in query():
                yield delta
        except ModelBusy as busy:
            if attempt == TRIES - 1:
                raise
            wait_s = _wait_s(attempt, busy)
            yield Retrying(f"{busy} Asking again in {wait_s:.0f} s", wait_s)
        else:
            return
        await asyncio.sleep(wait_s)


def _wait_s(attempt: int, busy: ModelBusy) -> float:
    if busy.retry_after_s is not None:
        return min(busy.retry_after_s, LONGEST_WAIT_S)
    longest = min(FIRST_WAIT_S * 2.0**attempt, LONGEST_WAIT_S)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret
