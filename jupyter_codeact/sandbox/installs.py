"""`%pip` in the sandbox: `python installs.py install …`. Stands alone, as bootstrap.py does.

The environment can't be written to here, the home can. So pip is told that the home is a virtual environment: it
installs there, takes what the environment has for installed, and leaves it alone where another version is wanted.
"""

import os
import runpy
import shlex
import sys

OFFLINE = (
    "\nThe sandbox has no network: pip installs only what lies in the working folder, such as ./name.whl.\n"
    "For everything else, type in a terminal:  {command}\nThen go on here, without a restart.\n"
)
NO_PIP = "{prefix} has no pip. Install packages into it from a terminal, then go on here, without a restart."


def main() -> None:
    """Run pip with the arguments that we were given, and say what to do where it can't get a package."""
    del sys.path[0]
    environment, wish = sys.prefix, sys.argv[1:]
    sys.prefix = sys.exec_prefix = os.path.expanduser("~/.local")
    sys.argv[0] = "pip"
    try:
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
    except ImportError:
        sys.exit(NO_PIP.format(prefix=environment))
    except SystemExit as end:
        if end.code and os.environ.get("PIP_NO_INDEX") and wish[:1] in (["install"], ["download"], ["wheel"]):
            command = shlex.join([sys.executable, "-m", "pip", *wish])
            sys.stderr.write(OFFLINE.format(command=command))
        raise


if __name__ == "__main__":
    main()
