"""A plain kernelspec whose provisioner is our sandbox, as any Jupyter server would run it."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from helpers import PATIENCE_S, gone
from jupyter_client.manager import KernelManager, start_new_kernel

from jupyter_codeact.errors import ConfigError
from jupyter_codeact.sandbox import run_folder
from jupyter_codeact.sandbox.usage import descendants

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.usefixtures("sandbox"),
    # jupyter_client's blocking client leaves its event loop to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    # So jupyter_client looks for a provisioner that was installed after it was first asked for one.
    pytest.mark.filterwarnings("ignore:Accessing entry points by index:DeprecationWarning"),
]


@pytest.fixture(params=["message", "signal"])
def closed_kernel(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a kernelspec that isn't ours."""
    folder = tmp_path / "jupyter" / "kernels" / "closed"
    folder.mkdir(parents=True)
    provisioner = {"provisioner_name": "codeact-bubblewrap", "config": {"memory_gb": 1.0}}
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3 (closed)",
        "language": "python",
        "interrupt_mode": request.param,
        "metadata": {"kernel_provisioner": provisioner},
    }
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    _install(tmp_path / "site", monkeypatch)
    return "closed"


def _install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout may be on the path without being installed: its entry points, as an installation has them."""
    entry_points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    (group,) = (name for name in entry_points if "provisioners" in name)
    info = folder / "jupyter_codeact_checkout-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jupyter-codeact-checkout\nVersion: 0\n")
    lines = [f"{name} = {target}" for name, target in entry_points[group].items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]))
    monkeypatch.syspath_prepend(folder)


def run(client: Any, code: str) -> tuple[str, str]:
    """What it printed, and the name of its error."""
    printed, errors = [], []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])
        elif message["msg_type"] == "error":
            errors.append(message["content"]["ename"])

    client.execute_interactive(code, output_hook=hear, timeout=PATIENCE_S)
    return "".join(printed), "".join(errors)


def inside(manager: KernelManager) -> list[int]:
    return [manager.provisioner.process.pid, *descendants(manager.provisioner.process.pid)]


def test_it_starts_executes_interrupts_restarts_and_leaves_nothing(closed_kernel: str, work: Path) -> None:
    manager, client = start_new_kernel(kernel_name=closed_kernel, cwd=str(work), startup_timeout=60)
    folder = Path(manager.ip).parent.parent
    try:
        assert run(client, "import os; print(os.path.exists('/sys'), os.getcwd())") == (f"False {work}\n", "")
        _, error = run(client, f"open({str(Path(__file__).parent / 'x')!r}, 'w')")
        assert error in ("FileNotFoundError", "PermissionError", "OSError")

        request = client.execute("import time\nprint('now', flush=True)\ntime.sleep(600)")
        while client.get_iopub_msg(timeout=PATIENCE_S)["msg_type"] != "stream":
            pass
        manager.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=PATIENCE_S))["parent_header"]["msg_id"] != request:
            pass
        assert reply["content"]["ename"] == "KeyboardInterrupt"

        before = inside(manager)
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=PATIENCE_S)
        assert gone(before)
        assert run(client, "print('request' in dir())") == ("False\n", "")
        flood = "import os, sys\nfor _ in range(100): os.write(sys.stdout._original_stdstream_copy, b'x' * 65536)"
        assert run(client, flood) == ("", "")
    finally:
        client.stop_channels()
        after = inside(manager)
        manager.shutdown_kernel()
    assert gone(after)
    assert not folder.exists()
    assert not list(Path(folder.parent).glob(f"{run_folder.PREFIX}{os.getpid()}-*"))


def test_encryption_that_is_required_and_can_not_be_had_is_refused(closed_kernel: str) -> None:
    spec = Path(os.environ["JUPYTER_PATH"]) / "kernels" / closed_kernel / "kernel.json"
    declared = json.loads(spec.read_text())
    declared["metadata"]["supported_encryption"] = ["curve"]
    spec.write_text(json.dumps(declared))
    manager = KernelManager(kernel_name=closed_kernel, transport_encryption="required")
    with pytest.raises(ConfigError, match="transport_encryption"):
        manager.start_kernel()


@pytest.mark.parametrize("closed_kernel", ["message"], indirect=True)
def test_our_own_folders_are_covered_as_by_the_kernel(
    closed_kernel: str, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library and a plain kernel's start-up files, where they lie in the working folder."""
    for name in ("home", "team", "ipython"):
        (work / name).mkdir()
    monkeypatch.setenv("JUPYTER_CODEACT_HOME", str(work / "home"))
    monkeypatch.setenv("JUPYTER_CODEACT_SKILLS", str(work / "team"))
    monkeypatch.setenv("IPYTHONDIR", str(work / "ipython"))
    attack = "open('{}/x.py', 'w').write('#'); print('written')"
    manager, client = start_new_kernel(kernel_name=closed_kernel, cwd=str(work))
    try:
        said = [run(client, attack.format(name)) for name in ("home", "team", "ipython", ".")]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert said == [("", "OSError")] * 3 + [("written\n", "")]
