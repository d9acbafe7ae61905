"""A kernel in reserve: whose kernel it may become, and what ends it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from helpers import PATIENCE_S, environment, gone
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager, start_new_kernel

from jupyter_codeact.kernel import reserve
from jupyter_codeact.sandbox.homes import open_home
from jupyter_codeact.sandbox.launch import INTERPRETER_OPTIONS
from jupyter_codeact.sandbox.usage import descendants

pytestmark = [
    pytest.mark.usefixtures("sandbox", "home"),
    # jupyter_client's blocking client leaves its event loop to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Process = subprocess.Popen[bytes]
# As setuptools writes it for `pip install -e`, but for what it does besides.
FINDER = """\
from importlib.util import spec_from_file_location
MAPPING: dict[str, str] = {places!r}
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        place = MAPPING.get(name, "/nothing")
        for file, folders in ((f"{{place}}/__init__.py", [place]), (f"{{place}}.py", None)):
            try:
                open(file).close()
            except OSError:
                continue
            return spec_from_file_location(name, file, submodule_search_locations=folders)
import sys; sys.meta_path.append(Finder)
"""


@pytest.fixture(autouse=True)
def wanted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins without one: a kernel of the test before may have been about to start its own."""
    monkeypatch.setenv("JUPYTER_CODEACT_RESERVE", "5")
    end_all()
    yield
    end_all()


def end_all() -> None:
    """End the reserves of this test session, and kernels that were ones."""
    session = f"JUPYTER_PATH={os.environ['JUPYTER_PATH']}".encode()
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit() and b"--reserve" in command_of(int(name))]
    for pid in pids:
        with suppress(OSError):
            if session in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                os.kill(pid, signal.SIGKILL)
                assert gone([pid])


@contextmanager
def started(work: Path) -> Iterator[Process]:
    """A kernel in reserve for this folder, as a kernel starts it."""
    spec = KernelSpecManager().get_kernel_spec("codeact")
    argv = [word.replace("{resource_dir}", spec.resource_dir) for word in spec.argv]
    command = [*argv[: argv.index("-f")], "--reserve"]
    # Without what libraries such as readline have put into the environment behind Python's back.
    with subprocess.Popen(command, cwd=work, env=dict(os.environ), start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def waiting(work: Path, python: str = sys.executable) -> Iterator[Process]:
    """A kernel in reserve for this folder, once it can be called and its sandbox has all that is mounted there."""
    with started(work) as process:
        # Another one, left by a kernel that ended before, may wait there until ours takes its place.
        until(lambda: called(python) == process.pid)
        until(lambda: any(map(is_sandboxed, children(process.pid))))
        yield process


def is_sandboxed(pid: int) -> bool:
    """Whether it is the sandbox's Python, which bubblewrap starts when all is mounted."""
    return command_of(pid).split(b"\0")[1:2] == [os.fsencode(INTERPRETER_OPTIONS[0])]


def called(python: str = sys.executable) -> int | None:
    """The process that waits as the kernel in reserve. It is only called, and told nothing."""
    line = reserve.called(python)
    if line is None:
        return None
    with line:
        peer = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, reserve.CREDENTIALS.size)
        return int(reserve.CREDENTIALS.unpack(peer)[0])


def until(true: Callable[[], bool]) -> None:
    """An address outside the file system tells nobody that it has been taken."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def kernel(work: Path) -> Iterator[tuple[KernelManager, Any]]:
    manager, client = start_new_kernel(kernel_name="codeact", cwd=str(work), startup_timeout=PATIENCE_S)
    try:
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(client: Any, code: str) -> str:
    shown: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        content = message["content"]
        shown.append(content.get("text") or content.get("data", {}).get("text/plain", ""))

    client.execute_interactive(code, output_hook=hear, timeout=PATIENCE_S)
    return "".join(shown)


def children(pid: int) -> list[int]:
    return list(descendants(pid))


def command_of(pid: int) -> bytes:
    """Empty where it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def pid_of(manager: KernelManager) -> int:
    return int(manager.provisioner.process.pid)


