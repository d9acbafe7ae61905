"""What comes from the sandbox is checked for shape and size, and belongs to a request that was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from helpers import PATIENCE_S
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_client.manager import start_new_kernel

from jupyter_codeact.guard.notes import below
from jupyter_codeact.kernel.border import Border
from jupyter_codeact.kernel.comms import Comms
from jupyter_codeact.kernel.requests import Requests
from jupyter_codeact.kernel.wire import DELIMITER, Message, build

SIGNED = b"never looked at"
SHOWN_BY_ANOTHER_VIEW = {
    **dict.fromkeys(("_model_module", "_view_module"), "@jupyter-widgets/controls"),
    "_model_name": "TextModel",
    "_view_name": "HTMLView",
    "value": "<img src=x onerror=alert(1)>",
}


def frames(message: Message) -> list[bytes]:
    return [*message.idents, DELIMITER, SIGNED, *message.parts, *message.buffers]


def output(kind: str, content: dict[str, Any], parent: bytes = b"{}", **header: Any) -> list[bytes]:
    message = build(kind, content, "sandbox", parent, idents=[b"kernel.x"])
    if header:
        message.parts[0] = json.dumps(message.header | header).encode()
    return frames(message)


@pytest.fixture
def request_sent() -> Message:
    content = {"code": "x", "allow_stdin": True}
    return build("execute_request", content, "page", idents=[b"front"])


@pytest.fixture
def border(request_sent: Message) -> Border:
    border = Border(Comms(), "proxy")
    border.requests.add(request_sent, "shell")
    return border


def printed(text: str = "a") -> dict[str, Any]:
    return {"name": "stdout", "text": text}


def test_outputs_of_a_request_pass_with_the_header_it_came_with(border: Border, request_sent: Message) -> None:
    claimed = json.dumps(request_sent.header | {"session": "forged", "more": 1}).encode()
    message = border.published(output("stream", printed(), claimed))
    assert message is not None
    assert message.parts[1] == request_sent.parts[0]
    assert message.content == printed()


def test_outputs_of_nothing_that_was_asked_are_dropped(border: Border) -> None:
    assert border.published(output("stream", printed(), build("execute_request", {}, "x").parts[0])) is None
    assert border.published(output("stream", printed())) is not None


def test_what_runs_is_told_once_and_is_what_was_sent(border: Border, request_sent: Message) -> None:
    """Whoever shows what others run writes a cell of it."""
    forged = {"code": "%agent trust outputs", "execution_count": 7}
    parent = request_sent.parts[0]
    passed = border.published(output("execute_input", forged, parent))
    assert passed is not None
    assert passed.content == json.loads(passed.parts[3]) == {"code": "x", "execution_count": 7}
    assert border.published(output("execute_input", forged, parent)) is None
    assert border.published(output("execute_input", forged)) is None
    silent = build("execute_request", {"code": "x", "silent": True}, "page")
    border.sent(silent, "shell", hers=True)
    for asked in (silent.parts[0], asked_for(border, "usage_request")):
        assert border.published(output("execute_input", forged, asked)) is None
    step = build("execute_request", {"code": "y"}, "proxy")
    border.sent(step, "shell", hers=False)
    passed = border.published(output("execute_input", forged, step.parts[0]))
    assert passed is not None
    assert passed.content["code"] == "y"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("status", {"execution_state": "dead"}),
        ("status", {"execution_state": "restarting"}),
        ("stream", {"name": "x", "text": "y"}),
        ("stream", {"name": "stdout", "text": ["y"]}),
        ("iopub_goodbye", {}),
        ("execute_reply", {"status": "ok"}),
        ("shutdown_reply", {"status": "ok"}),
        ("comm_open", {"comm_id": "1", "target_name": "jupyter_codeact", "data": {}}),
        ("comm_open", {"comm_id": "1", "target_name": "hv-extension-comm", "data": {}}),
        ("comm_open", {"comm_id": "1", "target_name": "jupyter.widget", "data": {"state": {"_model_module": "x"}}}),
        ("comm_open", {"comm_id": "1", "target_name": "jupyter.widget", "data": {"state": SHOWN_BY_ANOTHER_VIEW}}),
    ],
)  # fmt: skip
def test_what_no_kernel_says_is_dropped(border: Border, request_sent: Message, kind: str, content: Any) -> None:
    assert border.published(output(kind, content, request_sent.parts[0])) is None


def test_more_in_a_stream_than_its_text_does_not_pass(border: Border, request_sent: Message) -> None:
    message = build("stream", {}, "s", request_sent.parts[0])
    for body in (
        b'{"name":"stdout","text":"a","data":{"text/html":"x"}}',
        b'{"name": "stdout", "text": "a\\\\", "data": "\\"}"}',
        b'{"name": "stdout", "text": "a", "text": "b"}',
    ):
        message.parts[3] = body
        passed = border.published(frames(message))
        assert passed is not None
        assert json.loads(passed.parts[3]).keys() == {"name", "text"}
    message.parts[3] = b'{"name": "stdout", "text": "\xff"}'
    passed = border.published(frames(message))
    assert passed is not None
    assert json.loads(passed.parts[3])["text"] == "\N{REPLACEMENT CHARACTER}"
    for broken in (b'{"name":"stdout","text":"a\\"}', b'{"name":"stdout","text":"}', b"[]", b"\xff", b"NaN"):
        message.parts[3] = broken
        assert border.published(frames(message)) is None


PROTOTYPES = [
    '"__proto__"',
    '"\\u005f\\u005Fpro\\u0074o__"',
    '"constructor"',
    '"\\u0070rototype"',
    '"c\\u006fnstructor"',
]


@pytest.mark.parametrize("key", PROTOTYPES)
def test_no_key_reaches_what_all_objects_of_a_page_have_in_common(
    border: Border, request_sent: Message, key: str
) -> None:
    """A page that copies an object would make a prototype of it, in which nobody looks for what is shown."""

    def spelt(kind: str, content: str) -> list[bytes]:
        message = build(kind, {}, "sandbox", request_sent.parts[0])
        message.parts[3] = content.replace("KEY", f"{key}: ").encode()
        return frames(message)

    bundle = '{"data": {"application/json": [{"a": 1, KEY{"b": 2}}], KEY{}}, "metadata": {KEY{"width": 1}}, KEY{}}'
    clean = {"data": {"application/json": [{"a": 1}]}, "metadata": {}}
    for kind in ("display_data", "update_display_data"):
        for first in ({}, {"image/png": "iVBO"}, {"text/plain": "<Figure>", "image/png": "iVBO"}):
            shown = "".join(f"{json.dumps(mime)}: {json.dumps(value)}, " for mime, value in first.items())
            passed = border.published(spelt(kind, bundle.replace('{"data": {', '{"data": {' + shown)))
            assert passed is not None
            assert passed.content == json.loads(passed.parts[3]) == {**clean, "data": first | clean["data"]}
    state = {**SHOWN_BY_ANOTHER_VIEW, "_model_name": "HTMLModel"}
    opened = json.dumps({"comm_id": "1", "target_name": "jupyter.widget", "data": {"state": {**state, "value": 0}}})
    opened = opened.replace('"value": 0', '"value": {KEY{"a": 1}}, KEY{"value": 0}')
    passed = border.published(spelt("comm_open", opened))
    assert passed is not None
    assert passed.content["data"]["state"] == {**state, "value": {}}
    evaluated = f'{{"status": "ok", "user_expressions": {{"x": {{"status": "ok", {bundle[1:]}, KEY{{}}}}}}'
    reply = border.replied(spelt("execute_reply", evaluated), "shell")
    assert reply is not None
    assert reply.content["user_expressions"] == {"x": {"status": "ok", **clean}}
    # As values they are words.
    passed = border.published(output("display_data", {"data": {"text/plain": "a constructor"}}, request_sent.parts[0]))
    assert passed is not None
    assert passed.content["data"] == {"text/plain": "a constructor"}


def test_a_header_holds_what_a_header_holds(border: Border, request_sent: Message) -> None:
    passed = border.published(output("stream", printed(), request_sent.parts[0], more="x"))
    assert passed is not None
    assert "more" not in json.loads(passed.parts[0])
    assert border.published(output("stream", printed(), request_sent.parts[0], msg_id=1)) is None
    assert border.published(output("stream", printed(), request_sent.parts[0], date="x" * 10_000)) is None


def test_a_reply_comes_once_on_its_channel_of_its_kind_and_to_whoever_asked(
    border: Border, request_sent: Message
) -> None:
    parent = request_sent.parts[0]
    for kind, channel in (("inspect_reply", "shell"), ("execute_reply", "control")):
        assert border.replied(output(kind, {"status": "ok"}, parent), channel) is None
    reply = border.replied(output("execute_reply", {"status": "ok", "payload": []}, parent), "shell")
    assert reply is not None
    assert reply.idents == [b"front"]
    assert border.replied(output("execute_reply", {"status": "ok"}, parent), "shell") is None
    assert border.replied(output("execute_reply", {"status": "ok"}), "shell") is None


def test_a_question_is_asked_where_stdin_was_offered_and_while_the_request_runs(
    border: Border, request_sent: Message
) -> None:
    silent = build("execute_request", {"code": "x", "allow_stdin": False}, "page", idents=[b"front"])
    border.requests.add(silent, "shell")
    question = {"prompt": "name? ", "password": False}
    passed = border.asked(output("input_request", question, request_sent.parts[0]))
    assert passed is not None
    assert passed.idents == [b"front"]
    assert border.asked(output("input_request", question, silent.parts[0])) is None
    assert border.asked(output("execute_reply", {}, request_sent.parts[0])) is None
    assert border.replied(output("execute_reply", {"status": "ok"}, request_sent.parts[0]), "shell") is not None
    assert border.asked(output("input_request", question, request_sent.parts[0])) is None


def asked_for(border: Border, kind: str) -> bytes:
    """The header of a request that was passed on."""
    message = build(kind, {}, "page")
    border.requests.add(message, "shell")
    return message.parts[0]


def says(border: Border, state: str, parent: bytes) -> None:
    assert border.published(output("status", {"execution_state": state}, parent)) is not None


def test_a_request_is_remembered_while_it_is_open(border: Border, request_sent: Message) -> None:
    border.requests = Requests(kept=10)
    border.requests.add(request_sent, "shell")
    for kind in ["usage_request", "comm_msg"] * 100:
        says(border, "idle", asked_for(border, kind))
    parent = request_sent.parts[0]
    assert border.published(output("stream", printed(), parent)) is not None
    assert border.replied(output("execute_reply", {"status": "ok"}, parent), "shell") is not None
    says(border, "idle", parent)


def test_what_has_ended_is_remembered_for_long_but_not_for_ever(border: Border) -> None:
    """A thread may print late."""
    border.requests = Requests(kept=10)
    ended = asked_for(border, "execute_request")
    says(border, "idle", ended)
    for _ in range(9):
        says(border, "idle", asked_for(border, "usage_request"))
    assert border.published(output("stream", printed(), ended)) is not None
    for _ in range(256):
        says(border, "idle", asked_for(border, "usage_request"))
    assert border.published(output("stream", printed(), ended)) is None


def test_comm_messages_of_which_nothing_is_said_are_bounded_and_one_that_is_at_work_stays(border: Border) -> None:
    """An ipykernel says neither busy nor idle of those that come while a cell awaits."""
    border.requests = Requests(kept=10)
    at_work, silent = asked_for(border, "comm_msg"), asked_for(border, "comm_msg")
    says(border, "busy", at_work)
    for _ in range(10):
        asked_for(border, "comm_msg")
    assert border.published(output("stream", printed(), silent)) is None
    assert border.published(output("stream", printed(), at_work)) is not None


def test_so_much_may_be_open_and_no_more(border: Border) -> None:
    border.requests = Requests(kept=10)
    asked = [asked_for(border, "comm_info_request") for _ in range(9)]
    assert not border.requests.full
    says(border, "busy", asked_for(border, "comm_msg"))
    assert border.requests.full
    says(border, "idle", asked[0])
    assert not border.requests.full
    assert len(border.requests.end()) == 9
    assert border.requests.end() == []


def test_a_request_that_is_sent_twice_is_answered_twice(border: Border, request_sent: Message) -> None:
    reply = output("execute_reply", {"status": "ok"}, request_sent.parts[0])
    assert border.replied(reply, "shell") is not None
    assert border.replied(reply, "shell") is None
    border.requests.add(request_sent, "shell")
    assert border.replied(reply, "shell") is not None


def test_an_output_that_is_too_large_is_said_to_be(request_sent: Message) -> None:
    border = Border(Comms(), "proxy", limit=1000)
    border.requests.add(request_sent, "shell")
    passed = border.published(output("display_data", {"data": {"text/plain": "x" * 2000}}, request_sent.parts[0]))
    assert passed is not None
    assert passed.type == "stream"
    assert "Held back: an output of" in passed.content["text"]


def test_her_trust_is_for_outputs_and_not_for_speaking_as_us(border: Border, request_sent: Message) -> None:
    border.trusted = True
    script = {"data": {"application/javascript": "x"}, "metadata": {}}
    passed = border.published(output("display_data", script, request_sent.parts[0]))
    assert passed is not None
    assert passed.content == script
    ours = {"comm_id": "1", "target_name": "jupyter_codeact", "data": {}}
    assert border.published(output("comm_open", ours, request_sent.parts[0])) is None


def test_when_her_trust_ends_widgets_are_what_they_were_opened_as(border: Border, request_sent: Message) -> None:
    def told(comm_id: str, value: str) -> Any:
        content = {"comm_id": comm_id, "data": {"method": "update", "state": {"value": value}}}
        passed = border.published(output("comm_msg", content, request_sent.parts[0]))
        return passed and passed.content["data"]

    border.trusted = True
    states = {"own": {**SHOWN_BY_ANOTHER_VIEW, "_model_name": "HTMLModel"}, "foreign": {"_model_module": "anywidget"}}
    for comm_id, state in states.items():
        opened = {"comm_id": comm_id, "target_name": "jupyter.widget", "data": {"state": state}}
        assert border.published(output("comm_open", opened, request_sent.parts[0])) is not None
    assert told("foreign", "<script>") is not None
    border.trusted = False
    state = told("own", "<script>x</script><b>y</b>")["state"]
    assert state == {"value": f"<b>y</b>{below(['a script'])}"}
    assert told("foreign", "<script>") is None


VIEW = "application/vnd.jupyter.widget-view+json"


def test_a_widget_is_shown_that_was_opened_so_that_a_page_takes_it(border: Border, request_sent: Message) -> None:
    def shown(kind: str = "display_data") -> bool:
        data = {VIEW: {"model_id": "1"}, "text/plain": "x"}
        passed = border.published(output(kind, {"data": data, "metadata": {}}, request_sent.parts[0]))
        assert passed is not None
        return VIEW in passed.content["data"]

    def comms(target: str, status: str = "ok", **told: Any) -> Any:
        asked = build("comm_info_request", {"target_name": target}, "page")
        border.sent(asked, "shell", hers=True)
        answer = output("comm_info_reply", {"status": status, **told}, asked.parts[0])
        passed = border.replied(answer, "shell")
        assert passed is not None
        return passed.content.get("comms")

    assert not shown()
    state = {**SHOWN_BY_ANOTHER_VIEW, "_model_name": "HTMLModel"}
    made = {"comm_id": "1", "target_name": "jupyter.widget", "data": {"state": state}}
    opening = build("comm_open", made, "sandbox", request_sent.parts[0], metadata={"version": "1.0"})
    passed = border.published(frames(opening))
    assert passed is not None
    assert passed.metadata == {"version": "2.1.0"}
    assert all(map(shown, ("display_data", "execute_result", "update_display_data")))
    # Whatever the sandbox answers.
    mine = {"1": {"target_name": "jupyter.widget"}}
    for target in ("", "jupyter.widget"):
        for told in ({"comms": {}}, {"comms": 5}, {"status": "error"}):
            assert comms(target, **told) == mine
    assert comms("mine", comms={}) == {}
    assert border.published(output("comm_close", {"comm_id": "1"}, request_sent.parts[0])) is not None
    assert not shown()


def test_that_we_are_heard_is_all_that_a_welcome_says(border: Border) -> None:
    welcome = build("iopub_welcome", {"subscription": ""}, "sandbox", idents=[b"kernel.x"])
    welcome.parts[1:] = [b"not json", b"[", b"NaN"]
    passed = border.published([*frames(welcome), b"more"])
    assert passed is not None
    assert passed.parts[1:] == [b"{}"] * 3
    assert (passed.content, passed.buffers) == ({}, [])


BYTES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [b"{}", b"[]", b"null", b'{"msg_id":"a","msg_type":"stream"}', b'{"a":' * 3000, b"1" * 6000, DELIMITER]
    ),
)


@settings(max_examples=300)
@given(st.lists(BYTES, max_size=9), st.lists(BYTES, max_size=6))
def test_frames_of_any_kind_end_nothing(loose: list[bytes], parts: list[bytes]) -> None:
    border = Border(Comms(), "proxy")
    for sent in (loose, [b"x", DELIMITER, b"", *parts]):
        border.published(sent)
        border.replied(sent, "shell")
        border.asked(sent)


# ---- in a real kernel


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    manager, client = start_new_kernel(kernel_name="codeact", cwd=str(tmp_path_factory.mktemp("work")))
    yield client
    client.stop_channels()
    manager.shutdown_kernel()


pytestmark = [
    pytest.mark.usefixtures("sandbox"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def run(client: Any, code: str, **options: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    outputs: list[dict[str, Any]] = []
    reply = client.execute_interactive(code, output_hook=outputs.append, timeout=PATIENCE_S, **options)
    return reply["content"], outputs


def text(outputs: list[dict[str, Any]]) -> str:
    return "".join(o["content"]["text"] for o in outputs if o["msg_type"] == "stream")


JUNK = """
kernel = get_ipython().kernel
def junk(socket, *start):
    mark = [b"<IDS|MSG>", b""]
    documents = (b"{", b"[]", b"{}", b'{"a":' * 9000)
    for parts in ([b"x"], mark[:1], *([*mark, *[document] * 4] for document in documents)):
        socket.send_multipart([*start, *parts])
