"""Finding `<style>…</style>` and `<svg>…</svg>` in a text, in one pass however the text is made.

This decides nothing about safety: what is found and what is left are each made harmless by themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache

from .names import words

_TAG = re.compile(r"<(/?)([A-Za-z][\w-]*)")
# They hold nothing, or end where the next one begins.
_FLAT = words("br col dd dt hr img input li link meta option p source tbody td th thead tr wbr")


def replace(text: str, tag: str, change: Callable[[str], str]) -> str:
    """``text`` with each outermost element ``tag`` changed; one that is never closed stays."""
    parts: list[str] = []
    done = start = depth = 0
    for mark in _marks(tag).finditer(text):
        if not mark[1]:
            start = start if depth else mark.start()
            # In a style sheet a second opening tag is text.
            depth = 1 if tag == "style" else depth + 1
        elif depth:
            depth -= 1
            if depth == 0:
                parts += [text[done:start], change(text[start : mark.end()])]
                done = mark.end()
    return "".join([*parts, text[done:]])


def is_deeper(text: str, limit: int) -> bool:
    """Whether more than ``limit`` elements seem to stand in one another: a parser looks at all of them at each tag.

    What looks like a tag in a comment or an attribute is counted too.
    """
    depth = 0
    opened: Counter[str] = Counter()
    if text.count("<") <= limit:
        return False
    for mark in _TAG.finditer(text):
        name = mark[2].lower()
        if mark[1]:
            closes = opened[name] > 0
            opened[name] -= closes
            depth -= closes
        elif name not in _FLAT:
            opened[name] += 1
            depth += 1
            if depth > limit:
                return True
    return False


@lru_cache(maxsize=4)
def _marks(tag: str) -> re.Pattern[str]:
    return re.compile(rf"<(/?){tag}\b[^<>]*>", re.IGNORECASE)
