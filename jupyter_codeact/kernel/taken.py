"""What Output widgets show, for steps that run in the agent's cell: there no page may give them what comes for a cell.

So what such a widget takes in is told to the page as its state, as a kernel does that sets it itself.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from .shape import written
from .wire import Message, build

TAKEN = frozenset({"stream", "display_data", "execute_result", "error", "clear_output"})
# Bytes that one shows in this way, since all of it is told with each more: what comes then is the agent's cell's.
LARGEST = 500_000
# And bytes that are told of one in all.
MOST = 50_000_000
KEPT = 100
Output = dict[str, Any]


class Shown:
    """What one Output widget shows."""

    def __init__(self, comm_id: str) -> None:
        self.comm_id = comm_id
        self._outputs: list[Output] = []
        self._size = self._told = 0
        self._clears = False

    def note(self, outputs: list[Any]) -> None:
        """It shows these now. So many that there is room for no more are not kept."""
        self._size = len(written({"outputs": outputs}))
        self._outputs = [output for output in outputs if isinstance(output, dict)] if self._size <= LARGEST else []

    def take(self, message: Message) -> Message | None:
        """What tells a page of one output more, or of none; the message itself where there is no room for it."""
        content, size = message.content, len(message.parts[3])
        if message.type == "clear_output" and content.get("wait"):
            self._clears = True
            return None
        if message.type == "clear_output" or self._clears:
            self._outputs, self._size, self._clears = [], 0, False
        if message.type != "clear_output":
            if self._size + size > LARGEST or self._told > MOST:
                return message
            self._size += size
            self._told += self._size
            self._add(message.type, content)
        session = str(message.header.get("session"))
        return build("comm_msg", self.content, session, message.parts[1], idents=message.idents)

    @property
    def content(self) -> dict[str, Any]:
        """Of the message that tells it all, a page or the sandbox."""
        return {"comm_id": self.comm_id, "data": {"method": "update", "state": {"outputs": self._outputs}}}

    def _add(self, kind: str, content: Output) -> None:
        last = self._outputs[-1] if self._outputs else {}
        if kind == "stream" and (last.get("output_type"), last.get("name")) == (kind, content.get("name")):
            self._outputs[-1] = {**last, "text": f"{last.get('text', '')}{content.get('text', '')}"}
        else:
            shown = {key: value for key, value in content.items() if key != "transient"}
            self._outputs.append({"output_type": kind, **shown})


class Taken:
    """What the newest ``KEPT`` Output widgets show that anybody has said something of."""

    def __init__(self) -> None:
        self._shown: OrderedDict[str, Shown] = OrderedDict()

    def of(self, comm_id: str) -> Shown:
        """What this one shows."""
        shown = self._shown.setdefault(comm_id, Shown(comm_id))
        self._shown.move_to_end(comm_id)
        if len(self._shown) > KEPT:
            self._shown.popitem(last=False)
        return shown
