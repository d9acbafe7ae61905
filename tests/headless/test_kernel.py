"""A sandbox's kernel without a front end."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from agent.twins import agent_of, run, scripted, told
from helpers import PATIENCE_S

from jupyter_codeact.errors import SandboxUnavailable
from jupyter_codeact.events import Ran
from jupyter_codeact.execution import RunStopped
from jupyter_codeact.headless.cells import HeadlessCells, SandboxHolds
from jupyter_codeact.headless.kernel import SandboxKernel
from jupyter_codeact.notebook import running
from jupyter_codeact.notebook.running import CellEnvironment, finish
from jupyter_codeact.sandbox.launch import Sandbox, open_sandbox

pytestmark = pytest.mark.usefixtures("sandbox")


def text(ran: Ran) -> str:
    return "".join(str(output.get("text", output.get("evalue", ""))) for output in ran.outputs)


def left(sandbox: Sandbox) -> bool:
    return Path(sandbox.folder.path).exists()


async def test_code_runs_and_every_sandbox_that_ends_is_followed_by_a_fresh_one(work: Path) -> None:
    opened: list[Sandbox] = []

    def fresh() -> Sandbox:
        opened.append(open_sandbox("bubblewrap", sys.executable, str(work)))
        return opened[-1]

    async with SandboxKernel(fresh) as kernel:
        first = await finish(kernel, kernel.run("x = 1; print('here')"), PATIENCE_S)
        assert (first.status, text(first)) == ("ok", "here\n")
        state = await CellEnvironment(kernel).inside("state", names=[])
        assert (state["working_dir"], state["variables"]) == (str(work), [{"name": "x", "type": "int"}])
        slow = await finish(kernel, kernel.run("import time; print('before'); time.sleep(100)"), 0.5)
        assert slow.timed_out
        assert text(slow).startswith("before\n")
        died = await finish(kernel, kernel.run("import os; os._exit(3)"), PATIENCE_S)
        assert died.status == "died"
        assert "The sandbox ended" in text(died)
        assert text(await finish(kernel, kernel.run("print('x' in globals())"), PATIENCE_S)) == "False\n"
        await kernel.restart()
        assert text(await finish(kernel, kernel.run("print('y')"), PATIENCE_S)) == "y\n"
    assert len(opened) == 3
    assert not any(sandbox.alive or left(sandbox) for sandbox in opened)


async def test_a_stop_before_the_code_has_begun_is_not_lost(work: Path) -> None:
    async with SandboxKernel(lambda: open_sandbox("bubblewrap", sys.executable, str(work))) as kernel:
        for _ in range(3):
            stopping = asyncio.ensure_future(finish(kernel, kernel.run("import time; time.sleep(600)"), None))
            # Not a moment for the request to arrive.
            asyncio.get_running_loop().call_soon(stopping.cancel)
            with pytest.raises(RunStopped) as stop:
                await stopping
            outcome = stop.value.outcome
            assert isinstance(outcome, Ran)
            assert outcome.interrupted


DEAF = """
import os, time
kept, told = 'her variable', False
while not os.path.exists('end'):
    try:
        if not told:
            told = True
            open('begun', 'w').close()
        time.sleep(600)
    except BaseException:
        print('no!')
"""


async def test_code_that_a_stop_did_not_end_is_not_said_not_to_have_run(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "GRACE_S", 0.5)
    os.mkfifo(work / "begun", 0o666)
    agent = agent_of(scripted({"code": DEAF}))
    async with SandboxKernel(lambda: open_sandbox("bubblewrap", sys.executable, str(work))) as kernel:
        task = asyncio.create_task(run(agent, HeadlessCells(kernel, SandboxHolds())))
        await asyncio.to_thread((work / "begun").read_text)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert "It was stopped before it had ended, and may still run." in told(agent)[0]
        assert "did not run" not in told(agent)[0]
        assert len(agent.info["touched_cells"]) == 1
        assert not agent.info["cells"]
        (work / "end").touch()
        kernel.interrupt()
        assert text(await finish(kernel, kernel.run("print(kept)"), PATIENCE_S)) == "her variable\n"


async def test_one_that_does_not_start_says_why(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bin" / "bwrap"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=os.pathsep)
    with pytest.raises(SandboxUnavailable, match="does not let ordinary users"):
        async with SandboxKernel(lambda: open_sandbox("bubblewrap", sys.executable, str(work))):
            pass
