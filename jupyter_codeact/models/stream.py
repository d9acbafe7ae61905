"""litellm's stream of a reply: what its chunks leave out, and that it is closed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Self


class Heard:
    """What a service sends, on its way to litellm. ``refused``: it sent words of a refusal, which litellm drops."""

    def __init__(self, source: Any) -> None:
        self.refused = False
        self._source = source

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def __aiter__(self) -> Self:
        self._chunks = aiter(self._source)
        return self

    async def __anext__(self) -> Any:
        chunk = await anext(self._chunks)
        choices = getattr(chunk, "choices", None) or ()
        self.refused = self.refused or any(_refusal(choice) for choice in choices)
        return chunk


def _refusal(choice: Any) -> str | None:
    return getattr(getattr(choice, "delta", None), "refusal", None)


def has_ended(stream: Any) -> bool:
    """Whether the service has said that its reply ends: where it has not, litellm's chunks say so all the same.

    These are litellm's own; where a later one has none, every stream that closes is taken for a whole one.
    """
    said = (getattr(stream, name, True) for name in ("received_finish_reason", "intermittent_finish_reason"))
    return any(said)


@asynccontextmanager
async def heard(stream: Any) -> AsyncGenerator[Heard, None]:
    """Close a stream that is left early, as a Stop does: its service writes, and charges, until its connection ends."""
    source = stream.completion_stream
    found = Heard(source)
    if hasattr(source, "__aiter__"):
        stream.completion_stream = found
    # litellm's own iterator of Anthropic's replies can't be closed; what it reads can.
    lines = getattr(source, "streaming_response", None)
    try:
        yield found
    finally:
        await stream.aclose()
        if lines is not None and hasattr(lines, "aclose"):
            await lines.aclose()
