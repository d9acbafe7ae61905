"""The system calls that nothing in the sandbox needs: a filter for ``bwrap --seccomp``, as a classic BPF program.

Namespaces already keep the sandbox in; the filter takes away the doors through which kernels have been broken before.
A refused call answers EPERM; one for which C libraries have another way answers ENOSYS, as an older kernel would.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import NamedTuple

from ..errors import SandboxUnavailable

# One instruction: code, jump if true, jump if false, operand (linux/filter.h).
Instruction = tuple[int, int, int, int]

LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
KILL_PROCESS, ALLOW, ERRNO = 0x8000_0000, 0x7FFF_0000, 0x0005_0000
# Offsets in `struct seccomp_data`.
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16

X32_BIT = 0x4000_0000
# Calls from here on are newer than this list, and may be anything: open_tree_attr is the first.
UNKNOWN = 467
NEW_NAMESPACES = 0x7E02_0000
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
# By a lease whoever owns a file, and only reads it, has all others wait who open it. Of fcntl's commands those from
# F_GETDELEG on are newer than this list: leases on folders are the first.
F_SETLEASE, F_UNKNOWN = 1024, 1039
O_CREAT, O_TMPFILE = 0o100, 0o20000000
S_ISUID, S_ISGID = 0o4000, 0o2000
UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
PERSONALITY_ASKED = 0xFFFF_FFFF


class Machine(NamedTuple):
    """audit: its name in the kernel's audit.h. column: its numbers in the tables below."""

    audit: int
    column: int


MACHINES = {"x86_64": Machine(0xC000_003E, 0), "aarch64": Machine(0xC000_00B7, 1)}

# Numbers on x86_64 and on aarch64; None where the call doesn't exist.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    # mounts and roots
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    # namespaces; clone is looked at below
    "unshare": (272, 97),
    "setns": (308, 268),
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # doors into the kernel
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "lookup_dcookie": (212, 18),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    # its keys and its log
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "syslog": (103, 116),
    # the machine
    "acct": (163, 89),
    "clock_settime": (227, 112),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "init_module": (175, 105),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "nfsservctl": (180, 42),
    "reboot": (169, 142),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "vhangup": (153, 58),
}
# Their arguments lie in memory, where a filter can't look (clone3, openat2), or they hold memory that counts as no
# process's (System V IPC, memfd: /dev/shm does the same, and is measured; vmsplice, by which one page in a pipe keeps
# all of a huge one).
MISSING: dict[str, tuple[int | None, int | None]] = {
    "clone3": (435, 435),
    "openat2": (437, 437),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "vmsplice": (278, 75),
    "msgget": (68, 186),
    "semget": (64, 190),
    "shmget": (29, 194),
}
CLONE = (56, 220)
FCNTL = (72, 25)
IOCTL = (16, 29)
PERSONALITY = (135, 92)
SOCKET = (41, 198)
# Calls that set a file's mode, with the argument that is the mode.
MODES: tuple[tuple[int | None, int | None, int], ...] = (
    (90, None, 1),  # chmod
    (91, 52, 1),  # fchmod
    (268, 53, 2),  # fchmodat
    (452, 452, 2),  # fchmodat2
    (85, None, 1),  # creat
    (133, None, 1),  # mknod
    (259, 33, 2),  # mknodat
)
# Calls that make a file where their flags say so: the arguments that are flags and mode.
OPENS: tuple[tuple[int | None, int | None, int, int], ...] = (
    (2, None, 1, 2),  # open
    (257, 56, 2, 3),  # openat
)


def descriptor(special_modes: int) -> int:
    """A file that holds the filter, for ``--seccomp``. The caller closes it.

    ``special_modes``: the mode bits that no file may get. Raises SandboxUnavailable on machines without a table.
    """
    file = os.memfd_create("codeact-seccomp")
    os.write(file, assemble(program(os.uname().machine, special_modes)))
    os.lseek(file, 0, os.SEEK_SET)
    return file


def assemble(instructions: list[Instruction]) -> bytes:
    """As `struct sock_filter[]`; both machines are little-endian."""
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in instructions)


