"""The requests that went to the sandbox: whatever comes back must belong to one of them."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from .wire import EMPTY, Message

# A thread of an old cell may still print: its request is remembered until this many others have ended after it. As many
# may be open at once: a front end may ask without end, and a sandbox never answer.
KEPT = 50_000

Key = tuple[str, str]


@dataclass
class Asked:
    """One request. ``header`` and ``idents`` are as they came to us, so that nothing in them is the sandbox's word.

    code: what a person asked to run, or the line that she would have completed, up to her cursor; None where it was the
    agent, or is another request.
    cursor: where that is in her cell. behind: the rest of that line.
    source: what an execute_request runs, until front ends have been told; None where they are told nothing.
    target: of which comms it asks; "" for all.
    aside: whether it goes to a subshell.
    busy, idle: what the sandbox has said of it. It is open until it is idle.
    count: a cell's number: the one that it should have, until the sandbox says which.
    """

    id: str
    kind: str
    channel: str
    header: bytes
    idents: list[bytes]
    stdin: bool = False
    code: str | None = None
    cursor: int = 0
    behind: str = ""
    source: str | None = None
    target: str = ""
    aside: bool = False
    replied: bool = False
    busy: bool = False
    idle: bool = False
    count: int = 0

    @property
    def key(self) -> Key:
        return self.id, self.kind

    @property
    def message(self) -> Message:
        """As much of it as an answer needs."""
        return Message([self.header, EMPTY, EMPTY, EMPTY], self.idents)

    @property
    def wants_reply(self) -> bool:
        """Comm messages want none."""
        return self.kind.endswith("_request")

    @property
    def reply(self) -> str:
        """The kind of message that answers it."""
        return self.kind.removesuffix("_request") + "_reply"


def of_ours(code: str, silent: bool, expressions: dict[str, str]) -> dict[str, Any]:
    """The content of an execute_request that no front end sent."""
    return {
        "code": code,
        "silent": silent,
        "store_history": not silent,
        "user_expressions": expressions,
        "allow_stdin": False,
        "stop_on_error": False,
    }


def is_stored(content: dict[str, Any]) -> bool:
    """Whether a cell has a number, and a place in the history."""
    return not content.get("silent") and bool(content.get("store_history", True))


def cursor_in(content: dict[str, Any]) -> tuple[str, int]:
    """A cell and the place in it of which a front end asks; without one, its end."""
    code, cursor = str(content.get("code", "")), content.get("cursor_pos")
    return code, cursor if isinstance(cursor, int) and 0 <= cursor <= len(code) else len(code)


NOBODY = Asked("", "", "", EMPTY, [])


class Requests:
    """All that is open, and the last ``kept`` that are not."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        # By id and kind: the two ends of jupyter_client share a session and count its messages each for itself, so that
        # an interrupt may have the id of the cell that it is to interrupt.
        self._open: dict[Key, Asked] = {}
        # Comm messages that nothing was heard of are here too: of those that a cell awaits, nothing ever is.
        self._rest: OrderedDict[Key, Asked] = OrderedDict()
        self._parents: dict[bytes, Asked] = {}
        self._last = 0

    @property
    def full(self) -> bool:
        """Whether so much is open that nothing more should be asked."""
        return len(self._open) >= self._kept

    def add(self, message: Message, channel: str, hers: bool = True) -> None:
        """Note a request that is about to be sent. ``hers``: a person wrote what it runs."""
        asked = Asked(message.id, message.type, channel, message.parts[0], message.idents)
        if message.type == "execute_request":
            asked.stdin = bool(message.content.get("allow_stdin"))
            asked.aside = bool(message.header.get("subshell_id"))
            source = str(message.content.get("code", ""))
            asked.code = source if hers else None
            asked.source = None if message.content.get("silent") else source
            # A sandbox that dies at once takes with it what it would have said of the cell.
            asked.count = self._last + is_stored(message.content)
        elif message.type == "complete_request":
            code, asked.cursor = cursor_in(message.content)
            asked.code = code[: asked.cursor].rpartition("\n")[2]
            asked.behind = code[asked.cursor :].partition("\n")[0]
        elif message.type == "comm_info_request":
            asked.target = str(message.content.get("target_name") or "")
        if self._open.pop(asked.key, None) or self._rest.pop(asked.key, None):
            # Sent twice: what comes now is of the second one.
            self._parents.clear()
        if asked.wants_reply:
            self._open[asked.key] = asked
        else:
            self._put_by(asked)

    def count(self, msg_id: str) -> int:
        """The number of a cell that is open; 0 where it is not."""
        asked = self._open.get((msg_id, "execute_request"))
        return asked.count if asked else 0

    def running(self) -> frozenset[Key]:
        """What an interrupt may hit: cells that are open, the running one and any that are in line behind it."""
        return frozenset(key for key, it in self._open.items() if it.kind == "execute_request" and not it.aside)

    def numbered(self, asked: Asked, count: int) -> None:
        """The sandbox has said which number a cell has."""
        asked.count = self._last = count

    def heard(self, asked: Asked, state: str) -> None:
        """The sandbox has said busy or idle of it."""
        if asked is NOBODY or asked.idle:
            return
        if state == "busy":
            asked.busy = True
            self._rest.pop(asked.key, None)
            self._open[asked.key] = asked
        elif state == "idle":
            self._end(asked)

    def end(self) -> list[Asked]:
        """Nothing will come any more of what is open, which is returned."""
        left = [asked for asked in (*self._open.values(), *self._rest.values()) if not asked.idle]
        for asked in left:
            self._end(asked)
        self._last = 0
        return left

    def _end(self, asked: Asked) -> None:
        asked.idle = True
        self._open.pop(asked.key, None)
        self._put_by(asked)

    def _put_by(self, asked: Asked) -> None:
        self._rest[asked.key] = asked
        if len(self._rest) > self._kept:
            self._rest.popitem(last=False)

    def parent(self, header: bytes) -> Asked | None:
        """The request that a message claims to belong to; NOBODY where it claims none, None where there is none.

        The kernel repeats the same bytes with every output of a request: they are read once.
        """
        known = self._parents.get(header)
        if known is None:
            known = self._find(header)
            if known is None:
                return None
            if len(self._parents) >= 256:
                self._parents.clear()
            self._parents[header] = known
        return known

    def _find(self, header: bytes) -> Asked | None:
        parent: Any = json.loads(header.decode(errors="replace"))
        if parent == {}:
            return NOBODY
        match parent:
            case {"msg_id": str(name), "msg_type": str(kind)}:
                return self._open.get((name, kind)) or self._rest.get((name, kind))
        return None
