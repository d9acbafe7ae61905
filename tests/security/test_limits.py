"""Memory, processes, open files and temp end somewhere, and what reaches the end is told so."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from jupyter_codeact.errors import ConfigError
from jupyter_codeact.sandbox import usage
from jupyter_codeact.sandbox.bubblewrap import takes
from jupyter_codeact.sandbox.limits import GB, OPEN_FILES, Limits, machine_memory
from jupyter_codeact.sandbox.usage import Meter
from jupyter_codeact.settings import Settings

from .rooms import Cells, room

SMALL_GB = 0.5
ENDED = "The sandbox used more than 0.5 GB and was ended."

# Each holds 640 MB or more, of a kind of memory of its own; `print` comes only where nothing ends it.
HOGS = {
    "a list": "kept = [bytearray(b'x' * 2**20) for _ in range(640)]",
    "shared and mapped": """
        import mmap
        kept = mmap.mmap(-1, 640 * 2**20)
        for _ in range(640):
            kept.write(b'x' * 2**20)
    """,
    "several processes": """
        import os, time
        children, (done, ready) = [], os.pipe()
        for _ in range(4):
            children.append(os.fork())
            if children[-1] == 0:
                mine = bytearray(b'x' * (160 * 2**20))
                os.write(ready, b'1')
                time.sleep(600)
        for _ in children:
            os.read(done, 1)
        {hold}
        for child in children:
            os.kill(child, 9), os.waitpid(child, 0)
    """,
    "temp folders": """
        import os
        paths = ['/tmp/big', '/dev/shm/big', os.path.expanduser('~/big')]
        for path in paths:
            with open(path, 'wb') as file:
                for _ in range(215):
                    file.write(b'x' * 2**20)
        {hold}
        for path in paths:
            os.remove(path)
    """,
    "queues of sockets": """
        import resource, socket
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        kept = []
        for _ in range(1700):
            kept += socket.socketpair()
        {hold}
        [s.close() for s in kept]
    """,
    "pipes": """
        import os, resource, time
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        children, (done, ready) = [], os.pipe()
        for _ in range(20):
            children.append(os.fork())
            if children[-1] == 0:
                for _ in range(4000):
                    # One end is enough to keep what is in it.
                    end, filled = os.pipe()
                    os.write(filled, bytes(8192)), os.close(end)
                os.write(ready, b'1')
                time.sleep(600)
        for _ in children:
            os.read(done, 1)
        {hold}
        for child in children:
            os.kill(child, 9), os.waitpid(child, 0)
    """,
    "page tables": """
        import mmap
        size = 320 << 30
        kept = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
        for place in range(0, size, 2 << 20):
            kept[place]
        {hold}
        kept.close()
    """,
}


@pytest.mark.parametrize("name", HOGS)
def test_memory_of_any_kind_ends_at_the_limit(tmp_path: Path, unprotected: Cells, name: str) -> None:
    hog = HOGS[name]
    with room("bubblewrap", tmp_path, memory_gb=SMALL_GB) as cells:
        cells.send(hog.replace("{hold}", "time = __import__('time'); time.sleep(600)"))
        cells.sandbox.process.wait()
        assert cells.sandbox.cause == ENDED
        assert cells.sandbox.obituary == f"{ENDED} Variables are gone; the next cell starts in a fresh one."
    assert unprotected(hog.replace("{hold}", "pass") + "\n") == ""
    unprotected("kept = None")
    assert unprotected.sandbox.alive


def test_memory_that_forks_share_counts_once(tmp_path: Path) -> None:
    """Five processes with the same 200 MB hold 200 MB."""
    code = """
        import os
        kept, children = bytearray(b'x' * (200 * 2**20)), []
        waiting, go = os.pipe()
        for _ in range(4):
            child = os.fork()
            if child == 0:
                os.close(go), os.read(waiting, 1), os._exit(0)
            children.append(child)
    """
    with room("bubblewrap", tmp_path, memory_gb=SMALL_GB) as cells:
        cells(code)
        meter = Meter(cells.sandbox.process.pid)
        assert meter.exceeds(200 * 2**20)
        assert not meter.exceeds(int(SMALL_GB * GB))
        meter.close()
        assert cells("os.close(go); print([os.waitpid(child, 0)[1] for child in children])") == "[0, 0, 0, 0]"


def test_where_linux_does_not_say_how_many_files_are_open_it_is_how_many_there_is_room_for() -> None:
    """It says nothing before Linux 6.2, and nothing of a process that has none."""
    ended, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.closerange(0, OPEN_FILES)
        signal.pause()
    os.close(held)
    assert os.read(ended, 1) == b"", "all are closed"
    os.close(ended)
    try:
        assert usage._resident(child).files >= 64
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert usage._resident(os.getpid()).files < OPEN_FILES


def test_what_no_process_can_have_is_an_ordinary_error(closed: Cells) -> None:
    code = f"try:\n    bytearray({2 * machine_memory()})\nexcept MemoryError:\n    print('no')"
    assert closed(code) == "no"


def test_a_fork_bomb_ends_and_the_host_goes_on(closed: Cells, unprotected: Cells) -> None:
    count = Limits.of().processes + 20
    attack = f"""
        import signal
        children, refused = [], ''
        for _ in range({count}):
            try:
                child = os.fork()
            except BlockingIOError:
                refused = 'refused'
                break
            if child == 0:
                signal.pause()
            children.append(child)
        for child in children:
            os.kill(child, signal.SIGKILL), os.waitpid(child, 0)
        print(refused or 'all born')
    """
    assert closed.attempt(attack) == "refused"
    assert os.waitstatus_to_exitcode(os.waitpid(os.posix_spawnp("true", ["true"], os.environ), 0)[1]) == 0
    assert closed("import subprocess; print(subprocess.check_output(['echo', 'on'], text=True))") == "on"
    assert unprotected.attempt(attack) == "all born"


def test_open_files_end_and_cannot_be_had_back(closed: Cells, unprotected: Cells) -> None:
    attack = f"""
        import resource
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        files = []
        try:
            for _ in range({OPEN_FILES}):
                files.append(os.open('/dev/null', os.O_RDONLY))
        finally:
            for file in files: os.close(file)
        print('all open')
    """
    assert closed.attempt(attack) == "EMFILE"
    raised = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (99999, 99999)); print('raised')"
    assert closed(f"try:\n    {raised}\nexcept ValueError:\n    print('kept')") == "kept"
    assert unprotected.attempt(attack) == "all open"


def test_temp_ends(tmp_path: Path, unprotected: Cells) -> None:
    attack = """
        with open({!r}, 'wb') as file:
            for _ in range(300):
                file.write(b'x' * 2**20)
        print('all written')
    """
    if not takes("bwrap", "--size"):
        pytest.skip("bubblewrap before 0.7: temp ends with the memory that it counts as")
    with room("bubblewrap", tmp_path, memory_gb=SMALL_GB) as cells:
        for folder in ("/tmp", "/dev/shm", "/home/sandbox"):
            assert cells.attempt(attack.format(f"{folder}/big")) == "ENOSPC"
            cells(f"import os; os.remove('{folder}/big')")
        assert cells.attempt(attack.format("/run/big")) == "ENOSPC"
    assert unprotected.attempt(attack.format(str(tmp_path / "big"))) == "all written"
    (tmp_path / "big").unlink()


def test_no_core_is_written(closed: Cells) -> None:
    assert closed("import resource; print(resource.getrlimit(resource.RLIMIT_CORE))") == "(0, 0)"


def test_the_limit_is_a_share_of_the_machine_or_what_she_set() -> None:
    assert Limits.of().memory == int(machine_memory() * 0.75)
    assert Limits.of(4).cause == "The sandbox used more than 4 GB and was ended."
    assert Settings.from_environment({"JUPYTER_CODEACT_MEMORY_GB": "4"}).memory_gb == 4
    assert Settings.from_environment({}).memory_gb is None
    assert machine_memory() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert machine_memory() > GB / 4
    for wrong in ("much", "0", "-1", "nan", "inf"):
        with pytest.raises(ConfigError, match="JUPYTER_CODEACT_MEMORY_GB"):
            Settings.from_environment({"JUPYTER_CODEACT_MEMORY_GB": wrong})
