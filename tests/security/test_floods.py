"""More than anybody can take: every byte arrives where it is wanted, and the trusted process holds little of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
import zmq
from helpers import PATIENCE_S

from jupyter_codeact.kernel.downstream import LEFT
from jupyter_codeact.kernel.outlet import QUEUE, Outlet
from jupyter_codeact.kernel.sockets import FRAME_LIMIT

from .rooms import Cells, Kernel, started

pytestmark = pytest.mark.usefixtures("sandbox")

MB = 2**20
MEMORY_GB = "0.75"
PRINTS, LENGTH = 2500, 100_000
IDLE = {"execution_state": "idle"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def kernel(place: Path) -> Iterator[Kernel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CODEACT_MEMORY_GB", MEMORY_GB)
        with started(place) as kernel:
            yield kernel


class Sleeper:
    """A front end of its own that reads only when it is told to, and holds next to nothing until then."""

    def __init__(self, kernel: Kernel) -> None:
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.rcvhwm = 1
        self.socket.subscribe(b"")
        self.socket.connect(f"tcp://{kernel.manager.ip}:{kernel.manager.iopub_port}")
        while "subscription" not in self.content():
            pass

    def content(self) -> dict[str, Any]:
        """Of the next message."""
        assert self.socket.poll(PATIENCE_S * 1000)
        return dict(json.loads(self.socket.recv_multipart()[-1]))


@contextmanager
def asleep(kernel: Kernel) -> Iterator[Sleeper]:
    sleeper = Sleeper(kernel)
    try:
        yield sleeper
    finally:
        sleeper.socket.close()


def highest(pid: int) -> int:
    """Bytes that the process held at most since ``forget``."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024