ident = kernel.get_parent("shell")
junk(kernel.iopub_socket)
junk(kernel.stdin_socket, *kernel._parent_ident["shell"] if hasattr(kernel, "_parent_ident") else [b""])
forged = {"header": {"msg_id": "never-sent", "session": "x"}}
kernel.session.send(kernel.iopub_socket, "stream", {"name": "stdout", "text": "FORGED"}, parent=forged)
kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "dead"}, parent=kernel.get_parent("shell"))
print("alive")
"""


def test_junk_from_the_sandbox_ends_nothing(kernel: Any) -> None:
    reply, outputs = run(kernel, JUNK)
    assert reply["status"] == "ok"
    assert text(outputs) == "alive\n"
    assert run(kernel, "6 * 7")[0]["status"] == "ok"


def test_a_thread_prints_after_its_cell_has_ended(kernel: Any) -> None:
    code = (
        "import threading\ngo = threading.Event()\nthreading.Thread(target=lambda: (go.wait(), print('late'))).start()"
    )
    request = kernel.execute(code)
    while kernel.get_shell_msg(timeout=PATIENCE_S)["parent_header"]["msg_id"] != request:
        pass
    kernel.execute("go.set()")
    while True:
        message = kernel.get_iopub_msg(timeout=PATIENCE_S)
        if message["msg_type"] == "stream":
            break
    assert message["content"]["text"].strip() == "late"
    assert message["parent_header"]["session"] == kernel.session.session


def test_a_prompt_that_imitates_ours_says_who_asks(kernel: Any) -> None:
    asked: list[str] = []

    def answer(message: Any) -> None:
        asked.append(message["content"]["prompt"])
        kernel.input("y")

    run(kernel, "input('Run this? [y]es, [n]o: ')", allow_stdin=True, stdin_hook=answer)
    assert asked == ["Asked by the code that runs: Run this? [y]es, [n]o: "]


def test_trust_needs_her_word(kernel: Any) -> None:
    script = "from IPython.display import Javascript\nJavascript('1')"

    def shown() -> set[str]:
        return {
            mime for o in run(kernel, script)[1] if o["msg_type"] == "execute_result" for mime in o["content"]["data"]
        }

    def says(word: str) -> None:
        run(kernel, "%agent trust outputs", allow_stdin=True, stdin_hook=lambda _: kernel.input(word))

    assert run(kernel, "%agent trust outputs", allow_stdin=False)[0]["ename"] == "UsageError"
    says("n")
    assert shown() == {"text/plain"}
    says("y")
    assert "application/javascript" in shown()
    run(kernel, "%agent trust off")
    assert shown() == {"text/plain"}
