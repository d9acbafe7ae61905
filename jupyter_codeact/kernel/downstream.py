"""What comes from the sandbox: past the border, to front ends, and to whoever of ours asked for it.

Everything here runs in the proxy's thread and never waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import zmq

from .aside import Aside
from .border import Border
from .ledger import Ledger
from .polling import Polling
from .question import Question
from .sockets import Back, Front
from .taps import Tap, Way
from .turns import Turns
from .wire import Message, build

# How many outputs are moved, and for how long, before the other sockets get a turn.
BATCH = 64
BATCH_S = 0.05
# How long the outputs that a sandbox left behind are waited for: they may have been made to take long to check.
DRAIN_S = 10.0
# As a plain number: this is asked before each output, and to try, and fail, takes longer.
READABLE = int(zmq.POLLIN)
LEFT = "Outputs that would have taken too long to check are left out."


class Downstream:
    """See the module.

    taps: who of ours hears what comes for a request, by its id. heard: called when the sandbox hears us.
    controlled: called with each answer on control. told: called with what the sandbox is to hear, in ``session``.
    """

    def __init__(
        self,
        *,
        front: Front,
        border: Border,
        turns: Turns,
        ledger: Ledger,
        question: Question,
        polling: Polling,
        heard: Callable[[], None],
        controlled: Callable[[Message], None],
        told: Callable[[Message], None],
        session: str,
    ) -> None:
        self.taps: dict[str, Tap] = {}
        self.aside = Aside(polling.post)
        self._front = front
        self._border = border
        self._turns = turns
        self._ledger = ledger
        self._question = question
        self._polling = polling
        self._heard = heard
        self._controlled = controlled
        self._told = told
        self._session = session

    def take(self, back: Back, is_fresh: bool) -> None:
        """Read what this sandbox says from now on. ``is_fresh``: it took the place of another one."""
        self._back = back
        self._is_fresh = is_fresh
        self._drained_by: float | None = None
        self._polling.watch(back.iopub, self._read_iopub)
        self._polling.watch(back.shell, self._read_shell)
        self._polling.watch(back.control, self._read_control)
        self._polling.watch(back.stdin, self._read_stdin)

    def hold(self) -> None:
        """Outputs, and the replies behind them, are read only while front ends take what is published."""
        self._polling.hold((self._back.iopub, self._back.shell), self._holds())

    def _holds(self) -> bool:
        """Whether what the sandbox says has to wait: for front ends that read, or for the end of a long check."""
        return self._front.outlet.blocked or self.aside.busy

    # ---- iopub

    def drains(self) -> bool:
        """Go on with what a sandbox left that has ended; whether there may be more that is worth the wait."""
        self._drained_by = self._drained_by or time.monotonic() + DRAIN_S
        return (self._read_iopub() or self.aside.busy) and time.monotonic() < self._drained_by

    def _read_iopub(self) -> bool:
        """Move what is there; whether there may be more. Outputs of one request keep their order; replies wait."""
        until = time.monotonic() + BATCH_S
        for _ in range(BATCH):
            if self._holds() or not int(self._back.iopub.getsockopt(zmq.EVENTS)) & READABLE:
                return False
            self.aside.admit(self._border.published, self._back.iopub.recv_multipart(), self._publish)
            if time.monotonic() > until:
                break
        return True

    def _publish(self, message: Message) -> None:
        if message.type == "iopub_welcome":
            self._heard()
            return
        if self._is_fresh and message.type == "status" and message.content["execution_state"] == "starting":
            # It may come behind the welcome, and was said when the sandbox was opened. Of the first one it is passed
            # on: a page whose kernel was restarted from elsewhere listens again by then, and attaches itself by it.
            return
        if not (self.taps or self._turns.queue.current):
            self._front.send(self._front.iopub, message)
            return
        tap = self.taps.get(message.executed_id)
        outgoing = message if tap is None else tap.outgoing(message, self._border.widgets.taken)
        if outgoing is not None:
            self._front.send(self._front.iopub, outgoing)
        if tap is not None:
            self._hear(message, tap)
        if message.type == "status" and message.content.get("execution_state") == "idle":
            self._turns.idle(message, shown=outgoing is not None)

    # ---- shell, control, stdin

    def _read_shell(self) -> None:
        self._read_iopub()
        if not self._holds():
            check = partial(self._border.replied, channel="shell")
            self.aside.admit(check, self._back.shell.recv_multipart(), self._reply)

    def _reply(self, message: Message) -> None:
        tap = self.taps.get(message.executed_id)
        if message.type == "execute_reply":
            self._ledger.ended(message.executed_id, message.content)
        if tap is None or tap.way is Way.FORWARD:
            self._front.answer(self._front.shell, message if tap is None else tap.replying(message))
        if tap is not None:
            self._hear(message, tap)
        self._turns.replied(message)

    def _hear(self, message: Message, tap: Tap) -> None:
        tap.hear(message)
        if tap.ended:
            self.taps.pop(message.executed_id, None)
            for shown in tap.changed.values():
                # As a page says it to the kernel, once it has taken something in.
                self._told(build("comm_msg", shown.content, self._session))

    def _read_control(self) -> None:
        check = partial(self._border.replied, channel="control")
        self.aside.admit(check, self._back.control.recv_multipart(), self._controlled)

    def _read_stdin(self) -> None:
        """While a question of ours is open nothing else is asked: an answer to it would be taken for ours."""
        message = self._border.asked(self._back.stdin.recv_multipart())
        if message is not None and not self._question.is_open:
            self._front.send(self._front.stdin, message)
