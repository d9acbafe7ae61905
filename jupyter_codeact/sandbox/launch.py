"""Open a sandbox: its private folder, its connection file, its process; and close it with all that is in it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from . import bubblewrap
from .bubblewrap import SANDBOX_UID, Room

PREFIX = "codeact-"
# As in ipykernel's own kernelspec: the debugger needs to see the standard library's frames.
INTERPRETER_OPTIONS = ("-Xfrozen_modules=off",)
BOOTSTRAP = str(Path(__file__).with_name("bootstrap.py"))
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")


@dataclass
class Sandbox:
    """One running sandbox. ``connection`` is the content of its connection file, key as str."""

    process: subprocess.Popen[bytes]
    connection: dict[str, Any]
    run_folder: str
    notice: str = ""

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        """End it at once, with every process in it, and remove its folder. Safe to call twice."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        shutil.rmtree(self.run_folder, ignore_errors=True)


def open_sandbox(
    kind: str, python: str, work: str, libraries: tuple[str, ...] = (), hidden: tuple[str, ...] = ()
) -> Sandbox:
    """Start a kernel in a sandbox of ``kind``; returns before it answers.

    Raises SandboxUnavailable where it can't be had, ConfigError for a kind that doesn't exist. The calling
    thread must live as long as the sandbox: the kernel ends it with the thread that launched it.
    """
    build = KINDS.get(kind)
    if build is None:
        known = ", ".join(sorted(KINDS))
        raise ConfigError(f"There is no sandbox called {kind!r}. Set JUPYTER_CODEACT_SANDBOX to one of: {known}.")
    sweep()
    folder = _new_run_folder()
    try:
        connection = _write_connection(folder)
        variables = {"CODEACT_SKILLS": os.pathsep.join(libraries)}
        room = Room(python, folder, work, libraries, hidden, variables)
        argv, environment = build(room, [python, *INTERPRETER_OPTIONS, BOOTSTRAP, "-f", f"{folder}/connection.json"])
        process = subprocess.Popen(
            argv,
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Sandbox(process, connection, folder, NOTICES.get(kind, ""))


def _bubblewrap(room: Room, inner: list[str]) -> tuple[list[str], None]:
    return bubblewrap.command(room, inner), None


def _none(room: Room, inner: list[str]) -> tuple[list[str], dict[str, str]]:
    """No sandbox: an ordinary kernel process. Its environment keeps the keys out all the same."""
    kept = {name: value for name, value in os.environ.items() if name in _PLAIN_VARIABLES}
    return inner, {**kept, **room.variables}


_PLAIN_VARIABLES = (*bubblewrap.KEPT_VARIABLES, "HOME", "USER", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR")
KINDS: dict[str, Callable[[Room, list[str]], tuple[list[str], dict[str, str] | None]]] = {
    "bubblewrap": _bubblewrap,
    "none": _none,
}
NOTICES = {"none": "No sandbox: code runs with your own rights (JUPYTER_CODEACT_SANDBOX=none)."}


def _new_run_folder() -> str:
    """A private folder with a short path: a unix socket's path ends at 107 bytes."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if not (os.access(base, os.W_OK) and len(base) < 60):
        base = tempfile.gettempdir() if len(tempfile.gettempdir()) < 60 else "/tmp"
    return tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=base)


def _write_connection(folder: str) -> dict[str, Any]:
    connection: dict[str, Any] = {f"{name}_port": number for number, name in enumerate(CHANNELS, start=1)}
    connection |= {"transport": "ipc", "ip": f"{folder}/k", "kernel_name": "codeact"}
    connection |= {"key": secrets.token_hex(32), "signature_scheme": "hmac-sha256"}
    path = Path(folder, "connection.json")
    path.write_text(json.dumps(connection))
    if os.geteuid() == 0:
        os.chown(path, SANDBOX_UID, SANDBOX_UID)
        os.chown(folder, SANDBOX_UID, SANDBOX_UID)
    return connection


def sweep() -> None:
    """Remove the folders of trusted processes that were killed before they could."""
    bases = {tempfile.gettempdir(), "/tmp", os.environ.get("XDG_RUNTIME_DIR", "/tmp")}
    for path in (p for base in bases for p in Path(base).glob(f"{PREFIX}*-*")):
        owner = path.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(path, ignore_errors=True)


def current_python() -> str:
    """The interpreter that the kernelspec was installed from."""
    return sys.executable
