"""What cells left in the sandbox's home runs before the next one hears anybody: a start that fails by it is mended."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import PATIENCE_S, shown

from jupyter_codeact.sandbox.launch import open_sandbox

from .rooms import Kernel, started

pytestmark = pytest.mark.usefixtures("sandbox")

# Read by Python before all else.
LEAVE = """
import os, site
folder = site.getusersitepackages()
os.makedirs(folder, exist_ok=True)
open(folder + '/left.pth', 'w').write({line!r} + '\\n')
"""
EXITS = "import os; os._exit(3)"
SLEEPS = "import time; time.sleep(1e6)"
LEFT = "import os, site; print(os.listdir(site.getusersitepackages()))"
IMPATIENT = """
from jupyter_codeact.kernel import vigil
vigil.START_S = 8.0
from jupyter_codeact.kernel.__main__ import main
main()
"""


@pytest.fixture
def impatient(kernelspec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel, with less time for a start."""
    folder = tmp_path / "jupyter" / "kernels" / "codeact"
    shutil.copytree(kernelspec / "kernels" / "codeact", folder)
    spec = json.loads((folder / "kernel.json").read_text())
    spec["argv"] = [sys.executable, "-c", IMPATIENT, "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))


def leave(kernel: Kernel, line: str) -> None:
    """Write a line into the home that every Python runs at its start, and end the sandbox."""
    assert kernel.run(LEAVE.format(line=line)) == ("", "")
    assert "The sandbox ended." in kernel.run("os._exit(1)")[1]


def assert_set_aside(home: Path, said: str, line: str) -> None:
    """What was left is there still, where the cell says that it is, and the empty home is the one that is kept."""
    aside = Path(said.splitlines()[1].partition("The old one lies in ")[2])
    (left,) = aside.glob(".local/lib/*/site-packages/left.pth")
    assert left.read_text() == line + "\n"
    kept = [path for path in (home / "homes").iterdir() if path != aside.parent]
    assert [path.name for path in kept] == [aside.parent.name.partition("-")[0]]


def test_a_home_with_which_it_ends_is_set_aside_and_the_cell_says_so(work: Path, home: Path) -> None:
    with started(work) as kernel:
        leave(kernel, EXITS)
        # The danger: with this home none starts.
        with open_sandbox("bubblewrap", sys.executable, str(work), homes_folder=str(home / "homes")).process as failing:
            assert failing.wait(PATIENCE_S) == 3
        said, error = kernel.run("print(6 * 7)")
        assert error == ""
        assert said.endswith("\n42\n")
        assert "did not start with its home" in said
        assert "it wrote nothing" in said
        assert_set_aside(home, said, EXITS)
        assert kernel.run(LEFT) == ("[]\n", "")
    with started(work) as kernel:
        assert kernel.run("print(1)") == ("1\n", "")


async def test_in_the_middle_of_a_run_the_agent_goes_on(opened: Any, script: Any, home: Path) -> None:
    script({"code": f"{LEAVE.format(line=EXITS)}os.kill(os.getpid(), 9)"}, {"code": "print('again')"}, {"text": "ok"})
    async with opened("%%agent\ngo", "print('after')") as document:
        await document.run_cells()
        agent, _, again, after = document.nb.cells
    assert "Done" in shown(agent)
    assert shown(again) == "again\n"
    assert "did not start with its home" in shown(after)


@pytest.mark.usefixtures("impatient")
def test_one_with_which_it_never_answers_too_and_an_interrupt_meanwhile_is_answered(work: Path, home: Path) -> None:
    with started(work) as kernel:
        leave(kernel, SLEEPS)
        asked = [kernel.client.execute("print('never')") for _ in range(2)]
        # Answered outside of the sandbox, and after those two were read.
        tab = kernel.client.complete("%agent stat")
        while kernel.client.get_shell_msg(timeout=PATIENCE_S)["parent_header"]["msg_id"] != tab:
            pass
        interrupt = kernel.client.session.send(kernel.client.control_channel.socket, "interrupt_request", {})
        assert kernel.replies(asked) == dict(zip(asked, ["error", "aborted"], strict=True))
        answer = kernel.client.get_control_msg(timeout=PATIENCE_S)
        assert answer["parent_header"]["msg_id"] == interrupt["header"]["msg_id"]
        said, error = kernel.run("print(6 * 7)")
        assert error == ""
        assert said.endswith("\n42\n")
        assert "it did not answer within 8 seconds" in said
        assert_set_aside(home, said, SLEEPS)
