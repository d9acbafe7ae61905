"""A kernel's start where none waits in reserve: the order of the first 200 milliseconds.

The sandbox is started before anything heavy is imported here, so that the two start side by side.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import CodeActError
from ..sandbox.launch import Sandbox, open_sandbox
from ..sandbox.paths import forget
from ..settings import Settings


def arguments() -> tuple[argparse.Namespace, list[str]]:
    """Ours, and those that are for ipykernel inside: `jupyter run` hands over the names of its scripts, for one."""
    parser = argparse.ArgumentParser(
        prog="jupyter_codeact.kernel", description="The CodeAct kernel, started by Jupyter."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("-f", dest="connection_file", help="Jupyter's connection file")
    what.add_argument("--reserve", action="store_true", help="open a sandbox and wait to become a kernel")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs the cells (default: this one)")
    return parser.parse_known_args()


def start() -> None:
    """Serve until shut down. Without a sandbox, serve the sentence that says why."""
    # For a start without kernelspec/start.py.
    forget(os.getcwd())
    options, others = arguments()
    connection = {} if options.reserve else json.loads(Path(options.connection_file).read_text())
    # Interrupts come as messages; a Ctrl-C in the server's terminal is not for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    def fresh() -> Sandbox:
        settings.make_folders()
        return open_sandbox(
            settings.sandbox,
            options.python,
            os.getcwd(),
            settings.libraries,
            settings.hidden,
            homes_folder=str(settings.homes),
            memory_gb=settings.memory_gb,
            arguments=others,
        )

    try:
        settings = Settings.from_environment()
        if options.reserve:
            _wait(options.python, fresh, settings)
            return
        sandbox = fresh()
    except CodeActError as error:
        if not options.reserve:
            _refuse(connection, str(error))
        return
    from .serve import serve

    serve(connection, sandbox, fresh, settings, orphaned=parent_watch())


def _wait(python: str, fresh: Callable[[], Sandbox], settings: Settings) -> None:
    from .serve import serve
    from .waiting import wait

    taken = wait(python, settings.reserve_minutes, fresh)
    if taken is not None:
        wake = taken.line.fileno()
        serve(taken.connection, taken.sandbox, fresh, settings, orphaned=taken.stub_is_gone, wake=wake)


def _refuse(connection: dict[str, object], reason: str) -> None:
    from .refuse import refuse_from_start

    refuse_from_start(connection, reason, parent_watch())


def parent_watch() -> Callable[[], bool]:
    """Whether the server that started us is gone. Set by jupyter_client, as for any kernel."""
    if not os.environ.get("JPY_PARENT_PID"):
        return lambda: False
    parent = os.getppid()
    return lambda: os.getppid() != parent
