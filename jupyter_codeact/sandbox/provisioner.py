"""The same sandbox for a plain ipykernel, without an agent: a kernelspec names it as its provisioner.

"metadata": {"kernel_provisioner": {"provisioner_name": "codeact-bubblewrap", "config": {"memory_gb": 4}}}
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from jupyter_core.paths import jupyter_config_path, jupyter_data_dir, jupyter_path, jupyter_runtime_dir
from traitlets import Float

from ..errors import ConfigError
from ..settings import Settings
from . import run_folder
from .launch import Sandbox, open_sandbox
from .probe import explain
from .run_folder import CHANNELS, Address, RunFolder

KEPT_LOG = 8192
NOT_ENCRYPTED = (
    "codeact-bubblewrap connects over unix sockets in a private folder, and does not encrypt them. Set the manager's "
    "transport_encryption to auto."
)


class BubblewrapProvisioner(LocalProvisioner):
    """Starts the kernelspec's Python in bubblewrap; poll, wait, kill and terminate are those of a local process.

    The kernel manager must be used from a thread that lives as long as its kernels, as Jupyter's servers do.
    """

    memory_gb = Float(None, allow_none=True, min=0.25, help="What the sandbox may hold.").tag(config=True)
    sandbox: Sandbox | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Let the manager expect the kernel at sockets of ours; a restarted one is at those that clients know."""
        kwargs = await KernelProvisionerBase.pre_launch(self, **kwargs)
        manager: Any = self.parent
        if getattr(manager, "transport_encryption", "") == "required":
            raise ConfigError(NOT_ENCRYPTED)
        arguments = kwargs.pop("extra_arguments", [])
        if not _is_ours(manager):
            manager.transport = "ipc"
            manager.ip = run_folder.new(_work(kwargs)).ip
            for number, name in enumerate(CHANNELS, start=1):
                setattr(manager, f"{name}_port", number)
        manager.write_connection_file()
        return {**kwargs, "cmd": manager.format_kernel_cmd(extra_arguments=arguments)}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """``cmd`` tells which Python; what runs is ipykernel, and of the environment only what tells the language."""
        if not any("ipykernel" in word for word in cmd):
            raise ConfigError(f"codeact-bubblewrap runs Python kernels: argv must name ipykernel, not {cmd[0]}.")
        manager: Any = self.parent
        address = Address(_folder(manager), manager.session.key.decode())
        settings = Settings.from_environment()
        jupyters = (jupyter_data_dir(), jupyter_runtime_dir(), *jupyter_config_path(), *jupyter_path())
        hidden = (*settings.hidden, *settings.libraries, *filter(None, jupyters))
        self.sandbox = open_sandbox(
            "bubblewrap", cmd[0], _work(kwargs), (), hidden, memory_gb=self.memory_gb, address=address
        )
        if self.sandbox.asked is not None and self.sandbox.asked.left_out:
            self.log.warning(self.sandbox.asked.left_out)
        self.process, self.pid, self.pgid = self.sandbox.process, self.sandbox.process.pid, self.sandbox.process.pid
        for pipe in (self.process.stdout, self.process.stderr):
            threading.Thread(target=self._drain, args=(pipe, self.sandbox), daemon=True).start()
        self.connection_info = manager.get_connection_info()
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """An interrupt is for the kernel inside and what it started; everything else for the sandbox as a whole."""
        if signum == signal.SIGINT and self.sandbox is not None:
            self.sandbox.interrupt()
        elif signum != 0:
            await super().send_signal(signum)

    async def cleanup(self, restart: bool = False) -> None:
        """Leave nothing; for a restart, leave the folder of the sockets."""
        if self.sandbox is not None:
            self.sandbox.end() if restart else self.sandbox.close()

    def _drain(self, pipe: Any, sandbox: Sandbox) -> None:
        """Read what it writes to its terminal, which would block it otherwise, and say at its end what went wrong."""
        log = b""
        try:
            while data := os.read(pipe.fileno(), 65536):
                log = (log + data)[-KEPT_LOG:]
        except (OSError, ValueError):
            return  # closed by us
        if pipe is sandbox.process.stderr and self.process is not None:
            self.log.warning(explain(log.decode(errors="replace"), sandbox.cause))


def _work(options: dict[str, Any]) -> str:
    return os.path.realpath(options.get("cwd") or os.getcwd())


def _folder(manager: Any) -> RunFolder:
    return RunFolder(str(Path(manager.ip).parent.parent))


def _is_ours(manager: Any) -> bool:
    return manager.transport == "ipc" and _folder(manager).ip == manager.ip and os.path.isdir(_folder(manager).path)
