"""Messages of the sandbox's that are none, or nearly: whatever it sends, what passes can be read by every front end."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_client.session import Session
from nbformat.v4 import new_code_cell, new_notebook, output_from_msg

from jupyter_codeact.guard.levels import LEVELS
from jupyter_codeact.kernel.border import Border
from jupyter_codeact.kernel.comms import Comms
from jupyter_codeact.kernel.wire import DELIMITER, Message, Signer, build

REQUESTS = {
    kind: build(f"{kind}_request", {"code": "x", "allow_stdin": True}, "page", idents=[b"front"])
    for kind in (
        *("execute", "complete", "inspect", "is_complete", "history", "comm_info", "kernel_info", "connect", "usage"),
        *("debug", "interrupt", "shutdown", "create_subshell", "delete_subshell", "list_subshell"),
    )
}
LAYOUT = {"_model_name": "LayoutModel", "_model_module": "@jupyter-widgets/base"}
COMM = {"comm_id": "c", "target_name": "jupyter.widget", "data": {"state": LAYOUT}}
SHOWN = {"data": {"text/plain": "x", "text/html": "<b>x</b>"}, "metadata": {}, "transient": {"display_id": "d"}}
PUBLISHED: dict[str, dict[str, Any]] = {
    "stream": {"name": "stdout", "text": "a"},
    "display_data": SHOWN,
    "update_display_data": SHOWN,
    "execute_result": {**SHOWN, "execution_count": 1},
    "error": {"ename": "E", "evalue": "e", "traceback": ["t"]},
    "execute_input": {"code": "x", "execution_count": 1},
    "status": {"execution_state": "idle"},
    "clear_output": {"wait": True},
    "comm_open": COMM,
    "comm_msg": {"comm_id": "c", "data": {"method": "update", "state": {"value": 1}, "buffer_paths": [["value"]]}},
    "comm_close": {"comm_id": "c", "data": {}},
    "debug_event": {"type": "event", "event": "stopped", "body": {}},
}
TYPED = {"_jupyter_types_experimental": [{"start": 0, "end": 1, "text": "a", "type": None, "signature": "()"}]}
# As ipykernel sends them.
REPLIES: dict[str, dict[str, Any]] = {
    "execute": {"status": "ok", "execution_count": 1,
                "payload": [{"source": "page", "data": SHOWN["data"], "start": 0}],
                "user_expressions": {"x": {"status": "ok", "data": SHOWN["data"], "metadata": {}}}},
    "complete": {"status": "ok", "matches": ["a"], "cursor_start": 0, "cursor_end": 1, "metadata": TYPED},
    "inspect": {"status": "ok", "found": True, "data": SHOWN["data"], "metadata": {}},
    "is_complete": {"status": "incomplete", "indent": " "},
    "history": {"status": "ok", "history": [[1, 1, "x"], [0, 2, ["x", None]], [0, 3, ["x", "1"]]]},
    "comm_info": {"status": "ok", "comms": {"c": {"target_name": "jupyter.widget"}}},
    "kernel_info": {"status": "ok", "protocol_version": "5.4", "language_info": {}, "help_links": [], "banner": ""},
    "connect": {"status": "ok", "shell_port": 1, "iopub_port": 2, "stdin_port": 3, "hb_port": 4, "control_port": 5},
    "usage": {"hostname": "sandbox", "pid": 9, "kernel_cpu": 0.5, "kernel_memory": 10**8, "host_cpu_percent": 1.5,
              "cpu_count": 2, "host_virtual_memory": {"total": 10**9, "percent": 7.5}},
    "debug": {"type": "response", "request_seq": 1, "seq": 2, "success": True, "command": "debugInfo",
              "body": {"isStarted": True, "hashSeed": 1,
                       "breakpoints": [{"source": "/a.py", "breakpoints": [{"line": 1}]}],
                       "stoppedThreads": [1], "variables": [{"name": "x", "value": "1", "variablesReference": 0}]}},
    "interrupt": {"status": "ok"},
    "shutdown": {"status": "ok", "restart": True},
    "create_subshell": {"status": "ok", "subshell_id": "a"},
    "delete_subshell": {"status": "ok"},
    "list_subshell": {"status": "ok", "subshell_id": ["a"]},
}  # fmt: skip
# What front ends do with an answer that is no error, beyond what Jupyter's own tests of kernels look at.
WHOLE = {"type": "integer", "minimum": -(2**53), "maximum": 2**53}
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
SCHEMAS: dict[str, Any] = {
    "complete_reply": {"matches": TEXTS, "cursor_start": WHOLE, "cursor_end": WHOLE, "metadata": {"type": "object"}},
    "is_complete_reply": {"indent": {"type": "string", "pattern": r"^\s*$"}},
    "history_reply": {"history": {"type": "array", "items": {"prefixItems": [WHOLE, WHOLE], "minItems": 3}}},
    "comm_info_reply": {"comms": {"additionalProperties": {"properties": {"target_name": TEXT}}}},
    "connect_reply": dict.fromkeys(("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port"), WHOLE),
    "usage_reply": {"hostname": TEXT, "pid": WHOLE, "kernel_cpu": {"type": "number"}},
    "debug_reply": {"success": {"type": "boolean"}, "body": {"properties": {"isStarted": {"type": "boolean"}}}},
    "debug_event": {"event": {"type": "string", "pattern": r"^\w+$"}},
    "shutdown_reply": {"status": TEXT, "restart": {"type": "boolean"}},
    "interrupt_reply": {"status": TEXT},
    "create_subshell_reply": {"subshell_id": TEXT},
    "delete_subshell_reply": {"status": TEXT},
    "list_subshell_reply": {"subshell_id": TEXTS},
}  # fmt: skip
ASKED = {"prompt": "name? ", "password": False}


class Raw(int):
    """Written as it is: what no JSON of Python's would hold."""

    def __new__(cls, text: str) -> Raw:
        made = super().__new__(cls, 7)
        made.text = text
        return made

    text: str

    def __repr__(self) -> str:
        return self.text


