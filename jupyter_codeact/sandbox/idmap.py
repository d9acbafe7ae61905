"""Lend a root-owned working folder to the sandbox's user, for as long as the sandbox lives.

Run as root, the sandbox drops to an ordinary uid, which may not write into the person's folder. An idmapped mount
(Linux 5.12) shows the folder as owned by that uid inside, while on disk everything stays, and is made, as
the folder's owner: nothing is chowned, and nothing is left behind. What is mounted below comes along, each mount
with the same ids; one that can't be mapped is read-only, with its own. The mounts live in a mount namespace of
this process's own, which then becomes bubblewrap.

    python -I -S idmap.py UID FOLDER MOUNTPOINT [FOLDER MOUNTPOINT …] -- bwrap …
"""

import ctypes
import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_REC, MS_PRIVATE, MNT_DETACH = 0x4000, 0x40000, 2
AT_EMPTY_PATH, AT_RECURSIVE = 0x1000, 0x8000
OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC = 1, 0x80000
MOUNT_ATTR_RDONLY, MOUNT_ATTR_IDMAP = 1, 0x100000
MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH = 0x04, 0x40
# The numbers are the same on every architecture: calls newer than Linux 5.1 share one table.
SYS_OPEN_TREE, SYS_MOVE_MOUNT, SYS_MOUNT_SETATTR = 428, 429, 442

libc = ctypes.CDLL(None, use_errno=True)


class MountAttributes(ctypes.Structure):
    """`struct mount_attr` of linux/mount.h."""

    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


class Mount(NamedTuple):
    """A line of mountinfo: its number, that of the mount which it lies on, and where."""

    number: int
    parent: int
    point: str


def check(result: int) -> int:
    """Turn C's -1 into an OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def mapping_namespace(folder: int, uid: int) -> int:
    """A file descriptor of a user namespace that maps the folder's owner to ``uid``.

    A namespace needs a process in it to be made; the child lives only until its descriptor is open.
    """
    owner = os.stat(folder)
    born, born_here = os.pipe()
    hold, hold_here = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hold_here)
        if libc.unshare(CLONE_NEWUSER) == 0:
            os.write(born_here, b"1")
            os.read(hold, 1)
        os._exit(0)
    os.close(born_here)
    os.close(hold)
    os.read(born, 1)
    try:
        for table, on_disk in (("uid_map", owner.st_uid), ("gid_map", owner.st_gid)):
            with open(f"/proc/{child}/{table}", "w") as file:
                file.write(f"{on_disk} {uid} 1")
        return os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(hold_here)
        os.close(born)
        os.waitpid(child, 0)


def lend(folder: str, mountpoint: str, uid: int) -> None:
    """Mount ``folder`` at ``mountpoint`` with its owner shown as ``uid``, and all that is seen mounted below it."""
    with opened(folder) as source:
        namespace = mapping_namespace(source, uid)
        with opened(mountpoint) as target:
            put(mapped(source, namespace), target)
        at = by_descriptor(source)
        top, table = os.readlink(at), mounts()
        waiting = [number_of(source)]
        while waiting:
            for mount in seen_on(waiting.pop(), table, top):
                names = os.path.relpath(mount.point, top).split("/")
                try:
                    if lend_one(mount.number, at, mountpoint, names, namespace):
                        waiting.append(mount.number)
                except OSError as error:
                    raise OSError(error.errno, error.strerror, mount.point) from None
    os.close(namespace)


def lend_one(number: int, folder: str, mountpoint: str, names: list[str], namespace: int) -> bool:
    """Put the mount of that number, which lies there in the folder, at the same place in what is lent of it.

    Returns whether it was mapped, alone. Else it is read-only, with what is mounted below.
    """
    with opened(folder, *names) as source:
        expect(number, source)
        try:
            tree, is_mapped = mapped(source, namespace), True
        except OSError:
            tree, is_mapped = read_only(source), False
    with opened(mountpoint, *names) as target:
        its_number = put(tree, target)
    with opened(mountpoint, *names) as found:
        expect(its_number, found)
    return is_mapped


def mounts() -> list[Mount]:
    """All that this namespace has, where nothing comes and goes but by this process."""
    with open("/proc/self/mountinfo", "rb") as file:
        lines = [line.split(b" ", 5) for line in file.read().split(b"\n")[:-1]]
    return [Mount(int(number), int(parent), unescaped(point)) for number, parent, _, _, point, _ in lines]


def unescaped(name: bytes) -> str:
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), name))


def seen_on(number: int, table: list[Mount], folder: str) -> Iterator[Mount]:
    """What a walk from a mount comes to in the folder; what lies under another one is not seen."""
    taken: list[str] = []
    below = (m for m in table if m.parent == number and m.point.startswith(f"{folder}/"))
    for found in sorted(below, key=lambda m: len(m.point)):
        if not any(found.point.startswith(f"{point}/") for point in taken):
            taken.append(found.point)
            yield topmost(found, table)


def topmost(mount: Mount, table: list[Mount]) -> Mount:
    """Of those that are mounted on one another."""
    upper = next((m for m in table if (m.parent, m.point) == (mount.number, mount.point)), None)
    return topmost(upper, table) if upper else mount


@contextmanager
def opened(folder: str, *names: str) -> Iterator[int]:
    """What lies there in the folder, to be mounted or looked at: below the folder no link is followed."""
    descriptor = os.open(folder, os.O_PATH)
    try:
        for name in names:
            inner = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def by_descriptor(descriptor: int) -> str:
    """A name that leads to what is open, and to nothing else."""
    return f"/proc/self/fd/{descriptor}"


def number_of(descriptor: int) -> int:
    """Of the mount that it was opened on."""
    with open(f"/proc/self/fdinfo/{descriptor}") as file:
        return int(file.read().partition("mnt_id:")[2].split()[0])


def expect(number: int, descriptor: int) -> None:
    """Code of another sandbox may move the folders above a mount, and put others in their place."""
    if number_of(descriptor) != number:
        raise OSError(errno.ESTALE, "the folders above it are being moved")


def mapped(place: int, namespace: int) -> int:
    """What is mounted there, alone, with other ids. Raises OSError where the file system, or Linux, can't do it."""
    return copied(place, 0, MountAttributes(attr_set=MOUNT_ATTR_IDMAP, userns_fd=namespace))


