"""A reply put together from the chunks of a stream, while they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..events import CallDelta, Delta, Reply, TextDelta, ThinkingDelta, ToolCall, Usage


class Assembly:
    """Takes litellm's chunks in. ``usage`` is litellm's own, once it has come; ``ending`` is why the reply ended.

    litellm can put the chunks together itself, and does so several times at the end of each stream; that costs
    more than everything else between the end of a reply and the next request.
    """

    def __init__(self) -> None:
        self.usage: Any = None
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._calls: dict[int, list[str]] = {}
        self._places: dict[int, int] = {}
        self._blocks: list[dict[str, Any]] = []
        self.ending = ""

    @property
    def whole(self) -> bool:
        """Nothing follows the usage of a reply that has ended."""
        return bool(self.ending) and self.usage is not None

    def take(self, chunk: Any) -> Iterator[Delta]:
        """What one chunk brings. Chunks without choices carry usage only."""
        self.usage = getattr(chunk, "usage", None) or self.usage
        for choice in chunk.choices[:1]:
            self.ending = choice.finish_reason or self.ending
            yield from self._delta(choice.delta)

    def reply(self, usage: Usage) -> Reply:
        calls = tuple(ToolCall(*self._calls[index]) for index in sorted(self._calls))
        # A service refuses thinking that it did not sign.
        signed = (block for block in self._blocks if block["type"] != "thinking" or block["signature"])
        # Where there are blocks, litellm has their text a second time.
        reasoning = "" if self._blocks else "".join(self._thinking)
        return Reply("".join(self._text), calls, usage, tuple(signed), reasoning, cut=self.ending == "length")

    def _delta(self, delta: Any) -> Iterator[Delta]:
        for block in getattr(delta, "thinking_blocks", None) or ():
            self._think(block)
        if thinking := getattr(delta, "reasoning_content", None):
            self._thinking.append(thinking)
            yield ThinkingDelta(thinking)
        if delta.content:
            self._text.append(delta.content)
            yield TextDelta(delta.content)
        for call in delta.tool_calls or ():
            yield self._call(call)

    def _call(self, call: Any) -> CallDelta:
        """The id and the name come once, the arguments in pieces."""
        name, arguments = call.function.name or "", call.function.arguments or ""
        place = self._place(call.index, call.id if name else None)
        known = self._calls.setdefault(place, ["", "", ""])
        known[0] = known[0] or call.id or ""
        known[1] = known[1] or name
        known[2] += arguments
        return CallDelta(place, name, arguments)

    def _place(self, index: int, begins: str | None) -> int:
        """Where a piece of a call belongs. Some services give all calls one index: another id begins another call."""
        place = self._places.get(index)
        other = place is not None and begins and self._calls[place][0] not in ("", begins)
        if place is None or other:
            place = index if index not in self._calls else max(self._calls) + 1
        self._places[index] = place
        return place

    def _think(self, block: Any) -> None:
        """A block comes in pieces and ends with its signature; one that is redacted comes whole."""
        if block.get("type") == "redacted_thinking":
            self._blocks.append({"type": "redacted_thinking", "data": block.get("data") or ""})
            return
        if not self._blocks or self._blocks[-1].get("signature", "") or self._blocks[-1]["type"] != "thinking":
            self._blocks.append({"type": "thinking", "thinking": "", "signature": ""})
        self._blocks[-1]["thinking"] += block.get("thinking") or ""
        self._blocks[-1]["signature"] += block.get("signature") or ""
