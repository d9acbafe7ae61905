"""Start the trusted process: `python -E -P -S start.py -f connection.json`.

Before a program begins, Python obeys what lies on its path: .pth files, `sitecustomize`, PYTHONPATH. An environment may
have a project's folder there (`pip install -e .`), and code in the sandbox can write into such a folder. So Python is
started without all this, and finds what was installed, and no projects.
"""

import os
import site
import sys

PACKAGE = "jupyter_codeact"


def main() -> None:
    """Become the kernel."""
    # Before site looks for sitecustomize, .pth files would have put projects on the path, and run code of their own.
    site.addpackage = lambda folder, name, known_paths: known_paths  # type: ignore[attr-defined]
    site.main()
    try:
        entry()()
    except ModuleNotFoundError as error:
        advice = "Install what is missing there, and not with `pip install -e`."
        sys.exit(f"The CodeAct kernel of {sys.prefix} can't start: {error}. {advice}")


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
    for folder in filter(os.path.isdir, sys.path):
        for name in os.listdir(folder):
            if "codeact" in name and name.endswith(".pth"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    yield from (line.strip() for line in file if os.path.isdir(os.path.join(line.strip(), PACKAGE)))


if __name__ == "__main__":
    main()
