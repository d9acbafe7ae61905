"""The newest files of a git repository, fetched by a process of its own with limits; no checkout, no hooks."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import SkillError, SkillFailed
from ...files import temporary
from .entries import Reader

if TYPE_CHECKING:
    from dulwich.objects import ObjectID
    from dulwich.repo import Repo

TIME_S, DISK_BYTES, MEMORY_BYTES = 60, 64 * 2**20, 2 * 2**30
_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://")
_OVER_SSH = re.compile(r"[\w.-]+@[\w.-]+:|ext::", re.ASCII)
# A fetch without a checkout, with nothing in its environment that git would obey.
_CLONE = """\
import resource, sys
for limit, most in (("FSIZE", sys.argv[3]), ("AS", sys.argv[4]), ("CORE", 0)):
    resource.setrlimit(getattr(resource, f"RLIMIT_{limit}"), (int(most), int(most)))
from dulwich import porcelain
porcelain.clone(sys.argv[1], sys.argv[2], bare=True, depth=1, errstream=open("/dev/null", "wb"))
"""
# What the machine or the network says.
_FROM_OUTSIDE = re.compile(r"\[Errno -?\d+\] ([^\"')\n]+)")
_KEPT = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY")


def is_address(source: str) -> bool:
    """Whether it names a repository. Raises SkillError for a way of fetching that is not taken."""
    found = _ADDRESS.match(source)
    if _OVER_SSH.match(source) or (found and found["scheme"] not in ("http", "https", "file")):
        raise SkillError(
            "Repositories are fetched over https, http or file only: clone this one, and import the folder."
        )
    return found is not None


def without_password(source: str) -> str:
    """An address as it may be shown and remembered: with nobody's name, password or token in it."""
    return re.sub(r"(?<=://)[^/#\s]*@", "", source)


def fetched(address: str, time_s: float = TIME_S) -> Reader:
    """Its newest files; ``#folder`` behind the address takes those below a folder. Raises SkillError."""
    address, _, below = address.partition("#")
    with temporary("clone") as folder:
        _clone(address, folder, time_s)
        return _read(folder, below.strip("/"))


def _clone(address: str, folder: str, time_s: float) -> None:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"HOME": folder, "XDG_CONFIG_HOME": folder, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _CLONE, address, f"{folder}/clone", str(DISK_BYTES), str(MEMORY_BYTES)],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=time_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SkillFailed(f"{without_password(address)} did not come within {time_s:.0f} seconds.") from None
    if done.returncode != 0:
        raise _refusal(without_password(address), without_password(done.stderr))


def _refusal(address: str, said: str) -> SkillError:
    """What kept it from being fetched, without the library's own names for it."""
    last = (said.strip().splitlines() or ["it is too large, or took too much"])[-1]
    if outside := _FROM_OUTSIDE.search(last):
        return SkillFailed(f"{address} can't be fetched: {outside[1]}.")
    return SkillError(f"{address} can't be fetched: {re.sub(r'^[A-Za-z_.]+: ', '', last)[:300].rstrip('.')}.")


def _read(folder: str, below: str) -> Reader:
    from dulwich.objects import Commit
    from dulwich.repo import Repo

    reader = Reader()
    with Repo(str(Path(folder) / "clone")) as repository:
        try:
            head = repository[repository.head()]
        except KeyError:
            raise SkillError("This repository has no commit.") from None
        assert isinstance(head, Commit)
        prefix = f"{below}/" if below else ""
        for path, item, mode in _files(repository, head.tree):
            if not path.startswith(prefix) or any(part.startswith(".") for part in path.split("/")):
                continue
            if not stat.S_ISREG(mode):
                raise SkillError(f"{path!r} is a link or a submodule: only plain files can be imported.")
            name, content = path.removeprefix(prefix), repository[item].as_raw_string()
            if reader.wants(name, len(content)):
                reader.take(name, content)
    return reader


def _files(repository: Repo, tree: ObjectID, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, ObjectID, int]]:
    if depth > 20:
        raise SkillError("Folders lie in folders more than 20 deep: that is no skill.")
    for name, mode, item in repository[tree].items():  # type: ignore[attr-defined]  # a tree, as its commit says
        path = prefix + name.decode(errors="replace")
        if stat.S_ISDIR(mode):
            yield from _files(repository, item, f"{path}/", depth + 1)
        else:
            yield path, item, mode
