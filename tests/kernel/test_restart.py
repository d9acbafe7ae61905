"""A restart or a shutdown in the middle: it comes at once, nothing is left, and what comes after begins afresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import PATIENCE_S, folders_of, gone
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from jupyter_codeact.sandbox.usage import descendants

pytestmark = [
    pytest.mark.usefixtures("sandbox", "home"),
    # jupyter_client's blocking client leaves its event loop to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
Kernel = tuple[KernelManager, BlockingKernelClient]
BUSY = "import time\nprint('busy', flush=True)\ntime.sleep(600)"
# What runs, and what is shown, or asked, once it does.
MOMENTS = {
    "an ordinary cell": (BUSY, "busy"),
    "a step of the agent's": ("%%agent --review auto\ngo", "busy"),
    "a question": ("%%agent\ngo", "Run this?"),
    "a model's reply": ("%%agent --model scripted/slow\ngo", "execute_input"),
}


@pytest.fixture
def kernel(script: Callable[..., None], work: Path) -> Iterator[Kernel]:
    script({"code": BUSY}, {"text": "never"})
    (work / "slow.yaml").write_text("{replies: [{text: never}], delay_s: 600}")
    manager, client = start_new_kernel(kernel_name="codeact", cwd=str(work), startup_timeout=30)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def begin(kernel: Kernel, moment: str) -> list[int]:
    """Come to that moment; returns all processes of the kernel."""
    manager, client = kernel
    code, sign = MOMENTS[moment]
    client.execute("kept = 1")
    client.execute(code, allow_stdin=True)
    if sign == "Run this?":
        assert sign in client.get_stdin_msg(timeout=PATIENCE_S)["content"]["prompt"]
    else:
        while not _shows(client.get_iopub_msg(timeout=PATIENCE_S), sign, code):
            pass
    pid = manager.provisioner.process.pid
    return [pid, *descendants(pid)]


def _shows(message: dict[str, Any], sign: str, code: str) -> bool:
    content = message["content"]
    return content.get("text", "").strip() == sign or (sign == message["msg_type"] and content["code"] == code)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_restart_in_the_middle(kernel: Kernel, moment: str) -> None:
    processes = begin(kernel, moment)
    manager, client = kernel
    manager.restart_kernel()
    assert gone(processes)
    client.wait_for_ready(timeout=PATIENCE_S)
    assert not folders_of(processes[0])
    printed: list[str] = []
    hear = lambda message: printed.append(message["content"].get("text", ""))  # noqa: E731
    client.execute_interactive("print('kept' in dir())", output_hook=hear, timeout=PATIENCE_S)
    assert "".join(printed) == "False\n"


@pytest.mark.parametrize("moment", ["a step of the agent's", "a question"])
def test_a_shutdown_in_the_middle(kernel: Kernel, moment: str) -> None:
    processes = begin(kernel, moment)
    kernel[0].shutdown_kernel()
    assert gone(processes)
    assert not folders_of(processes[0])


def test_a_kernel_that_was_killed_leaves_nothing_to_the_next_one(kernel: Kernel) -> None:
    processes = begin(kernel, "a step of the agent's")
    manager, client = kernel
    manager.restart_kernel(now=True)
    assert gone(processes)
    client.wait_for_ready(timeout=PATIENCE_S)
    assert not folders_of(processes[0])
