"""What a scripted model server says: replies, failures, and functions of the request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import threading

Json = dict[str, Any]
UNSAID = "unsaid"


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool; a `str` as arguments goes out as it stands, broken JSON included."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)

    @property
    def json(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True)
class Reply:
    """One answer of the model.

    A chunk is a piece of text, thinking or tool arguments of at most `chunk_size` characters; the frames that
    open and close a message do not count.

    Parameters
    ----------
    vectors
        What a request for embeddings is answered with.
    usage
        Tokens of the prompt (cached ones included) and of the completion.
    cached
        How many tokens of the prompt came from the provider's cache.
    delay_s
        Seconds between two chunks.
    refusal
        The words of a refusal, which OpenAI's streams have beside those of an answer.
    ending
        Why the reply ends, in the provider's own word; "" is the usual one. UNSAID: a stream in OpenAI's style ends
        without a reason. None: it closes in good order before its end.
    error
        The type of an error that stands in the place of the end, in a stream in Anthropic's style.
    hold
        Awaited before the first byte, headers included.
    hold_after
        `(n, event)`: after n chunks, wait for the event.
    cut_after
        After n chunks, drop the connection. A reply that does not stream is cut in the middle of its body.
    """

    text: str = ""
    thinking: str = ""
    tool_calls: Sequence[ToolCall] = ()
    vectors: Sequence[Sequence[float]] = ()
    usage: tuple[int, int] = (10, 5)
    cached: int = 0
    refusal: str = ""
    ending: str | None = ""
    error: str = ""
    chunk_size: int = 8
    delay_s: float = 0.0
    hold: threading.Event | None = None
    hold_after: tuple[int, threading.Event] | None = None
    cut_after: int | None = None

    def pieces(self, text: str) -> Iterator[str]:
        for start in range(0, len(text), self.chunk_size):
            yield text[start : start + self.chunk_size]


@dataclass(frozen=True)
class Failure:
    """An HTTP error instead of an answer; a `str` as body is wrapped as both providers wrap messages."""

    status: int = 429
    body: Json | str = "the scripted server says no"
    headers: Mapping[str, str] = field(default_factory=lambda: {"retry-after": "0"})

    @property
    def json(self) -> Json:
        if not isinstance(self.body, str):
            return self.body
        return {"type": "error", "error": {"type": "scripted_failure", "message": self.body}}


@dataclass(frozen=True)
class Raw:
    """The bytes of an answer, as they are; after them the connection is closed."""

    data: bytes = b""


Answer = Reply | Failure | Raw
Step = Answer | Callable[[Json], Answer]


@dataclass(frozen=True)
class Frame:
    """One server-sent event, ready for the wire; `is_chunk` where it carries a piece of the answer."""

    data: bytes
    is_chunk: bool = False
