"""Without a sandbox nothing runs: the kernel starts, and every cell answers with the one line that names the remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import PATIENCE_S
from jupyter_client.manager import KernelManager, start_new_kernel

from jupyter_codeact.kernel.log import Log
from jupyter_codeact.kernel.polling import Polling
from jupyter_codeact.sandbox.launch import open_sandbox
from jupyter_codeact.sandbox.probe import explain

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

UID_MAP = "bwrap: setting up uid map: Permission denied"


def answers(work: Path, *cells: str) -> list[str]:
    """What the kernel says to each cell."""
    manager, client = start_new_kernel(kernel_name="codeact", cwd=str(work))
    said: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "error":
            said.append(message["content"]["evalue"])

    try:
        for cell in cells:
            reply = client.execute_interactive(cell, output_hook=hear, timeout=PATIENCE_S)
            assert reply["content"]["status"] == "error"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return said


def path_with(folder: Path, monkeypatch: pytest.MonkeyPatch, bwrap: str = "") -> None:
    """A PATH that has this bwrap, or none at all."""
    folder.mkdir()
    for name in ("env", "sh", "setpriv", "cat"):
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    if bwrap:
        (folder / "bwrap").write_text(f"#!/bin/sh\n{bwrap}\n")
        (folder / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_no_bubblewrap_is_one_line_and_nothing_runs(
    work: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path_with(tmp_path / "bin", monkeypatch)
    said = answers(work, "open('ran', 'w')", "%%agent --model scripted/gp_fit\ngo")
    assert all("bubblewrap is not installed" in line and "apt install bubblewrap" in line for line in said)
    assert len(said) == 2
    assert not any("\n" in line for line in said)
    assert not list(work.iterdir())


@pytest.mark.parametrize(
    ("log", "remedy"),
    [
        (UID_MAP, "AppArmor"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "AppArmor"),
        ("bwrap: No permissions to create new namespace, likely because", "unprivileged_userns_clone"),
        (
            "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)",
            "15",
        ),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "systempaths=unconfined"),
        ("bwrap: Creating new namespace failed: Operation not permitted", "SYS_ADMIN"),
        ("bwrap: cannot open /proc/sys/user/max_user_namespaces: Read-only file system", "systempaths=unconfined"),
        ("bwrap: Unknown option --perms", "0.5"),
        ("bwrap: prctl(PR_SET_SECCOMP): Invalid argument", "seccomp"),
        ("bwrap: execvp setpriv: No such file or directory", "util-linux"),
        ("bwrap: execvp prlimit: No such file or directory", "util-linux"),
        ("codeact: /mnt/x can't be lent to the sandbox's user: Invalid argument.", "ordinary user"),
        ("No module named 'ipykernel'", "pip install"),
        ("something new", "did not start: something new."),
        ("", "it wrote nothing"),
    ],
)
def test_what_bubblewrap_says_becomes_one_line_with_the_remedy(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: str, remedy: str
) -> None:
    (tmp_path / "log").write_text(f"a warning\n{log}\n" if log else "")
    path_with(tmp_path / "bin", monkeypatch, f"cat {tmp_path / 'log'} >&2; exit 1")
    sandbox = open_sandbox("bubblewrap", sys.executable, str(work))
    assert sandbox.process.stderr is not None
    with sandbox.process.stderr as pipe:
        line = explain(pipe.read().decode())
    sandbox.close()
    assert remedy in line
    assert "\n" not in line


def test_a_bubblewrap_that_fails_is_one_line_and_nothing_runs(
    work: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path_with(tmp_path / "bin", monkeypatch, f"echo {UID_MAP!r} >&2; exit 1")
    said = answers(work, "open('ran', 'w')", "%agent status")
    assert said == [explain(UID_MAP)] * 2
    # No other home helped: the one that there was is still the one.
    (kept,) = (path for path in (home / "homes").iterdir() if not path.name.startswith("."))
    assert "-" not in kept.name
    assert not [path for path in work.iterdir() if path.name == "ran"]


def test_a_request_that_came_while_it_started_is_answered_once_it_has_failed(
    work: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    path_with(tmp_path / "bin", monkeypatch, f'[ "$1" = --help ] || until [ -e {seen} ]; do :; done; exit 1')
    manager = KernelManager(kernel_name="codeact")
    manager.start_kernel(cwd=str(work))
    client = manager.client()
    client.start_channels(hb=False)
    try:
        asked = client.kernel_info()
        # Answered outside of the sandbox, and after the other one was read.
        tab = client.complete("%agent stat")
        assert client.get_shell_msg(timeout=PATIENCE_S)["parent_header"]["msg_id"] == tab
        seen.touch()
        assert client.get_shell_msg(timeout=PATIENCE_S)["parent_header"]["msg_id"] == asked
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_what_a_sandbox_wrote_at_its_very_end_is_read() -> None:
    process = subprocess.Popen(["sh", "-c", "echo why >&2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        process.wait()
        polling = Polling()
        assert Log(polling, process).text == "why\n"
        polling.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JUPYTER_CODEACT_MEMORY_GB", "lots"),
        ("JUPYTER_CODEACT_MEMORY_GB", "0"),
        ("JUPYTER_CODEACT_SANDBOX", "sand"),
        ("JUPYTER_CODEACT_HOME", "/proc/nothing"),
        ("JUPYTER_CODEACT_HOME", "/dev/null"),
        ("JUPYTER_CODEACT_HOME", "~nobody-of-this-name/codeact"),
        ("JUPYTER_CODEACT_WORKSPACE", "../other"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    work: Path, home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    (said,) = answers(work, "1")
    assert name in said
    assert "\n" not in said


@pytest.mark.usefixtures("sandbox")
def test_the_whole_machine_is_no_working_folder(home: Path) -> None:
    (said,) = answers(Path(os.sep), "1")
    assert "a folder of its own" in said
