"""How long a busy service is left alone between two tries."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import pytest

from jupyter_codeact.errors import ModelBusy
from jupyter_codeact.events import Delta, Retrying, Usage
from jupyter_codeact.models import retry

FIRST_S, LONGEST_S = 0.0001, 0.0006


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_S", FIRST_S)
    monkeypatch.setattr(retry, "LONGEST_WAIT_S", LONGEST_S)


async def waits(retry_after_s: float | None) -> list[float]:
    """Those between the tries of a service that is always busy."""

    async def query() -> AsyncGenerator[Delta, None]:
        raise ModelBusy("Busy.", retry_after_s)
        yield

    found: list[float] = []
    with contextlib.suppress(ModelBusy):
        async for delta in retry.with_retries(query, lambda _: Usage()):
            assert isinstance(delta, Retrying)
            found.append(delta.wait_s)
    return found


async def test_each_wait_is_about_twice_the_one_before_and_no_two_are_alike() -> None:
    """Or all who were refused together would come back together."""
    first, second = await waits(None), await waits(None)
    longest = [min(FIRST_S * 2**number, LONGEST_S) for number in range(4)]
    assert [most / 2 <= wait <= most for most, wait in zip(longest, first, strict=True)] == [True] * 4
    assert not {*first} & {*second}


@pytest.mark.parametrize(("asked_s", "wait_s"), [(0.0, 0.0), (0.0003, 0.0003), (3600.0, LONGEST_S)])
async def test_a_service_that_says_how_long_is_obeyed_up_to_a_minute(asked_s: float, wait_s: float) -> None:
    assert await waits(asked_s) == [wait_s] * 4
