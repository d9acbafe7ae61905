"""The bubblewrap command line: what the sandboxed kernel sees, and nothing else."""

from __future__ import annotations

import functools
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ..errors import SandboxUnavailable
from ..leading import in_dot_folder, inside, is_closed
from . import etc, gitconfig, links, mounts, place, repository, seccomp
from .limits import Limits
from .paths import (
    PACKAGE,
    Interpreter,
    check_links,
    check_unseen,
    entries_outside,
    goes_by_link,
    home_parts,
    interpreter,
    make_missing,
    parents,
    pins,
    private_entries,
    systems,
)
from .run_folder import RunFolder, bases, no_room

# As root each sandbox drops to a uid of these: no account of the host's has one, and neither systemd nor containers
# hand them out. The kernel counts processes by uid, so that two sandboxes must not share one.
SANDBOX_UIDS = range(60706, 61184)
HOME = "/home/sandbox"
# Folders in memory that the sandbox has no use for, and that it may be able to write to.
SMALL = 16 * 2**20
# Of all its words bubblewrap takes so many.
MOST_WORDS = 9000
KEPT_VARIABLES = (
    *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "COLUMNS"),
    # As containers have it: of what a cell's workers print.
    *("PYTHONUNBUFFERED", "PYDEVD_USE_FRAME_EVAL"),
)
ETC = [
    "ssl",
    "fonts",
    "localtime",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "alternatives",
    "mime.types",
    "protocols",
    "services",
    "ca-certificates",
    "debian_version",
    "os-release",
    # Without it, `!man` shows no page.
    "manpath.config",
    "man_db.conf",
    "groff",
]
MISSING = (
    "This kernel runs code only in a sandbox, and bubblewrap is not installed: `sudo apt install bubblewrap` "
    "(or your system's package manager), then restart the kernel."
)
WHOLE_MACHINE = (
    "This kernel's working folder would be /, which holds everything that a sandbox is to keep out: put the notebook "
    "into a folder of its own."
)
IN_ENVIRONMENT = (
    "This kernel's working folder would be {work}, which Python itself is run from, so that code in the sandbox could "
    "change what runs outside of it: put the notebook into another folder."
)
OBEYED = (
    "This kernel's working folder would be {work}, where settings, skills or a kernel's sockets are kept, so that code "
    "in the sandbox could change what runs outside of it: put the notebook into another folder. If it is the front "
    "end's ipc sockets that would lie here, give it an absolute `ip` elsewhere."
)
TOO_MUCH = (
    "This kernel's working folder would be {work}, where more has to be covered, or kept from being changed, than "
    "bubblewrap can mount (it would be told {words} words of {most}): put the notebook into a folder below, or one of "
    "its own."
)
DOT_FOLDER = (
    "This kernel's working folder would be {work}, in a dot folder of your home: programs keep settings and keys "
    "there, and a link of another sandbox's making may have led to it: put the notebook into another folder."
)


class Room(NamedTuple):
    """What one sandbox is made for.

    run: where its sockets and its connection file lie.
    work: the working folder, the only place of the person's that can be written.
    libraries: folders of skills, read-only, put on sys.path in this order.
    hidden: folders, made if need be, and files that are covered where the working folder holds them.
    arguments: what ipykernel is told on its command line, besides its connection file.
    made: whether the working folder was made for this sandbox alone, and not named by anybody.
    home: what its home is kept in; without one, or where it can't be lent, the home lies in memory.
    """

    python: str
    run: RunFolder
    work: str
    libraries: tuple[str, ...]
    hidden: tuple[str, ...]
    home: str | None
    variables: dict[str, str]
    limits: Limits
    arguments: tuple[str, ...]
    made: bool = False


class Command(NamedTuple):
    """rules: an open file that it inherits; the caller closes it. asked: what is mounted when it answers."""

    argv: list[str]
    rules: int
    asked: mounts.Asked


