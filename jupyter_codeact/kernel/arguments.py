"""The command line that Jupyter starts a kernel with."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple


class Arguments(NamedTuple):
    """connection_file: Jupyter's, or None for a kernel in reserve. python: what runs the cells.

    others: for ipykernel inside: `jupyter run` hands over the names of its scripts, for one.
    """

    connection_file: str | None
    python: str
    others: tuple[str, ...] = ()

    def front_files(self, connection: dict[str, Any]) -> tuple[str, ...]:
        """What whoever can read it could speak to this kernel with: the connection file, and the folder of sockets."""
        sockets = connection.get("transport") == "ipc" and os.path.dirname(os.path.abspath(connection["ip"]))
        return tuple(os.path.realpath(path) for path in (self.connection_file, sockets) if path)


def read(words: Sequence[str]) -> Arguments:
    """Ends the program with a line for words that can't be ours."""
    options = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) == 2 * len(options) and "-f" in options and options.keys() <= {"-f", "--python"}:
        # What Jupyter writes: every start would wait for the import of a parser.
        return Arguments(options["-f"], options.get("--python", sys.executable))
    return _parsed(words)


def _parsed(words: Sequence[str]) -> Arguments:
    import argparse

    parser = argparse.ArgumentParser(
        prog="jupyter_codeact.kernel", description="The CodeAct kernel, started by Jupyter."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("-f", dest="connection_file", help="Jupyter's connection file")
    what.add_argument("--reserve", action="store_true", help="open a sandbox and wait to become a kernel")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs the cells (default: this one)")
    options, others = parser.parse_known_args(words)
    return Arguments(options.connection_file, options.python, tuple(others))
