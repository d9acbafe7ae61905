"""The trusted process, which kernelspec/start.py begins: the kernel in reserve serves, or a start from nothing."""

from __future__ import annotations

import sys

from . import reserve


def main() -> None:
    """Serve until shut down. Jupyter starts it with options that have values, and without arguments of ipykernel's."""
    words = sys.argv[1:]
    options = dict(zip(words[::2], words[1::2], strict=False))
    plain = len(words) == 2 * len(options) and options.keys() <= {"-f", "--python"}
    if plain and "-f" in options and reserve.serves(options["-f"], options.get("--python", sys.executable)):
        return
    from .start import start

    start()


if __name__ == "__main__":
    main()
