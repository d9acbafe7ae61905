"""What is said in the place of something that was held back."""

from __future__ import annotations

from collections.abc import Iterable

REMEDY = "`%agent trust outputs` shows such outputs of this kernel."


def note(held: Iterable[str]) -> str:
    """``Held back: JavaScript. `%agent trust outputs` …``; "" where nothing was."""
    names = ", ".join(dict.fromkeys(held))
    return f"Held back: {names}. {REMEDY}" if names else ""
