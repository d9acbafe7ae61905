"""What a front end may connect over: tcp or ipc, encrypted or not, signed in any way that Jupyter has."""

from __future__ import annotations

import json
import runpy
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq
from helpers import PATIENCE_S
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from jupyter_client.manager import KernelManager
from jupyter_client.session import Session
from zmq.utils.monitor import recv_monitor_message

from jupyter_codeact.kernel.sockets import Front, endpoint

pytestmark = [
    pytest.mark.usefixtures("sandbox", "home"),
    # jupyter_client's blocking client leaves its event loop to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@contextmanager
def started(
    work: Path, place: Path | None = None, **options: Any
) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    # As a server does it: where ipc sockets lie is told by the connection file's place.
    place = place or work.parent / "runtime"
    place.mkdir(exist_ok=True)
    manager = KernelManager(kernel_name="codeact", connection_file=str(place / "connection.json"), **options)
    manager.start_kernel(cwd=str(work))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE_S)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel()


def assert_every_channel_works(client: BlockingKernelClient) -> None:
    printed: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        printed.append(message["content"].get("text", ""))

    code = "print(input('name? '))"
    client.execute_interactive(code, stdin_hook=lambda _: client.input("Ann"), output_hook=hear, timeout=PATIENCE_S)
    assert "".join(printed) == "Ann\n"
    request = client.session.msg("usage_request")
    client.control_channel.send(request)
    assert client.get_control_msg(timeout=PATIENCE_S)["parent_header"]["msg_id"] == request["header"]["msg_id"]
    assert client.is_alive()


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
@pytest.mark.parametrize("encryption", ["disabled", "auto"])
def test_tcp_and_ipc_plain_and_encrypted(work: Path, transport: str, encryption: str) -> None:
    with started(work, transport=transport, transport_encryption=encryption) as (manager, client):
        assert ("curve_secretkey" in manager.get_connection_info()) is (encryption != "disabled")
        assert_every_channel_works(client)


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
@pytest.mark.parametrize("kind", ["bubblewrap", "none"])
def test_the_front_ends_key_is_not_for_cells_where_its_file_lies_in_their_folder(
    work: Path, monkeypatch: pytest.MonkeyPatch, transport: str, kind: str
) -> None:
    """With it they could speak as she does. Sockets could not be covered there: so there are none."""
    monkeypatch.setenv("JUPYTER_CODEACT_SANDBOX", kind)
    with started(work, place=work, transport=transport) as (manager, client):
        seen: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            seen.extend(str(message["content"].get(part, "")) for part in ("text", "evalue"))

        client.execute_interactive("print(open('connection.json').read())", output_hook=hear, timeout=PATIENCE_S)
        assert (manager.session.key.decode() in "".join(seen)) is (kind == "none")
        refused = "put the notebook into another folder" in "".join(seen)
        assert refused is (kind == "bubblewrap" and transport == "ipc")


def test_who_has_no_key_is_not_let_in(work: Path) -> None:
    with started(work, transport_encryption="required") as (manager, _), zmq.Context() as context:
        for port in (manager.shell_port, manager.iopub_port, manager.stdin_port, manager.control_port, manager.hb_port):
            with context.socket(zmq.DEALER) as socket:
                monitor = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED)
                socket.connect(f"tcp://{manager.ip}:{port}")
                assert recv_monitor_message(monitor)["event"] == zmq.EVENT_DISCONNECTED
                socket.disable_monitor()


def test_signed_by_another_scheme(work: Path) -> None:
    with started(work, session=Session(key=b"a key", signature_scheme="hmac-sha512")) as (_, client):
        assert_every_channel_works(client)


def test_not_signed(work: Path) -> None:
    with started(work, session=Session(key=b"")) as (_, client):
        assert_every_channel_works(client)


@pytest.fixture(scope="module")
def listening() -> Callable[[list[str]], dict[str, int]]:
    start = runpy.run_path(str(Path(__file__).resolve().parents[2] / "kernelspec" / "start.py"))
    found: Callable[[list[str]], dict[str, int]] = start["listening"]
    return found


def test_who_connects_before_the_kernel_is_there_is_heard(tmp_path: Path, listening: Any) -> None:
    """None of these clients tries a second time."""
    path, connection = write_connection_file(str(tmp_path / "connection.json"), key=b"")
    connection["listeners"] = listening(["--python", "python", "-f", path])
    with zmq.Context() as context:
        context.linger, context.rcvtimeo = 0, 30_000
        clients = {channel: context.socket(zmq.DEALER) for channel in ("shell", "control", "stdin")}
        clients |= {"hb": context.socket(zmq.REQ), "iopub": context.socket(zmq.SUB)}
        for channel, client in clients.items():
            client.reconnect_ivl = -1
            client.connect(endpoint(connection, channel))
            if channel != "iopub":
                client.send(channel.encode())
        clients["iopub"].subscribe(b"topic")
        front = Front(context, connection)
        for channel in ("shell", "control", "stdin"):
            assert getattr(front, channel).recv_multipart()[1:] == [channel.encode()]
        assert front.heartbeat.recv_multipart()[1:] == [b"", b"hb"]
        assert front.iopub.recv() == b"\x01topic"
        front.close()
        for client in clients.values():
            client.close()


@pytest.mark.parametrize(
    "changed",
    [
        {"transport": "ipc"},
        {"ip": "127.0.0.2"},
        {"ip": "::1"},
        {"hb_port": "none"},
        {"hb_port": 0, "iopub_port": 70_000},
    ],
    ids=str,
)
def test_what_is_no_usual_connection_is_left_to_zmq(tmp_path: Path, listening: Any, changed: dict[str, Any]) -> None:
    path, connection = write_connection_file(str(tmp_path / "connection.json"))
    Path(path).write_text(json.dumps(connection | {"key": ""} | changed))
    assert listening(["-f", path]) == {}
    with socket.socket() as now_free:
        now_free.bind(("127.0.0.1", connection["shell_port"]))


def test_a_port_that_is_taken_or_a_file_that_is_not_there_is_said_later(tmp_path: Path, listening: Any) -> None:
    path, connection = write_connection_file(str(tmp_path / "connection.json"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", connection["iopub_port"]))
        taken.listen()
        assert listening(["-f", path]) == {}
    assert listening(["-f", str(tmp_path / "nothing")]) == listening(["-f"]) == listening(["--reserve"]) == {}
