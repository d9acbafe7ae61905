"""What is said in the place of something that was held back."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

REMEDY = "`%agent trust outputs` shows such outputs of this kernel."


def note(held: Iterable[str]) -> str:
    """``Held back: JavaScript. `%agent trust outputs` …``; "" where nothing was."""
    names = ", ".join(dict.fromkeys(held))
    return f"Held back: {names}. {REMEDY}" if names else ""


def below(held: Iterable[str]) -> str:
    """The same as HTML that stands below what is left."""
    text = note(held)
    return f"<p><small>{html.escape(text, quote=False)}</small></p>" if text else ""


def held_in(data: Mapping[str, Any]) -> str:
    """What the note in a cleaned bundle says was held back; "" where there is none."""
    before, found, _ = f"{data.get('text/html')} {data.get('text/plain')}".partition(f". {REMEDY}")
    _, said, names = before.rpartition("Held back: ")
    return names if found and said and "\n" not in names else ""
