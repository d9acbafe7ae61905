"""`%pip` in the sandbox: `python installs.py install …`. Stands alone, as bootstrap.py does.

The environment can't be written to here, the home can. So pip is told that the home is a virtual environment: it
installs there, takes what the environment has for installed, and leaves it alone where another version is wanted.
A user's installation is this one already, which pip would refuse in a virtual environment.
"""

import logging
import os
import runpy
import shlex
import sys

OFFLINE = (
    "\nThe sandbox has no network: pip installs only what lies in the working folder, such as ./name.whl.\n"
    "For everything else, type in a terminal:  {command}\nThen go on here, without a restart.\n"
)
# What pip, or git for it, says where something would have to come from elsewhere.
SIGNS = ("No matching distribution found", "new connection", "Could not resolve host", "name resolution", "unreachable")
NO_PIP = "{prefix} has no pip. Install packages into it from a terminal, then go on here, without a restart."


def main() -> None:
    """Run pip with the arguments that we were given, and say what to do where it can't get a package."""
    del sys.path[0]
    environment, wish = sys.prefix, sys.argv[1:]
    if wish[:1] == ["install"]:
        wish = [word for word in wish if word != "--user"]
        os.environ["PIP_USER"] = "0"
    sys.prefix = sys.exec_prefix = os.path.expanduser("~/.local")
    sys.argv = ["pip", *wish]
    said = overheard()
    try:
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
    except ImportError:
        sys.exit(NO_PIP.format(prefix=environment))
    except SystemExit as end:
        if end.code and any(sign in text for sign in SIGNS for text in said):
            command = shlex.join([sys.executable, "-m", "pip", *wish])
            sys.stderr.write(OFFLINE.format(command=command))
        raise


def overheard() -> list[str]:
    """What pip will have written to its log, its errors among it."""
    said, make = [], logging.getLogRecordFactory()

    def record(*arguments, **keywords):  # type: ignore[no-untyped-def]  # noqa: ANN002,ANN003,ANN202  logging's
        made = make(*arguments, **keywords)
        # A program's output is no part of the error's own text.
        errors = made.args if isinstance(made.args, tuple) else ()
        said.extend([made.getMessage(), *(str(getattr(error, "context", "")) for error in errors)])
        return made

    logging.setLogRecordFactory(record)
    return said


if __name__ == "__main__":
    main()
