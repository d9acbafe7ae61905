"""Whoever picks our kernel loses nothing: the suite that Jupyter has for every kernel, and what it leaves out."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import jupyter_kernel_test as suite
import pytest
import zmq
from helpers import PATIENCE_S, gone
from jupyter_client.manager import start_new_kernel

from jupyter_codeact.magics import agent, skill
from jupyter_codeact.sandbox.run_folder import bases
from jupyter_codeact.sandbox.usage import descendants

pytestmark = [
    pytest.mark.usefixtures("sandbox"),
    # jupyter_client's blocking client leaves its event loop to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Python(suite.KernelTests):
    __test__ = False
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

    def execute_helper(self, code: str, timeout: int = 60, **options: Any) -> Any:
        """The suite gives each message a tenth of a second, which is not much on a busy machine."""
        channel = self.kc.iopub_channel
        receive = channel.get_msg
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(channel, "get_msg", lambda **_: receive(timeout=timeout))
            return super().execute_helper(code, timeout, **options)


class TestPlain(Python):
    """What is asked of ours is asked of the plain kernel, so that nothing is asked that it doesn't do."""

    __test__ = True
    kernel_name = "python3"


class TestOurs(Python):
    __test__ = True
    kernel_name = "codeact"


class TestWelcome(suite.IopubWelcomeTests):
    kernel_name = "codeact"
    support_iopub_welcome = True


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """With a skill library of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CODEACT_HOME", str(tmp_path_factory.mktemp("home")))
        manager, client = start_new_kernel(kernel_name="codeact", cwd=str(tmp_path_factory.mktemp("work")))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel()


def run(client: Any, code: str, **options: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Execute, and collect what came until the reply and idle."""
    outputs: list[dict[str, Any]] = []
    reply = client.execute_interactive(code, output_hook=outputs.append, timeout=PATIENCE_S, **options)
    return reply["content"], outputs


def answered(client: Any, channel: str, request: dict[str, Any]) -> dict[str, Any]:
    """Send any request, and wait for its reply's content."""
    getattr(client, f"{channel}_channel").send(request)
    receive = getattr(client, f"get_{channel}_msg")
    while (reply := receive(timeout=PATIENCE_S))["parent_header"]["msg_id"] != request["header"]["msg_id"]:
        pass
    return dict(reply["content"])


def text(outputs: list[dict[str, Any]]) -> str:
    return "".join(o["content"]["text"] for o in outputs if o["msg_type"] == "stream")


def test_an_error_aborts_the_cells_that_wait(kernel: Any) -> None:
    _, client = kernel
    ids = [client.execute(code) for code in ("import time; time.sleep(0.2)", "1/0", "print('never')", "print('nor')")]
    replies = {}
    # A slow start is asked about more than once: answers to that may still come.
    while not replies.keys() >= set(ids):
        reply = client.get_shell_msg(timeout=PATIENCE_S)
        replies[reply["parent_header"]["msg_id"]] = reply["content"].get("status")
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
    for code in ("print('go', flush=True)\nwhile True: pass", "!echo go; sleep 60"):
        # Without stop_on_error: a request that follows an error at once may be aborted, as by any ipykernel.
        request = client.execute(code, stop_on_error=False)
        while True:
            message = client.get_iopub_msg(timeout=PATIENCE_S)
            if message["msg_type"] == "stream":
                break
        manager.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=PATIENCE_S))["parent_header"]["msg_id"] != request:
            pass
        assert reply["content"]["status"] == "error" or "sleep" in code
    assert run(client, "1")[0]["status"] == "ok"


def test_an_interrupt_ends_an_await_at_once(kernel: Any) -> None:
    """A plain kernel notes it, and ends the cell with the next message that comes."""
    manager, client = kernel
    code = "import asyncio\nprint('go', flush=True)\nawait asyncio.sleep(3600)"
    request = client.execute(code, stop_on_error=False)
    while client.get_iopub_msg(timeout=PATIENCE_S)["msg_type"] != "stream":
        pass
    manager.interrupt_kernel()
    while (reply := client.get_shell_msg(timeout=PATIENCE_S))["parent_header"]["msg_id"] != request:
        pass
    assert reply["content"]["ename"] == "CancelledError"


