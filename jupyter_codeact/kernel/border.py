"""Where messages of the sandbox's enter: each is checked for shape and size, matched to a request, and disarmed.

What is wrong with a message costs that message, and never the loop that moves them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

from ..guard import outputs, prompts, replies
from ..sandbox.limits import OUTPUT_LIMIT
from .comms import Comms
from .requests import NOBODY, Asked, Requests
from .widgets import Widgets
from .wire import EMPTY, Message, build, split

HEADER_LIMIT = 4096
COMM_TYPES = frozenset({"comm_open", "comm_msg", "comm_close"})
REPLY_METADATA = frozenset({"started", "dependencies_met", "engine", "status"})
_HEADER_KEYS = ("msg_id", "msg_type", "session", "username", "date", "version")
_STREAM_HEADS = tuple(
    b'{"name":%s"%s",%s"text":%s"' % (gap, name, gap, gap) for name in (b"stdout", b"stderr") for gap in (b" ", b"")
)


class Held(Exception):
    """A message that may not pass. Why is for whoever reads the code; the sandbox is not told."""


class Border:
    """Admits messages of the sandbox's, one at a time; None where one is refused.

    limit: bytes that one message may have.
    trusted: the person said that active content of this kernel may be shown. Shape, size and match are checked all
    the same, and answers that ask the front end to do something are cleaned as before.
    """

    def __init__(self, comms: Comms, session: str, limit: int = OUTPUT_LIMIT) -> None:
        self.requests = Requests()
        self.widgets = Widgets()
        self.comms = comms
        self.trusted = False
        self.limit = limit
        self._session = session

    # ---- the three ways in

    def published(self, frames: list[bytes]) -> Message | None:
        """A message on iopub."""
        return self._guarded(self._published, frames)

    def replied(self, frames: list[bytes], channel: str) -> Message | None:
        """An answer on shell or control, with the idents of whoever asked."""
        return self._guarded(lambda message: self._replied(message, channel), frames)

    def asked(self, frames: list[bytes]) -> Message | None:
        """A question on stdin."""
        return self._guarded(self._asked, frames)

    def _guarded(self, check: Callable[[Message], Message], frames: list[bytes]) -> Message | None:
        try:
            return check(_shaped(split(frames)))
        except Exception:  # noqa: BLE001 a boundary: whatever the sandbox sent, the loop goes on
            return None

    # ---- each of them

    def _published(self, message: Message) -> Message:
        if message.type == "iopub_welcome":
            return message
        if message.type not in outputs.TYPES:
            raise Held
        asked = self._parent(message)
        message.parts[1] = asked.header
        message.idents = [b"kernel.codeact." + message.type.encode()]
        if sum(map(len, message.parts)) + sum(map(len, message.buffers)) > self.limit:
            return self._too_long(message, asked)
        if message.type == "shutdown_reply" and asked.kind != "shutdown_request":
            raise Held
        if message.type == "stream" and _is_stream(message.parts[3]):
            message.parts[2] = EMPTY
            return message
        content = self._comm(message) if message.type in COMM_TYPES else self._output(message)
        _replace(message, content)
        return message

    def _output(self, message: Message) -> dict[str, Any]:
        message.parts[2] = EMPTY
        content = _object(message.parts[3])
        if self.trusted and message.type in ("display_data", "execute_result", "update_display_data"):
            return content
        cleaned = outputs.clean(message.type, content, self.widgets.held)
        if cleaned is None:
            raise Held
        return cleaned

    def _comm(self, message: Message) -> dict[str, Any]:
        content = _object(message.parts[3])
        version = _object(message.parts[2]).get("version")
        message.parts[2] = json.dumps({"version": version}).encode() if isinstance(version, str) else EMPTY
        message.content = content
        if self.comms.claims_ours(message):
            raise Held
        if self.trusted:
            return content
        cleaned = self.widgets.clean(message.type, content)
        if cleaned is None:
            raise Held
        return cleaned

    def _replied(self, message: Message, channel: str) -> Message:
        asked = self._parent(message)
        if asked is NOBODY or asked.replied or asked.channel != channel or message.type != asked.reply:
            raise Held
        asked.replied = True
        message.parts[1], message.idents = asked.header, asked.idents
        if sum(map(len, message.parts)) > self.limit:
            _replace(message, {"status": "error", "ename": "TooLong", "evalue": "", "traceback": []})
            return message
        metadata = {key: value for key, value in _object(message.parts[2]).items() if key in REPLY_METADATA}
        message.parts[2] = json.dumps({k: v for k, v in metadata.items() if isinstance(v, str | bool)}).encode()
        _replace(message, replies.clean(message.type, _object(message.parts[3]), asked.code))
        return message

    def _asked(self, message: Message) -> Message:
        asked = self._parent(message)
        if message.type != "input_request" or not asked.stdin or asked.replied:
            raise Held
        message.parts[1], message.parts[2], message.idents = asked.header, EMPTY, asked.idents
        _replace(message, prompts.clean(_object(message.parts[3])))
        return message

    def _parent(self, message: Message) -> Asked:
        asked = self.requests.parent(message.parts[1])
        if asked is None:
            raise Held
        return asked

    def _too_long(self, message: Message, asked: Asked) -> Message:
        if message.type not in ("stream", "display_data", "execute_result", "error", "update_display_data"):
            raise Held
        size = sum(map(len, message.parts)) // 1_000_000
        text = f"Held back: an output of {size} MB; one output may have {self.limit / 1_000_000:g} MB.\n"
        return build("stream", {"name": "stderr", "text": text}, self._session, asked.header, idents=message.idents)


def _shaped(message: Message) -> Message:
    """The message, if its header is one. What else stands in the header is not passed on."""
    if len(message.parts[0]) > HEADER_LIMIT or len(message.parts[1]) > 16 * HEADER_LIMIT:
        raise Held
    header = _object(message.parts[0])
    known = {key: header[key] for key in _HEADER_KEYS if key in header}
    if not (known.keys() >= {"msg_id", "msg_type"} and all(isinstance(value, str) for value in known.values())):
        raise Held
    if known.keys() != header.keys():
        message.parts[0] = json.dumps(known).encode()
    message.header = known
    return message


def _object(data: bytes) -> dict[str, Any]:
    """A JSON object, of the kind that a browser can read too."""
    value = json.loads(data.decode(errors="replace"), parse_constant=_refuse)
    if not isinstance(value, dict):
        raise Held
    return value


def _refuse(constant: str) -> NoReturn:
    raise Held


def _replace(message: Message, content: dict[str, Any]) -> None:
    message.content = content
    message.parts[3] = json.dumps(content, ensure_ascii=False).encode(errors="replace")


def _is_text(content: bytes) -> bool:
    """A name of a file that is no UTF-8, once printed, comes as bytes that are none either."""
    if content.isascii():
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_stream(content: bytes) -> bool:
    """Whether this is plainly ``{"name": …, "text": …}``: told from its bytes, because floods come through here."""
    head = next((head for head in _STREAM_HEADS if content.startswith(head)), None)
    if head is None or not content.endswith(b'"}') or len(content) < len(head) + 2 or not _is_text(content):
        return False
    text = content[len(head) : -2]
    if b'"' in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b'"' not in text and (len(text) - len(text.rstrip(b"\\"))) % 2 == 0