def command(room: Room, inner: list[str]) -> Command:
    """The whole command that runs Python in ``room``.

    ``inner`` are Python's arguments. Raises SandboxUnavailable without bubblewrap, without that Python, for a
    folder that can't be anybody's working folder, and where parts of it are swapped meanwhile.
    """
    if room.work == "/":
        raise SandboxUnavailable(WHOLE_MACHINE)
    program = shutil.which("bwrap", path=entries_outside("PATH", room.work))
    if program is None:
        raise SandboxUnavailable(MISSING)
    python, ours = interpreter(room.python), interpreter(sys.executable)
    if python.holds(room.work) or ours.holds(room.work):
        raise SandboxUnavailable(IN_ENVIRONMENT.format(work=room.work))
    room = room._replace(hidden=(*room.hidden, *bases()))
    if any(room.work == os.path.realpath(folder) for folder in (*room.hidden, *room.libraries)):
        raise SandboxUnavailable(OBEYED.format(work=room.work))
    # What is made for a run or a trial may lie there, by names that say whose the links in it are.
    if in_dot_folder(room.work) and (not room.made or is_closed(room.work)):
        raise SandboxUnavailable(DOT_FOLDER.format(work=room.work))
    python = python.without_projects_in(room.work)
    names = filter(None, (*python.projects, *room.libraries, room.home))
    led = links.led(names, python.environment).without_gone(room.libraries, room.work)
    unseen = {name: link for name, link in led.unseen.items() if name in room.libraries}
    check_unseen(room.work, unseen)
    # Skills of hers that lie in the working folder all the same are nothing that cells may write.
    room = room._replace(hidden=(*room.hidden, *map(os.path.realpath, unseen)), home=led.places.get(room.home or ""))
    python = python.without_projects_but(led.places)
    as_root = os.geteuid() == 0
    drawn = random.choice(SANDBOX_UIDS)  # noqa: S311  no secret
    uid, gid = map(str, (drawn, drawn) if as_root else (os.getuid(), os.getgid()))
    lent = [Path(room.run.path, name) for name in ("work", "home")]
    work, home = map(str, lent) if as_root else (room.work, room.home)
    options = [
        *_namespaces(program, as_root, uid, gid),
        *_system(program, room.limits),
        *etc.bound(room.run, room.work, uid, gid, HOME),
        *_home(program, room, home),
        *_folders(room, work, python, ours, led.places),
        *_variables(room, python),
        # Bubblewrap's own root, and what it made there, is nothing to write to: it would be memory without a limit.
        *("--remount-ro", "/dev", "--remount-ro", "/"),
        *("--chdir", room.work),
    ]
    try:
        on_the_host = {at: place for at, place in ((work, room.work), (home, room.home)) if as_root and at and place}
        asked = mounts.asked_by(options, room.work, on_the_host, led)
    except mounts.PartGone as part:
        raise SandboxUnavailable(place.SWAPPED.format(folder=part)) from None
    told = [*(_drop_root(uid) if as_root else []), *room.limits.prefix(), python.program, *inner]
    words = len(options) + len(("--seccomp", "rules", "--")) + len(told)
    if words > MOST_WORDS:
        raise SandboxUnavailable(TOO_MUCH.format(work=room.work, words=words, most=MOST_WORDS))
    # What is made in the working folder is root's there, so that no group of it may be lent out either.
    rules = seccomp.descriptor(seccomp.S_ISUID | (seccomp.S_ISGID if as_root else 0))
    argv = [program, *options, "--seccomp", str(rules), "--", *told]
    return Command([*_lend(room, lent, uid), *argv] if as_root else argv, rules, asked)


def _namespaces(program: str, as_root: bool, uid: str, gid: str) -> list[str]:
    common = ["--die-with-parent", "--new-session", "--hostname", etc.HOSTNAME]
    common += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if as_root:
        return common
    closed = ["--disable-userns"] if takes(program, "--disable-userns") else []
    return [*common, "--unshare-user", *closed, "--uid", uid, "--gid", gid, "--cap-drop", "ALL"]


def takes(program: str, option: str) -> bool:
    """Whether this bubblewrap has an option: --size came with 0.7, --disable-userns with 0.8."""
    return f" {option} " in _help(program)


@functools.cache
def _help(program: str) -> str:
    return subprocess.run([program, "--help"], capture_output=True, text=True, check=False).stdout


def _drop_root(uid: str) -> list[str]:
    ids = ["--reuid", uid, "--regid", uid, "--clear-groups"]
    return [systems("setpriv"), *ids, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]


def _lend(room: Room, mountpoints: list[Path], uid: str) -> list[str]:
    """Root's own folders, shown to the sandbox's user as that user's: see idmap.py."""
    pairs = [(folder, point) for folder, point in zip((room.work, room.home), mountpoints, strict=True) if folder]
    try:
        for _, point in pairs:
            point.mkdir(exist_ok=True)
    except OSError as error:
        raise no_room(room.run.path, error) from None
    helper = str(Path(__file__).with_name("idmap.py"))
    return [sys.executable, "-I", "-S", helper, uid, *(str(word) for pair in pairs for word in pair), "--"]


def _system(program: str, limits: Limits) -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for folder in ("/bin", "/sbin", "/lib", "/lib64", "/lib32"):
        if os.path.islink(folder):
            yield from ("--symlink", os.readlink(folder), folder)
        elif os.path.isdir(folder):
            yield from ("--ro-bind", folder, folder)
    yield from ("--perms", "0755", "--dir", "/etc")
    yield from ("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev")
    # Bubblewrap's own init is the sandbox's user's: it could be read, and be made not to die with us.
    yield from (*_size(program, SMALL), "--tmpfs", "/proc/1", "--remount-ro", "/proc/1")
    for folder, size in (("/dev/shm", limits.temp), ("/tmp", limits.temp), ("/run", SMALL)):
        yield from (*_size(program, size), "--perms", "1777", "--tmpfs", folder)
    for name in ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")


