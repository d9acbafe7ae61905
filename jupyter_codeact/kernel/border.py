"""Where messages of the sandbox's enter: each is checked for shape and size, matched to a request, and disarmed.

What is wrong with a message costs that message, and never the loop that moves them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..guard import outputs, prompts, replies
from ..sandbox.limits import OUTPUT_LIMIT
from .comms import Comms
from .requests import NOBODY, Asked, Requests
from .shape import DISPLAYS, VALUES, Held, has_many_values, is_stream, read, shaped, written
from .widgets import TARGET, Widgets
from .wire import EMPTY, Message, build, split

COMM_TYPES = frozenset({"comm_open", "comm_msg", "comm_close"})
WIDGETS_VERSION = "2.1.0"
REPLY_METADATA = frozenset({"started", "dependencies_met", "engine", "status"})


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

    def sent(self, message: Message, channel: str, hers: bool) -> None:
        """Note what is about to be sent to the sandbox. ``hers``: a person wrote what it runs."""
        self.requests.add(message, channel, hers)
        if message.type in COMM_TYPES:
            self.widgets.asked(message.type, message.content)

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
            return check(shaped(split(frames)))
        except Exception:  # noqa: BLE001 a boundary: whatever the sandbox sent, the loop goes on
            return None

    # ---- each of them

    def _published(self, message: Message) -> Message:
        if message.type == "iopub_welcome":
            # It says that we are heard, and nothing else.
            message.parts[1:], message.buffers, message.content = [EMPTY, EMPTY, EMPTY], [], {}
            return message
        if message.type not in outputs.TYPES:
            raise Held
        asked = self._parent(message)
        message.parts[1] = asked.header
        message.idents = [b"kernel.codeact." + message.type.encode()]
        if message.type not in COMM_TYPES | DISPLAYS:
            message.buffers = []
        if sum(map(len, message.parts)) + sum(map(len, message.buffers)) > self.limit:
            size = sum(map(len, message.parts)) // 1_000_000
            return self._too_long(message, asked, f"{size} MB; one output may have {self.limit / 1_000_000:g} MB")
        if message.type != "stream" and has_many_values(message.parts[3]):
            return self._too_long(message, asked, f"more than {VALUES:,} values")
        if message.type == "shutdown_reply" and asked.kind != "shutdown_request":
            raise Held
        if message.type == "stream" and is_stream(message.parts[3]):
            message.parts[2] = EMPTY
            return message
        content = self._comm(message, asked) if message.type in COMM_TYPES else self._output(message, asked)
        _replace(message, content)
        if message.type == "status":
            self.requests.heard(asked, content["execution_state"])
        elif message.type == "execute_input":
            self.requests.numbered(asked, content["execution_count"] or 0)
        return message

    def _output(self, message: Message, asked: Asked) -> dict[str, Any]:
        message.parts[2] = EMPTY
        as_it_is = self.trusted and message.type in DISPLAYS
        content = read(message.parts[3], whole=as_it_is)
        if as_it_is:
            return outputs.shaped(message.type, content)
        cleaned = outputs.clean(message.type, content, self.widgets.no_view)
        if cleaned is None:
            raise Held
        if message.type == "execute_input":
            cleaned["code"] = _told(asked)
        return cleaned

    def _comm(self, message: Message, asked: Asked) -> dict[str, Any]:
        content = read(message.parts[3], whole=self.trusted)
        version = read(message.parts[2]).get("version")
        if message.type == "comm_open" and not self.trusted:
            # A page makes no model of what is opened with another one.
            version = WIDGETS_VERSION
        message.parts[2] = written({"version": version}) if isinstance(version, str) else EMPTY
        message.content = content
        names = [content.get("comm_id"), content.get("target_name", "")]
        # A list of one name is that name, to a page.
        if not all(isinstance(name, str) for name in names) or self.comms.claims_ours(message):
            raise Held
        if self.trusted:
            self.widgets.follow(message.type, content)
            self.widgets.note(content)
            return content
        cleaned = self.widgets.clean(message.type, content, asked.id, len(message.buffers))
        if cleaned is None:
            raise Held
        self.widgets.note(cleaned)
        return cleaned

    def _replied(self, message: Message, channel: str) -> Message:
        asked = self._parent(message)
        if asked is NOBODY or asked.replied or asked.channel != channel or message.type != asked.reply:
            raise Held
        asked.replied = True
        message.parts[1], message.idents, message.buffers = asked.header, asked.idents, []
        self._answer(message, asked)
        if message.type == "comm_info_reply" and asked.target in ("", TARGET) and self.widgets.open:
            # Whatever the sandbox says: a page takes from the notebook's file what it hears nothing of.
            comms = self.widgets.listed(message.content.get("comms", {}))
            _replace(message, {"status": "ok", "comms": comms})
        return message

    def _answer(self, message: Message, asked: Asked) -> None:
        metadata, message.parts[2] = message.parts[2], EMPTY
        if sum(map(len, message.parts)) + len(metadata) > self.limit:
            _replace(message, replies.refused(message.type, "TooLong", "The sandbox's answer was too long."))
            return
        try:
            line = asked.code, asked.cursor, asked.behind
            _replace(message, replies.clean(message.type, read(message.parts[3]), *line))
            kept = {key: value for key, value in read(metadata).items() if key in REPLY_METADATA}
            message.parts[2] = written({k: v for k, v in kept.items() if isinstance(v, str | bool)})
        except Exception:  # noqa: BLE001 a boundary, as above; and somebody waits for the answer
            _replace(message, replies.refused(message.type, "Misshapen", "The sandbox's answer was none."))

    def _asked(self, message: Message) -> Message:
        asked = self._parent(message)
        if message.type != "input_request" or not asked.stdin or asked.replied:
            raise Held
        message.parts[1], message.parts[2], message.idents = asked.header, EMPTY, asked.idents
        message.buffers = []
        _replace(message, prompts.clean(read(message.parts[3])))
        return message

    def _parent(self, message: Message) -> Asked:
        asked = self.requests.parent(message.parts[1])
        if asked is None:
            raise Held
        return asked

    def _too_long(self, message: Message, asked: Asked, size: str) -> Message:
        if message.type not in DISPLAYS | {"stream", "error"}:
            raise Held
        text = f"Held back: an output of {size}.\n"
        return build("stream", {"name": "stderr", "text": text}, self._session, asked.header, idents=message.idents)


def _told(asked: Asked) -> str:
    """What runs, once and as it was sent: consoles make a cell of it where others run something."""
    source, asked.source = asked.source, None
    if source is None:
        raise Held
    return source


def _replace(message: Message, content: dict[str, Any]) -> None:
    message.parts[3] = written(content)
    message.content = content
