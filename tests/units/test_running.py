"""A Stop at the moment at which what it should interrupt has only just been sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_codeact.events import CodeAction
from jupyter_codeact.execution import Execution, RunStopped
from jupyter_codeact.notebook.live import LiveCells
from jupyter_codeact.notebook.summary import Summary


class ScriptedCell:
    """An AgentCell whose sandbox ends what is interrupted once it has begun; before, it hears nothing of it."""

    id = "agent"

    def __init__(self) -> None:
        self.expected = asyncio.Event()
        self.said: list[dict[str, Any]] = []

    def expect(self, action: CodeAction) -> Execution:
        self.execution = Execution(action.source)
        self.expected.set()
        return self.execution

    def tell(self, **message: Any) -> None:
        self.said.append(message)

    def interrupt(self) -> None:
        if self.execution.begun.done():
            self.execution.hear("execute_reply", {"status": "error"})
            self.execution.hear("status", {"execution_state": "idle"})

    def opening(self, action_id: str) -> None: ...
    def closed(self, action_id: str) -> None: ...
    def forget(self, action: CodeAction) -> None: ...


async def test_a_stop_together_with_her_run_interrupts_what_she_ran() -> None:
    cell = ScriptedCell()
    running = asyncio.ensure_future(LiveCells(cell, "r1", Summary(), "ask").run(CodeAction("a", 1, "x"), None))  # type: ignore[arg-type]
    await cell.expected.wait()
    cell.execution.hear("execute_request", {"code": "x"})
    running.cancel()
    asyncio.get_running_loop().call_soon(cell.execution.hear, "execute_input", {"code": "x"})
    with pytest.raises(RunStopped):
        await running
    assert cell.execution.ended.result() == "error"
    assert cell.said[-1]["status"] == "stopped"


async def test_a_stop_together_with_the_end_of_the_code_is_not_lost() -> None:
    cell = ScriptedCell()
    running = asyncio.ensure_future(LiveCells(cell, "r1", Summary(), "ask").run(CodeAction("a", 1, "x"), 60))  # type: ignore[arg-type]
    await cell.expected.wait()
    cell.execution.hear("execute_request", {"code": "x"})
    cell.execution.hear("execute_input", {"code": "x"})
    for _ in range(5):
        await asyncio.sleep(0)
    cell.execution.hear("execute_reply", {"status": "ok"})
    cell.execution.hear("status", {"execution_state": "idle"})
    asyncio.get_running_loop().call_soon(running.cancel)
    with pytest.raises(RunStopped):
        await running
    assert cell.execution.ended.result() == "ok"
