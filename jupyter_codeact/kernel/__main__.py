"""`python -P -m jupyter_codeact.kernel -f connection.json`: the order of the first 200 milliseconds.

The sandbox is started before anything heavy is imported here, so that the two start side by side.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from ..errors import CodeActError
from ..sandbox.launch import Sandbox, open_sandbox
from ..settings import Settings


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="jupyter_codeact.kernel", description="The CodeAct kernel, started by Jupyter."
    )
    parser.add_argument("-f", dest="connection_file", required=True, help="Jupyter's connection file")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs the cells (default: this one)")
    return parser.parse_args()


def main() -> None:
    """Serve until shut down. Without a sandbox, serve the sentence that says why."""
    # An editable project can put the working folder there: modules of the sandbox's making would be imported here.
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != os.path.realpath(os.getcwd())]
    options = arguments()
    connection = json.loads(Path(options.connection_file).read_text())
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
            memory_gb=settings.memory_gb,
        )

    try:
        settings = Settings.from_environment()
        sandbox = fresh()
    except CodeActError as error:
        _refuse(connection, str(error))
        return
    from .serve import serve

    serve(connection, sandbox, fresh, settings)


def _refuse(connection: dict[str, object], reason: str) -> None:
    from .refuse import refuse

    refuse(connection, reason)


if __name__ == "__main__":
    main()
