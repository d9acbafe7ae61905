"""What the sandboxed Python has to see of the file system, and what it must not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def interpreter_folders(python: str) -> list[str]:
    """The folders outside /usr that ``python`` is made of, outermost only.

    Our own interpreter answers from memory; another one has to be asked, which takes a start of it.
    """
    if os.path.realpath(python) == os.path.realpath(sys.executable) and python == sys.executable:
        return _outermost(_own_folders())
    return _outermost(_asked_folders(python))


def _own_folders() -> Iterator[str]:
    yield from (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    yield os.path.dirname(os.path.realpath(sys.executable))
    yield from (entry for entry in sys.path if entry and os.path.isdir(entry) and not _is_cwd(entry))


def _asked_folders(python: str) -> list[str]:
    import json
    import subprocess

    question = (
        "import json, os, sys; print(json.dumps([sys.prefix, sys.base_prefix, sys.exec_prefix,"
        " sys.base_exec_prefix, os.path.dirname(os.path.realpath(sys.executable))]"
        " + [p for p in sys.path if os.path.isdir(p)]))"
    )
    answer = subprocess.run([python, "-I", "-c", question], capture_output=True, text=True, check=True)
    return list(json.loads(answer.stdout))


def _is_cwd(entry: str) -> bool:
    """`python -m` puts the working folder on sys.path; that is the person's, not the interpreter's."""
    return os.path.realpath(entry) == os.path.realpath(os.getcwd())


def _outermost(folders: Iterable[str]) -> list[str]:
    """Without those that lie in /usr, which is bound whole, or inside one another."""
    kept: list[str] = []
    for folder in sorted({os.path.normpath(f) for f in folders if os.path.isdir(f)}, key=len):
        if folder != "/" and not any(inside(folder, parent) for parent in ("/usr", *kept)):
            kept.append(folder)
    return kept


def inside(path: str, parent: str) -> bool:
    """Whether ``path`` is ``parent`` or lies below it, by name alone."""
    return path == parent or path.startswith(parent.rstrip("/") + "/")


def parents(path: str) -> Iterator[str]:
    """The folders above ``path``, outermost first, without the root."""
    yield from (str(p) for p in reversed(Path(path).parents) if str(p) != "/")


def private_entries(work: str, data: Iterable[str]) -> list[str]:
    """What lies in the working folder and is still nobody's business inside the sandbox.

    ``data`` are our own and Jupyter's folders (keys of connection files, trajectories, configuration). Where
    the working folder holds the person's home, every dot entry of it (.ssh, .aws, .netrc, …) is hidden too, and
    so is what such an entry is a link to.
    """
    hidden = [folder for folder in data if inside(folder, work) and os.path.isdir(folder)]
    home = _home()
    if inside(home, work):
        dots = [os.path.realpath(entry.path) for entry in os.scandir(home) if entry.name.startswith(".")]
        hidden += [path for path in dots if inside(path, work) and path != home and os.path.exists(path)]
    return _drop_nested(hidden)


def home_parts(work: str) -> dict[str, str]:
    """How the home is bound where it lies in the working folder: option by folder.

    Nothing can be made in the home itself, only in its folders: a new .profile or .ssh would be obeyed outside.
    """
    home = _home()
    if not inside(home, work):
        return {}
    folders = [e.path for e in os.scandir(home) if not e.name.startswith(".") and e.is_dir(follow_symlinks=False)]
    return {home: "--ro-bind", **dict.fromkeys(sorted(folders), "--bind-try")}


def pins(work: str, kept: Iterable[str]) -> dict[str, str]:
    """The folders between the working folder and what is kept from being changed in it, bound onto themselves.

    A folder that is a mount point can't be renamed; any other could be, with what is kept inside, and one of the
    sandbox's own making put in its place.
    """
    between = (parent for path in kept if inside(path, work) for parent in parents(path))
    return {parent: "--bind" for parent in between if inside(parent, work) and parent != work}


def _home() -> str:
    return os.path.realpath(os.path.expanduser("~"))


def _drop_nested(folders: list[str]) -> list[str]:
    kept: list[str] = []
    for folder in sorted(set(folders), key=len):
        if not any(inside(folder, parent) for parent in kept):
            kept.append(folder)
    return kept
