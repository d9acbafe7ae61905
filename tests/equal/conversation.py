"""A front end that sends requests of every kind to a kernel, and writes down all that comes back."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zmq
from helpers import PATIENCE_S
from jupyter_client.connect import ConnectionFileMixin
from jupyter_client.manager import KernelManager
from jupyter_client.session import Session

Content = dict[str, Any]
Transcript = dict[str, Any]
PATIENCE_MS = PATIENCE_S * 1000
# What differs from one run of the same kernel to the next.
_CHANGING = (
    # Tracebacks write paths from the home on, and the sandbox's home is another.
    (re.compile(re.escape(os.path.expanduser("~") + "/")), "~/"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{24}_\d+_\d+\b"), "ID"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(_\d+)*\b"), "ID"),
    (re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"), "ID"),
    (re.compile(r"ipykernel_\d+/\d+\.py"), "ipykernel/CELL.py"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "DATE"),
    (re.compile(r"\b0x[0-9a-f]+"), "ADDRESS"),
    (re.compile(r"out-scope-[0-9a-f]+"), "out-scope"),
    (re.compile(r'(?<=_port": )\d+'), "0"),
    # Of several, one is chosen each time.
    (re.compile(r'Tip: (?:[^"\\]|\\.)*'), "TIP"),
)


@dataclass(frozen=True)
class Ask:
    """One request.

    content: or a function that makes it of what was heard so far.
    hears: a text of an output that is awaited before the next request is sent.
    ends: whether its end is awaited before the next request is sent; the end of the case awaits all.
    answered: whether it has an end: a comm_msg that comes while a cell awaits it is never busy nor idle.
    answers: what is typed where it asks for input; None where a question is left unanswered.
    """

    kind: str
    content: Content | Callable[[Conversation], Content] = field(default_factory=dict)
    channel: str = "shell"
    buffers: Sequence[bytes] = ()
    metadata: Content = field(default_factory=dict)
    subshell: bool = False
    hears: str = ""
    ends: bool = True
    answered: bool = True
    answers: Sequence[str | None] = ()


def execute(
    code: str, *, hears: str = "", ends: bool = True, answers: Sequence[str | None] = (), **content: Any
) -> Ask:
    asked = {"silent": False, "store_history": True, "user_expressions": {}, "stop_on_error": True}
    asked |= {"code": code, "allow_stdin": bool(answers), **content}
    return Ask("execute_request", asked, hears=hears, ends=ends, answers=answers)


class Conversation:
    """What is asked of one kernel, and what was heard, message by message."""

    def __init__(self, manager: ConnectionFileMixin) -> None:
        self.session = Session(key=manager.session.key)
        identity = self.session.bsession
        self.sockets: dict[str, zmq.Socket[Any]] = {
            "iopub": manager.connect_iopub(),
            "stdin": manager.connect_stdin(identity),
            "shell": manager.connect_shell(identity),
            "control": manager.connect_control(identity),
        }
        self.ports = {name: port for name, port in manager.get_connection_info().items() if name.endswith("_port")}
        self.poller = zmq.Poller()
        for socket in self.sockets.values():
            self.poller.register(socket, zmq.POLLIN)
        self.asked: dict[str, tuple[int, Ask]] = {}
        self.heard: list[tuple[str, Content]] = []
        self.wait(lambda: "iopub_welcome" in self.kinds())
        # What is said at the start may come before somebody listens.
        self.hold([Ask("kernel_info_request")])

    def close(self) -> None:
        for socket in self.sockets.values():
            socket.close(linger=0)

    def hold(self, asks: Sequence[Ask]) -> Transcript:
        """Send all, each when the one before it has ended; returns what was heard."""
        self.asked, self.heard = {}, []
        for number, ask in enumerate(asks):
            request = self._send(number, ask)
            if ask.hears:
                self.wait(lambda text=ask.hears: text in self.text())  # type: ignore[misc]
            elif ask.ends:
                self.wait(lambda request=request: self._has_ended(request))  # type: ignore[misc]
        self.wait(lambda: all(map(self._has_ended, self.asked)))
        return self._transcript()

    def wait(self, done: Callable[[], bool]) -> None:
        """Until it is done. Raises TimeoutError where the kernel says nothing more for long."""
        while not done():
            ready = self.poller.poll(PATIENCE_MS)
            if not ready:
                raise TimeoutError(f"The kernel said nothing more after {self.kinds()}.")
            for channel, socket in self.sockets.items():
                while socket.poll(0):
                    self._hear(channel, socket)

    def kinds(self) -> list[str]:
        return [message["msg_type"] for _, message in self.heard]

    def text(self) -> str:
        """All that was printed and asked, and the events of the debugger."""
        names = {"stream": "text", "input_request": "prompt", "debug_event": "event"}
        return "".join(m["content"][names[m["msg_type"]]] for _, m in self.heard if m["msg_type"] in names)

    def find(self, kind: str) -> Content:
        """The content of the first message of this kind."""
        return next(message["content"] for _, message in self.heard if message["msg_type"] == kind)

    def _send(self, number: int, ask: Ask) -> str:
        content = ask.content(self) if callable(ask.content) else ask.content
        header = self.session.msg_header(ask.kind)
        if ask.subshell:
            header["subshell_id"] = self.find("create_subshell_reply")["subshell_id"]
        self.asked[header["msg_id"]] = (number, ask)
        socket = self.sockets[ask.channel]
        message = {"header": header, "parent_header": {}, "metadata": ask.metadata, "content": content}
        self.session.send(socket, message, buffers=list(ask.buffers))
        return str(header["msg_id"])

    def _hear(self, channel: str, socket: zmq.Socket[Any]) -> None:
        _, message = self.session.recv(socket)
        assert message is not None
        self.heard.append((channel, message))
        if channel == "stdin":
            request = message["parent_header"]["msg_id"]
            asked = sum(c == "stdin" and m["parent_header"]["msg_id"] == request for c, m in self.heard)
            answer = self.asked[request][1].answers[asked - 1]
            if answer is not None:
                self.session.send(socket, "input_reply", {"value": answer}, parent=message)

    def _has_ended(self, request: str) -> bool:
        """Reply and idle have both come."""
        _, ask = self.asked[request]
        mine = [(channel, m) for channel, m in self.heard if m["parent_header"].get("msg_id") == request]
        idle = any(m["content"].get("execution_state") == "idle" for _, m in mine)
        replied = not ask.kind.endswith("_request") or any(channel == ask.channel for channel, _ in mine)
        return not ask.answered or (idle and replied)

    def _transcript(self) -> Transcript:
        """By channel, in order; for each message who asked, what it is and what it holds."""
        channels: Transcript = {name: [] for name in self.sockets}
        for channel, message in self.heard:
            if self._is_internal(message):
                continue
            channels[channel].append(self._entry(message))
        return normalised({channel: _in_order(entries) for channel, entries in channels.items()})

    def _is_internal(self, message: Content) -> bool:
        """A debugger asks its own kernel things, and tells of what it sees whenever it does."""
        parent = message["parent_header"].get("msg_id")
        is_event = message["msg_type"] == "debug_event" and message["content"]["event"] not in (
            "initialized",
            "stopped",
        )
        return (parent and parent not in self.asked) or is_event

    def _entry(self, message: Content) -> Content:
        number, _ = self.asked.get(message["parent_header"].get("msg_id", ""), (None, None))
        return {
            "asked": number,
            "type": message["msg_type"],
            "header": [message["header"]["version"], *sorted(message["header"])],
            "parent": sorted(message["parent_header"]),
            "metadata": message["metadata"],
            "content": _REDUCED.get(message["msg_type"], dict)(message["content"]),
            "buffers": [bytes(buffer).hex() for buffer in message["buffers"]],
        }


def _in_order(entries: Sequence[Content]) -> list[Content]:
    """By request, since of two at once each keeps its own order; a stream that came in pieces is one."""
    whole: list[Content] = []
    for entry in sorted(entries, key=lambda entry: -1 if entry["asked"] is None else entry["asked"]):
        if whole and entry["type"] == "stream" and _continues(whole[-1], entry):
            whole[-1]["content"]["text"] += entry["content"]["text"]
        else:
            whole.append(entry)
    return whole


def _continues(before: Content, entry: Content) -> bool:
    """Whether two pieces of a stream would be one, had the kernel waited."""
    names = [(e["type"], e["asked"], e["content"].get("name")) for e in (before, entry)]
    return names[0] == names[1]


def _measured(content: Content) -> Content:
    """Which figures there are; that of the host's processor is only there where it isn't 0."""
    return {
        name: _measured(value) if isinstance(value, dict) else value if isinstance(value, str) else 0
        for name, value in content.items()
        if name != "host_cpu_percent"
    }


def _debugged(content: Content) -> Content:
    """What the debugger did; its numbers, ports and modules are those of a process."""
    body = content.get("body") or {}
    told = {key: body[key] for key in ("reason", "result", "breakpoints", "variables") if key in body}
    return (
        {key: content[key] for key in ("event", "command", "success") if key in content} | told | {"body": sorted(body)}
    )


_REDUCED = {"usage_reply": _measured, "debug_reply": _debugged, "debug_event": _debugged}


def normalised(transcript: Transcript) -> Transcript:
    """Without what differs between two runs of the same kernel."""
    text = json.dumps(transcript, default=str, sort_keys=True)
    for pattern, name in _CHANGING:
        text = pattern.sub(name, text)
    return dict(json.loads(text))


@contextmanager
def conversation(kernel_name: str, folder: Path) -> Iterator[Conversation]:
    """With a kernel of its own, in ``folder``."""
    manager = KernelManager(kernel_name=kernel_name)
    # ipykernel captures less of what its subprocesses print where it sees that it is tested.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    manager.start_kernel(cwd=str(folder), env=environment)
    talk = Conversation(manager)
    try:
        yield talk
    finally:
        talk.close()
        manager.shutdown_kernel(now=True)
