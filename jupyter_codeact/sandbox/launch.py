"""Open a sandbox: its private folder, its process, the watch on its memory; and close it with all that is in it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import ConfigError, SandboxUnavailable
from ..files import Identity
from . import bubblewrap, homes, mounts, place, run_folder, signals
from .bubblewrap import Room
from .homes import Home
from .limits import OUTPUT_LIMIT, Limits, Watch
from .paths import entries_outside
from .run_folder import Address, Line, RunFolder

# As `python -m ipykernel install` writes it: else the debugger misses breakpoints, and says so in the first cell.
INTERPRETER_OPTIONS = ("-Xfrozen_modules=off",)
BOOTSTRAP = str(Path(__file__).with_name("bootstrap.py"))
# The process, and what it is to have mounted; None where it is no sandbox.
Built = tuple[subprocess.Popen[bytes], mounts.Asked | None]
ENDED = "The sandbox ended."
UNREADABLE = (
    "What lies in {folder} can't be looked at, and so nothing was run there: {error}. Something may be rearranging it: "
    "look at what it is now, and begin again."
)
# What the first cell in a fresh sandbox says, and what hers does where steps of the agent's ran in it before.
FRESH = "Variables are gone; this cell runs in a fresh one."
NO_LONGER_FRESH = "Variables from before that are gone; the agent's steps since then ran in a fresh one."


class Sandbox:
    """One running sandbox. ``connection`` is the content of its connection file, key as str.

    allowance: bytes that it may make this process hold.
    asked: what it is to have mounted; None where ``process`` is the kernel itself.
    known: which folder its working folder is to be; None where nobody says.
    cause: why it ended, as one sentence, once it has.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        connection: dict[str, Any],
        folder: RunFolder,
        allowance: int,
        home: Home | None = None,
        *,
        asked: mounts.Asked | None = None,
        known: Identity | None = None,
    ) -> None:
        self.process = process
        self.asked = asked
        self.known = known
        self.connection = connection
        self.folder = folder
        self.allowance = allowance
        self.home = home
        self.cause = ENDED
        self.watch: Watch | None = None

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def obituary(self) -> str:
        """For the cell in which it ended."""
        return f"{self.cause} Variables are gone; the next cell starts in a fresh one."

    @property
    def news(self) -> str:
        """For the first cell after that."""
        return f"{self.cause} {FRESH}"

    def check_place(self) -> None:
        """To be called once it answers, before it is asked anything. All that it has is mounted by name.

        Raises SandboxUnavailable where that led to another folder than the one it was opened for, or chosen.
        """
        if self.asked is not None and self.known is not None and self.alive:
            place.check(self.process.pid, self.asked, self.known)

    def is_current(self) -> bool:
        """Whether what it has mounted is still what is found by these names, once ``check_place`` was content."""
        return self.asked is None or place.is_current(self.process.pid, self.asked)

    def interrupt(self) -> None:
        """Send SIGINT to its kernel, and to what that started, as for a plain kernel."""
        if self.asked is not None:
            signals.interrupt(self.process.pid)
        elif self.alive:
            os.killpg(self.process.pid, signal.SIGINT)

    def keep_within(self, limits: Limits) -> None:
        """End it, with a cause, once it holds more memory than it may."""
        # Any folder of the same disk tells it, and this one stays where it is.
        home = str(self.home.place.parent) if self.home else None
        self.watch = Watch(self.process.pid, limits.memory, partial(self.condemn, limits.cause), home)
        self.watch.start()

    def condemn(self, cause: str) -> None:
        """End it for a reason. What it started ends with it, as when it is closed."""
        self.cause = cause
        self.process.kill()

    def close(self) -> None:
        """End it at once, with every process in it, and remove its folder. Safe to call twice."""
        self.end()
        self.folder.remove()

    def end(self) -> None:
        """As ``close``, but keep the folder, for another one that answers at the same addresses."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.watch is not None:
            self.watch.stop()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        if self.home is not None:
            self.home.close()


def open_sandbox(
    kind: str,
    python: str,
    work: str,
    libraries: tuple[str, ...] = (),
    hidden: tuple[str, ...] = (),
    *,
    homes_folder: str | None = None,
    empty_home: bool = False,
    memory_gb: float | None = None,
    address: Address | None = None,
    arguments: Sequence[str] = (),
    known: Identity | None = None,
    made: bool = False,
) -> Sandbox:
    """Start a kernel in a sandbox of ``kind``; returns before it answers.

    ``homes_folder`` is where homes are kept; without one, the home ends with the sandbox. ``empty_home``: with one on
    trial. ``memory_gb`` is what it may hold; None stands for a share of the machine's. ``address`` is where it answers,
    where somebody knows that already; its folder is then the caller's. ``arguments`` are ipykernel's. ``known``
    is which folder ``work`` is to be, whatever lies there by now: see ``Sandbox.check_place``. ``made``: whether it was
    made for this sandbox alone. Raises
    SandboxUnavailable where it can't be had, ConfigError for a kind that doesn't exist. The calling thread must live as
    long as the sandbox: the kernel ends it with the thread that launched it.
    """
    build = KINDS.get(kind)
    if build is None:
        kinds = ", ".join(sorted(KINDS))
        raise ConfigError(f"There is no sandbox called {kind!r}. Set JUPYTER_CODEACT_SANDBOX to one of: {kinds}.")
    run_folder.sweep()
    place.check_name(work, known)
    work = os.path.realpath(work)
    limits = Limits.of(memory_gb)
    folder, key = address or Address(run_folder.new(work))
    home = homes.open_home(homes_folder, python, work, empty_home) if homes_folder and kind != "none" else None
    try:
        with run_folder.line(folder, key) as line:
            kept = home.path if home else None
            # Without a proxy in between, a client that reads nothing would hold up the kernel.
            variables = {} if address else {"CODEACT_PATIENT": "1"}
            room = Room(python, folder, work, libraries, hidden, kept, variables, limits, tuple(arguments), made)
            process, asked = build(room, line)
            sandbox = Sandbox(process, line.connection, folder, limits.allowance, home, asked=asked, known=known)
    except BaseException:
        folder.remove()
        if home is not None:
            home.close()
        raise
    if kind != "none":
        sandbox.keep_within(limits)
    return sandbox


def _bubblewrap(room: Room, line: Line) -> Built:
    room.variables.update(_for_bootstrap(room, line))
    try:
        argv, rules, asked = bubblewrap.command(room, _arguments(room))
    except OSError as error:
        # As of what is a folder in one moment and a link in the next.
        raise SandboxUnavailable(UNREADABLE.format(folder=room.work, error=error)) from None
    try:
        environment = {name: entries_outside(name, room.work) for name in _FOR_BUBBLEWRAP if name in os.environ}
        return _start(argv, "/", environment, [*line.handed().values(), rules]), asked
    finally:
        os.close(rules)


def _none(room: Room, line: Line) -> Built:
    """No sandbox: an ordinary kernel process. Its environment keeps the keys out all the same."""
    environment = {**_some(_PLAIN_VARIABLES), **room.variables, **_for_bootstrap(room, line)}
    return _start([room.python, *_arguments(room)], room.work, environment, list(line.handed().values())), None


def _arguments(room: Room) -> list[str]:
    return [*INTERPRETER_OPTIONS, BOOTSTRAP, "-f", room.run.connection_file, *room.arguments]


def _for_bootstrap(room: Room, line: Line) -> dict[str, str]:
    return {
        "CODEACT_SKILLS": json.dumps(room.libraries),
        "CODEACT_SOCKETS": json.dumps(line.handed()),
        "CODEACT_OUTPUT_LIMIT": str(OUTPUT_LIMIT),
    }


def _some(names: tuple[str, ...]) -> dict[str, str]:
    """Of our environment, which holds keys."""
    return {name: os.environ[name] for name in names if name in os.environ}


def _start(argv: list[str], folder: str, environment: dict[str, str], handed: list[int]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=handed,
        )
    except OSError as error:
        raise SandboxUnavailable(f"The sandbox can't be started: {error}.") from None


# What a process began with can be read as long as it lives, whatever it clears: so bubblewrap begins with little.
_FOR_BUBBLEWRAP = ("PATH", "LD_LIBRARY_PATH")
_PLAIN_VARIABLES = (*bubblewrap.KEPT_VARIABLES, "HOME", "USER", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR")
KINDS: dict[str, Callable[[Room, Line], Built]] = {"bubblewrap": _bubblewrap, "none": _none}