DEEP = Raw('{"a":' * 300 + "[" * 300 + "]" * 300 + "}" * 300)
ODD = st.sampled_from(
    [None, True, -1, 2**60, 10**400, 1e308, "", "\ud800", "\x00\x1b[31m", "<script>", "jupyter_codeact", [], {}, ["c"],
     [["__proto__"]], {"a": {"b": []}}, {"": None}, ["a", 1, None], "9" * 5000, DEEP,
     *map(Raw, ("NaN", "-Infinity", "1e999", "9" * 5000, '"\\ud800"', '"\\x41"', '"a\tb"', "", '"'))]
)  # fmt: skip
NAMES = st.sampled_from([*"abc", "data", "text", "status", "msg_id", "text/plain", "text/html", "application/json",
                         "execution_count", "metadata", "__proto__", "\ud800"])  # fmt: skip
HEADERS = st.dictionaries(
    st.sampled_from(["msg_id", "msg_type", "session", "username", "date", "version", "subshell_id", "x"]),
    st.sampled_from(
        [
            None,
            1,
            {},
            "",
            "abc",
            "4.0",
            "5.x",
            "2026-13-99T99:99:99Z",
            "2026-01-01T00:00:00+22:99",
            "\ud800",
            "x" * 5000,
            DEEP,
        ]
    ),
    max_size=2,
)
PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [b"{}", b"[]", b"null", b"NaN", b"1e999", b'{"a":' * 3000, b"1" * 6000, DELIMITER, b"\xff\xfe", b"\xed\xa0\x80"]
    ),
)


def encoded(document: Any) -> bytes:
    """As JSON, or as what nearly is."""
    match document:
        case Raw():
            return document.text.encode()
        case dict():
            pairs = (json.dumps(key).encode() + b": " + encoded(value) for key, value in document.items())
            return b"{" + b", ".join(pairs) + b"}"
        case list():
            return b"[" + b", ".join(map(encoded, document)) + b"]"
    return json.dumps(document).encode()


