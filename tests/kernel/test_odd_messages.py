"""What comes to a kernel and is no message, or a request that makes no sense, ends nothing and holds up nobody."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import zmq
from helpers import PATIENCE_S
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from jupyter_client.manager import start_new_kernel

from jupyter_codeact.kernel.refuse import refuse_from_start
from jupyter_codeact.kernel.wire import DELIMITER

pytestmark = [
    # jupyter_client's blocking client leaves its event loop to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
NONE: dict[str, Any] = {}
Frames = list[bytes]


@pytest.fixture(scope="module")
def kernel(sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CODEACT_HOME", str(tmp_path_factory.mktemp("home")))
        manager, client = start_new_kernel(kernel_name="codeact", cwd=str(tmp_path_factory.mktemp("work")))
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A kernel that has no sandbox, and says so to whoever asks."""
    file, connection = write_connection_file(str(tmp_path_factory.mktemp("refusing") / "c.json"), key=b"key")
    ended = threading.Event()
    thread = threading.Thread(target=refuse_from_start, args=(connection, "There is none.", ended.is_set))
    thread.start()
    client = BlockingKernelClient(connection_file=file)
    client.load_connection_file()
    client.start_channels(hb=False)
    client.wait_for_ready(timeout=PATIENCE_S)
    yield client
    client.stop_channels()
    ended.set()
    thread.join()


@contextmanager
def connected(client: Any, kind: int, channel: str) -> Iterator[zmq.Socket[bytes]]:
    """A socket of any local process's, which has no key."""
    with zmq.Context.instance().socket(kind) as line:
        line.linger = 1000
        line.connect(f"tcp://{client.ip}:{getattr(client, f'{channel}_port')}")
        yield line


def beats(client: Any) -> bool:
    with connected(client, zmq.REQ, "hb") as line:
        line.send_multipart([b"are", b"you there?"])
        return bool(line.poll(PATIENCE_S * 1000)) and line.recv_multipart() == [b"are", b"you there?"]


PARTS = [DELIMITER, b"", b"{}", b"\x01", b"\x01\xff", b"\x00", b"null"]
PART = st.one_of(st.sampled_from(PARTS), st.binary(max_size=8))
SOCKETS = st.sampled_from(
    [(zmq.DEALER, "shell"), (zmq.DEALER, "control"), (zmq.DEALER, "stdin"), (zmq.REQ, "shell"),
     (zmq.DEALER, "hb"), (zmq.REQ, "hb"), (zmq.XSUB, "iopub")]
)  # fmt: skip


@pytest.mark.parametrize("whose", ["kernel", "refusing"])
@given(where=SOCKETS, frames=st.lists(PART, min_size=1, max_size=8))
@example(where=(zmq.DEALER, "shell"), frames=[DELIMITER])
@example(where=(zmq.DEALER, "control"), frames=[DELIMITER, b"", b""])
@example(where=(zmq.REQ, "hb"), frames=[b"a", b"b"])
@example(where=(zmq.DEALER, "hb"), frames=[b"a"])
@example(where=(zmq.XSUB, "iopub"), frames=[b"\x01\xff", b"\x01"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_frames_of_a_process_without_the_key_end_nothing(
    whose: str, where: tuple[int, str], frames: Frames, request: pytest.FixtureRequest
) -> None:
    client = request.getfixturevalue(whose)
    with connected(client, *where) as line:
        line.send_multipart(frames)
    # Without a heartbeat, which a socket that waits for one would get.
    assert client.kernel_info(reply=True, timeout=PATIENCE_S)
    assert beats(client)


def sent(client: Any, kind: str, content: object, metadata: object = NONE, channel: str = "", **header: Any) -> str:
    """A request with any JSON as its content, signed with the key; returns its id."""
    session = client.session
    message = session.msg(kind)
    documents = [message["header"] | header, {}, metadata, content]
    parts = [json.dumps(document, default=str).encode() for document in documents]
    channel = channel or ("control" if kind in CONTROL else "shell")
    getattr(client, f"{channel}_channel").socket.send_multipart([DELIMITER, session.sign(parts), *parts])
    return str(message["msg_id"])


def answered(client: Any, asked: str, channel: str = "shell") -> dict[str, Any]:
    """The content of its reply."""
    while True:
        reply = getattr(client, f"get_{channel}_msg")(timeout=PATIENCE_S)
        if reply["parent_header"].get("msg_id") == asked:
            return dict(reply["content"])


def idle(client: Any, asked: str) -> None:
    """Until it has ended."""
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE_S)
        if message["parent_header"].get("msg_id") == asked and message["content"].get("execution_state") == "idle":
            return


CONTROL = ("debug_request", "delete_subshell_request", "interrupt_request", "usage_request")
KINDS = (
    "execute_request", "complete_request", "inspect_request", "history_request", "is_complete_request",
    "kernel_info_request", "comm_info_request", "connect_request", "comm_open", "comm_msg", "comm_close", "nothing",
    *CONTROL,
)  # fmt: skip
KEYS = (
    "code", "cursor_pos", "silent", "store_history", "user_expressions", "allow_stdin", "stop_on_error", "detail_level",
    "hist_access_type", "output", "raw", "session", "start", "stop", "n", "comm_id", "target_name", "data", "command",
    "arguments", "seq", "type", "subshell_id",
)  # fmt: skip
CODES = ("1", "%agent st", "%agent status", "%%agent --rev", "%skill list", "%skill", "pri", "\ud800")
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.sampled_from(CODES)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("op", "a", *KEYS)), inner, max_size=3),
    max_leaves=5,
)
CONTENTS = st.one_of(
    VALUES,
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4),
    st.fixed_dictionaries({"code": st.sampled_from(CODES)}, optional=dict.fromkeys(KEYS[1:7], VALUES)),
)


