"""One queue of execute_requests: one runs, the others wait in order; an error takes the waiting ones with it."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

from .requests import cursor_in, is_stored
from .wire import Message, now

_OURS = re.compile(r"\s*\??\??%%?(agent|skill)\b")
_BEHIND = re.compile(r"\s*%%?(agent|skill)\s")
_LINE = re.compile(r"\s*(%(agent|skill)\b.*|\?\??%%?(agent|skill)\b.*|#.*)?$")


@dataclass
class Request:
    """An execute_request from a front end. ``ours`` is answered here, everything else in the sandbox.

    started: when it became the current one, as headers have it.
    """

    message: Message
    ours: bool
    reply: Message | None = None
    idle: bool = False
    started: str = ""

    @classmethod
    def read(cls, message: Message) -> Request:
        content = message.parts[3]
        # Almost no cell is ours; the bytes tell that without reading JSON.
        maybe = b"%agent" in content or b"%skill" in content
        return cls(message, maybe and is_ours(str(message.content.get("code", ""))))

    @property
    def id(self) -> str:
        return self.message.id

    @property
    def code(self) -> str:
        return str(self.message.content.get("code", ""))

    @property
    def cell_id(self) -> str:
        """JupyterLab's id of the cell, or "" from front ends that send none."""
        return str(self.message.metadata.get("cellId") or "")

    @property
    def session(self) -> str:
        return str(self.message.header.get("session", ""))

    @property
    def silent(self) -> bool:
        """Whether a front end runs this for itself: nobody's cell."""
        return bool(self.message.content.get("silent"))

    @property
    def is_stored(self) -> bool:
        """Whether it has a number, and a place in the history."""
        return is_stored(self.message.content)

    @property
    def expressions(self) -> dict[str, str]:
        """What the front end wants to know once it has run."""
        found = self.message.content.get("user_expressions")
        return found if isinstance(found, dict) else {}

    @property
    def stops_on_error(self) -> bool:
        return not self.silent and bool(self.message.content.get("stop_on_error", True))


def is_ours(code: str) -> bool:
    """A cell that starts with our cell magic, or that holds our line magics and nothing else.

    A line of ours between lines of Python runs in the sandbox, which says that it belongs in an own cell.
    """
    if not _OURS.match(code):
        return False
    return code.lstrip().startswith("%%") or all(_LINE.match(line) for line in code.splitlines())


def concerns_ours(message: Message) -> bool:
    """Whether a completion is asked for behind the name of one of our magics, or an inspection in its line."""
    if b"%agent" not in message.parts[3] and b"%skill" not in message.parts[3]:
        return False
    code, cursor = cursor_in(message.content)
    before = code[:cursor].rpartition("\n")[2]
    if message.type == "inspect_request":
        return _OURS.match(before + code[cursor:].partition("\n")[0]) is not None
    return _BEHIND.match(before) is not None


class ExecuteQueue:
    """Which request runs, and which wait."""

    def __init__(self) -> None:
        self.current: Request | None = None
        self.waiting: deque[Request] = deque()

    def add(self, request: Request) -> None:
        self.waiting.append(request)

    def next(self) -> Request | None:
        """The request that may start now, if any; it is current from here on."""
        if self.current is not None or not self.waiting:
            return None
        self.current = self.waiting.popleft()
        self.current.started = now()
        return self.current

    def finish(self, failed: bool) -> list[Request]:
        """The current request has ended; returns those that are aborted with it."""
        ended, self.current = self.current, None
        if not (failed and ended and ended.stops_on_error):
            return []
        aborted = list(self.waiting)
        self.waiting.clear()
        return aborted