@st.composite
def bent(draw: st.DrawFn, content: dict[str, Any]) -> dict[str, Any]:
    """A content with something in it that should not be: at the top, or further in."""
    changed = dict(content)
    for _ in range(draw(st.integers(0, 3))):
        key = draw(st.one_of(st.sampled_from(sorted(content)), NAMES))
        inner = changed.get(key)
        if draw(st.booleans()):
            changed.pop(key, None)
        elif isinstance(inner, dict) and inner and not isinstance(inner, Raw):
            changed[key] = draw(bent(inner))
        else:
            changed[key] = draw(ODD)
    return changed


@st.composite
def sent(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """A way in, and frames that are nearly a message."""
    way = draw(st.sampled_from(["published", "replied", "asked"]))
    asked = draw(st.sampled_from(sorted(REPLIES))) if way == "replied" else "execute"
    kind = {
        "published": draw(st.sampled_from(sorted(PUBLISHED))),
        "replied": f"{asked}_reply",
        "asked": "input_request",
    }
    content = {"published": PUBLISHED.get(kind["published"], {}), "replied": REPLIES[asked], "asked": ASKED}[way]
    message = build(kind[way], {}, "sandbox", REQUESTS[asked].parts[0])
    header = encoded({**message.header, **draw(HEADERS)})
    parts = [header, message.parts[1], encoded(draw(bent({"a": 1, "version": "2.1.0"}))), encoded(draw(bent(content)))]
    if draw(st.integers(0, 3)) == 0:
        parts[draw(st.integers(0, 3))] = draw(PIECES)
    buffers = draw(st.lists(st.binary(max_size=3), max_size=2))
    frames = [b"ident", DELIMITER, b"unsigned", *parts, *buffers]
    if draw(st.integers(0, 7)) == 0:
        del frames[draw(st.integers(0, len(frames) - 1))]
    return way, frames


def border(trusted: bool) -> Border:
    made = Border(Comms(), "proxy")
    for request in REQUESTS.values():
        made.requests.add(request, "shell")
    made.comms.ids.add("ours")
    made.trusted = trusted
    return made


def admitted(way: str, frames: list[bytes], trusted: bool = False) -> Message | None:
    at = border(trusted)
    return at.replied(frames, "shell") if way == "replied" else getattr(at, way)(frames)


def levels(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(levels, inner), default=0)


def refuse(constant: str) -> None:
    raise AssertionError(constant)


def check(message: Message) -> None:
    """What each front end does with it: read it strictly, as jupyter_client does, and save what is shown."""
    for part in message.parts:
        document = json.loads(part.decode(), parse_constant=refuse)
        assert isinstance(document, dict)
        assert levels(document) <= LEVELS + 1
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    read = Session(key=b"front").deserialize(Signer("front").frames(message)[len(message.idents) + 1 :])
    assert message.parts[1] in [b"{}", *(request.parts[0] for request in REQUESTS.values())]
    assert "jupyter_codeact" not in str(read["content"].get("target_name"))
    if message.type in ("stream", "display_data", "execute_result", "error"):
        cell = new_code_cell(outputs=[output_from_msg(read)])
        nbformat.validate(new_notebook(cells=[cell]))
    if message.type == "execute_reply":
        assert read["content"]["status"] in ("ok", "error", "aborted")
        assert isinstance(read["content"].get("execution_count", 0), int | None)

    if message.type in SCHEMAS:
        content = read["content"]
        assert content.get("status", "ok") in ("ok", "error", "aborted", "complete", "incomplete", "invalid", "unknown")
        own = {"status"} if message.type != "debug_event" else {"type", "seq", "body"}
        own |= (
            {"type", "seq", "request_seq", "sequence_seq", "command", "message"}
            if message.type == "debug_reply"
            else set()
        )
        own |= {"ename", "evalue", "traceback"} if content.get("status") == "error" else set()
        assert content.keys() <= own | SCHEMAS[message.type].keys() | REPLIES.get(message.type[:-6], {}).keys()
        jsonschema.validate(content, {"properties": SCHEMAS[message.type]})


@settings(max_examples=1000, deadline=None)
@given(sent(), st.booleans())
def test_what_passes_can_be_read_by_every_front_end(message: tuple[str, list[bytes]], trusted: bool) -> None:
    passed = admitted(*message, trusted)
    if passed is not None:
        check(passed)


def reply(kind: str, content: Any) -> Message:
    """What a front end hears of an answer; it always hears something."""
    message = build(f"{kind}_reply", {}, "sandbox", REQUESTS[kind].parts[0])
    message.parts[3] = encoded(content)
    passed = admitted("replied", [b"ident", DELIMITER, b"unsigned", *message.parts])
    assert passed is not None
    return passed


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_who_asked_is_answered_whatever_the_sandbox_says(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(REPLIES)))
    check(reply(kind, data.draw(st.one_of(bent(REPLIES[kind]), ODD))))