def forget(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def test_a_flood_waits_for_a_front_end_that_sleeps_and_not_a_byte_is_lost(kernel: Kernel) -> None:
    client = kernel.client
    forget(kernel.pid)
    with asleep(kernel) as sleeper:
        asked = client.execute(f"for i in range({PRINTS}): print(i, 'x' * {LENGTH}, flush=True)")
        awake, slept = [], []
        with suppress(Empty):
            while True:
                awake.append(client.get_iopub_msg(timeout=1)["content"])
        # Nothing moves any more.
        assert IDLE not in awake
        while awake[-1] != IDLE or slept[-1:] != [IDLE]:
            if sleeper.socket.poll(1):
                slept.append(sleeper.content())
            with suppress(Empty):
                awake.append(client.get_iopub_msg(timeout=0.001)["content"])
    expected = [str(number) for number in range(PRINTS)]
    for heard in (awake, slept):
        text = "".join(content.get("text", "") for content in heard)
        assert [line.split(" ")[0] for line in text.splitlines()] == expected
        assert text.count("x") == PRINTS * LENGTH
    assert kernel.replies([asked]) == {asked: "ok"}
    # litellm, in the background, is the most of it.
    assert highest(kernel.pid) < 400 * MB


def test_a_gigabyte_in_one_cell_arrives_and_the_next_cell_runs(place: Path) -> None:
    """In a kernel of its own: what such a cell leaves in the sandbox's memory counts against its limit."""
    with started(place) as kernel:
        client, received = kernel.client, 0
        forget(kernel.pid)
        asked = client.execute(f"text = 'x' * {MB - 1}\nfor _ in range(1024): print(text)")
        while (content := client.get_iopub_msg(timeout=PATIENCE_S)["content"]) != IDLE:
            received += len(content.get("text", ""))
        assert received == 2**30
        assert kernel.replies([asked]) == {asked: "ok"}
        # litellm, in the background, is the most of it: 320 to 440 MB in all. Where outputs are kept, it comes to
        # twice that.
        assert highest(kernel.pid) < 640 * MB
        assert kernel.run("print(len(text))") == (f"{MB - 1}\n", "")


def test_an_output_that_is_too_large_is_a_line_and_her_variables_stay(kernel: Kernel) -> None:
    kernel.run("kept = 1")
    held = "Held back: an output of 120 MB; one output may have 100 MB.\n"
    assert kernel.run("'x' * 120_000_000") == (held, "")
    assert kernel.run("print(kept)") == ("1\n", "")


SLOW = """
from IPython.display import HTML, display
display(HTML(''.join(f"<p style='color: red; width: {number}px'>x</p>" for number in range(50_000))))
print('behind', flush=True)
open('sent', 'w').close()
"""


def test_html_that_takes_long_to_check_holds_up_nothing_but_what_is_behind_it(kernel: Kernel, place: Path) -> None:
    """Two seconds of it, for the styles: meanwhile requests go through, an interrupt is one of them."""
    client = kernel.client
    asked = client.execute(SLOW)
    heard: list[str] = []
    answers = 0
    while answers < 5:
        client.control_channel.send(client.session.msg("kernel_info_request", {}))
        client.get_control_msg(timeout=PATIENCE_S)
        answers += (place / "sent").exists()
        while client.iopub_channel.msg_ready():
            heard.append(client.get_iopub_msg(timeout=PATIENCE_S)["msg_type"])
    assert "display_data" not in heard
    assert "stream" not in heard
    while "stream" not in heard:
        heard.append(client.get_iopub_msg(timeout=PATIENCE_S)["msg_type"])
    assert [kind for kind in heard if kind in ("display_data", "stream")] == ["display_data", "stream"]
    kernel.until_idle(asked)
    assert kernel.replies([asked]) == {asked: "ok"}


MARKDOWN = 64
HARD = f"""
from IPython.display import display
for _ in range({MARKDOWN}):
    display({{'text/markdown': '[x](y) ' + '[[a](' * 19600}}, raw=True)
open('flooding', 'w').close()
while True: pass
"""


def test_while_many_outputs_take_long_to_check_the_kernel_answers(place: Path) -> None:
    """Seconds for each of them: of a kernel of its own, which need not be there to the end of it."""
    with started(place) as kernel:
        client = kernel.client
        client.execute(HARD)
        while not (place / "flooding").exists():
            client.get_iopub_msg(timeout=PATIENCE_S)
        for kind in ("kernel_info_request", "interrupt_request"):
            asked = kernel.send(kind, {}, "control")
            assert client.get_control_msg(timeout=PATIENCE_S)["parent_header"]["msg_id"] == asked
        heard = []
        while client.iopub_channel.msg_ready():
            heard.append(client.get_iopub_msg(timeout=PATIENCE_S)["msg_type"])
        assert heard.count("display_data") < MARKDOWN


def test_of_what_an_ended_sandbox_left_nothing_is_waited_for_that_takes_long_to_check(place: Path) -> None:
    """Minutes of it, and a fresh one is there within seconds."""
    with started(place) as kernel:
        ended = HARD.replace("while True: pass", "print(flush=True)\nimport os; os._exit(1)")
        assert kernel.run(ended)[1].startswith(f"The sandbox ended. {LEFT}")
        assert kernel.run("print('as ever')")[0].endswith("as ever\n")


LINE = """
import os, socket, struct
def line():
    for name in os.listdir('/proc/self/fd'):
        try:
            found = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
        listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if not listens and found.family == socket.AF_UNIX and str(found.getsockname()).endswith('s-2'):
            return found
line = line()
line.setblocking(True)
"""
GIANT = LINE + "line.sendall(struct.pack('>BQ', 2, 2**40) + bytes(10**6))\nimport time; time.sleep(600)"
ENDLESS = LINE + "part = bytes(10**6)\nwhile True: line.sendall(struct.pack('>BQ', 3, len(part)) + part)"


@pytest.mark.parametrize(("attack", "cause"), [(GIANT, "its connection broke"), (ENDLESS, "sent more than")])
def test_what_does_not_fit_into_our_memory_ends_the_sandbox(kernel: Kernel, attack: str, cause: str) -> None:
    """Past ipykernel, straight into the connection: a frame of a terabyte, a message that has no end."""
    forget(kernel.pid)
    assert cause in kernel.run(attack)[1]
    assert kernel.run("print('as ever')")[0].endswith("as ever\n")
    assert highest(kernel.pid) < 2000 * MB


def test_without_the_limit_a_large_frame_does_come_in(unprotected: Cells) -> None:
    # Past what limits ipykernel's own outputs, in the thread that the socket belongs to.
    send = f"thread.socket.send_multipart([b'x', bytes({FRAME_LIMIT + 1})])"
    unprotected.send(f"thread = get_ipython().kernel.iopub_thread; thread.schedule(lambda: {send})")
    socket = unprotected.client.iopub_channel.socket
    frames: list[bytes] = []
    while len(frames) != 2:
        assert socket.poll(PATIENCE_S * 1000)
        frames = zmq.Socket.shadow(socket).recv_multipart()
    assert len(frames[1]) == FRAME_LIMIT + 1


# ---- the outlet itself


@pytest.fixture
def outlet(tmp_path: Path) -> Iterator[tuple[Outlet, Any, Any]]:
    """One with little patience, and two who listen: a quick one and a slow one."""
    context: zmq.Context[Any] = zmq.Context()
    source = context.socket(zmq.XPUB)
    source.sndhwm = QUEUE
    source.setsockopt(zmq.XPUB_VERBOSE, 1)
    source.bind(f"ipc://{tmp_path}/x")
    listeners = [context.socket(zmq.SUB) for _ in range(2)]
    for listener in listeners:
        listener.rcvhwm = 1
        listener.subscribe(b"")
        listener.connect(f"ipc://{tmp_path}/x")
        source.recv()
    yield Outlet(source, patience_s=0.2), *listeners
    context.destroy(linger=0)


def numbers(listener: Any, until: int) -> list[int]:
    """All that it hears up to this one."""
    heard: list[int] = []
    while heard[-1:] != [until]:
        heard.append(int(listener.recv_multipart()[0]))
    return heard


def test_one_that_never_reads_is_passed_over_and_heard_by_again_when_it_reads(outlet: tuple[Outlet, Any, Any]) -> None:
    out, quick, slow = outlet
    heard: list[int] = []
    for number in range(4 * QUEUE):
        out.put([str(number).encode(), bytes(MB)])
        while out.blocked or quick.poll(0):
            out.push()
            heard += [int(quick.recv_multipart()[0])] if quick.poll(1) else []
    heard += numbers(quick, 4 * QUEUE - 1) if heard[-1] != 4 * QUEUE - 1 else []
    assert heard == list(range(4 * QUEUE))
    first = [int(slow.recv_multipart()[0]) for _ in range(QUEUE)]
    assert first == list(range(QUEUE))
    while slow.poll(100):
        slow.recv_multipart()
    out.put([b"-1", b""])
    assert numbers(slow, -1)[-1] == -1
