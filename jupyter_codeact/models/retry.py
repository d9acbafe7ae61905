"""Asking again when a service is busy: exponential back-off with jitter, or as long as it asked for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from ..errors import ModelBusy
from ..events import Delta, Retrying, Usage

TRIES = 5
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0


async def with_retries(
    query: Callable[[], AsyncGenerator[Delta, None]], void: Callable[[list[Delta]], Usage]
) -> AsyncGenerator[Delta, None]:
    """The deltas of ``query``. Where it fails in mid-stream, a Retrying says that what came so far is void.

    void: what a reply that broke off has used, from what had come of it. It is charged in Retrying, or in the error,
    which may be that of a Stop.
    """
    for attempt in range(TRIES):
        came: list[Delta] = []
        try:
            async with aclosing(query()) as deltas:
                async for delta in deltas:
                    came.append(delta)
                    yield delta
        except asyncio.CancelledError as stopped:
            stopped.usage = void(came)  # type: ignore[attr-defined]  # as a ModelError's
            raise
        except ModelBusy as busy:
            used = void(came) if came else Usage()
            if attempt == TRIES - 1:
                raise _for_good(busy, used) from busy
            wait_s = _wait_s(attempt, busy)
            yield Retrying(f"{busy} Asking again in {wait_s:.0f} s", wait_s, used)
        else:
            return
        await asyncio.sleep(wait_s)


def _for_good(busy: ModelBusy, used: Usage) -> ModelBusy:
    error = ModelBusy(f"{busy} It was asked {TRIES} times: try again later.", busy.retry_after_s)
    error.usage = used
    return error


def _wait_s(attempt: int, busy: ModelBusy) -> float:
    if busy.retry_after_s is not None:
        return min(busy.retry_after_s, LONGEST_WAIT_S)
    longest = min(FIRST_WAIT_S * 2.0**attempt, LONGEST_WAIT_S)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret
