"""JupyterLab's debugger, with the debugged code in the sandbox: her cells and the agent's stop alike."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Locator
from servers import ModelServer, Reply, ToolCall

from .lab import Notebook

TWICE = "def twice(x):\n    y = x + 1\n    return y * 2"


async def debug(notebook: Notebook) -> None:
    """Press the bug, and wait until the debugger has started."""
    await notebook.page.get_by_role("button", name="Enable Debugger").click()
    await notebook.page.get_by_role("button", name="Disable Debugger").wait_for()
    await notebook.cell(0).locator(".cm-gutter.cm-breakpoint-gutter").wait_for()


async def set_breakpoint(notebook: Notebook, number: int, line: int) -> None:
    """Click beside a line, counted from 1, and wait until the kernel has taken it."""
    taken = notebook.page.locator(".jp-DebuggerBreakpoint")
    before = await taken.count()
    # The first element only holds the place.
    beside = notebook.cell(number).locator(".cm-gutter.cm-breakpoint-gutter .cm-gutterElement").nth(line)
    await beside.click()
    await taken.nth(before).wait_for()


def stopped_line(notebook: Notebook, number: int) -> Locator:
    return notebook.cell(number).locator(".cm-line.jp-DebuggerEditor-highlight")


def variable(notebook: Notebook, name: str, value: str) -> Locator:
    return notebook.page.locator(".jp-DebuggerVariables-body", has_text=re.compile(rf"\b{name}\W*{value}\b"))


def asked_for_variables(notebook: Notebook) -> list[str | bytes]:
    """What the page sends to ask the debugger for all variables, from now on."""
    asked: list[str | bytes] = []

    def on_sent(frame: str | bytes) -> None:
        if (b"inspectVariables" if isinstance(frame, bytes) else "inspectVariables") in frame:
            asked.append(frame)

    notebook.page.on("websocket", lambda socket: socket.on("framesent", on_sent))
    return asked


async def test_a_breakpoint_stops_and_shows_what_there_is(notebook: Notebook, shots: Path) -> None:
    await notebook.open("debug", TWICE, "twice(20)")
    await debug(notebook)
    await notebook.run_cell(0)
    await notebook.idle()
    await set_breakpoint(notebook, 0, 2)
    await notebook.run_cell(1)
    await stopped_line(notebook, 0).filter(has_text="y = x + 1").wait_for()
    await variable(notebook, "x", "20").wait_for()
    await notebook.page.screenshot(path=shots / "debugger.png")
    await notebook.run_command("debugger:next")
    await stopped_line(notebook, 0).filter(has_text="return y * 2").wait_for()
    await variable(notebook, "y", "21").wait_for()
    await notebook.run_command("debugger:continue")
    await notebook.until_output(1, "42")
    await notebook.idle()
    assert await stopped_line(notebook, 0).count() == 0


async def test_the_agents_cell_stops_too(notebook: Notebook, service: ModelServer) -> None:
    service.add(Reply(tool_calls=[ToolCall("run_cell", {"code": "total = 40\ntotal += 2\nprint('total', total)"})]))
    service.add(Reply(tool_calls=[ToolCall("run_cell", {"code": "total = 0"})]))
    asked = asked_for_variables(notebook)
    await notebook.open("debug-agent", "%%agent\nadd", "total + 1")
    await debug(notebook)
    await notebook.run_cell(0)
    await notebook.ready()
    await set_breakpoint(notebook, 1, 2)
    await notebook.button("Run").first.click()
    await stopped_line(notebook, 1).filter(has_text="total += 2").wait_for()
    await notebook.run_command("debugger:continue")
    await notebook.until_output(1, "total 42")
    await notebook.bar.get_by_text("step 2").wait_for()
    await set_breakpoint(notebook, 2, 1)
    await notebook.button("Run").first.click()
    await stopped_line(notebook, 2).wait_for()
    await notebook.page.get_by_role("button", name="Stop", exact=True).first.click()
    await notebook.until_output(0, "Stopped by you")
    await notebook.idle()
    await notebook.run_cell(3)
    await notebook.until_output(3, "43")
    # At each message of a cell's: some dozens. Where one makes the next, thousands.
    assert len(asked) < 200
