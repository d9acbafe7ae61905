"""Requests to the sandbox whose messages the agent wants to see: its own, and the person's run of a proposal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from .. import inside
from .wire import Message

Listener = Callable[[Message], None]


class Way(Enum):
    """What the front end gets of a tapped request."""

    FORWARD = "as it is: the front end asked for it"
    REPARENT = "its outputs, as outputs of the agent's cell"
    SWALLOW = "nothing"


@dataclass
class Tap:
    """One tapped request. ``listener`` is called in the proxy's thread and must not block.

    ``parent`` is the header that outputs are given with Way.REPARENT; ``request`` is the front end's, with Way.FORWARD.
    ``takers``: comm ids of the Output widgets that outputs go to at the moment.
    """

    way: Way
    listener: Listener
    parent: bytes = b"{}"
    request: Message | None = None
    replied: bool = False
    idle: bool = False
    takers: set[str] = field(default_factory=set)

    @property
    def ended(self) -> bool:
        """Reply and idle have both come: only then has every output come too."""
        return self.replied and self.idle

    def hear(self, message: Message) -> None:
        """Pass a message of the request on to the listener, and note its end."""
        if message.type == "execute_reply":
            self.replied = True
        elif message.type == "status" and message.content.get("execution_state") == "idle":
            self.idle = True
        self.listener(message)

    def replying(self, message: Message) -> Message:
        """What the front end is to see of the reply: what it did not ask for is left out."""
        return message.with_content(user_expressions=inside.without_state(message.content))

    def outgoing(self, message: Message) -> Message | None:
        """What the front end is to see of an iopub message."""
        if self.way is Way.FORWARD:
            return message
        if self.way is Way.SWALLOW or message.type in ("status", "execute_input"):
            return None
        if message.type == "clear_output" and not self.takers:
            # The agent's cell keeps what it has of earlier steps.
            return None
        if message.type == "comm_msg":
            message = self._taken(message)
        parts = [message.parts[0], self.parent, *message.parts[2:]]
        return Message(parts, message.idents, message.buffers)

    def _taken(self, message: Message) -> Message:
        """An Output widget names the request whose outputs are its own: for the front end, that of the agent's cell."""
        comm = message.content.get("comm_id")
        data = message.content.get("data")
        state = data.get("state") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(state, dict) or "msg_id" not in state:
            return message
        if state["msg_id"] != message.parent_id:
            self.takers.discard(str(comm))
            return message
        self.takers.add(str(comm))
        return message.with_content(data={**data, "state": {**state, "msg_id": Message([self.parent]).id}})
