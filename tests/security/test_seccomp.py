"""The filter itself, for both machines, run as the kernel would run it."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from jupyter_codeact.errors import SandboxUnavailable
from jupyter_codeact.sandbox import seccomp

ALLOWED = "allowed"
SPECIAL = seccomp.S_ISUID | seccomp.S_ISGID


def verdict(machine: str, number: int | None, *arguments: int, audit: int = 0) -> str:
    """What the filter says to a call; the arguments are 64 bits wide."""
    assert number is not None
    audit = audit or seccomp.MACHINES[machine].audit
    wide = [value % 2**64 for value in (*arguments, *(0,) * (6 - len(arguments)))]
    data = struct.pack("<IIQ6Q", number % 2**32, audit, 0, *wide)
    program = list(struct.iter_unpack("<HBBI", seccomp.assemble(seccomp.program(machine, SPECIAL))))
    value = at = 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        match code:
            case seccomp.LOAD:
                (value,) = struct.unpack_from("<I", data, operand)
            case seccomp.RETURN:
                return _said(operand)
            case seccomp.JUMP_EQUAL:
                at += if_true if value == operand else if_false
            case seccomp.JUMP_GREATER_EQUAL:
                at += if_true if value >= operand else if_false
            case seccomp.JUMP_ANY_BIT:
                at += if_true if value & operand else if_false


def _said(result: int) -> str:
    known = {seccomp.ALLOW: ALLOWED, seccomp.KILL_PROCESS: "killed"}
    return known.get(result) or errno.errorcode[result & 0xFFFF]


both = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


@both
def test_every_call_of_the_tables_is_refused(machine: str) -> None:
    column = seccomp.MACHINES[machine].column
    for table, answer in ((seccomp.REFUSED, "EPERM"), (seccomp.MISSING, "ENOSYS")):
        known = {name: numbers[column] for name, numbers in table.items() if numbers[column] is not None}
        assert {name: verdict(machine, number) for name, number in known.items()} == dict.fromkeys(known, answer)


@both
def test_all_others_are_allowed(machine: str) -> None:
    column = seccomp.MACHINES[machine].column
    refused = {numbers[column] for table in (seccomp.REFUSED, seccomp.MISSING) for numbers in table.values()}
    others = set(range(seccomp.UNKNOWN)) - refused - {seccomp.SOCKET[column]}
    assert {verdict(machine, number) for number in others} == {ALLOWED}


@both
def test_arguments_decide(machine: str) -> None:
    column = seccomp.MACHINES[machine].column
    cases = [
        (seccomp.CLONE, (0x003D0F00,), ALLOWED),  # a thread
        (seccomp.CLONE, (0x01200011,), ALLOWED),  # fork
        *((seccomp.CLONE, (flag | 17,), "EPERM") for flag in (0x20000, *(1 << bit for bit in range(25, 31)))),
        *((seccomp.FCNTL, (3, command), ALLOWED) for command in (*range(18), 36, 37, 38, *range(1025, 1039))),
        (seccomp.FCNTL, (3, 1024), "EINVAL"),  # F_SETLEASE
        (seccomp.FCNTL, (3, 0xFFFFFFFF_00000400), "EINVAL"),
        *((seccomp.FCNTL, (3, command), "EINVAL") for command in (1039, 1040, 0x80000000)),  # leases on folders, …
        (seccomp.IOCTL, (0, 0x5401), ALLOWED),  # isatty
        (seccomp.IOCTL, (0, 0x5412), "EPERM"),
        (seccomp.IOCTL, (0, 0xFFFFFFFF_00005412), "EPERM"),  # the kernel takes the lower half
        (seccomp.IOCTL, (0, 0x541C), "EPERM"),
        (seccomp.PERSONALITY, (0xFFFFFFFF,), ALLOWED),
        (seccomp.PERSONALITY, (0x0040000,), "EPERM"),
        *((seccomp.SOCKET, (family,), ALLOWED) for family in (1, 2, 10, 16)),
        *((seccomp.SOCKET, (family,), "EAFNOSUPPORT") for family in (0, 17, 31, 38, 40, 45)),
    ]
    for numbers, arguments, expected in cases:
        assert verdict(machine, numbers[column], *arguments) == expected, (numbers, arguments)


@both
@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o6000])
def test_no_file_gets_a_special_mode(machine: str, mode: int) -> None:
    column = seccomp.MACHINES[machine].column
    for *numbers, position in seccomp.MODES:
        if numbers[column] is not None:
            before = (0o7777,) * position
            assert verdict(machine, numbers[column], *before, mode) == "EPERM"
            assert verdict(machine, numbers[column], *before, 0o1777) == ALLOWED
    for *numbers, flags, _mode in seccomp.OPENS:
        if numbers[column] is not None:
            before = (0,) * flags
            assert verdict(machine, numbers[column], *before, 0o101, mode) == "EPERM"
            assert verdict(machine, numbers[column], *before, 0o101, 0o666) == ALLOWED
            # Without O_CREAT the argument isn't there, and its register holds anything.
            assert verdict(machine, numbers[column], *before, 0o2, mode) == ALLOWED


@both
def test_other_tables_of_calls_are_closed(machine: str) -> None:
    assert verdict(machine, 1, audit=0x40000003) == "killed"  # i386
    assert verdict(machine, 1 | seccomp.X32_BIT) == "ENOSYS"
    assert verdict(machine, -1) == "ENOSYS"
    assert verdict(machine, seccomp.UNKNOWN) == "ENOSYS"


def test_a_machine_without_a_table_is_refused() -> None:
    with pytest.raises(SandboxUnavailable, match="riscv64"):
        seccomp.program("riscv64", SPECIAL)


@pytest.mark.parametrize(
    ("column", "header", "line"),
    [
        (0, "x86_64-linux-gnu/asm/unistd_64.h", r"#define __NR_(\w+)\s+(\d+)"),
        (1, "asm-generic/unistd.h", r"#define __NR(?:3264)?_(\w+)\s+(\d+)"),
    ],
)
def test_the_numbers_are_the_kernels(column: int, header: str, line: str) -> None:
    path = Path("/usr/include", header)
    if not path.exists():
        pytest.skip(f"no {path}: install linux-libc-dev")
    official = {name: int(number) for name, number in re.findall(line, path.read_text())}
    ours = {name: numbers[column] for table in (seccomp.REFUSED, seccomp.MISSING) for name, numbers in table.items()}
    assert {name: number for name, number in ours.items() if number is not None and number != official.get(name)} == {}
    asked = {
        "clone": seccomp.CLONE,
        "fcntl": seccomp.FCNTL,
        "ioctl": seccomp.IOCTL,
        "personality": seccomp.PERSONALITY,
        "socket": seccomp.SOCKET,
    }
    assert {name: numbers[column] for name, numbers in asked.items()} == {name: official[name] for name in asked}
