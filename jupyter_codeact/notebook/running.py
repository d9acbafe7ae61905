"""What both kinds of notebook do alike: wait for the end of an action, a timeout, a Stop; ask the sandbox unseen."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

from .. import inside
from ..events import Ran, Status
from ..execution import Execution, RunStopped
from ..protocols import Runner

# How long interrupted code gets to come to its end before it is interrupted again, and then left behind.
GRACE_S = 3.0
INTERRUPTS = 2


class CellEnvironment:
    """The part of an Environment that is the same wherever a run is shown."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def inside(self, function: str, **arguments: Any) -> Any:
        return inside.value(await self._runner.evaluate(inside.expression(function, arguments)))

    async def restart(self) -> None:
        await self._runner.restart()


async def finish(runner: Runner, execution: Execution, timeout_s: float | None) -> Ran:
    """Wait until the code that runs has ended. At its timeout it is interrupted, and what it printed is kept.

    Code that doesn't end then either takes its kernel with it. A Stop leaves it running: her variables are in there.
    """
    try:
        # Not wait_for: in Python 3.11 a Stop that comes together with the end would be lost in it.
        async with asyncio.timeout(timeout_s):
            await asyncio.shield(execution.ended)
    except TimeoutError:
        if not await _interrupted(runner, execution):
            await runner.restart()
            _give_up(execution, "died")
        return replace(execution.result(), timed_out=True)
    except asyncio.CancelledError:
        raise await stopped(runner, execution) from None
    return execution.result()


async def stopped(runner: Runner, execution: Execution) -> RunStopped:
    """Interrupt what runs, as a Stop does; what came of it."""
    await _interrupted(runner, execution)
    _give_up(execution, "left")
    return RunStopped(execution.result())


async def _interrupted(runner: Runner, execution: Execution) -> bool:
    """Interrupt the code, and wait for its last outputs; False where it goes on."""
    # An interrupt that comes before the code has begun hits nothing, and the code would run then.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(execution.begun), GRACE_S)
    if execution.ended.done():
        return True
    # Python can lose one, as in a destructor. Code that tidies up has its time before the next.
    for _ in range(INTERRUPTS):
        runner.interrupt()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(execution.ended), GRACE_S)
            break
    return execution.ended.done()


def _give_up(execution: Execution, status: Status) -> None:
    if not execution.ended.done():
        execution.ended.set_result(status)