@given(kind=st.sampled_from(KINDS), content=CONTENTS, metadata=st.one_of(VALUES, st.builds(dict, cellId=VALUES)))
@example(kind="execute_request", content={"code": None}, metadata={})
@example(kind="execute_request", content={}, metadata={})
@example(kind="execute_request", content=None, metadata={})
@example(kind="execute_request", content={"code": "1"}, metadata=[1])
@example(kind="execute_request", content={"code": "1", "user_expressions": [1]}, metadata={})
@example(kind="execute_request", content={"code": "%agent status", "user_expressions": [1]}, metadata={})
@example(kind="complete_request", content={"code": "%agent st", "cursor_pos": None}, metadata={})
@example(kind="inspect_request", content={"code": "%agent status", "cursor_pos": {}}, metadata={})
@example(kind="comm_msg", content={"comm_id": []}, metadata={})
@settings(max_examples=100)
def test_a_request_that_makes_no_sense_is_answered_and_harms_nobody(
    kernel: Any, kind: str, content: object, metadata: object
) -> None:
    asked = sent(kernel, kind, content, metadata)
    if kind in CONTROL:
        idle(kernel, asked)
    elif kind == "execute_request":
        answered(kernel, asked)
        idle(kernel, asked)
    # What follows an error at once may be aborted, as by any ipykernel.
    assert answered(kernel, sent(kernel, "execute_request", {"code": "1"}))["status"] in ("ok", "aborted")


@pytest.mark.parametrize("content", [{}, {"code": 3}, {"code": "import os; os._exit(1)"}], ids=str)
def test_code_that_fails_on_control_is_answered_there(kernel: Any, content: object) -> None:
    """ipykernel runs cells that come by this channel, too, beside all others."""
    asked = sent(kernel, "execute_request", content, channel="control")
    assert answered(kernel, asked, "control")["status"] == "error"
    idle(kernel, asked)
    assert answered(kernel, sent(kernel, "execute_request", {"code": "1"}))["status"] in ("ok", "aborted")


UNREADABLE = (
    {"version": "five"},
    {"date": "2020-99-99T00:00:00Z"},
    {"more": ["2020-99-99T00:00:00Z"]},
    {"subshell_id": 5},
    {"msg_id": 5},
)


@pytest.mark.parametrize("header", UNREADABLE, ids=str)
def test_a_header_that_no_kernel_can_read_holds_up_nobody(kernel: Any, header: dict[str, Any]) -> None:
    sent(kernel, "execute_request", {"code": "1"}, **header)
    assert answered(kernel, sent(kernel, "execute_request", {"code": "1"}))["status"] == "ok"


def test_what_is_sent_twice_is_taken_once(kernel: Any) -> None:
    """Whoever has heard a request could send it again without the key."""
    header = {"msg_id": uuid.uuid4().hex, "date": "2020-01-01T00:00:00Z"}
    for _ in range(2):
        sent(kernel, "execute_request", {"code": "once = globals().get('once', 0) + 1"}, **header)
    again = answered(kernel, sent(kernel, "execute_request", {"code": "", "user_expressions": {"n": "once"}}))
    assert again["user_expressions"]["n"]["data"]["text/plain"] == "1"
