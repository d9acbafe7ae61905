"""The trusted process, which kernelspec/start.py begins: the kernel in reserve serves, or a start from nothing."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from . import reserve
from .arguments import read


def main(listeners: dict[str, int] | None = None) -> None:
    """Serve until shut down. ``listeners``: sockets that listen already, as descriptors by channel."""
    given = read(sys.argv[1:])
    connection: dict[str, Any] = {}
    if given.connection_file:
        with open(given.connection_file, encoding="utf-8") as file:
            connection = {**json.load(file), "listeners": listeners or {}}
        # A sandbox that is open already can't be kept from these any more.
        here = os.path.join(os.path.realpath(os.getcwd()), "")
        seen = any(os.path.join(path, "").startswith(here) for path in given.front_files(connection))
        if not given.others and not seen and reserve.serves(connection, given.python):
            return
    from .start import start

    start(given, connection)


if __name__ == "__main__":
    main()