def test_interrupts_with_the_id_of_the_cell_leave_it_its_answer(kernel: Any) -> None:
    """jupyter_client's manager and its client share a session, and each counts its messages for itself."""
    _, client = kernel
    code = """import time
for left in range(2, 0, -1):
    try:
        # One piece: an interrupt at the first of several would keep the others from being written.
        print(f"go {left}\\n", end="", flush=True)
        time.sleep(3600)
    except KeyboardInterrupt:
        pass
print("done")"""
    request = client.execute(code)
    outputs = []
    while text(outputs) != "go 2\ngo 1\ndone\n":
        outputs.append(client.get_iopub_msg(timeout=PATIENCE_S))
        if outputs[-1]["msg_type"] == "stream" and "go" in text(outputs[-1:]):
            interrupt = client.session.msg("interrupt_request", {})
            interrupt["header"]["msg_id"] = request
            client.control_channel.send(interrupt)
    while (reply := client.get_shell_msg(timeout=PATIENCE_S))["parent_header"]["msg_id"] != request:
        pass
    assert reply["content"]["status"] == "ok"
    assert run(client, "'next'")[0]["status"] == "ok"


@pytest.mark.parametrize("code", ["input('name? ')", "import getpass; getpass.getpass('name? ')"])
def test_an_interrupt_ends_a_question(kernel: Any, code: str) -> None:
    manager, client = kernel
    request = client.execute(code, allow_stdin=True, stop_on_error=False)
    assert client.get_stdin_msg(timeout=PATIENCE_S)["content"]["prompt"] == "name? "
    manager.interrupt_kernel()
    while (reply := client.get_shell_msg(timeout=PATIENCE_S))["parent_header"]["msg_id"] != request:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert text(run(client, "print('next')")[1]) == "next\n"


def test_an_interrupt_that_a_cell_ends_with_leaves_it_its_number(kernel: Any) -> None:
    """Two at once: ipykernel is past the first, and has counted on, when the second one hits it."""
    _, client = kernel
    payloads = "get_ipython().payload_manager"
    again = f"def again():\n    del {payloads}.read_payload\n    raise KeyboardInterrupt\n"
    reply, outputs = run(client, f"{again}{payloads}.read_payload = again")
    announced = next(o["content"]["execution_count"] for o in outputs if o["msg_type"] == "execute_input")
    assert (reply["ename"], reply["execution_count"]) == ("KeyboardInterrupt", announced)
    assert run(client, "1")[0]["execution_count"] == announced + 1


def test_a_stop_at_the_very_start_of_a_cell_of_ours_ends_it(kernel: Any) -> None:
    """A task that is cancelled before its first step runs nothing, and its reply must come all the same."""
    manager, client = kernel
    for _ in range(60):
        request = client.execute("%agent status", stop_on_error=False)
        manager.interrupt_kernel()
        while client.get_shell_msg(timeout=PATIENCE_S)["parent_header"]["msg_id"] != request:
            pass
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


def test_a_cell_of_ours_is_as_quiet_as_the_front_end_asks_and_has_its_expressions(kernel: Any) -> None:
    _, client = kernel
    before = run(client, "1")[0]["execution_count"]

    def inputs(**options: Any) -> tuple[int, list[int], dict[str, Any]]:
        reply, outputs = run(client, "%agent status", **options)
        assert any(output["msg_type"] == "display_data" for output in outputs)
        counts = [o["content"]["execution_count"] for o in outputs if o["msg_type"] == "execute_input"]
        return reply["execution_count"], counts, reply["user_expressions"]

    assert inputs(silent=True) == (before, [], {})
    assert inputs(store_history=False) == (before, [before + 1], {})
    count, _, found = inputs(user_expressions={"product": "6 * 7", "unknown": "nope"})
    assert count == before + 1
    assert found["product"]["data"]["text/plain"] == "42"
    assert found["unknown"]["ename"] == "NameError"
    assert run(client, "1")[0]["execution_count"] == before + 2


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
        children = list(descendants(manager.provisioner.process.pid))
        assert children
        if end == "kill":
            os.kill(manager.provisioner.process.pid, signal.SIGKILL)
        client.stop_channels()
        manager.shutdown_kernel(now=end == "kill")
        assert gone(children)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_kernel_that_is_told_to_end_tidies_up(tmp_path: Path, sent: signal.Signals) -> None:
    """A terminal that closes sends SIGHUP."""
    manager, client = start_new_kernel(kernel_name="codeact", cwd=str(tmp_path))
    process = manager.provisioner.process

    def folders() -> list[Path]:
        return [found for base in bases() for found in Path(base).glob(f"codeact-{process.pid}-*")]

    assert folders()
    children = list(descendants(process.pid))
    os.kill(process.pid, sent)
    process.wait(PATIENCE_S)
    assert gone(children)
    assert folders() == []
    client.stop_channels()
    manager.cleanup_resources()


