"""The trusted process, which kernelspec/start.py begins: the kernel in reserve serves, or a start from nothing."""

from __future__ import annotations

import sys

from . import reserve
from .arguments import read


def main() -> None:
    """Serve until shut down."""
    given = read(sys.argv[1:])
    if given.connection_file and not given.others and reserve.serves(given.connection_file, given.python):
        return
    from .start import start

    start(given)


if __name__ == "__main__":
    main()