def read_only(place: int) -> int:
    """What is mounted there and below. With the owners that it has the sandbox's user has what everybody has.

    What could be written would be strange to its owner, and to the next sandbox.
    """
    return copied(place, AT_RECURSIVE, MountAttributes(attr_set=MOUNT_ATTR_RDONLY))


def copied(place: int, how_deep: int, wish: MountAttributes) -> int:
    flags = ctypes.c_uint(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | how_deep)
    tree = check(libc.syscall(SYS_OPEN_TREE, place, b"", flags))
    try:
        size = ctypes.c_size_t(ctypes.sizeof(wish))
        flags = ctypes.c_uint(AT_EMPTY_PATH | how_deep)
        check(libc.syscall(SYS_MOUNT_SETATTR, tree, b"", flags, ctypes.byref(wish), size))
    except OSError:
        os.close(tree)
        raise
    return tree


def put(tree: int, target: int) -> int:
    """Mount it there, and let go of it. Returns the mount's number."""
    try:
        both_open = ctypes.c_uint(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
        check(libc.syscall(SYS_MOVE_MOUNT, tree, b"", target, b"", both_open))
        return number_of(tree)
    finally:
        os.close(tree)


def main(uid: str, *words: str) -> None:
    """Mount, then become bubblewrap, in a mount namespace of our own.

    Where a file system can't do that for the first folder, all ends with one line. Of the others, which bubblewrap
    can do without, the mountpoint goes.
    """
    dashes = words.index("--")
    (folder, mountpoint), *others = zip(words[:dashes:2], words[1:dashes:2], strict=True)
    try:
        check(libc.unshare(CLONE_NEWNS))
        check(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
        lend(folder, mountpoint, int(uid))
    except OSError as error:
        sys.exit(f"codeact: {error.filename or folder} can't be lent to the sandbox's user: {error.strerror}.")
    for other, its_mountpoint in others:
        try:
            lend(other, its_mountpoint, int(uid))
        except OSError:
            libc.umount2(os.fsencode(its_mountpoint), MNT_DETACH)
            os.rmdir(its_mountpoint)
    command = words[dashes + 1 :]
    os.execvp(command[0], command)  # noqa: S606  # becoming bubblewrap is the point


if __name__ == "__main__":
    main(*sys.argv[1:])
