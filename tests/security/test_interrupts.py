"""An interrupt ends what runs though the kernel inside does not come to the message that says so."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import PATIENCE_S

from jupyter_codeact.sandbox import signals

from .rooms import Cells, room, started

BUSY = "import time\nprint('on', flush=True)\nwhile True: time.sleep(0.1)"


@pytest.fixture(scope="module", params=["bubblewrap", "none"])
def cells(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cells]:
    with room(request.param, tmp_path_factory.mktemp("work")) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["bubblewrap", "none"])
def test_it_ends_what_a_debugger_that_starts_waits_for(
    kind: str, home: Path, work: Path, script: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which keeps the kernel from whatever else comes on control, the interrupt with it."""
    monkeypatch.setenv("JUPYTER_CODEACT_SANDBOX", kind)
    script({"code": BUSY}, {"text": "never"})
    debug = {"type": "request", "seq": 1, "command": "initialize", "arguments": {"pathFormat": "path"}}
    with started(work) as kernel:
        for code in (BUSY, "%%agent --review auto\ngo"):
            asked = kernel.client.execute(code, stop_on_error=False)
            kernel.until_printed("on")
            debugging = kernel.send("debug_request", debug, "control")
            kernel.manager.interrupt_kernel()
            assert kernel.replies([asked]) == {asked: "error"}
            assert kernel.run("print('as ever')") == ("as ever\n", "")
            assert _answer(kernel.client, debugging)["success"]
            # Its debugger is one that has not started.
            kernel.run("import os; os._exit(1)")


def _answer(client: Any, asked: str) -> dict[str, Any]:
    while (answer := client.get_control_msg(timeout=PATIENCE_S))["parent_header"]["msg_id"] != asked:
        pass
    return dict(answer["content"])


FAMILY = """
import subprocess, time
ours = subprocess.Popen(['sleep', '600'])
apart = subprocess.Popen(['sleep', '600'], start_new_session=True)
try:
    print('on', flush=True)
    while True: time.sleep(0.1)
except KeyboardInterrupt:
    print(f'ended by {ours.wait()}')
"""


def test_the_signal_is_for_the_kernel_and_its_group(cells: Cells) -> None:
    """As jupyter_client sends it to a plain kernel."""
    cells.send(FAMILY)
    cells.until_printed("on")
    cells.sandbox.interrupt()
    cells.until_printed("ended by -2")
    assert cells("apart.terminate(); print(apart.wait())") == "-15"


def test_it_is_for_nobody_outside_of_the_sandbox(cells: Cells) -> None:
    """Were one of the person's found below bubblewrap, by a number that another process had, it would not be hit."""
    command = [sys.executable, "-c", "print('on', flush=True); print(input())"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hers:
        assert hers.stdout is not None
        assert hers.stdout.readline() == "on\n"
        signals.interrupt(os.getpid())
        assert hers.communicate("still here\n")[0] == "still here\n"


def test_one_that_comes_too_late_hits_no_other_cell(cells: Cells) -> None:
    client = cells.client
    asked = client.execute("input('go? ')", allow_stdin=True)
    client.get_stdin_msg(timeout=PATIENCE_S)
    interrupt = client.session.msg("interrupt_request", {"until": time.monotonic() - 0.001})
    client.control_channel.send(interrupt)
    assert _answer(client, interrupt["header"]["msg_id"]) == {"status": "aborted"}
    client.input("on")
    while (reply := client.get_shell_msg(timeout=PATIENCE_S))["parent_header"]["msg_id"] != asked:
        pass
    assert reply["content"]["status"] == "ok"
