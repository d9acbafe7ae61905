"""Other processes, keys, and the powers of the host's users."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_codeact.sandbox.bubblewrap import SANDBOX_UIDS
from jupyter_codeact.sandbox.usage import descendants

from .rooms import AS_ROOT, Cells, room

LIBC = "libc = ctypes.CDLL(None, use_errno=True)\n"


SEARCH = """
    import glob
    found = []
    for path in glob.glob('/proc/[0-9]*/environ'):
        try:
            found.append(b'sk-canary' in open(path, 'rb').read())
        except OSError:
            pass
    print(any(found), 'sk-canary' in str(os.environ))
"""


@pytest.fixture(scope="module")
def neighbour() -> Iterator[int]:
    """Another process of the person's, with a key in its environment."""
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    process = subprocess.Popen(command, env={"OPENAI_API_KEY": "sk-canary"})
    yield process.pid
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_it_finds_no_key_in_any_environment(closed: Cells, unprotected: Cells, neighbour: int) -> None:
    assert closed.attempt(SEARCH) == "False False"
    assert unprotected.attempt(SEARCH) == "True False"


def test_our_own_environment_is_not_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor left in that of bubblewrap, whose init is in there with it."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    with room("bubblewrap", tmp_path) as cells:
        assert cells.attempt(SEARCH) == "False False"
        for pid in (cells.sandbox.process.pid, *descendants(cells.sandbox.process.pid)):
            assert b"sk-canary" not in Path(f"/proc/{pid}/environ").read_bytes()
    plain = "import os\n" + textwrap.dedent(SEARCH)
    found = subprocess.run([sys.executable, "-c", plain], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "True True"


def test_it_has_no_hold_on_its_init(closed: Cells) -> None:
    """Which dies with us only as long as nobody changes that in its memory."""
    attack = "open('/proc/1/mem', 'r+b').close(); print('open')"
    assert closed.attempt(attack) in ("ENOENT", "EACCES")
    assert closed.attempt("print(os.listdir('/proc/1'))") == "[]"
    bare = ["bwrap", "--unshare-pid", "--dev-bind", "/", "/", "--proc", "/proc", sys.executable, "-c", attack]
    assert subprocess.run(bare, capture_output=True, text=True, check=True).stdout == "open\n"


def test_it_sees_and_signals_no_other_process(closed: Cells, unprotected: Cells, neighbour: int) -> None:
    see = """
        import contextlib, glob
        found = []
        for path in glob.glob('/proc/[0-9]*/cmdline'):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.append(b'signal.pause' in open(path, 'rb').read())
        print(any(found))
    """
    stop = f"os.kill({neighbour}, 0); print('reached')"
    assert closed.attempt(see) == "False"
    assert closed.attempt(f"os.killpg({os.getpgrp()}, 0); print('reached')") == "ESRCH"
    assert closed.attempt("os.kill(1, 9); print('sent')") == ("EPERM" if AS_ROOT else "sent")
    assert unprotected.attempt(see) == "True"
    assert unprotected.attempt(stop) == "reached"


def test_it_is_never_the_hosts_root(closed: Cells) -> None:
    """As the host sees it: everything but bubblewrap's own init, which runs nothing of the sandbox's."""
    _init, *others = descendants(closed.sandbox.process.pid)
    users = [_status(pid, "Uid").split() for pid in others]
    expected = {str(uid) for uid in (SANDBOX_UIDS if AS_ROOT else [os.getuid()])}
    assert users
    assert {uid for user in users for uid in user} <= expected
    assert {_status(pid, name) for pid in others for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert {_status(pid, "NoNewPrivs") for pid in others} == {"1"}
    assert {_status(pid, "Seccomp") for pid in (_init, *others)} == {"2"}


def _status(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:"))


def test_it_changes_no_setting_of_the_kernel(closed: Cells, unprotected: Cells) -> None:
    attack = "os.close(os.open('/proc/sys/kernel/{}', os.O_WRONLY)); print('open')"
    for name in ("core_pattern", "hostname", "shmmax"):
        assert closed.attempt(attack.format(name)) in ("EROFS", "EACCES")
    if AS_ROOT:
        assert unprotected.attempt(attack.format("core_pattern")) == "open"
    sysrq = "os.close(os.open('/proc/sysrq-trigger', os.O_WRONLY)); print('open')"
    assert closed.attempt(sysrq) in ("EROFS", "EACCES", "ENOENT")


IN_A_CHILD = """
child = os.fork()
if child == 0:
    os._exit(0 if ({attempt}) == 0 else ctypes.get_errno())
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(errno.errorcode[status] if status else 'done')
"""


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        pytest.param("libc.unshare(0x10000000)", "EPERM", id="a user namespace"),
        pytest.param("libc.unshare(0x10020000)", "EPERM", id="a mount namespace in it"),
        pytest.param("libc.unshare(0x10020000) or libc.mount(b'x', b'/tmp', b'tmpfs', 0, None)", "EPERM", id="a mount"),
        pytest.param("libc.ptrace(0, 0, 0, 0)", "EPERM", id="being traced"),
        pytest.param("libc.personality(0x0400000)", "EPERM", id="reading implies execution"),
        pytest.param("min(0, libc.memfd_create(b'x', 0))", "ENOSYS", id="memory that is nobody's"),
        pytest.param("libc.vmsplice(os.pipe()[1], None, 0, 0)", "ENOSYS", id="memory that a pipe keeps"),
        pytest.param(
            "(lambda i: i if i < 0 else libc.shmctl(i, 0, None))(libc.shmget(0, 4096, 0o600))",
            "ENOSYS",
            id="memory of System V",
        ),
        pytest.param("libc.syscall(ctypes.c_long(-1))", "ENOSYS", id="a call that doesn't exist"),
        pytest.param("libc.syscall(ctypes.c_long(467))", "ENOSYS", id="a call newer than the list"),
    ],
)
def test_it_has_no_use_of_calls_that_kernels_were_broken_by(
    closed: Cells, unprotected: Cells, attempt: str, answer: str
) -> None:
    attack = LIBC + IN_A_CHILD.format(attempt=attempt)
    assert closed.attempt(attack) == answer
    if "syscall" not in attempt:
        assert unprotected.attempt(attack) == "done"


def test_it_types_nothing_into_a_terminal(closed: Cells, unprotected: Cells) -> None:
    attack = """
        import fcntl, pty, select, termios
        child, terminal = pty.fork()
        if child == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSTI, b'!')
            except OSError as error:
                os._exit(error.errno)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(errno.errorcode[status] if status else 'typed')
    """
    assert closed.attempt(attack) == "EPERM"
    legacy = Path("/proc/sys/dev/tty/legacy_tiocsti")
    if not legacy.exists() or legacy.read_text().strip() == "1":
        assert unprotected.attempt(attack) == "typed"
