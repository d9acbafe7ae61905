"""Jupyter messages as frames: split, checked, signed, built.

Wire protocol 5.4: ``[idents…, <IDS|MSG>, signature, header, parent_header, metadata, content, buffers…]``. The
proxy's hot path looks at headers and leaves the rest as bytes, so jupyter_client's Session stays out of it.
"""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

DELIMITER = b"<IDS|MSG>"
EMPTY = b"{}"


@dataclass
class Message:
    """One message. ``parts`` are the four JSON documents as bytes: header, parent_header, metadata, content."""

    parts: list[bytes]
    idents: list[bytes] = field(default_factory=list)
    buffers: list[bytes] = field(default_factory=list)

    @cached_property
    def header(self) -> dict[str, Any]:
        return _document(self.parts[0])

    @cached_property
    def parent(self) -> dict[str, Any]:
        return _document(self.parts[1])

    @cached_property
    def metadata(self) -> dict[str, Any]:
        return _document(self.parts[2])

    @cached_property
    def content(self) -> dict[str, Any]:
        return _document(self.parts[3])

    @cached_property
    def type(self) -> str:
        return str(self.header.get("msg_type", ""))

    @cached_property
    def id(self) -> str:
        return str(self.header.get("msg_id", ""))

    @property
    def parent_id(self) -> str:
        return str(self.parent.get("msg_id", ""))

    @property
    def executed_id(self) -> str:
        """The id of the execute_request that it belongs to; "" where it belongs to another kind, or to nothing."""
        return self.parent_id if self.parent.get("msg_type") == "execute_request" else ""

    def with_content(self, **changes: Any) -> Message:
        """The same message with some of its content replaced."""
        content = _bytes(self.content | changes)
        return Message([*self.parts[:3], content], self.idents, self.buffers)


def _document(part: bytes) -> dict[str, Any]:
    """One part as JSON. A file name that is no UTF-8, once printed, comes as bytes that are none either."""
    return dict(json.loads(part.decode("utf-8", "replace")))


def _bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


class Signer:
    """Signs with one connection's key and scheme. An empty key means, as everywhere in Jupyter, no signatures."""

    def __init__(self, key: str, scheme: str = "hmac-sha256") -> None:
        self._base = hmac.HMAC(key.encode(), digestmod=scheme.removeprefix("hmac-")) if key else None

    def sign(self, parts: Sequence[bytes]) -> bytes:
        if self._base is None:
            return b""
        state = self._base.copy()
        for part in parts:
            state.update(part)
        return state.hexdigest().encode()

    def frames(self, message: Message) -> list[bytes]:
        """The message as it goes on the wire."""
        signature = self.sign(message.parts)
        return [*message.idents, DELIMITER, signature, *message.parts, *message.buffers]

    def trusts(self, frames: list[bytes]) -> bool:
        """Whether the signature is this key's."""
        at = frames.index(DELIMITER)
        return hmac.compare_digest(self.sign(frames[at + 2 : at + 6]), b"".join(frames[at + 1 : at + 2]))


def now() -> str:
    """The time, as headers have it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def split(frames: list[bytes]) -> Message:
    """Frames from the wire as a message. Raises ValueError where they are none."""
    at = frames.index(DELIMITER)
    if len(frames) < at + 6:
        raise ValueError("a message has at least four parts")
    return Message(frames[at + 2 : at + 6], frames[:at], frames[at + 6 :])


def build(
    kind: str,
    content: dict[str, Any],
    session: str,
    parent: bytes = EMPTY,
    *,
    metadata: dict[str, Any] | None = None,
    idents: Sequence[bytes] = (),
) -> Message:
    """A new message of type ``kind``; ``parent`` is the header of the request it belongs to, as bytes."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "session": session,
        "username": "codeact",
        "date": now(),
        "msg_type": kind,
        "version": "5.4",
    }
    documents = (header, metadata or {}, content)
    head, meta, body = (_bytes(document) for document in documents)
    return Message([head, parent, meta, body], list(idents))
