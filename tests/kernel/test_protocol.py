"""Whoever picks our kernel loses nothing: the suite that Jupyter has for every kernel, and what it leaves out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import jupyter_kernel_test as suite
import pytest
import zmq
from jupyter_client.manager import KernelManager, start_new_kernel

pytestmark = [
    pytest.mark.usefixtures("sandbox"),
    # jupyter_client's blocking client leaves its event loop to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class TestPython(suite.KernelTests):
    kernel_name = "codeact"
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('oops', file=sys.stderr)"
    completion_samples = [{"text": "zi", "matches": {"zip"}}]  # noqa: RUF012
    complete_code_samples = ["1", "print('a')", "def f(x):\n  return 1\n\n"]  # noqa: RUF012
    incomplete_code_samples = ["print(", "def f(x):"]  # noqa: RUF012
    invalid_code_samples = ["import = 7q"]  # noqa: RUF012
    code_page_something = "zip?"
    code_generate_error = "raise ValueError('no')"
    code_execute_result = [{"code": "6*7", "result": "42"}]  # noqa: RUF012
    code_display_data = [  # noqa: RUF012
        {"code": "from IPython.display import HTML, display; display(HTML('<b>b</b>'))", "mime": "text/html"}
    ]
    code_history_pattern = "6?7*"
    supported_history_operations = ("tail", "search")
    code_inspect_sample = "zip"
    code_clear_output = "from IPython.display import clear_output; clear_output()"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Any:
    manager, client = start_new_kernel(kernel_name="codeact", cwd=str(tmp_path_factory.mktemp("work")))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel()


def run(client: Any, code: str, **options: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Execute, and collect what came until the reply and idle."""
    outputs: list[dict[str, Any]] = []
    reply = client.execute_interactive(code, output_hook=outputs.append, timeout=30, **options)
    return reply["content"], outputs


def text(outputs: list[dict[str, Any]]) -> str:
    return "".join(o["content"]["text"] for o in outputs if o["msg_type"] == "stream")


def test_an_error_aborts_the_cells_that_wait(kernel: Any) -> None:
    _, client = kernel
    ids = [client.execute(code) for code in ("import time; time.sleep(0.2)", "1/0", "print('never')", "print('nor')")]
    replies = {}
    while len(replies) < len(ids):
        reply = client.get_shell_msg(timeout=10)
        replies[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
    assert [replies[i] for i in ids] == ["ok", "error", "aborted", "aborted"]
    assert run(client, "'alive'")[0]["status"] == "ok"


def test_an_updated_display_reaches_the_front_end(kernel: Any) -> None:
    _, client = kernel
    code = "from IPython.display import display\nhandle = display('a', display_id=True); handle.update('b')"
    kinds = [o["msg_type"] for o in run(client, code)[1]]
    assert kinds.index("display_data") < kinds.index("update_display_data")


def test_input_is_asked_and_answered(kernel: Any) -> None:
    _, client = kernel

    def answer(_message: Any) -> None:
        client.input("forty-two")

    _, outputs = run(client, "print('got', input('name? '))", allow_stdin=True, stdin_hook=answer)
    assert "got forty-two" in text(outputs)


def test_an_interrupt_ends_python_and_its_subprocesses(kernel: Any) -> None:
    manager, client = kernel
    for code in ("print('go', flush=True)\nwhile True: pass", "print('go', flush=True)\n!sleep 60"):
        # Without stop_on_error: a request that follows an error at once may be aborted, as by any ipykernel.
        request = client.execute(code, stop_on_error=False)
        while True:
            message = client.get_iopub_msg(timeout=10)
            if message["msg_type"] == "stream":
                break
        manager.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=10))["parent_header"]["msg_id"] != request:
            pass
        assert reply["content"]["status"] == "error" or "sleep" in code
    assert run(client, "1")[0]["status"] == "ok"


def test_a_flood_arrives_whole(kernel: Any) -> None:
    _, client = kernel
    _, outputs = run(client, "for i in range(5000): print(i)")
    assert text(outputs).split() == [str(i) for i in range(5000)]


def test_a_new_subscriber_is_welcomed(kernel: Any) -> None:
    """By the front's own socket, once; the sandbox's welcome stays inside."""
    manager, _ = kernel
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.subscribe(b"")
        socket.connect(f"tcp://{manager.ip}:{manager.iopub_port}")
        assert socket.poll(10_000)
        frames = socket.recv_multipart()
        assert json.loads(frames[3])["msg_type"] == "iopub_welcome"
        assert not socket.poll(100)


def test_user_expressions_come_with_the_reply(kernel: Any) -> None:
    _, client = kernel
    reply, _ = run(client, "a = 6", user_expressions={"product": "a * 7"})
    assert reply["user_expressions"]["product"]["data"]["text/plain"] == "42"


def test_the_sandbox_dies_with_its_cell_and_a_fresh_one_takes_over(kernel: Any) -> None:
    _, client = kernel
    run(client, "kept = 1")
    reply, outputs = run(client, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert reply["status"] == "error"
    said = [o["content"]["evalue"] for o in outputs if o["msg_type"] == "error"]
    assert said == ["The sandbox ended. Variables are gone; the next cell starts in a fresh one."]
    assert run(client, "print('kept' in dir())")[0]["status"] == "ok"


def test_nothing_is_left_when_the_kernel_is_shut_down_or_killed(tmp_path: Path) -> None:
    for end in ("shutdown", "kill"):
        manager, client = start_new_kernel(kernel_name="codeact", cwd=str(tmp_path))
        run(client, "x = 1")
        children = _descendants(manager)
        assert children
        if end == "kill":
            os.kill(manager.provisioner.process.pid, signal.SIGKILL)
        client.stop_channels()
        manager.shutdown_kernel(now=end == "kill")
        for pid in children:
            _await_end(pid)


def _descendants(manager: KernelManager) -> list[int]:
    """Pids below the trusted process: bubblewrap and what it runs, as the host numbers them."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in table.splitlines())}
    found = [manager.provisioner.process.pid]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def _await_end(pid: int) -> None:
    """Until the process is gone; the test's timeout says so if it never is."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    import select

    select.select([descriptor], [], [])
    os.close(descriptor)


def test_tab_and_help_know_our_magics(kernel: Any) -> None:
    _, client = kernel
    for code, expected in (("%%agent --rev", "--review"), ("%%age", "%%agent"), ("import os\nos.getc", "getcwd")):
        assert expected in client.complete(code, len(code), reply=True, timeout=10)["content"]["matches"]
    code = "%%agent "
    assert "--skills" in client.inspect(code, len(code), reply=True, timeout=10)["content"]["data"]["text/plain"]
    for question, words in (("%%agent?", "--skills"), ("%skill?", "%skill save")):
        _, outputs = run(client, question)
        assert any(words in str(output["content"]) for output in outputs)
