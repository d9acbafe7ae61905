"""What waits for a sandbox that has not started yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq

from jupyter_codeact.kernel.gate import Gate, Held
from jupyter_codeact.kernel.requests import Requests
from jupyter_codeact.kernel.sockets import Front
from jupyter_codeact.kernel.turns import Turns
from jupyter_codeact.kernel.voice import Voice
from jupyter_codeact.kernel.wire import build

PORTS = {f"{name}_port": number for number, name in enumerate(("shell", "iopub", "stdin", "control", "hb"), start=1)}


@pytest.fixture
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    folder = tmp_path_factory.mktemp("s")
    with zmq.Context() as context:
        front = Front(context, {"transport": "ipc", "ip": str(folder / "k"), "key": "", **PORTS})
        voice = Voice(front, "session")
        yield Gate(front, voice, Turns(voice, lambda _: None), Requests())
        front.close()


def test_what_waits_is_let_go_in_its_order_without_what_a_stop_dropped(gate: Gate) -> None:
    """Of the run that is stopped nothing is to run once the sandbox hears."""
    messages = [build("execute_request", {"code": str(number)}, "session") for number in range(4)]
    for message in messages:
        gate.hold(Held("shell", message, True))
    assert gate.drop({messages[1].id}) == [messages[1]]
    assert [held.message for held in gate.let_go()] == [messages[0], *messages[2:]]
    assert gate.let_go() == []
