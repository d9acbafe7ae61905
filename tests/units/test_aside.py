"""Long messages are checked aside: what comes behind one waits, everything else goes on."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Event

from jupyter_codeact.kernel.aside import LATE, Aside
from jupyter_codeact.kernel.shape import LONG, is_long
from jupyter_codeact.kernel.wire import DELIMITER, Message, build

SHORT, LENGTHY = (build("display_data", {"data": {"text/plain": text}}, "s") for text in ("x", "x" * LONG))
PATIENCE_S = 60


def frames(message: Message) -> list[bytes]:
    return [DELIMITER, b"", *message.parts]


class Loop:
    """What the proxy's thread has in common with this test: calls are posted to it."""

    def __init__(self, **options: float) -> None:
        self.posts: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.aside = Aside(self.posts.put, **options)
        self.admitted: list[Message] = []
        self.go = Event()

    def send(self, message: Message, passes: bool = True) -> None:
        go = self.go

        def check(_: list[bytes]) -> Message | None:
            assert message is SHORT or go.wait(PATIENCE_S)
            return message if passes else None

        self.aside.admit(check, frames(message), self.admitted.append)

    def turn(self) -> None:
        self.posts.get(timeout=PATIENCE_S)()


def test_only_what_may_take_long_is_checked_aside() -> None:
    prints = build("stream", {"name": "stdout", "text": "x" * LONG}, "s")
    assert [is_long(frames(message)) for message in (SHORT, LENGTHY, prints)] == [False, True, False]
    assert not is_long([b"x" * LONG])
    # What it is, is said by its header, and not by what it looks like.
    prints.parts[0] = LENGTHY.parts[0]
    assert is_long(frames(prints))


def test_while_something_is_checked_the_loop_goes_on() -> None:
    loop = Loop()
    loop.send(LENGTHY)
    assert loop.aside.busy
    assert loop.admitted == []
    loop.send(SHORT)
    assert loop.admitted == [SHORT]
    loop.go.set()
    loop.turn()
    assert loop.admitted == [SHORT, LENGTHY]
    assert not loop.aside.busy


def test_what_is_refused_holds_nothing_up() -> None:
    loop = Loop()
    loop.go.set()
    loop.send(LENGTHY, passes=False)
    loop.turn()
    assert (loop.admitted, loop.aside.busy) == ([], False)


def test_a_check_that_never_ends_is_a_fault_and_is_waited_for_no_longer() -> None:
    loop = Loop(patience_s=-1)
    assert loop.aside.fault() == ""
    loop.send(LENGTHY)
    assert loop.aside.fault() == LATE
    loop.aside.forget()
    assert (loop.aside.busy, loop.aside.fault()) == (False, "")
    # The next one has a thread of its own.
    stuck, loop.go = loop.go, Event()
    loop.go.set()
    loop.send(LENGTHY)
    loop.turn()
    assert loop.admitted == [LENGTHY]
    stuck.set()
