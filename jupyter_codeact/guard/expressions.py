r"""Vega's expressions: what the engine that JupyterLab brings can be made to run is anything.

An expression has no names but Vega's own. What leads out of it is ``event``, whose ``view`` is the window, and members
that each value has, such as ``constructor``. What is called in place of ``toString`` is called with any ``this``, so
that the engine's own functions call ``eval``. Each release mends some of it. So a chart is held back in which a string
could come to those: as a word, by an escape that spells it, or by a member whose name is put together. Any string might
be an expression, but for texts that are shown, and data.
"""

from __future__ import annotations

import re
from typing import Any

from .names import words

_EVENT = "|".join(
    words(
        """
        altKey button buttons clientX clientY code ctrlKey deltaMode deltaX deltaY detail item key keyCode metaKey
        offsetX offsetY pageX pageY pointerType screenX screenY shiftKey timeStamp type which x y
        """
    )
)
_LEADS_OUT = re.compile(
    r"\b(?:__\w+__|constructor|prototype|valueOf|toString(?!\()|toJSON|vlSelectionTuples|dataflow|context|ownerDocument"
    r"|defaultView|contentWindow|contentDocument)\b"
    # A letter in an escape may stand for another.
    r"|\\[\w\r\n\u2028\u2029]"
    rf"|(?<![\w$.'\"])event\b(?!\.(?:{_EVENT})\b)",
    re.ASCII,
)
# After anything but an operator a bracket is a member's. A modifier key stands in the name of an event.
_MEMBER = re.compile(
    r"[^\s(,\[:?=<>!&|+*%{~;-]\s*"
    r"\[(?!\s*(?:\d+|'[^'\\]*'|\"[^\"\\]*\"|!?event\.(?:alt|ctrl|meta|shift)Key)\s*\])"
)
_TEXTS = words("$schema description name subtitle text title")
_DATA = frozenset({"values", "datasets"})
_EXPRESSIONS = words("calculate expr filter init signal test update")


def lead_out(value: Any, key: str = "", in_data: bool = False) -> bool:
    """Whether an expression in a specification could reach the page."""
    match value:
        case str():
            return not in_data and key not in _TEXTS and _leads_out(value, key)
        case list():
            return any(lead_out(item, key, in_data) for item in value)
        case dict():
            return any(_inner(inner, item, in_data) for inner, item in value.items())
        case _:
            return False


def _inner(key: str, value: Any, in_data: bool) -> bool:
    # Where a list of values is meant, some of them may be signals.
    return lead_out(value, key, (in_data or key in _DATA) and key not in _EXPRESSIONS)


def _leads_out(text: str, key: str) -> bool:
    if text == "event":
        # A column may be called so.
        return key in _EXPRESSIONS
    return bool(_LEADS_OUT.search(text) or _MEMBER.search(text))
