"""`python -m jupyter_codeact` is `jupyter codeact`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
