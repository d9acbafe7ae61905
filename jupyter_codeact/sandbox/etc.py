"""The files of /etc that a sandbox has of its own: who its user is, which names are its own loopback's, git's settings.

The host's would name her accounts and her network. Without any, libraries that ask for `localhost` or for the
name of the user who runs them fail.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from . import gitconfig
from .run_folder import RunFolder, no_room

# As both are called in the sandbox, whoever runs it and wherever.
USER, HOSTNAME = "user", "sandbox"
FILES = {
    "hosts": f"127.0.0.1 localhost {HOSTNAME}\n::1 localhost\n",
    "passwd": f"{USER}:x:{{uid}}:{{gid}}::{{home}}:/bin/sh\n",
    "group": f"{USER}:x:{{gid}}:\n",
    # The C library's default asks a network first, for hosts.
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
}


def bound(run: RunFolder, work: str, uid: str, gid: str, home: str) -> Iterator[str]:
    """Write them into the run folder, and say how bubblewrap binds them. The sandbox's user may be another one."""
    texts = {name: text.format(uid=uid, gid=gid, home=home) for name, text in FILES.items()}
    texts |= gitconfig.files(work)
    try:
        _write(run.etc, texts)
    except OSError as error:
        raise no_room(run.path, error) from None
    for name in texts:
        yield from ("--ro-bind", os.path.join(run.etc, name), f"/etc/{name}")


def _write(folder: str, texts: dict[str, str]) -> None:
    """Anew, where a sandbox was in this run folder before."""
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for name, text in texts.items():
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        path.chmod(0o444)
