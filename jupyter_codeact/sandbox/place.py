"""Whether a sandbox has the working folder that it was opened for: it is mounted by name, and names may be swapped."""

from __future__ import annotations

import os

from ..errors import SandboxUnavailable
from ..files import Identity
from .usage import descendants

SWAPPED = (
    "{folder} is no longer the folder that it was when this began: code in a sandbox may have put another one, or a "
    "link, in its place. Nothing was run there. Look at what it is now, and begin again."
)
UNSEEN = (
    "Which folder the sandbox has as {folder} can't be seen in /proc, and so nothing was run there: this container, or "
    "this system, hides a user's own processes from her. Have that changed, or work on another machine."
)


def check_name(work: str, known: Identity | None) -> None:
    """Raises SandboxUnavailable where another folder than the known one has the name by now."""
    try:
        if known in (None, Identity.of(work)):
            return
    except OSError:
        pass
    raise SandboxUnavailable(SWAPPED.format(folder=work))


def folder_inside(bubblewrap: int, path: str) -> Identity | None:
    """Which folder ``path`` is in the sandbox; None where no process of it lets us look.

    Nothing inside can change its mounts, or its root.
    """
    for pid in descendants(bubblewrap):
        root = f"/proc/{pid}/root"
        try:
            found = os.lstat(root + path)
            # What is not in the sandbox, or not yet, has our root; and another process may have had the number.
            if not os.path.samefile(root, "/") and pid in descendants(bubblewrap):
                return Identity(found.st_dev, found.st_ino)
        except OSError:
            continue
    return None
