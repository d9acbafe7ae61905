"""Which comms are ours, and what front ends say on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .wire import Message

TARGET = "jupyter_codeact"


@dataclass(frozen=True)
class CommMessage:
    """What one front end said. ``session`` is its kernel connection, ``header`` what an answer has as parent."""

    comm_id: str
    session: str
    header: bytes
    data: dict[str, Any]
    closed: bool = False


class Comms:
    """The ids of the comms that front ends opened with us."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    def takes(self, message: Message) -> bool:
        """Whether a comm message from a front end is for us."""
        content = message.content
        if message.type == "comm_open" and content.get("target_name") == TARGET:
            self.ids.add(str(content.get("comm_id")))
            return True
        return str(content.get("comm_id")) in self.ids

    def read(self, message: Message) -> CommMessage:
        content = message.content
        closed = message.type == "comm_close"
        if closed:
            self.ids.discard(str(content.get("comm_id")))
        data = content.get("data")
        session = str(message.header.get("session", ""))
        comm_id = str(content.get("comm_id"))
        return CommMessage(comm_id, session, message.parts[0], data if isinstance(data, dict) else {}, closed)

    def claims_ours(self, message: Message) -> bool:
        """Whether a comm message from the sandbox pretends to be one of ours."""
        content = message.content
        return content.get("target_name") == TARGET or content.get("comm_id") in self.ids
