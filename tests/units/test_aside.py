"""Long messages are checked aside: what comes behind one waits, everything else goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event
from typing import Any

import pytest
from helpers import PATIENCE_S

from jupyter_codeact.kernel.aside import LATE, Aside
from jupyter_codeact.kernel.shape import LONG, is_long
from jupyter_codeact.kernel.wire import DELIMITER, Message, build

SHORT, LENGTHY = (build("display_data", {"data": {"text/plain": text}}, "s") for text in ("x", "x" * LONG))


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


PNG, PLAIN = {"image/png": "iVBO" * LONG}, {"text/plain": "<IPython.core.display.Image object>"}
NONE = {"metadata": {}, "transient": {}}


@pytest.mark.parametrize(
    ("kind", "content", "long"),
    [
        ("display_data", {"data": PNG | PLAIN, **NONE}, False),
        ("execute_result", {"data": PLAIN | PNG, **NONE, "execution_count": 1}, False),
        ("display_data", {"data": {"image/png": "iVBO" * 250_000}, **NONE}, True),
        ("display_data", {"data": PNG | {"text/html": "<p>" * LONG}, **NONE}, True),
        ("display_data", {"data": {"application/vnd.vegalite.v5+json": PNG}, **NONE}, True),
        ("display_data", {"data": {"text/markdown": PNG["image/png"]}, **NONE}, True),
        ("display_data", {"metadata": {}, "data": PNG}, True),
        ("comm_msg", {"data": PNG, "comm_id": "x"}, True),
    ],
)
def test_a_picture_is_none_of_it(kind: str, content: dict[str, Any], long: bool) -> None:
    """And nothing but a picture, whatever calls itself one."""
    assert is_long(frames(build(kind, content, "s"))) is long


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


def test_a_check_that_only_waits_for_the_processor_is_none() -> None:
    loop = Loop(patience_s=0.05)
    spent, long = Event(), loop.go

    def check(frames: list[bytes]) -> Message | None:
        while not spent.is_set():
            pass
        long.wait(PATIENCE_S)
        return LENGTHY

    loop.send(LENGTHY)
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        assert loop.aside.fault() == ""
    long.set()
    loop.turn()
    long = loop.go = Event()
    loop.aside.admit(check, frames(LENGTHY), loop.admitted.append)
    while loop.aside.fault() != LATE:
        pass
    spent.set()
    long.set()
    loop.turn()


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
