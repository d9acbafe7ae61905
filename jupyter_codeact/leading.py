"""Where a name leads, by links that no code in a sandbox can have made, whatever its working folder is.

Cells of other kernels work in folders of their own, which are not known here. A link that they put there would lead
whoever binds, reads or writes by name to a key of hers, or to what other programs run.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable

from .files import LINKS

# What cells write, wherever some process keeps it: the home of a sandbox (``sandbox/homes.py``), the workspace of a run
# in our data folder (``cli/replay.py``, ``cli/run.py``), and a folder for a while (``files.temporary``).
_OF_CELLS = re.compile(
    r"/homes/\.?[0-9a-f]{20}[^/]*/home(?:/|\Z)"
    r"|/runs/(?:replay|run)-[0-9a-f]{8}/(?:attempt-\d+/)?work(?:/|\Z)"
    r"|/codeact-\d+-[a-z]+-[^/]+(?:/|\Z)"
)


def place_of(name: str) -> str:
    """Where it leads, if no link on the way can be a cell's. Raises OSError, with the link, where one can be.

    Her home is where all that is hers is looked for, however its name leads there.
    """
    name, home = os.path.abspath(name), os.path.abspath(os.path.expanduser("~"))
    if inside(name, home):
        name = os.path.join(users_home(), os.path.relpath(name, home))
    return followed(name, is_closed)


def followed(name: str, trusts: Callable[[str], bool]) -> str:
    """Where it leads. Raises OSError, with the link, at one that lies in a folder which is not to be trusted."""
    steps, place, left = [*reversed(name.split("/"))], "/", LINKS
    while steps:
        step = steps.pop()
        if step in ("", ".", ".."):
            place = os.path.dirname(place) if step == ".." else place
            continue
        path = os.path.join(place, step)
        if not os.path.islink(path):
            place = path
        elif left and trusts(place):
            target = os.readlink(path)
            steps += reversed(target.split("/"))
            place, left = "/" if os.path.isabs(target) else place, left - 1
        else:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
    return place


def is_closed(folder: str) -> bool:
    """Whether no cell makes anything in this folder, which is its true name, whatever its working folder is.

    It is the root, or her home; or it is, or lies in, a dot folder there, but for what is made there for cells; or it
    is not hers, and she can't write there.
    """
    if folder in ("/", users_home()) or (in_dot_folder(folder) and not _OF_CELLS.search(folder)):
        return True
    return os.stat(folder).st_uid != os.geteuid() and not os.access(folder, os.W_OK)


def in_dot_folder(path: str) -> bool:
    """Whether it is a dot folder of her home, or lies in one."""
    home = users_home()
    return path != home and inside(path, home) and os.path.relpath(path, home).startswith(".")


def users_home() -> str:
    """Where it really is."""
    return os.path.realpath(os.path.expanduser("~"))


def inside(path: str, parent: str) -> bool:
    """Whether ``path`` is ``parent`` or lies below it, by name alone."""
    return path == parent or path.startswith(parent.rstrip("/") + "/")


def shown(name: str) -> str:
    """For a message. A cell chose it, maybe: nothing in it ends a line, or acts in a terminal."""
    return name if name.isprintable() else repr(name)