def test_tab_and_help_know_our_magics(kernel: Any) -> None:
    """The first completion has jedi read the standard library into the cache of a new home, which takes its time."""
    _, client = kernel
    for code, expected in (("%%agent --rev", "--review"), ("%%age", "%%agent"), ("import os\nos.getc", "getcwd")):
        assert expected in client.complete(code, len(code), reply=True, timeout=None)["content"]["matches"]
    for code, cursor in (("%%agent ", 8), ("%%agent --review x", 4), ("x = 1\n%%agent", 13)):
        assert "--skills" in client.inspect(code, cursor, reply=True, timeout=None)["content"]["data"]["text/plain"]
    asked = {"%%agent?": "--skills", "?%%agent": "--skills", "%agent?": "%agent cost", "%skill save??": "--names"}
    for question, words in {**asked, "%skill?": "%skill where", "?%skill": "%skill where"}.items():
        _, outputs = run(client, question)
        assert any(words in str(output["content"]) for output in outputs if output["msg_type"] == "display_data")
    reply, _ = run(client, "x = 1\n%skill?")
    assert "write it in a cell of its own" in str(reply["payload"])


@pytest.mark.parametrize("code", ["%agent status", "%%agent\nplot it", "%skill list"])
def test_a_subshell_says_that_our_magics_are_not_answered_there(kernel: Any, code: str) -> None:
    _, client = kernel
    created = answered(client, "control", client.session.msg("create_subshell_request", {}))
    request = client.session.msg("execute_request", {"code": code})
    request["header"]["subshell_id"] = created["subshell_id"]
    said = answered(client, "shell", request)["evalue"]
    assert said.endswith("and not in a subshell: write it in a cell of the notebook.")


def test_tab_knows_the_names_of_skills_and_models(kernel: Any) -> None:
    _, client = kernel
    heads = ("%%agent --skills kal", "%skill show kal", "%%agent --model scripted/gp_f")

    def offered() -> list[list[str]]:
        replies = (client.complete(head, len(head), reply=True, timeout=None) for head in heads)
        return [reply["content"]["matches"] for reply in replies]

    assert offered() == [[], [], ["scripted/gp_fit"]]
    reply, _ = run(client, "def kalman(x):\n    return x")
    run(client, f"%skill save kalman {reply['execution_count']}")
    assert offered() == [["kalman"], ["kalman"], ["scripted/gp_fit"]]


WORDS = [("%agent", agent.COMMANDS), ("%skill", skill.COMMANDS), ("%%skill", ["edit"]), ("%%agent", [""])]


def test_every_word_of_our_magics_teaches_with_an_example(kernel: Any) -> None:
    _, client = kernel
    for line in (f"{magic} {word}".strip() for magic, words in WORDS for word in words):
        for asked in (f"{line} --help", f"{line} -h", f"{line}?"):
            reply, outputs = run(client, asked)
            said = "".join(o["content"]["data"]["text/plain"] for o in outputs if o["msg_type"] == "display_data")
            assert reply["status"] == "ok", asked
            assert said.startswith(f"usage: {line}"), asked
            assert re.search(rf"\nExamples?:\n  {line}\b", said), asked


WRONG = {
    "%skill edit fit": "write `%%skill edit fit` as its first line",
    "%%skill save fit": "`%%skill save` does not exist: write `%skill save`, with one %.",
    "%agent plot it": "A prompt stands below `%%agent`",
    "%skill search why?": "No skill fits 'why?'",
}


def test_one_percent_sign_or_two(kernel: Any) -> None:
    _, client = kernel
    for line, words in WRONG.items():
        assert words in "".join(str(output["content"]) for output in run(client, line)[1]), line


def test_a_flood_goes_on_in_pieces_and_whole(kernel: Any) -> None:
    """One write of any size, and many small ones within a moment: no message grows with them."""
    _, client = kernel
    code = "import sys\nprint('a' * 5_000_000)\nfor _ in range(50_000): sys.stdout.write('b' * 99 + '\\n')"
    _, outputs = run(client, code)
    pieces = [len(o["content"]["text"]) for o in outputs if o["msg_type"] == "stream"]
    assert max(pieces) < 2 * 2**20
    assert text(outputs) == "a" * 5_000_000 + "\n" + ("b" * 99 + "\n") * 50_000


def test_the_debugger_is_imported_by_whoever_debugs(kernel: Any) -> None:
    _, client = kernel
    loaded = "import sys; print([m for m in sys.modules if m.startswith(('debugpy', '_pydevd'))] != [])"
    assert text(run(client, loaded)[1]) == "False\n"
    asked = {"type": "request", "seq": 1, "command": "debugInfo"}
    reply = answered(client, "control", client.session.msg("debug_request", asked))
    assert reply["success"]
    assert reply["body"]["isStarted"] is False
    assert text(run(client, loaded)[1]) == "True\n"
