"""Which folders were made for runs: of all that may have such a name, those alone are emptied for the next run.

A note in our data folder, which no cell sees, says of each place which folder was made there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from pathlib import Path

from ..files import by_descriptor, write_atomically
from ..sandbox.paths import SYSTEMS


def note(notes: Path, folder: int) -> None:
    """The open folder was made here, just now. Raises OSError."""
    notes.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(_path(notes, folder), _which(folder))


def is_noted(notes: Path, folder: int) -> bool:
    """Whether the open folder is one that was made where it lies now. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        return _path(notes, folder).read_text() == (_which(folder) or "none")
    return False


def _path(notes: Path, folder: int) -> Path:
    return notes / hashlib.sha256(os.fsencode(by_descriptor(folder).readlink())).hexdigest()[:20]


def _which(folder: int) -> str:
    """Device, inode, and when it began; "" where nothing tells.

    Of a folder that is removed and made anew the inode is often the same.
    """
    command = ["stat", "--dereference", "--format=%d %i %.9W", str(by_descriptor(folder))]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=SYSTEMS, pass_fds=[folder])
    return "" if answer.returncode else answer.stdout