@pytest.mark.parametrize("kind", sorted(REPLIES.keys() - {"kernel_info"}))
def test_what_ipykernel_answers_passes_whole(kind: str) -> None:
    assert reply(kind, REPLIES[kind]).content == REPLIES[kind]
    if kind not in ("execute", "debug"):
        failed = {"status": "error", "ename": "E", "evalue": "e", "traceback": ["t"]}
        assert reply(kind, failed).content == failed
        assert reply(kind, {"status": "aborted"}).content == {"status": "aborted"}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("complete", {"status": "ok", "matches": 5, "cursor_start": "x", "cursor_end": None, "extra": ["<script>"]}),
        ("complete", {"status": "ok", "matches": ["a"], "cursor_start": 2, "cursor_end": 1}),
        ("complete", REPLIES["complete"] | {"metadata": {"_jupyter_types_experimental": [{"text": 1}]}}),
        ("history", {"status": "ok", "history": "nope"}),
        ("history", {"status": "ok", "history": [[1, 1, {"x": 1}]]}),
        ("is_complete", {"status": ["ok"], "indent": {"a": 1}}),
        ("is_complete", {"status": "incomplete", "indent": {"a": 1}}),
        ("is_complete", {"status": "incomplete", "indent": "%agent trust outputs"}),
        ("usage", {"kernel_cpu": "<b>", "pid": {"a": 1}}),
        ("comm_info", {"status": "ok", "comms": {"c": {"target_name": ["x"]}}}),
        ("connect", {"status": "ok", "shell_port": "1"}),
        ("create_subshell", {"status": "ok", "subshell_id": {}}),
        ("list_subshell", {"status": "ok", "subshell_id": "a"}),
        ("inspect", {"status": "ok", "found": "<b>", "data": {}}),
        ("execute", Raw("{")),
    ],
    ids=str,
)
def test_an_answer_of_the_wrong_shape_is_an_error(kind: str, content: Any) -> None:
    assert reply(kind, content).content["status"] == "error"


def test_the_debugger_s_answers_and_events_have_the_types_that_front_ends_take_for_granted() -> None:
    body = REPLIES["debug"]["body"]
    for wrong in ({"isStarted": [1]}, {"variables": [{"name": {}}]}, {"stoppedThreads": "x"}, {"breakpoints": [1]}):
        failed = reply("debug", REPLIES["debug"] | {"body": body | wrong}).content
        assert (failed["success"], failed["body"]) == (False, {})
    assert reply("debug", {}).content == {}
    for event in (
        {"event": "<img src=x onerror=1>", "body": {"threadId": "x"}},
        {"event": "stopped", "body": {"threadId": "x"}},
        {"event": ["stopped"]},
    ):
        message = build("debug_event", event, "sandbox", REQUESTS["execute"].parts[0])
        assert admitted("published", [b"ident", DELIMITER, b"unsigned", *message.parts]) is None
    stopped = {"type": "event", "seq": 1, "event": "stopped", "body": {"threadId": 1, "reason": "breakpoint"}}
    message = build("debug_event", stopped, "sandbox", REQUESTS["execute"].parts[0])
    passed = admitted("published", [b"ident", DELIMITER, b"unsigned", *message.parts])
    assert passed is not None
    assert passed.content == stopped
