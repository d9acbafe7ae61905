"""The kernel in reserve, and how a process that Jupyter starts finds it.

Most of a kernel's start is Python's imports, inside the sandbox and outside. So a kernel that has been up for a moment
starts another one, which opens its sandbox and waits (``waiting.py``). What Jupyter starts next is then only a *stub*:
it gives connection file, environment and terminal to the one that waits, and lives as long as that one.

They meet at an address that is no file: a sandbox, which has a network of its own, can't reach it, and each side asks
the operating system whether the other is the same user. This module imports little, since every start waits for it.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import zlib
from typing import Any

# Where the one in reserve is stopped or swapped out, starting afresh is quicker.
PATIENCE_S = 2.0
CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: unix(7)
TERMINAL = (0, 1, 2)
YES, NO, GO, LEAVE = b"yes", b"no!", b"go!", b"leave "


def address(python: str) -> str:
    """Where the reserve of this environment waits: an abstract unix socket, one for each user and environment.

    In a container with the host's network the folders are others: so are its namespaces, which are part of the name.
    """
    names = (sys.prefix, sys.executable, python, os.readlink("/proc/self/ns/mnt"), os.readlink("/proc/self/ns/pid"))
    return f"\0codeact-{os.geteuid()}-{zlib.crc32(os.fsencode(chr(0).join(names))):08x}"


def called(python: str) -> socket.socket | None:
    """A line to the kernel in reserve, or None where there is none of this user's."""
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(PATIENCE_S)
    try:
        line.connect(address(python))
        if is_ours(line):
            return line
    except OSError:
        pass
    line.close()
    return None


def is_ours(line: socket.socket) -> bool:
    """Whether the process at the other end is the same user's: an address of this kind is anybody's to take."""
    peer = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return bool(CREDENTIALS.unpack(peer)[1] == os.geteuid())


def serves(connection: dict[str, Any], python: str) -> bool:
    """Have the kernel in reserve be this one; returns True when it has ended, and False at once where it can't be.

    connection: the content of the connection file, and `listeners` (``sockets.py``).
    """
    # Settings are not read yet; whoever wants no reserve wants none of somebody else's either.
    line = called(python) if os.environ.get("JUPYTER_CODEACT_RESERVE", "").strip() != "0" else None
    if line is None:
        return False
    with line:
        offer = {"connection": connection, "environment": dict(os.environ), "work": os.getcwd(), "umask": _umask()}
        listeners = connection["listeners"].values()
        try:
            # With the first byte go the terminal's files, for what the kernel logs, and the sockets that listen.
            socket.send_fds(line, [b"{"], [*TERMINAL, *listeners])
            line.sendall(json.dumps(offer).encode()[1:] + b"\n")
            if line.recv(len(YES), socket.MSG_WAITALL) != YES:
                return False
            line.sendall(GO)
        except OSError:
            return False
        for listener in listeners:
            os.close(listener)
        _stand_for(line)
    return True


def _stand_for(line: socket.socket) -> None:
    """Until the kernel has ended, or the server that started us. The kernel ends with us."""
    parent = os.getppid()
    while os.getppid() == parent or "JPY_PARENT_PID" not in os.environ:
        if select.select([line], [], [], 1.0)[0]:
            return


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
