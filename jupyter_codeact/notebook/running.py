"""What both kinds of notebook do while an action runs: wait for its end, a timeout, a Stop."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from ..events import Ran
from ..execution import Execution, RunStopped
from ..protocols import AgentCell

# How long interrupted code gets to come to its end before it is left behind.
GRACE_S = 3.0


async def finish(cell: AgentCell, execution: Execution, timeout_s: float | None) -> Ran:
    """Wait until the code that runs has ended. At its timeout it is interrupted, and what it printed is kept."""
    try:
        await asyncio.wait_for(asyncio.shield(execution.ended), timeout_s)
    except TimeoutError:
        await interrupt(cell, execution)
        return replace(execution.result(), timed_out=True)
    except asyncio.CancelledError:
        await interrupt(cell, execution)
        raise RunStopped(execution.result()) from None
    return execution.result()


async def interrupt(cell: AgentCell, execution: Execution) -> None:
    """Interrupt the code, and wait for its last outputs; code that won't end is left running."""
    cell.interrupt()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(execution.ended), GRACE_S)
    if not execution.ended.done():
        execution.ended.set_result("aborted")
