"""Sandboxes to attack: a kernel in one, and what a cell there prints; the whole kernel, as a front end sees it."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import PATIENCE_S
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from jupyter_codeact.files import Identity
from jupyter_codeact.sandbox.launch import Sandbox, open_sandbox
from jupyter_codeact.sandbox.usage import descendants

AS_ROOT = os.geteuid() == 0


@dataclass
class Cells:
    """Runs code in a sandbox, as cells do."""

    sandbox: Sandbox
    client: Any

    def __call__(self, code: str) -> str:
        """What the code printed. An error in it is an error of the test."""
        printed, errors = [], []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])
            elif message["msg_type"] == "error":
                errors.append("\n".join(message["content"]["traceback"]))

        self.client.execute_interactive(textwrap.dedent(code), output_hook=hear, timeout=PATIENCE_S)
        assert not errors, errors
        return "".join(printed).strip()

    def attempt(self, attack: str) -> str:
        """What the attack, which prints what it got, says of its end: that, or `OSError`'s name for why not."""
        tried = textwrap.indent(textwrap.dedent(attack).strip(), "    ")
        return self(
            f"import ctypes, errno, os, socket, sys\ntry:\n{tried}\n"
            "except OSError as error:\n    print(errno.errorcode.get(error.errno, error))"
        )

    def send(self, code: str) -> None:
        """Without waiting for its end, which it may not have."""
        self.client.execute(textwrap.dedent(code))

    def until_printed(self, text: str) -> None:
        """Until a cell that was sent has printed it."""
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE_S)
            if message["msg_type"] == "stream" and text in message["content"]["text"]:
                return


@contextmanager
def answering(kind: str, work: Path, python: str = sys.executable, **options: Any) -> Iterator[Cells]:
    """A kernel in a sandbox of this kind, and its end. Nobody looks at what it has."""
    sandbox = open_sandbox(kind, python, str(work), **options, known=Identity.of(work))
    client = BlockingKernelClient()
    client.load_connection_info(sandbox.connection)
    client.start_channels(hb=False)
    try:
        client.kernel_info(reply=True, timeout=PATIENCE_S)
        yield Cells(sandbox, client)
    finally:
        client.stop_channels()
        sandbox.close()


@contextmanager
def room(kind: str, work: Path, python: str = sys.executable, **options: Any) -> Iterator[Cells]:
    """One that has what it was opened for."""
    with answering(kind, work, python, **options) as cells:
        cells.sandbox.check_place()
        yield cells


class Kernel:
    """The whole kernel, as a front end sees it."""

    def __init__(self, manager: Any, client: Any) -> None:
        self.manager = manager
        self.client = client

    @property
    def pid(self) -> int:
        """The trusted process."""
        return int(self.manager.provisioner.process.pid)

    def inside(self) -> list[int]:
        """Everything below the trusted process: bubblewrap, its init, the kernel, and what that started."""
        return list(descendants(self.pid))

    def run(self, code: str, **options: Any) -> tuple[str, str]:
        """What a cell printed, and what its error said. options: of ``execute_interactive``."""
        printed, errors = [], []

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                printed.append(content["text"])
            elif message["msg_type"] == "error":
                errors.append(content["evalue"])

        self.client.execute_interactive(code, output_hook=hear, timeout=PATIENCE_S, **options)
        return "".join(printed), "".join(errors)

    def send(self, kind: str, content: dict[str, Any], channel: str = "shell", **header: str) -> str:
        """Any request; returns its id."""
        message = self.client.session.msg(kind, content)
        message["header"].update(header)
        getattr(self.client, f"{channel}_channel").send(message)
        return str(message["header"]["msg_id"])

    def subshell(self) -> str:
        """The id of a new one."""
        asked = self.send("create_subshell_request", {}, "control")
        while (reply := self.client.get_control_msg(timeout=PATIENCE_S))["parent_header"]["msg_id"] != asked:
            pass
        return str(reply["content"]["subshell_id"])

    def replies(self, asked: list[str]) -> dict[str, str]:
        """The statuses of these requests by id, in the order in which they come."""
        found: dict[str, str] = {}
        while found.keys() < set(asked):
            reply = self.client.get_shell_msg(timeout=PATIENCE_S)
            if reply["parent_header"]["msg_id"] in asked:
                found[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
        return found

    def until_printed(self, text: str) -> None:
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE_S)
            if message["msg_type"] == "stream" and text in message["content"]["text"]:
                return

    def until_idle(self, asked: str) -> None:
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE_S)
            if message["content"] == {"execution_state": "idle"} and message["parent_header"]["msg_id"] == asked:
                return


@contextmanager
def started(work: Path) -> Iterator[Kernel]:
    manager, client = start_new_kernel(kernel_name="codeact", cwd=str(work), startup_timeout=PATIENCE_S)
    try:
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
