"""Lend a root-owned working folder to the sandbox's user, for as long as the sandbox lives.

Run as root, the sandbox drops to an ordinary uid, which may not write into the person's folder. An idmapped mount
(Linux 5.12) shows the folder as owned by that uid inside, while on disk everything stays, and is made, as
the folder's owner: nothing is chowned, and nothing is left behind. The mount lives in a mount namespace of
this process's own, which then becomes bubblewrap.

    python -I -S idmap.py UID FOLDER MOUNTPOINT [FOLDER MOUNTPOINT …] -- bwrap …
"""

import ctypes
import os
import sys

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
AT_FDCWD, AT_EMPTY_PATH, AT_RECURSIVE = -100, 0x1000, 0x8000
OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC = 1, 0x80000
MOUNT_ATTR_IDMAP, MOVE_MOUNT_F_EMPTY_PATH = 0x100000, 4
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


def check(result: int) -> int:
    """Turn C's -1 into an OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def mapping_namespace(folder: str, uid: int) -> int:
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


def mount_mapped(folder: str, mountpoint: str, uid: int) -> None:
    """Mount ``folder`` at ``mountpoint`` with its owner shown as ``uid``."""
    namespace = mapping_namespace(folder, uid)
    flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC
    tree = check(libc.syscall(SYS_OPEN_TREE, AT_FDCWD, folder.encode(), ctypes.c_uint(flags)))
    wish = MountAttributes(attr_set=MOUNT_ATTR_IDMAP, userns_fd=namespace)
    size = ctypes.c_size_t(ctypes.sizeof(wish))
    check(libc.syscall(SYS_MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH, ctypes.byref(wish), size))
    check(libc.syscall(SYS_MOVE_MOUNT, tree, b"", AT_FDCWD, mountpoint.encode(), MOVE_MOUNT_F_EMPTY_PATH))


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
        mount_mapped(folder, mountpoint, int(uid))
    except OSError as error:
        sys.exit(f"codeact: {folder} can't be lent to the sandbox's user: {error.strerror}.")
    for other, its_mountpoint in others:
        try:
            mount_mapped(other, its_mountpoint, int(uid))
        except OSError:
            os.rmdir(its_mountpoint)
    command = words[dashes + 1 :]
    os.execvp(command[0], command)  # noqa: S606  # becoming bubblewrap is the point


if __name__ == "__main__":
    main(*sys.argv[1:])
