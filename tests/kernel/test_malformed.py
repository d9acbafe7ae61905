"""Messages of the sandbox's that are none, or nearly: whatever it sends, what passes can be read by every front end."""

from __future__ import annotations

import json
from typing import Any

import nbformat
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
    for kind in ("execute", "complete", "inspect", "is_complete", "history", "comm_info", "kernel_info", "debug")
}
COMM = {"comm_id": "c", "target_name": "jupyter.widget", "data": {"state": {"_model_module": "@jupyter-widgets/base"}}}
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
REPLIES: dict[str, dict[str, Any]] = {
    "execute": {"status": "ok", "execution_count": 1, "payload": [{"source": "page", "data": SHOWN["data"]}],
                "user_expressions": {"x": {"status": "ok", "data": SHOWN["data"], "metadata": {}}}},
    "complete": {"status": "ok", "matches": ["a"], "cursor_start": 0, "cursor_end": 1, "metadata": {}},
    "inspect": {"status": "ok", "found": True, "data": SHOWN["data"], "metadata": {}},
    "is_complete": {"status": "incomplete", "indent": " "},
    "history": {"status": "ok", "history": [[1, 1, "x"]]},
    "comm_info": {"status": "ok", "comms": {"c": {"target_name": "jupyter.widget"}}},
    "kernel_info": {"status": "ok", "protocol_version": "5.4", "language_info": {}, "help_links": [], "banner": ""},
    "debug": {"success": True, "body": {"data": SHOWN["data"]}},
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


@settings(max_examples=1000, deadline=None)
@given(sent(), st.booleans())
def test_what_passes_can_be_read_by_every_front_end(message: tuple[str, list[bytes]], trusted: bool) -> None:
    passed = admitted(*message, trusted)
    if passed is not None:
        check(passed)
