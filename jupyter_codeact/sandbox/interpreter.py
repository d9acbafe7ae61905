"""Where a Python's modules come from.

Stands alone: any other Python runs it by path, `python -E -S interpreter.py`, and it prints what it found as JSON.
Without site, since site runs code that lies on the path: `sitecustomize`, and what .pth files say.
"""

from __future__ import annotations

import json
import os
import site
import sys
from collections.abc import Iterator
from typing import Any

ROOTS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")


def describe() -> dict[str, Any]:
    """What this Python imports from, and has to read.

    program: its path, which is another than it was started by where that was a script, as pyenv's are.
    environment: the folders of all that is installed, the standard library and the program included.
    user_site: the folder of `pip install --user`, which may be missing, where this Python looks into it; none or one.
    packages: the folders whose .pth files it obeys, and whose editable installations it knows.
    """
    environment = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
    environment.append(os.path.dirname(os.path.realpath(sys.executable)))
    # It may say ".." where it was started so, and is compared by name.
    program = os.path.abspath(sys.executable)
    user_site = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    packages = [*site.getsitepackages(), *user_site]
    return {"program": program, "environment": environment, "user_site": user_site, "packages": packages}


def projects(site_packages: str) -> Iterator[str]:
    """What .pth files and editable installations there lead to, files as well as folders."""
    for name in sorted(os.listdir(site_packages)) if os.path.isdir(site_packages) else ():
        path = os.path.join(site_packages, name)
        if name.endswith(".pth"):
            lines = [line.strip() for line in _text(path).splitlines()]
            named = [line for line in lines if line and not line.startswith(("#", "import ", "import\t"))]
            for folder in filter(os.path.isdir, (os.path.join(site_packages, line) for line in named)):
                yield from _importable(os.path.normpath(folder))
        elif name.startswith("__editable___") and name.endswith("_finder.py"):
            yield from _mapped(_text(path))


def _importable(folder: str) -> Iterator[str]:
    """Of a project's root only what can be imported: keys and data may lie beside it."""
    if not any(os.path.exists(os.path.join(folder, name)) for name in ROOTS):
        yield folder
        return
    for entry in os.scandir(folder):
        package = os.path.exists(os.path.join(entry.path, "__init__.py"))
        if package or entry.name.endswith((".py", ".so", ".dist-info", ".egg-info")):
            yield entry.path


def _mapped(finder: str) -> Iterator[str]:
    """Of the module that setuptools writes for an editable installation: `MAPPING: … = {"name": "/path"}`."""
    for line in finder.splitlines():
        if line.startswith("MAPPING") and "=" in line:
            import ast

            for path in ast.literal_eval(line.split("=", 1)[1].strip()).values():
                yield path if os.path.isdir(path) else f"{path}.py"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


if __name__ == "__main__":
    del sys.path[0]
    setattr(site, "addpackage", lambda folder, name, known_paths: known_paths)  # noqa: B010  it is there in every version
    site.main()
    print(json.dumps(describe()))  # noqa: T201
