"""Whether a sandbox has what it was opened for: all is mounted by name, and names may be swapped meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import SandboxUnavailable
from ..files import Identity
from .mounts import Asked, Mounted, table
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


def check(bubblewrap: int, asked: Asked, known: Identity) -> None:
    """Raises SandboxUnavailable where something else is mounted than was asked for, or no process of it lets us look.

    Nothing inside can change its mounts, or its root.
    """
    with _inside(bubblewrap) as mounted:
        if mounted is None:
            raise SandboxUnavailable(UNSEEN.format(folder=asked.work))
        other = asked.other_in(mounted) if asked.is_for(known) else asked.work
    if other:
        raise SandboxUnavailable(SWAPPED.format(folder=other))


def is_current(bubblewrap: int, asked: Asked) -> bool:
    """Whether all that it has mounted is what one opened now would have, of what was asked for.

    A folder that somebody has moved, or a file that an editor has put in the place of another, is another one.
    """
    with _inside(bubblewrap) as mounted:
        return mounted is not None and asked.is_current_in(mounted)


@contextmanager
def _inside(bubblewrap: int) -> Iterator[Mounted | None]:
    """What the first of its processes has that lets us look."""
    mounted = next(filter(None, (_seen_by(pid, bubblewrap) for pid in descendants(bubblewrap))), None)
    try:
        yield mounted
    finally:
        if mounted is not None:
            os.close(mounted.root)


def _seen_by(pid: int, bubblewrap: int) -> Mounted | None:
    root = -1
    try:
        root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY)
        mounts = table(Path(f"/proc/{pid}/mountinfo").read_bytes())
        # What is not in the sandbox, or not yet, has our root; and another process may have had the number.
        if not os.path.samestat(os.fstat(root), os.stat("/")) and pid in descendants(bubblewrap):
            return Mounted(os.dup(root), mounts)
    except OSError:
        pass
    finally:
        if root >= 0:
            os.close(root)
    return None
