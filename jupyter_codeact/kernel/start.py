"""A kernel's start where none waits in reserve: the order of the first 200 milliseconds.

The sandbox is started before anything heavy is imported here, so that the two start side by side.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from ..errors import CodeActError
from ..files import Identity, current_folder
from ..sandbox.launch import Sandbox, open_sandbox
from ..sandbox.paths import forget
from ..settings import Settings
from .arguments import Arguments

Fresh = Callable[..., Sandbox]


def start(given: Arguments, connection: dict[str, Any]) -> None:
    """Serve until shut down; without a connection, wait in reserve. Without a sandbox, say why to whoever asks.

    connection: the content of Jupyter's connection file, and `listeners` (``sockets.py``).
    """
    # Whoever started us may end at any moment.
    orphaned = parent_watch()
    # For a start without kernelspec/start.py.
    forget(os.getcwd())
    # Interrupts come as messages; a Ctrl-C in the server's terminal is not for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup it is ignored, and stays so.
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, lambda *_: sys.exit(0))

    def fresh(first: tuple[str, ...] = (), *, empty_home: bool = False) -> Sandbox:
        settings.make_folders()
        return open_sandbox(
            settings.sandbox,
            given.python,
            current_folder(),
            (*first, *settings.libraries),
            settings.hidden,
            homes_folder=str(settings.homes),
            empty_home=empty_home,
            memory_gb=settings.memory_gb,
            arguments=given.others,
            known=Identity.of("."),
        )

    try:
        settings = Settings.from_environment()
        settings = settings._replace(hidden=(*settings.hidden, *given.front_files(connection)))
        if not connection:
            _wait(given.python, fresh, settings)
            return
        sandbox = fresh()
    except CodeActError as error:
        if connection:
            _refuse(connection, str(error), orphaned)
        return
    from .serve import serve

    serve(connection, sandbox, fresh, settings, orphaned=orphaned)


def _wait(python: str, fresh: Fresh, settings: Settings) -> None:
    from .serve import serve
    from .waiting import wait

    taken = wait(python, settings.reserve_minutes, fresh)
    if taken is not None:
        wake = taken.line.fileno()
        serve(taken.connection, taken.sandbox, fresh, settings, orphaned=taken.stub_is_gone, wake=wake)


def _refuse(connection: dict[str, Any], reason: str, orphaned: Callable[[], bool]) -> None:
    from .refuse import refuse_from_start

    refuse_from_start(connection, reason, orphaned)


def parent_watch() -> Callable[[], bool]:
    """Whether the server that started us is gone, maybe before this. Set by jupyter_client, as for any kernel."""
    starter, parent = os.environ.get("JPY_PARENT_PID"), os.getppid()
    if not starter:
        return lambda: False
    return lambda: os.getppid() != parent or (parent == 1 and starter != "1")
