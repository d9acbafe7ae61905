"""A sandbox's folder on the host: its sockets and its connection file, none of which the sandbox can replace.

The sockets are bound here, and the sandbox's kernel is handed them as open files; what it sees of the folder is
read-only. So the paths that the trusted process connects to lead to these sockets and nowhere else.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import SandboxUnavailable
from ..files import PREFIX
from ..leading import inside
from .paths import remove

CHANNELS = ("shell", "iopub", "stdin", "control", "hb")


class RunFolder(NamedTuple):
    """path: private to us. shown: the part of it that the sandbox sees, read-only, at the same path."""

    path: str

    @property
    def shown(self) -> str:
        return os.path.join(self.path, "k")

    @property
    def etc(self) -> str:
        """What the sandbox sees in /etc."""
        return os.path.join(self.path, "etc")

    @property
    def ip(self) -> str:
        """As connection files have it: what the sockets' paths begin with."""
        return os.path.join(self.shown, "s")

    @property
    def connection_file(self) -> str:
        return os.path.join(self.shown, "connection.json")

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


class Address(NamedTuple):
    """Where a sandbox answers, and the key that its messages are signed with."""

    folder: RunFolder
    key: str = ""


class Line(NamedTuple):
    """Both ends' knowledge of the five channels: the connection, and the bound sockets by address."""

    connection: dict[str, Any]
    sockets: dict[str, socket.socket]

    def handed(self) -> dict[str, int]:
        """Descriptors by address, for the process that answers there."""
        return {f"ipc://{path}": bound.fileno() for path, bound in self.sockets.items()}


def new(work: str) -> RunFolder:
    """A private folder outside ``work`` with a short path: a unix socket's path ends at 107 bytes."""
    fit = [base for base in bases() if len(base) < 60 and os.access(base, os.W_OK) and not inside(base, work)]
    try:
        return RunFolder(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=fit[0] if fit else "/tmp"))
    except OSError as error:
        raise no_room(fit[0] if fit else "/tmp", error) from None


def bases() -> list[str]:
    """Where run folders may lie, the best first. Other kernels' do, too, and other programs' sockets."""
    found = (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm")
    return list(dict.fromkeys(os.path.realpath(base) for base in found if base))


@contextmanager
def line(folder: RunFolder, key: str = "") -> Iterator[Line]:
    """Bind the sockets and write the connection file. On leaving, the sockets are the sandbox's alone."""
    connection: dict[str, Any] = {f"{name}_port": number for number, name in enumerate(CHANNELS, start=1)}
    connection |= {"transport": "ipc", "ip": folder.ip, "kernel_name": "codeact"}
    connection |= {"key": key or os.urandom(32).hex(), "signature_scheme": "hmac-sha256"}
    made = Line(connection, {})
    try:
        try:
            _fill(folder, made)
        except OSError as error:
            raise no_room(folder.path, error) from None
        yield made
    finally:
        for bound in made.sockets.values():
            bound.close()


def _fill(folder: RunFolder, made: Line) -> None:
    """The sandbox's user may be another one: what is shown is open to it, in a folder that is closed to others."""
    shutil.rmtree(folder.shown, ignore_errors=True)
    os.mkdir(folder.shown)
    os.chmod(folder.shown, 0o755)  # noqa: S103
    Path(folder.connection_file).write_text(json.dumps(made.connection))
    os.chmod(folder.connection_file, 0o444)
    for number, _ in enumerate(CHANNELS, start=1):
        path = f"{made.connection['ip']}-{number}"
        made.sockets[path] = bound = socket.socket(socket.AF_UNIX)
        bound.bind(path)
        os.chmod(path, 0o777)  # noqa: S103
        bound.listen(128)


def no_room(folder: str, error: OSError) -> SandboxUnavailable:
    """What is said where a file of a run folder can't be made."""
    return SandboxUnavailable(
        f"The sandbox's files can't be made in {folder}: {error.strerror}. Make room there, or let TMPDIR name "
        "another folder with a short path, then restart the kernel."
    )


def sweep() -> None:
    """Remove our folders of trusted processes that were killed before they could."""
    for path in (p for base in bases() for p in Path(base).glob(f"{PREFIX}*-*")):
        owner = path.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists() and _ours(path):
            # Follows no links, and goes as deep as a sandbox's working folder may be.
            remove(path)


def _ours(path: Path) -> bool:
    """Anybody can make a folder of this name in /tmp."""
    try:
        return path.lstat().st_uid == os.geteuid()
    except OSError:
        return False
