"""Requests to the sandbox whose messages the agent wants to see: its own, and the person's run of a proposal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from .. import inside
from .taken import TAKEN, Shown, Taken
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
    ``takers``: the Output widgets that outputs go to at the moment, the last one of them.
    ``changed``: those that have taken something.
    """

    way: Way
    listener: Listener
    parent: bytes = b"{}"
    request: Message | None = None
    replied: bool = False
    idle: bool = False
    takers: list[Shown] = field(default_factory=list)
    changed: dict[str, Shown] = field(default_factory=dict)

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

    def outgoing(self, message: Message, taken: Taken) -> Message | None:
        """What the front end is to see of an iopub message. ``taken``: what Output widgets show."""
        if self.way is Way.FORWARD:
            return message
        if self.way is Way.SWALLOW or message.type in ("status", "execute_input"):
            return None
        if message.type == "comm_msg":
            message = self._without_cell(message, taken)
        elif message.type in TAKEN and self.takers:
            self.changed[self.takers[-1].comm_id] = self.takers[-1]
            told = self.takers[-1].take(message)
            if told is None:
                return None
            message = told
        elif message.type == "clear_output":
            # The agent's cell keeps what it has of earlier steps.
            return None
        parts = [message.parts[0], self.parent, *message.parts[2:]]
        return Message(parts, message.idents, message.buffers)

    def _without_cell(self, message: Message, taken: Taken) -> Message:
        """An Output widget names the request whose outputs are its own. For the front end that would be our cell's.

        It is not told: our words and questions would be the widget's then, which could show others in their place, and
        a page whose model has failed takes no word of ours to let go.
        """
        comm_id, data = str(message.content.get("comm_id")), message.content.get("data")
        state = data.get("state") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(state, dict) or "msg_id" not in state:
            return message
        self.takers = [taker for taker in self.takers if taker.comm_id != comm_id]
        if state["msg_id"] == message.parent_id:
            self.takers.append(taken.of(comm_id))
        state = {key: value for key, value in state.items() if key != "msg_id"}
        return message.with_content(data={**data, "state": state})
