"""Start the trusted process: `python -E -P -S start.py -f connection.json`.

Before a program begins, Python obeys what lies on its path: .pth files, `sitecustomize`, PYTHONPATH. An environment may
have a project's folder there (`pip install -e .`), and code in the sandbox can write into such a folder. So Python is
started without all this, and finds what was installed, and no projects.
"""

import sys
from _socket import SO_REUSEADDR, SOL_SOCKET, socket

PACKAGE = "jupyter_codeact"
CHANNELS = ("shell", "control", "stdin", "iopub", "hb")


def main() -> None:
    """Become the kernel."""
    # Before anything else is imported: a client that comes too early tries again after 100 to 200 ms.
    listeners = listening(sys.argv[1:])
    import site

    # Before site looks for sitecustomize, .pth files would have put projects on the path, and run code of their own.
    site.addpackage = lambda folder, name, known_paths: known_paths  # type: ignore[attr-defined]
    site.main()
    try:
        entry()(listeners)
    except ModuleNotFoundError as error:
        advice = "Install what is missing there, and not with `pip install -e`."
        sys.exit(f"The CodeAct kernel of {sys.prefix} can't start: {error}. {advice}")


def listening(words):  # type: ignore[no-untyped-def]  # noqa: ANN001,ANN201  annotations cost an import
    """Descriptors of sockets that listen at the connection file's ports, by channel, for zmq to take over.

    None where the file is no usual one, or a port is taken: zmq binds later, and says what is wrong.
    """
    sockets = {}
    try:
        with open(words[words.index("-f") + 1], encoding="utf-8") as file:
            # Parsing it as JSON would be an import of some milliseconds.
            text = "".join(file.read().split())
        usual = '"transport":"tcp"' in text and '"ip":"127.0.0.1"' in text
        for channel in CHANNELS if usual else ():
            port = text.partition(f'"{channel}_port":')[2].partition(",")[0].rstrip("}")
            sockets[channel] = socket()
            sockets[channel].setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            sockets[channel].bind(("127.0.0.1", int(port)))
            sockets[channel].listen(100)
            sockets[channel].setblocking(False)
    except (OSError, ValueError, IndexError, OverflowError):
        for bound in sockets.values():
            bound.close()
        return {}
    return {channel: bound.detach() for channel, bound in sockets.items()}


def entry():  # type: ignore[no-untyped-def]  # noqa: ANN201  nothing of ours can be imported yet
    """The kernel's main function. Only the package itself may come from a project: from its own."""
    projects = [*own_projects()]
    sys.path += projects
    __import__(PACKAGE)
    del sys.path[len(sys.path) - len(projects) :]
    from jupyter_codeact.kernel.__main__ import main as run

    return run


def own_projects():  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Where an editable installation of this package is: the .pth file that it wrote bears our name."""
    import os

    for folder in filter(os.path.isdir, sys.path):
        for name in os.listdir(folder):
            if "codeact" in name and name.endswith(".pth"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    yield from (line.strip() for line in file if os.path.isdir(os.path.join(line.strip(), PACKAGE)))


if __name__ == "__main__":
    main()