def _size(program: str, limit: int) -> tuple[str, ...]:
    """For the tmpfs that follows. Without the option it may grow to half of the memory; the watch counts it."""
    return ("--size", str(limit)) if takes(program, "--size") else ()


def _home(program: str, room: Room, source: str | None) -> Iterator[str]:
    yield from _open_parents(HOME, set())
    yield from (*_size(program, room.limits.temp), "--perms", "0777", "--tmpfs", HOME)
    if room.home and source:
        yield from ("--bind-try", source, HOME)


def _folders(
    room: Room, work_source: str, python: Interpreter, ours: Interpreter, places: Mapping[str, str]
) -> Iterator[str]:
    """Order matters: what is bound later covers what was bound before. ``places``: where projects and libraries lie.

    The environment and our own package come after the working folder, which may hold them: code that could
    change them would run outside the sandbox at the next start.
    """
    made: set[str] = set()
    obeyed = (*python.environment, *ours.environment, *python.user_site, *ours.user_site, *room.libraries, *room.hidden)
    make_missing(room.work, obeyed, [*python.environment, *ours.environment])
    libraries = [name for library in room.libraries if library in places for name in (library, places[library])]
    readable = (*python.readable(room.work), *ours.keeps(room.work), str(PACKAGE), *dict.fromkeys(libraries))
    kept = [folder for folder in readable if inside(folder, room.work) and folder != room.work]
    private = [path for path in private_entries(room.work, room.hidden) if not any(inside(path, k) for k in kept)]
    check_links(room.work, obeyed, (*kept, *private))
    linked = {folder for folder in readable if goes_by_link(folder, room.work)}
    linked |= {name for name in room.libraries if any(goes_by_link(name, folder) for folder in readable)}
    readable = tuple(folder for folder in readable if folder not in linked)
    home = home_parts(room.work)
    of_git = dict.fromkeys(repository.kept(room.work), "--ro-bind")
    pinned = pins(room.work, (*readable, *private, *of_git))
    # In what is read-only nothing can be moved.
    pinned = {path: option for path, option in pinned.items() if of_git.keys().isdisjoint(parents(path))}
    parts = {**pinned, **of_git, **home}
    for folder in (f for f in readable if inside(room.work, f) and f != room.work):
        yield from _bind("--ro-bind", places.get(folder, folder), folder, made)
    yield from _bind("--bind", work_source, room.work, made)
    for path in sorted(parts, key=len):
        yield from _part(parts[path], work_source + path.removeprefix(room.work), path)
    for path in private:
        yield from _cover(path)
    for folder in (f for f in readable if not inside(room.work, f)):
        yield from _bind("--ro-bind", places.get(folder, folder), folder, made)
    yield from _bind("--ro-bind", room.run.shown, room.run.shown, made)
    for path in (*private, *(path for path in home if home[path] == "--tmpfs")):
        if os.path.isdir(path):
            yield from ("--remount-ro", path)


def _part(option: str, source: str, path: str) -> tuple[str, ...]:
    if option == "--tmpfs":
        return ("--perms", "0755", option, path)
    return (option, os.readlink(path) if option == "--symlink" else source, path)


def _bind(option: str, source: str, target: str, made: set[str]) -> Iterator[str]:
    yield from _open_parents(target, made)
    yield from (option, source, target)


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


def _variables(room: Room, python: Interpreter) -> Iterator[str]:
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    own = {
        "HOME": HOME,
        "USER": etc.USER,
        "PATH": f"{os.path.dirname(python.program)}:/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": "/tmp",
        # An environment's own git would look for it in the environment.
        "GIT_CONFIG_SYSTEM": gitconfig.SYSTEM,
        # Its start-up files and its history are nothing to keep for the next kernel.
        "IPYTHONDIR": "/tmp/ipython",
        "CODEACT_USER_SITE": json.dumps(python.user_site),
        # pip looks for nothing on a network that isn't there.
        **dict.fromkeys(("PIP_NO_INDEX", "PIP_NO_INPUT", "PIP_DISABLE_PIP_VERSION_CHECK"), "1"),
        "PIP_RETRIES": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        # ipykernel watches its parent by pid; the pid it would be told is of another namespace.
        "JPY_PARENT_PID": "1",
    }
    yield "--clearenv"
    for name, value in {"LANG": "C.UTF-8", **kept, **own, **room.variables}.items():
        yield from ("--setenv", name, value)
