"""The kernel in reserve itself: it has its sandbox, and waits to be somebody's kernel. See ``reserve.py``."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SandboxUnavailable
from ..files import Identity
from ..sandbox import links, repository
from ..sandbox.bubblewrap import KEPT_VARIABLES
from ..sandbox.launch import Sandbox
from ..sandbox.paths import PACKAGE, Interpreter, home_parts, interpreter, private_entries
from ..settings import Settings
from . import reserve

LOOK_S = 5.0
# Less than who calls has patience for. It takes some hundredths.
MOUNTED_S = 1.0
CHANNELS = 5


@dataclass
class Taken:
    """The reserve has become a kernel. ``line`` leads to its stub, and closes when that ends."""

    sandbox: Sandbox
    connection: dict[str, Any]
    line: socket.socket

    def stub_is_gone(self) -> bool:
        return bool(select.select([self.line], [], [], 0)[0])


def keep() -> None:
    """Start a kernel in reserve, and return when it has ended: for a thread that has nothing else to do.

    It is started as this process was, but for the connection file.
    """
    words = [word for word in sys.orig_argv[1:] if word != "--reserve"]
    if "-f" in words:
        del words[words.index("-f") : words.index("-f") + 2]
    nowhere = subprocess.DEVNULL
    command = [sys.executable, *words, "--reserve"]
    subprocess.run(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True, check=False)


def wait(python: str, minutes: float, open_sandbox: Callable[[], Sandbox]) -> Taken | None:
    """Open a sandbox and wait.

    None where another one does so already, where nobody came in time, or somebody whose sandbox would be another one,
    as it is once the home was set aside that ours has.
    """
    # Asked once: to start it takes longer than whoever comes is to wait.
    cells = interpreter(python)
    made_for = _fitting(cells)
    mine = reserve.LEAVE + b"%08x" % zlib.crc32(ascii(made_for).encode())
    with contextlib.ExitStack() as stack:
        listener = _place(python, mine)
        if listener is None:
            return None
        stack.enter_context(listener)
        sandbox = open_sandbox()
        stack.callback(sandbox.close)
        # Only now: whoever calls is answered at once. Until here a call was refused at once.
        listener.listen()
        line = _visitor(listener, sandbox, time.monotonic() + minutes * 60, mine)
        listener.close()
        if line is None:
            return None
        stack.callback(line.close)
        connection = _offer(line)
        is_left = sandbox.home is not None and not sandbox.home.in_place
        if connection is None or is_left or _fitting(cells) != made_for or not _is_sound(sandbox):
            return None
        line.sendall(reserve.YES)
        if line.recv(len(reserve.GO), socket.MSG_WAITALL) != reserve.GO:
            return None
        stack.pop_all()
    return Taken(sandbox, connection, line)


def _place(python: str, mine: bytes) -> socket.socket | None:
    """A socket at the address, where nobody is heard yet; None where another reserve has it.

    One that gets ready has it, and so has one that waits for what we would; one made for another folder leaves.
    """
    if (line := reserve.called(python)) is not None:
        with line, contextlib.suppress(OSError):
            line.sendall(mine)
            if line.recv(len(reserve.YES)) == reserve.YES:
                return None
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(reserve.address(python))
    except OSError:
        listener.close()
        return None
    return listener


def _visitor(listener: socket.socket, sandbox: Sandbox, until: float, mine: bytes) -> socket.socket | None:
    """The first caller of our own user's with something to say, before the time is over or the sandbox has ended."""
    while sandbox.alive and (left := until - time.monotonic()) > 0:
        if select.select([listener], [], [], min(left, LOOK_S))[0]:
            line, _ = listener.accept()
            line.settimeout(reserve.PATIENCE_S)
            if reserve.is_ours(line) and _speaks(line) and not _is_double(line, mine):
                return line
            line.close()
    return None


def _speaks(line: socket.socket) -> bool:
    with contextlib.suppress(OSError):
        return line.recv(1, socket.MSG_PEEK) != b""
    return False


def _is_double(line: socket.socket, mine: bytes) -> bool:
    """Whether a reserve calls that would wait for what we do: it is told that we stay."""
    with contextlib.suppress(OSError):
        if line.recv(len(mine), socket.MSG_PEEK) == mine:
            line.sendall(reserve.YES)
            return True
    return False


def _offer(line: socket.socket) -> dict[str, Any] | None:
    """Take what the stub has: its files, its environment, its folder; returns the connection. None if we are to go."""
    said, files, _, _ = socket.recv_fds(line, 1, len(reserve.TERMINAL) + CHANNELS)
    if said != b"{":
        return None
    with line.makefile("rb") as stream:
        offer = json.loads(said + stream.readline())
    for number, file in zip(reserve.TERMINAL, files, strict=False):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(offer["environment"])
    os.chdir(offer["work"])
    os.umask(offer["umask"])
    connection = dict(offer["connection"])
    listeners = zip(connection["listeners"], files[len(reserve.TERMINAL) :], strict=True)
    return {**connection, "listeners": dict(listeners)}


def _is_sound(sandbox: Sandbox) -> bool:
    """Whether it has what it was opened for, and what one would have that is opened now.

    Where bubblewrap is still at work, whoever calls waits for that.
    """
    until = time.monotonic() + MOUNTED_S
    while sandbox.alive and time.monotonic() < until:
        with contextlib.suppress(SandboxUnavailable):
            sandbox.check_place()
            return sandbox.is_current() and sandbox.alive
        time.sleep(0.01)
    return False


def _fitting(python: Interpreter) -> tuple[object, ...]:
    """All that a sandbox opened here and now would depend on: it must be as it was when ours was opened.

    Of what is mounted these are the names; whether they lead to what they led to then, ``_is_sound`` asks.
    """
    settings, work = Settings.from_environment()._replace(reserve_minutes=0.0), os.path.realpath(os.getcwd())
    known = [*map(Identity.of, (".", sys.executable, python.program))]
    variables = [os.environ.get(name) for name in (*KEPT_VARIABLES, "PATH", "LD_LIBRARY_PATH")]
    home = home_parts(work)
    made_links = [os.readlink(path) for path, option in home.items() if option == "--symlink"]
    covered = private_entries(work, settings.hidden), home, made_links, repository.kept(work)
    seen = _elsewhere(python, work, settings.libraries)
    return settings, work, known, variables, covered, seen, _installed(python)


def _elsewhere(python: Interpreter, work: str, libraries: Iterable[str]) -> tuple[object, ...]:
    """What would be bound from outside of the working folder, and where its names lead, in an order of its own."""
    python = python.with_projects().without_projects_in(work)
    led = links.led((*python.projects, *libraries), python.environment)
    readable = python.without_projects_but(led.places).readable(work)
    return sorted(readable), sorted(led.places.items()), sorted(led.unseen.items())


def _installed(python: Interpreter) -> dict[str, int]:
    """What would be imported: when our own files, and the folders of packages, were last changed."""
    folders = map(Path, (*sys.path, *python.packages))
    return {str(path): path.stat().st_mtime_ns for path in (*folders, *PACKAGE.rglob("*.py")) if path.exists()}
