"""What an Output widget shows of a step is told as its state, within bounds."""

from __future__ import annotations

from jupyter_codeact.kernel.taken import LARGEST, MOST, Shown
from jupyter_codeact.kernel.wire import Message, build


def stream(text: str) -> Message:
    return build("stream", {"name": "stdout", "text": text}, "session", b'{"session": "session"}')


def test_the_state_has_all_that_was_taken_and_what_has_no_room_passes() -> None:
    shown, large = Shown("out"), stream("b" * LARGEST)
    for text in ("a\n", "b\n"):
        told = shown.take(stream(text))
        assert told is not None
    assert told.content["data"]["state"]["outputs"] == [{"output_type": "stream", "name": "stdout", "text": "a\nb\n"}]
    assert shown.take(large) is large
    assert shown.take(stream("c\n")) is not None


def test_many_small_ones_tell_a_page_no_more_than_so_much() -> None:
    """Each tells all of it once more: their number takes the square."""
    shown, told, message = Shown("out"), 0, stream("a" * 100)
    while (taken := shown.take(message)) is not message:
        assert taken is not None
        told += len(taken.parts[3])
        assert told < 2 * MOST
    assert told > MOST / 2