def program(machine: str, special_modes: int) -> list[Instruction]:
    """The whole filter."""
    if machine not in MACHINES:
        raise SandboxUnavailable(
            f"This kernel's sandbox knows x86_64 and aarch64, and this machine is {machine}: use another sandbox "
            "(JUPYTER_CODEACT_SANDBOX), or another machine."
        )
    audit, column = MACHINES[machine]
    rules: list[Instruction] = [_load(ARCHITECTURE), (JUMP_EQUAL, 1, 0, audit), _result(KILL_PROCESS), _load(NUMBER)]
    # The x32 numbers of x86_64 lie far above, and answer as on a kernel that was built without them.
    rules += [(JUMP_GREATER_EQUAL, 0, 1, UNKNOWN), _result(ERRNO | errno.ENOSYS)]
    rules += _when(CLONE[column], [_load_argument(0), *_any_bit(NEW_NAMESPACES, errno.EPERM)])
    # As where a file system has no leases, and on a kernel that doesn't know the command.
    rules += _when(FCNTL[column], [_load_argument(1), *_none_from(F_UNKNOWN), *_none_of((F_SETLEASE,), errno.EINVAL)])
    rules += _when(IOCTL[column], [_load_argument(1), *_none_of((TIOCSTI, TIOCLINUX), errno.EPERM)])
    rules += _when(PERSONALITY[column], [_load_argument(0), *_one_of((0, PERSONALITY_ASKED), errno.EPERM)])
    families = _one_of((UNIX, INET, INET6, NETLINK), errno.EAFNOSUPPORT)
    rules += _when(SOCKET[column], [_load_argument(0), *families])
    rules += _modes(column, special_modes)
    for table, answer in ((REFUSED, errno.EPERM), (MISSING, errno.ENOSYS)):
        for numbers in table.values():
            rules += _when(numbers[column], [_result(ERRNO | answer)])
    return [*rules, _result(ALLOW)]


def _modes(column: int, special: int) -> list[Instruction]:
    """A file with the setuid bit would run as the working folder's owner, for whoever finds it on the host."""
    rules: list[Instruction] = []
    for *numbers, mode in MODES:
        rules += _when(numbers[column], [_load_argument(mode), *_any_bit(special, errno.EPERM)])
    for *numbers, flags, mode in OPENS:
        makes = [_load_argument(mode), *_any_bit(special, errno.EPERM)]
        asked: Instruction = (JUMP_ANY_BIT, 0, len(makes), O_CREAT | O_TMPFILE)
        rules += _when(numbers[column], [_load_argument(flags), asked, *makes, _result(ALLOW)])
    return rules


def _when(number: int | None, body: list[Instruction]) -> list[Instruction]:
    """``body``, which must end in a result, for one system call."""
    return [] if number is None else [(JUMP_EQUAL, 0, len(body), number), *body]


def _load(offset: int) -> Instruction:
    return LOAD, 0, 0, offset


def _load_argument(position: int) -> Instruction:
    """Its lower half: these arguments are ints in the kernel, which takes no notice of the upper one."""
    return _load(ARGUMENTS + 8 * position)


def _result(value: int) -> Instruction:
    return RETURN, 0, 0, value


def _any_bit(mask: int, answer: int) -> list[Instruction]:
    return [(JUMP_ANY_BIT, 0, 1, mask), _result(ERRNO | answer), _result(ALLOW)]


def _none_from(unknown: int) -> list[Instruction]:
    """What follows is for the numbers below it alone."""
    return [(JUMP_GREATER_EQUAL, 0, 1, unknown), _result(ERRNO | errno.EINVAL)]


def _none_of(values: tuple[int, ...], answer: int) -> list[Instruction]:
    checks: list[Instruction] = [(JUMP_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [*checks, _result(ALLOW), _result(ERRNO | answer)]


def _one_of(values: tuple[int, ...], answer: int) -> list[Instruction]:
    checks: list[Instruction] = [(JUMP_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [*checks, _result(ERRNO | answer), _result(ALLOW)]
