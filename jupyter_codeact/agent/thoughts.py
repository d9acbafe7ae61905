"""Thinking that comes as text: ``<think>…</think>`` at a reply's beginning, of servers that don't tell it apart."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..events import Delta, TextDelta, ThinkingDelta

BEGINS, ENDS = "<think>", "</think>"
_THOUGHT = re.compile(rf"\A\s*{BEGINS}.*?({ENDS}\s*|\Z)", re.DOTALL)


def without_thought(text: str) -> str:
    """A whole reply's text without its thinking: a block of code in there is no action."""
    return _THOUGHT.sub("", text, count=1)


class Thoughts:
    """Takes deltas in, and gives them back with such thinking as what it is. What may be a mark waits."""

    def __init__(self) -> None:
        self._state = "begins"
        self._held = ""

    def take(self, delta: Delta) -> Iterator[Delta]:
        if not isinstance(delta, TextDelta) or self._state == "said":
            yield delta
            return
        self._held += delta.text
        if self._state == "begins":
            self._begin()
        if self._state == "thinks":
            yield from self._think()
        if self._state == "thought":
            # White space between thinking and words is neither's.
            self._held = self._held.lstrip()
            self._state = "said" if self._held else "thought"
        if self._state == "said" and self._held:
            yield TextDelta(self._held)
            self._held = ""

    def rest(self) -> Iterator[Delta]:
        """What has waited, once the reply has ended."""
        if self._held and self._state != "thought":
            yield ThinkingDelta(self._held) if self._state == "thinks" else TextDelta(self._held)
        self._held = ""

    def _begin(self) -> None:
        bare = self._held.lstrip()
        if bare.startswith(BEGINS):
            self._state, self._held = "thinks", bare.removeprefix(BEGINS)
        elif not BEGINS.startswith(bare):
            self._state = "said"

    def _think(self) -> Iterator[Delta]:
        thought, end, after = self._held.partition(ENDS)
        if end:
            self._state, self._held = "thought", after
        else:
            kept = next(n for n in range(len(ENDS), -1, -1) if self._held.endswith(ENDS[:n]))
            thought, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        if thought:
            yield ThinkingDelta(thought)
