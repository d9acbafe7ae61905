"""The requests that went to the sandbox: whatever comes back must belong to one of them."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from .wire import EMPTY, Message

# A thread of an old cell may still print: its request is remembered until this many came after it.
KEPT = 10_000


@dataclass
class Asked:
    """One request. ``header`` and ``idents`` are as they came to us, so that nothing in them is the sandbox's word.

    code: what a person asked to run; None where it was the agent, or is no execute_request.
    """

    kind: str
    channel: str
    header: bytes
    idents: list[bytes]
    stdin: bool = False
    code: str | None = None
    replied: bool = False

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


NOBODY = Asked("", "", EMPTY, [])


class Requests:
    """The last requests, by id."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, Asked] = OrderedDict()
        self._parents: dict[bytes, Asked] = {}

    def add(self, message: Message, channel: str, hers: bool = True) -> None:
        """Note a request that is about to be sent. ``hers``: a person wrote what it runs."""
        stdin, code = False, None
        if message.type == "execute_request":
            stdin = bool(message.content.get("allow_stdin"))
            code = str(message.content.get("code", "")) if hers else None
        asked = Asked(message.type, channel, message.parts[0], message.idents, stdin, code)
        self._asked[message.id] = asked
        if len(self._asked) > KEPT:
            self._asked.popitem(last=False)

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
        name = parent.get("msg_id") if isinstance(parent, dict) else None
        return self._asked.get(name) if isinstance(name, str) else None
