"""The bubblewrap command line: what the sandboxed kernel sees, and nothing else."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SandboxUnavailable
from .paths import PACKAGE, inside, interpreter_folders, parents, private_entries

# As root the sandbox drops to this uid: no account of the host's, far from where accounts and containers begin.
SANDBOX_UID = 61997
HOME = "/home/user"
KEPT_VARIABLES = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "COLUMNS", "PYDEVD_USE_FRAME_EVAL")
ETC = [
    "ssl",
    "fonts",
    "localtime",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "alternatives",
    "mime.types",
    "ca-certificates",
    "debian_version",
]
MISSING = (
    "This kernel runs code only in a sandbox, and bubblewrap is not installed: `sudo apt install bubblewrap` "
    "(or your system's package manager), then restart the kernel."
)


@dataclass(frozen=True)
class Room:
    """What one sandbox is made for.

    run_folder: private folder of its sockets and connection file, bound at the same path.
    work: the working folder, the only place of the person's that can be written.
    libraries: folders of skills, read-only, put on sys.path in this order.
    hidden: folders that are covered where the working folder holds them.
    """

    python: str
    run_folder: str
    work: str
    libraries: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)


def command(room: Room, inner: list[str]) -> list[str]:
    """The whole command that runs ``inner`` in ``room``. Raises SandboxUnavailable without bubblewrap."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxUnavailable(MISSING)
    as_root = os.geteuid() == 0
    work_source = os.path.join(room.run_folder, "work") if as_root else room.work
    argv = [
        program,
        *_namespaces(program, as_root),
        *_system(),
        *_folders(room, work_source),
        *_variables(room),
    ]
    argv += ["--chdir", room.work, "--", *(_drop_root() if as_root else []), *inner]
    return [*_lend(room, work_source), *argv] if as_root else argv


def _namespaces(program: str, as_root: bool) -> list[str]:
    common = ["--die-with-parent", "--new-session", "--hostname", "sandbox"]
    common += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if as_root:
        return common
    ids = ["--uid", str(os.getuid()), "--gid", str(os.getgid())]
    closed = ["--disable-userns"] if version(program) >= (0, 8) else []
    return [*common, "--unshare-user", *closed, *ids, "--cap-drop", "ALL"]


@functools.cache
def version(program: str) -> tuple[int, ...]:
    """Bubblewrap's version, such as (0, 8, 0); () where it can't be told."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", answer))


def _drop_root() -> list[str]:
    uid = str(SANDBOX_UID)
    ids = ["--reuid", uid, "--regid", uid, "--clear-groups"]
    return ["setpriv", *ids, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]


def _lend(room: Room, mountpoint: str) -> list[str]:
    """Root's own folder, shown to the sandbox's user as that user's: see idmap.py."""
    os.makedirs(mountpoint, exist_ok=True)
    helper = str(Path(__file__).with_name("idmap.py"))
    return [sys.executable, "-I", "-S", helper, room.work, mountpoint, str(SANDBOX_UID), "--"]


def _system() -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for folder in ("/bin", "/sbin", "/lib", "/lib64", "/lib32"):
        if os.path.islink(folder):
            yield from ("--symlink", os.readlink(folder), folder)
        elif os.path.isdir(folder):
            yield from ("--ro-bind", folder, folder)
    yield from ("--perms", "0755", "--dir", "/etc")
    yield from ("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev")
    for folder in ("/dev/shm", "/tmp", "/run"):
        yield from ("--perms", "1777", "--tmpfs", folder)
    for name in ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")


def _folders(room: Room, work_source: str) -> Iterator[str]:
    """Order matters: what is bound later covers what was bound before.

    The environment and our own package come after the working folder, which may hold them: code that could
    change them would run outside the sandbox at the next start.
    """
    made: set[str] = set()
    readable = (*interpreter_folders(room.python), str(PACKAGE), *room.libraries)
    yield from _bind("--tmpfs", "", HOME, made, perms="0777")
    for folder in (f for f in readable if inside(room.work, f) and f != room.work):
        yield from _bind("--ro-bind", folder, folder, made)
    yield from _bind("--bind", work_source, room.work, made)
    for path in private_entries(room.work, room.hidden):
        yield from _cover(path)
    for folder in (f for f in readable if not inside(room.work, f)):
        yield from _bind("--ro-bind", folder, folder, made)
    yield from _bind("--bind", room.run_folder, room.run_folder, made)


def _bind(option: str, source: str, target: str, made: set[str], perms: str = "") -> Iterator[str]:
    yield from _open_parents(target, made)
    if perms:
        yield from ("--perms", perms)
    yield from (option, source, target) if source else (option, target)


def _cover(path: str) -> tuple[str, ...]:
    if os.path.isdir(path):
        return ("--perms", "0755", "--tmpfs", path)
    return ("--ro-bind", "/dev/null", path)


def _open_parents(path: str, made: set[str]) -> Iterator[str]:
    """Bubblewrap makes missing parents 0700 and root's; the sandbox's user has to walk through them."""
    for parent in parents(path):
        if parent not in made and not inside(parent, "/usr"):
            made.add(parent)
            yield from ("--perms", "0755", "--dir", parent)


def _variables(room: Room) -> Iterator[str]:
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    own = {
        "HOME": HOME,
        "USER": "user",
        "PATH": f"{os.path.dirname(room.python)}:/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": "/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        # ipykernel watches its parent by pid; the pid it would be told is of another namespace.
        "JPY_PARENT_PID": "1",
    }
    yield "--clearenv"
    for name, value in {"LANG": "C.UTF-8", **kept, **own, **room.variables}.items():
        yield from ("--setenv", name, value)
