"""The sandbox, or the trusted process, breaks: what the person sees, and that nothing is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import PATIENCE_S, folders_of, gone, history, shown, trajectory

from jupyter_codeact.errors import SandboxUnavailable
from jupyter_codeact.sandbox import run_folder
from jupyter_codeact.sandbox.launch import open_sandbox
from jupyter_codeact.sandbox.usage import descendants

from .rooms import Kernel, room, started

pytestmark = pytest.mark.usefixtures("sandbox")

ENDED = "The sandbox ended. Variables are gone; the next cell starts in a fresh one."
FRESH = "The sandbox ended. Variables are gone; this cell runs in a fresh one.\n"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """For what it outlives."""
    with started(tmp_path_factory.mktemp("work")) as kernel:
        yield kernel


def test_killed_in_a_cell_it_is_said_there_and_in_the_next(work: Path, home: Path) -> None:
    with started(work) as kernel:
        kernel.run("kept = 1")
        assert kernel.run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)") == ("", ENDED)
        assert kernel.run("print('kept' in dir())") == (FRESH + "False\n", "")
        assert kernel.run("print('as ever')") == ("as ever\n", "")


def test_killed_in_a_cell_its_answer_has_its_number(kernel: Kernel) -> None:
    """jupyter console counts on one, and ends without."""
    numbers = [
        kernel.client.execute_interactive(code, timeout=PATIENCE_S)["content"]["execution_count"]
        for code in ("before = 1", "import os; os._exit(1)")
    ]
    assert numbers[1] == numbers[0] + 1


def test_killed_while_idle_it_is_said_in_the_next_cell(work: Path, home: Path) -> None:
    with started(work) as kernel:
        kernel.run("kept = 1")
        before = kernel.inside()
        os.kill(before[-1], signal.SIGKILL)
        assert gone(before)
        assert kernel.run("print(1)") in ((FRESH + "1\n", ""), ("", ENDED))


def test_it_is_said_in_a_cell_of_hers_and_not_to_what_asks_unseen(kernel: Kernel) -> None:
    """As inspectors of variables do, on their own, whenever the kernel is idle."""
    assert kernel.run("import os; os._exit(1)")[1] == ENDED
    for unseen in ({"silent": True}, {"silent": False}):
        assert kernel.run("print('asked')", store_history=False, **unseen) == ("asked\n", "")
    assert kernel.run("print('hers')") == (FRESH + "hers\n", "")


def test_past_its_memory_it_is_said_with_the_number(work: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_CODEACT_MEMORY_GB", "0.5")
    with started(work) as kernel:
        _, error = kernel.run("kept = []\nwhile True: kept.append(bytearray(b'x' * 2**20))")
        cause = "The sandbox used more than 0.5 GB and was ended. Variables are gone; "
        assert error == cause + "the next cell starts in a fresh one."
        assert kernel.run("print('kept' in dir())") == (cause + "this cell runs in a fresh one.\nFalse\n", "")


DETACHED = """
import os, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        [signal.signal(s, signal.SIG_IGN) for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
        open('unborn', 'w').write('x')
        os.rename('unborn', 'born')
        while True: signal.pause()
    os._exit(0)
os.wait()
while not os.path.exists('born'): pass
"""


@pytest.mark.parametrize("busy", [False, True])
def test_nothing_outlives_the_trusted_process(work: Path, home: Path, busy: bool) -> None:
    with started(work) as kernel:
        kernel.run(DETACHED)
        if busy:
            kernel.client.execute("print('busy', flush=True)\nwhile True: pass")
            kernel.until_printed("busy")
        inside, pid = kernel.inside(), kernel.pid
        assert len(inside) >= 4
        folders = folders_of(pid)
        assert folders
        os.kill(pid, signal.SIGKILL)
        assert gone(inside)
        kernel.manager.provisioner.process.wait()
    run_folder.sweep()
    assert not [folder for folder in folders if folder.exists()]


LATE = """\
#!/bin/sh
[ "$1" = --help ] || until [ -e {dead} ]; do sleep 0.01; done
exec {bubblewrap} "$@"
"""
STARTED_AND_KILLED = """
import os, signal, sys
from jupyter_codeact.sandbox.launch import open_sandbox
print(open_sandbox('bubblewrap', sys.executable, {work!r}).process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_nor_where_that_is_killed_before_bubblewrap_asked_to_die_with_it(
    work: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    late, dead = programs / "bwrap", tmp_path / "dead"
    late.write_text(LATE.format(bubblewrap=shutil.which("bwrap"), dead=dead))
    late.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    script = STARTED_AND_KILLED.format(work=str(work))
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    dead.touch()
    assert gone([int(done.stdout)])


def test_without_a_sandbox_it_does_outlive(work: Path) -> None:
    with room("none", work) as cells:
        cells(DETACHED.replace("'x'", "str(os.getpid())"))
        child = int((work / "born").read_text())
    os.kill(child, 0)
    os.kill(child, signal.SIGKILL)


def test_a_sandbox_that_was_stopped_is_ended_by_a_shutdown(work: Path, home: Path) -> None:
    with started(work) as kernel:
        os.kill(kernel.inside()[-1], signal.SIGSTOP)
        kernel.client.execute("print('never')")
        _ended_by_shutdown(kernel)


def test_a_sandbox_that_never_answers_is_ended_by_a_shutdown(work: Path, home: Path) -> None:
    deaf = """
        import signal, threading
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
        print('now', flush=True)
        while True: pass
    """
    with started(work) as kernel:
        kernel.client.execute(textwrap.dedent(deaf))
        kernel.until_printed("now")
        kernel.manager.interrupt_kernel()
        _ended_by_shutdown(kernel)


def _ended_by_shutdown(kernel: Kernel) -> None:
    inside, pid = kernel.inside(), kernel.pid
    kernel.manager.shutdown_kernel()
    assert gone(inside)
    assert not folders_of(pid)


CUT = (
    "The sandbox was ended, since its connection broke: code in it closed its sockets, or sent more than 200 MB at "
    "once."
)


@pytest.mark.parametrize(
    ("attack", "causes"),
    [
        ("import os; os.execv('/bin/sleep', ['sleep', '600'])", [CUT]),
        ("import os; os.closerange(3, 4096)", [CUT, "The sandbox ended."]),
    ],
    ids=["another program in its place", "its sockets closed"],
)
def test_a_sandbox_that_no_longer_listens_is_ended(kernel: Kernel, attack: str, causes: list[str]) -> None:
    error = kernel.run(attack)[1]
    assert error in [f"{cause} Variables are gone; the next cell starts in a fresh one." for cause in causes]
    assert kernel.run("print('as ever')")[0].endswith("as ever\n")


def test_while_the_sandbox_is_stopped_requests_pile_up_and_an_interrupt_is_answered(kernel: Kernel) -> None:
    """More of them than fit into zmq's queue and the socket: whoever waited for room would wait for ever."""
    client = kernel.client
    asked = client.execute("import time\nprint('on', flush=True)\nwhile True: time.sleep(0.1)")
    kernel.until_printed("on")
    stopped = kernel.inside()[1:]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    for _ in range(1100):
        client.shell_channel.send(client.session.msg("comm_info_request", {"target_name": "x" * 10_000}))
    kernel.manager.interrupt_kernel()
    kernel.until_printed("The interrupt has not been answered")
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    kernel.until_idle(asked)
    assert kernel.replies([asked]) == {asked: "error"}
    assert kernel.run("print('as ever')") == ("as ever\n", "")


def test_whatever_is_open_when_it_dies_is_answered_and_the_last_state_is_idle(kernel: Kernel) -> None:
    """A cell, another in a subshell with one behind it, what waits for them, and a widget's message.

    Which of what it was given has begun, a sandbox that is gone may not have said.
    """
    client, send = kernel.client, kernel.send
    assert kernel.run("print('as ever')")[0].endswith("as ever\n")
    subshell = kernel.subshell()
    busy = {"code": "import time\nprint('on', flush=True)\nwhile True: time.sleep(0.1)"}
    asked = {send("execute_request", busy): "error"}
    kernel.until_printed("on")
    asked[send("execute_request", busy, subshell_id=subshell)] = "error"
    kernel.until_printed("on")
    asked[send("execute_request", {"code": "1"}, subshell_id=subshell)] = "error"
    asked[send("complete_request", {"code": "pri", "cursor_pos": 3})] = "error"
    asked[send("comm_info_request", {})] = "error"
    message = send("comm_msg", {"comm_id": "x", "data": {}})
    # Answered by the trusted process: what was sent before is in the sandbox.
    kernel.replies([send("complete_request", {"code": "%agent st", "cursor_pos": 9})])
    os.kill(kernel.inside()[-1], signal.SIGKILL)
    assert kernel.replies(list(asked)) == asked
    states: dict[str, list[str]] = {}
    while states.get("") != ["starting", "idle"]:
        said = client.get_iopub_msg(timeout=PATIENCE_S)
        if said["msg_type"] == "status":
            parent = said["parent_header"].get("msg_id", "")
            states.setdefault(parent, []).append(said["content"]["execution_state"])
    assert {states[request][-1] for request in (*asked, message)} == {"idle"}
    assert kernel.run("print('as ever')") == (FRESH + "as ever\n", "")


def test_subshells_can_be_asked_for_before_the_fresh_one_has_begun(kernel: Kernel) -> None:
    for _ in range(3):
        assert kernel.run("import os; os._exit(1)")[1] == ENDED
        asked = [kernel.send(f"{kind}_subshell_request", {}, "control") for kind in ("create", "list")]
        answers = [kernel.client.get_control_msg(timeout=PATIENCE_S) for _ in asked]
        assert [answer["parent_header"]["msg_id"] for answer in answers] == asked
        created, listed = (answer["content"]["subshell_id"] for answer in answers)
        assert listed == [created]


def test_when_the_trusted_process_goes_on_after_a_stop_nothing_is_missing(kernel: Kernel) -> None:
    asked = kernel.client.execute("input('go? ')", allow_stdin=True)
    assert kernel.client.get_stdin_msg(timeout=PATIENCE_S)["content"]["prompt"] == "go? "
    os.kill(kernel.pid, signal.SIGSTOP)
    kernel.client.input("now")
    queued = [kernel.client.execute(f"print({number})") for number in range(3)]
    os.kill(kernel.pid, signal.SIGCONT)
    replies = kernel.replies([asked, *queued])
    assert list(replies) == [asked, *queued]
    assert set(replies.values()) == {"ok"}


def test_no_sandbox_can_be_had_any_more_and_nobody_waits(
    work: Path, home: Path, tmp_path: Path, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a run: each cell that was asked for gets an answer, and after a restart all is well."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in Path("/usr/bin").iterdir():
        (programs / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))
    script({"code": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"}, {"text": "ok"})
    with started(work) as kernel:
        (programs / "bwrap").unlink()
        asked = [kernel.client.execute(code) for code in ("%%agent --review auto\ngo", "print('after')")]
        assert list(kernel.replies(asked).values()) == ["error", "aborted"]
        assert "bubblewrap is not installed" in kernel.run("1")[1]
        (programs / "bwrap").symlink_to("/usr/bin/bwrap")
        kernel.manager.restart_kernel()
        kernel.client.wait_for_ready(timeout=PATIENCE_S)
        assert kernel.run("print('as ever')") == ("as ever\n", "")


def test_a_flood_past_the_kernel_is_read_and_let_go(work: Path, home: Path, script: Any) -> None:
    """Straight into the pipes to us, where no front end is: nothing blocks, and nothing piles up."""
    script({"text": "A scripted model: the models' library is not imported, whose memory is as much as the flood's."})
    flood = """
        import os, sys
        for stream in (sys.stdout, sys.stderr):
            for _ in range(3200):
                os.write(stream._original_stdstream_copy, b'x' * 65536)
        print('done')
    """
    with started(work) as kernel:
        before = _anonymous(kernel.pid)
        assert kernel.run(textwrap.dedent(flood)) == ("done\n", "")
        assert _anonymous(kernel.pid) - before < 64 * 2**20


def _anonymous(pid: int) -> int:
    """Bytes that the process itself holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon"))) * 1024


FULL = """
import os, sys
os.environ['XDG_RUNTIME_DIR'] = {folder!r}
from jupyter_codeact.sandbox.launch import open_sandbox
from jupyter_codeact.errors import SandboxUnavailable
try:
    open_sandbox('bubblewrap', sys.executable, {work!r})
except SandboxUnavailable as error:
    print(error)
print(os.listdir({folder!r}))
"""


def test_a_full_disk_is_one_line_and_leaves_nothing(work: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        script = FULL.format(folder=folder, work=str(work))
        mount = f"mount -t tmpfs -o size=4k none {folder} && head -c 4096 /dev/zero > {folder}/rest"
        inner = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{mount}; exec "$0" -c "$1"']
        ran = subprocess.run([*inner, sys.executable, script], capture_output=True, text=True, check=True)
    said, left = ran.stdout.splitlines()
    assert "No space left on device" in said
    assert "restart the kernel" in said
    assert left == "['rest']"


NO_ROOM = """
import os, subprocess, sys
os.environ['XDG_RUNTIME_DIR'] = {folder!r}
from jupyter_codeact.sandbox.launch import open_sandbox
from jupyter_codeact.errors import SandboxUnavailable
for files in range(2, 40):
    subprocess.run(['mount', '-t', 'tmpfs', '-o', f'nr_inodes={{files}}', 'none', {folder!r}], check=True)
    try:
        open_sandbox('bubblewrap', sys.executable, {work!r}).close()
    except SandboxUnavailable as error:
        print(os.listdir({folder!r}), error)
    else:
        print('opened')
        break
    subprocess.run(['umount', {folder!r}], check=True)
"""


def test_wherever_the_room_for_files_ends_it_is_one_line(work: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        script = NO_ROOM.format(folder=folder, work=str(work))
        inner = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", script]
        ran = subprocess.run(inner, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    *said, last = ran.stdout.splitlines()
    assert last == "opened"
    assert len(said) > 10
    assert all(line.startswith("[] The sandbox's files can't be made in") for line in said)


def test_a_folder_of_somebody_elses_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a link of that name lead anywhere."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("canary")
    (tmp_path / f"codeact-{gone.pid}-link").symlink_to(tmp_path / "precious")
    stale = tmp_path / f"codeact-{gone.pid}-stale"
    stale.mkdir()
    (stale / "out").symlink_to(tmp_path / "precious")
    mine = tmp_path / f"codeact-{os.getpid()}-mine"
    mine.mkdir()
    run_folder.sweep()
    assert not stale.exists()
    assert mine.exists()
    assert (tmp_path / "precious" / "file").read_text() == "canary"


KILLED = """
import os, signal, sys
from jupyter_codeact.files import temporary
held = temporary(sys.argv[1])
folder = held.__enter__()
print(folder, flush=True)
os.chdir(folder)
for _ in range(1100):
    os.mkdir("deeper")
    os.chdir("deeper")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kind", ["trial", "export", "clone"])
def test_a_folder_for_a_while_goes_with_the_next_start_where_its_process_was_killed(kind: str) -> None:
    """However deep it is: some are a sandbox's working folder."""
    ran = subprocess.run([sys.executable, "-c", KILLED, kind], capture_output=True, text=True, check=False)
    folder = Path(ran.stdout.strip())
    assert folder.is_dir()
    run_folder.sweep()
    assert not folder.exists()


def test_a_python_that_is_not_there_is_one_line(work: Path) -> None:
    with pytest.raises((SandboxUnavailable, FileNotFoundError)):
        open_sandbox("bubblewrap", "/nonexistent/python", str(work))


async def test_killed_in_a_step_its_cell_is_answered_and_the_agent_told(opened: Any, script: Any, home: Path) -> None:
    kill = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    script({"code": kill}, {"code": "print('again')"}, {"text": "ok"})
    async with opened("%%agent\ngo", "print('after')") as document:
        await document.run_cells()
        agent, killed, again, after = document.nb.cells
    assert shown(killed) == f"SandboxDied: {ENDED}"
    assert "Done" in shown(agent)
    assert shown(again) == "again\n"
    # The step before it ran there already.
    gone_before = "Variables from before that are gone; the agent's steps since then ran in a fresh one."
    assert shown(after) == f"The sandbox ended. {gone_before}\n\nafter\n"
    assert any(ENDED in str(message["content"]) for message in history(home))


STEP_FRESH = "The sandbox ended. Variables are gone; this step runs in a fresh one.\n"
ASKED = "Run this? [y]es, [n]o with a reason, [a]ll, [s]top: "


def _killed(kernel: Kernel) -> None:
    """While it is idle. What it was asked, or the fresh one is, is answered once the end is known."""
    before = kernel.inside()
    os.kill(before[-1], signal.SIGKILL)
    assert gone(before)
    asked = kernel.send("kernel_info_request", {}, "control")
    assert kernel.client.get_control_msg(timeout=PATIENCE_S)["parent_header"]["msg_id"] == asked


@pytest.fixture
def asking(work: Path, home: Path, script: Any) -> Iterator[Kernel]:
    """A kernel whose agent proposes to look at a variable of hers, and waits for her word, without our extension."""
    script({"code": "print('kept' in dir())"}, {"code": "print('as ever')"}, {"text": "ok"})
    with started(work) as kernel:
        kernel.run("kept = 1")
        yield kernel


def _run(kernel: Kernel, *answers: str) -> tuple[str, str]:
    """What the agent's cell printed, and its status, where the sandbox is killed while she is asked the first time."""
    asked = kernel.client.execute("%%agent\ngo", allow_stdin=True)
    for number, answer in enumerate(answers):
        assert kernel.client.get_stdin_msg(timeout=PATIENCE_S)["content"]["prompt"] == ASKED
        if number == 0:
            _killed(kernel)
        kernel.client.input(answer)
    printed = ""
    while True:
        message = kernel.client.get_iopub_msg(timeout=PATIENCE_S)
        if message["parent_header"].get("msg_id") != asked:
            continue
        if message["msg_type"] == "stream":
            printed += message["content"]["text"]
        if message["content"].get("execution_state") == "idle":
            return printed, kernel.replies([asked])[asked]


def test_killed_while_a_step_waits_the_step_says_so_and_the_agent_is_told(asking: Kernel, home: Path) -> None:
    assert _run(asking, "y", "y") == (STEP_FRESH + "False\nas ever\n", "ok")
    first, second = (str(message["content"]) for message in history(home) if message["role"] == "tool")
    assert STEP_FRESH + "False" in first
    assert "fresh" not in second
    assert asking.run("print('hers')") == ("hers\n", "")
    kept = trajectory(home)["trajectory"][0]["observation"]
    assert STEP_FRESH in kept


def test_the_next_step_that_runs_says_it_where_the_first_is_not_wanted(asking: Kernel, home: Path) -> None:
    assert _run(asking, "n no", "y") == (STEP_FRESH + "as ever\n", "ok")
    assert asking.run("print('hers')") == ("hers\n", "")


def test_where_no_step_ran_since_her_next_cell_says_it(asking: Kernel) -> None:
    assert _run(asking, "s") == ("", "error")
    assert asking.run("print('hers')") == (FRESH + "hers\n", "")


async def _killed_and_run(proposal: Any) -> None:
    """The review of somebody whose sandbox is killed before she looks."""
    client = proposal.document.client
    before = list(descendants(proposal.document.km.provisioner.process.pid))
    os.kill(before[-1], signal.SIGKILL)
    assert gone(before)
    proposal.document.post(client.session.msg("kernel_info_request", {}), client.control_channel)
    await client.get_control_msg(timeout=PATIENCE_S)
    proposal.run()


@pytest.mark.parametrize("clears", [False, True])
async def test_killed_while_a_proposal_waits_its_cell_says_so(
    opened: Any, script: Any, home: Path, clears: bool
) -> None:
    """What the code clears then, the agent is told all the same."""
    clear = "from IPython.display import clear_output\nclear_output()\n"
    script({"code": (clear if clears else "") + "print('kept' in dir())"}, {"text": "ok"})
    async with opened("kept = 1", "%%agent\ngo", "print('hers')", review=_killed_and_run) as document:
        await document.run_cells()
        _, agent, step, hers = document.nb.cells
    assert "The sandbox ended" not in shown(agent)
    assert shown(step).replace("\n\n", "\n") == ("" if clears else STEP_FRESH) + "False\n"
    assert shown(hers) == "hers\n"
    (told,) = [str(message["content"]) for message in history(home) if message["role"] == "tool"]
    assert STEP_FRESH + "False" in told
