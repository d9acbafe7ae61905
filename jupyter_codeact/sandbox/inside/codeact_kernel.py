"""ipykernel's kernel, with a reply to every cell: one that is interrupted outside of its lines gets none from it.

And with interrupts that reach a cell which awaits something, not only once another message comes.
"""

import math
import signal
import socket
import sys
import time
from contextvars import ContextVar
from typing import Any

from ipykernel.ipkernel import IPythonKernel

BESIDE = "KeyboardInterrupt: before the first line, or after the last"
# The number under which the cell that this task runs was announced; the shell's own may have gone on since.
_announced: ContextVar[int | None] = ContextVar("announced", default=None)


class ReplyingKernel(IPythonKernel):
    """Whoever waits for a cell would wait for ever, and a front end would show it as running."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if hasattr(self, "debugger"):
            # The debugger is imported late, and brings the hook that stops there once one is attached.
            sys.breakpointhook = go_on

    def start(self) -> None:
        """As ipykernel's; and the loop wakes at signals."""
        # As ipykernel does when control is heard already: who asks for subshells a moment too early gets no answer.
        self.shell_channel_thread.manager.set_on_recv_callback(self.shell_main)
        super().start()
        self._alarm = alarm(self.io_loop)

    async def execute_request(self, stream: Any, ident: Any, parent: Any) -> None:
        _announced.set(None)
        try:
            await super().execute_request(stream, ident, parent)
        except KeyboardInterrupt:
            self._fail(stream, ident, parent, ("KeyboardInterrupt", "", BESIDE))
        except Exception as error:  # noqa: BLE001 a request that makes no sense, such as one with expressions in a list
            name = type(error).__name__
            self._fail(stream, ident, parent, (name, str(error), f"{name}: {error}"))

    async def interrupt_request(self, stream: Any, ident: Any, parent: Any) -> None:
        """One that comes to its turn too late is only answered: a signal does it, and it would hit another cell.

        until: the last moment for it, in monotonic time; without that there is none.
        """
        if time.monotonic() <= parent["content"].get("until", math.inf):
            await super().interrupt_request(stream, ident, parent)
        elif self.session is not None:
            self.session.send(stream, "interrupt_reply", {"status": "aborted"}, parent, ident=ident)

    def _publish_execute_input(self, code: Any, parent: Any, execution_count: int) -> None:
        _announced.set(execution_count)
        super()._publish_execute_input(code, parent, execution_count)

    def _fail(self, stream: Any, ident: Any, parent: Any, said: tuple[str, str, str]) -> None:
        assert self.session is not None
        name, text, shown = said
        error = {"ename": name, "evalue": text, "traceback": [shown]}
        self.session.send(self.iopub_socket, "error", error, parent, ident=self._topic("error"))
        announced = _announced.get()
        count = self.execution_count if announced is None else announced
        reply: dict[str, Any] = {**error, "status": "error", "execution_count": count, "user_expressions": {}}
        self.session.send(stream, "execute_reply", reply, parent, ident=ident)


def alarm(loop: Any) -> tuple[socket.socket, socket.socket]:
    """Wake the loop at each signal: a handler only notes what is to be done, and an idle loop would not look.

    The sockets by which that is done have to be kept.
    """
    heard, rung = socket.socketpair()
    heard.setblocking(False)
    rung.setblocking(False)
    signal.set_wakeup_fd(rung.fileno(), warn_on_full_buffer=False)
    loop.add_handler(heard, lambda *_: heard.recv(4096), loop.READ)
    return heard, rung


def go_on() -> None:
    """What `breakpoint()` does in a kernel that nobody debugs."""