def test_it_becomes_the_next_kernel_with_that_one_s_environment(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with waiting(work) as process:
        monkeypatch.setenv("JUPYTER_CODEACT_MODEL", "scripted/of-this-kernel")
        with kernel(work) as (manager, client):
            assert run(client, "import os; print(os.getcwd(), 6 * 7)") == f"{work} 42\n"
            assert "scripted/of-this-kernel" in run(client, "%agent status")
            assert children(process.pid)
            assert not children(pid_of(manager))
            assert called() is None
            manager.shutdown_kernel()
            assert gone([process.pid])


@pytest.mark.parametrize("other", ["folder", "settings", "hidden", "package", "home"])
def test_a_kernel_that_would_have_another_sandbox_starts_its_own(
    work: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    if other == "hidden":
        monkeypatch.setenv("HOME", str(work))
    with waiting(work) as process:
        match other:
            case "folder":
                work = tmp_path / "elsewhere"
                work.mkdir()
            case "settings":
                monkeypatch.setenv("JUPYTER_CODEACT_MEMORY_GB", "1.5")
            case "hidden":
                (work / ".aws").mkdir()
            case "package":
                os.utime(reserve.__file__)
            case "home":
                fresh = open_home(str(home / "homes"), sys.executable, str(work), empty=True)
                assert fresh is not None
                fresh.settle()
                fresh.close()
        with kernel(work) as (manager, client):
            assert run(client, "import os; print(os.getcwd())") == f"{work}\n"
            assert children(pid_of(manager))
            assert gone([process.pid])


@pytest.fixture
def python(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Python for the cells alone, with projects of hers installed in it (`pip install -e`)."""
    project = tmp_path / "project"
    python, packages = environment(tmp_path / "env")
    places = {"package": str(project / "package"), "single": str(project / "single")}
    (packages / "__editable___project_1_finder.py").write_text(FINDER.format(places=places))
    (packages / "__editable__.project-1.pth").write_text("import __editable___project_1_finder\n")
    (packages / "more.pth").write_text("")
    spec = KernelSpecManager().get_kernel_spec("codeact")
    folder = tmp_path / "jupyter" / "kernels" / "codeact"
    shutil.copytree(spec.resource_dir, folder)
    at = spec.argv.index("-f")
    argv = [*spec.argv[:at], "--python", python, *spec.argv[at:]]
    (folder / "kernel.json").write_text(json.dumps({**spec.to_dict(), "argv": argv}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"), prepend=os.pathsep)
    return python


def made(*files: Path, v: int) -> None:
    """Each anew, as git and editors write a file."""
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name("fresh")
        fresh.write_text(f"v = {v}\n")
        fresh.rename(file)


@pytest.mark.parametrize("what", ["moved", "removed", "renamed over", "named", "upgraded"])
def test_a_kernel_whose_cells_import_something_else_by_now_starts_its_own(
    work: Path, tmp_path: Path, python: str, what: str
) -> None:
    project, more = tmp_path / "project", tmp_path / "more"
    made(project / "package" / "__init__.py", project / "single.py", more / "other.py", v=1)
    module, v = "package", 2
    with waiting(work, python) as process:
        match what:
            case "moved":
                project.rename(tmp_path / "old")
                made(project / "package" / "__init__.py", v=2)
            case "removed":
                shutil.rmtree(project / "package")
                made(project / "package" / "__init__.py", v=2)
            case "renamed over":
                module = "single"
                made(project / "single.py", v=2)
            case "named":
                module, v = "other", 1
                next((tmp_path / "env").rglob("more.pth")).write_text(f"{more}\n")
            case "upgraded":
                v = 1
                shutil.copy2(os.path.realpath(python), f"{python}.new")
                os.replace(f"{python}.new", python)
        with kernel(work) as (manager, client):
            assert run(client, f"import {module}; print({module}.v)") == f"{v}\n"
            assert children(pid_of(manager))
            assert gone([process.pid])


@pytest.mark.parametrize("what", ["hers moved", "hers removed", "others' moved", "others' removed"])
def test_a_kernel_for_which_a_library_is_another_one_by_now_starts_its_own(
    work: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    library = home / "skills" / "shared"
    if what.startswith("others'"):
        library = tmp_path / "library"
        monkeypatch.setenv("JUPYTER_CODEACT_SKILLS", str(library))
    made(library / "which.py", v=1)
    with waiting(work) as process:
        library.rename(tmp_path / "old") if what.endswith(" moved") else shutil.rmtree(library)
        made(library / "which.py", v=2)
        with kernel(work) as (manager, client):
            assert run(client, "import which; print(which.v)") == "2\n"
            assert children(pid_of(manager))
            assert gone([process.pid])


@pytest.mark.parametrize("what", ["notes/v.txt", "v.txt", "link"])
def test_a_kernel_whose_home_has_other_entries_by_now_starts_its_own(
    work: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Where cells work in her home, each of its entries is shown by itself."""
    monkeypatch.setenv("HOME", str(work))
    made(work / "notes" / "v.txt", work / "v.txt", v=1)
    (work / "link").symlink_to("v.txt")
    with waiting(work) as process:
        match what:
            case "notes/v.txt":
                (work / "notes").rename(work.parent / "old")
                made(work / "notes" / "v.txt", v=2)
            case "v.txt":
                made(work / "v.txt", v=2)
            case "link":
                made(work / "notes" / "v.txt", v=2)
                (work / "link").unlink()
                (work / "link").symlink_to("notes/v.txt")
        with kernel(work) as (manager, client):
            assert run(client, f"print(open({what!r}).read())") == "v = 2\n\n"
            assert children(pid_of(manager))
            assert gone([process.pid])


def test_what_changes_in_projects_and_libraries_is_no_reason_to_start_from_nothing(
    work: Path, home: Path, tmp_path: Path, python: str
) -> None:
    project, library = tmp_path / "project" / "package", home / "skills" / "shared"
    made(project / "__init__.py", library / "which.py", tmp_path / "project" / "single.py", v=1)
    with waiting(work, python) as process, open(tmp_path / "project" / "single.py", "r+") as file:
        made(project / "__init__.py", library / "which.py", v=2)
        file.write("v = 3\n")
        file.flush()
        with kernel(work) as (manager, client):
            assert run(client, "import package, which, single; print(package.v, which.v, single.v)") == "2 2 3\n"
            assert children(process.pid)
            assert not children(pid_of(manager))


def test_who_wants_none_uses_none(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with waiting(work):
        monkeypatch.setenv("JUPYTER_CODEACT_RESERVE", "0")
        with kernel(work) as (manager, _):
            assert children(pid_of(manager))


def test_one_whose_parts_were_swapped_serves_nobody(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sandbox was opened while code of another one put a link in the place of a folder, and put it back later."""
    for name in ("a", "b"):
        (work / name / "settings").mkdir(parents=True)
    program, done = tmp_path / "bin" / "bwrap", tmp_path / "done"
    program.parent.mkdir()
    swap = f"[ \"$1\" = --help ] || [ -e '{done}' ] || {{ cd '{work}' && mv a z && ln -s b a && touch '{done}'; }}"
    program.write_text(f'#!/bin/sh\n{swap}\nexec {shutil.which("bwrap")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(work / "a" / "settings"))
    with waiting(work) as reserve:
        until(done.exists)
        (work / "a").unlink()
        (work / "z").rename(work / "a")
        with kernel(work) as (_, client):
            assert run(client, "import os; os.listdir('a/settings')") == "[]"
            assert reserve.wait(PATIENCE_S) is not None


def test_it_ends_with_the_process_that_jupyter_started(work: Path) -> None:
    with waiting(work) as process, kernel(work) as (manager, client):
        assert run(client, "print('serving')") == "serving\n"
        inside = children(process.pid)
        assert inside
        os.kill(pid_of(manager), signal.SIGKILL)
        assert gone([process.pid, *inside])


def test_restarted_at_once_it_is_a_kernel_again_at_the_same_ports(work: Path) -> None:
    """Jupyter kills the process that it started; the kernel behind it lets go of the ports by itself."""
    with waiting(work) as process, kernel(work) as (manager, client):
        assert run(client, "kept = 1; print('serving')") == "serving\n"
        inside, ports = children(process.pid), manager.ports
        assert inside
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=PATIENCE_S)
        assert manager.ports == ports
        assert run(client, "print('kept' in dir())") == "False\n"
        assert gone([process.pid, *inside])


def test_that_process_ends_with_it(work: Path) -> None:
    with waiting(work) as process, kernel(work) as (manager, _):
        inside = children(process.pid)
        assert inside
        process.kill()
        assert gone([pid_of(manager), *inside])


def test_when_its_time_is_over_it_goes_and_leaves_nothing(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_CODEACT_RESERVE", "0.05")
    with waiting(work) as process:
        inside = children(process.pid)
        assert process.wait(PATIENCE_S) == 0
        assert gone(inside)
        assert called() is None


def test_a_kernel_that_has_been_up_for_a_moment_starts_one_for_the_next(work: Path) -> None:
    with kernel(work) as (manager, _):
        until(lambda: called() is not None)
        kept = next(pid for pid in children(pid_of(manager)) if b"--reserve" in command_of(pid))
    # It has outlived that kernel, and is the next one's.
    with kernel(work) as (manager, _):
        assert children(kept)
        assert not children(pid_of(manager))
    assert gone([kept])


def test_one_folder_s_reserve_makes_room_for_another_s(work: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with waiting(work) as first, waiting(elsewhere) as second:
        assert gone([first.pid])
        until(lambda: called() is not None)
        assert second.poll() is None


def test_a_second_one_for_the_same_folder_leaves_the_first_its_place(work: Path) -> None:
    """Each kernel starts one, and several may start at once."""
    with waiting(work) as first, started(work) as second:
        assert second.wait(PATIENCE_S) == 0
        assert called() == first.pid


def test_where_one_gets_ready_another_goes_before_it_has_a_sandbox(work: Path, home: Path) -> None:
    with socket.socket(socket.AF_UNIX) as place:
        place.bind(reserve.address(sys.executable))
        with started(work) as process:
            assert process.wait(PATIENCE_S) == 0
    assert not (home / "homes").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_an_impostor_at_the_address_is_not_believed() -> None:
    """It would be given the environment, with its keys."""
    listen = f"""
import os, socket, sys
os.setuid(65534)
listener = socket.socket(socket.AF_UNIX)
listener.bind({reserve.address(sys.executable)!r})
listener.listen()
print(flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", listen], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as impostor:
        assert impostor.stdout is not None
        impostor.stdout.readline()
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(reserve.address(sys.executable))
            assert not reserve.is_ours(line)
        assert reserve.called(sys.executable) is None
        impostor.kill()
