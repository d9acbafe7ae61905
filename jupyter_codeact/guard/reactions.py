"""What a chart of Vega-Lite's does once it is drawn: select, zoom, answer to inputs within itself, and nothing else.

A stream of events may come from the chart alone, and not from the window, where keys are typed that are not the
chart's. What is drawn is no data, but an event's ``datum`` may be: that of a cell that finds the nearest point.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .names import words

_STREAMS = words("clear events legend on translate zoom")
# As event selectors name where events come from; without a name it is the chart.
_SOURCE = re.compile(r"(?<![^\s,:\[\]<>{}()!])([^\s,:\[\]<>{}()!]*+):(\w*)")
_WITHIN = words("* arc area group line path rect rule scope shape symbol text trail view")
_NAMED = re.compile(r"@[\w-]+", re.ASCII)
# How a drag that began in the chart goes on, wherever it goes.
_DRAG = words("mousemove mouseup pointermove pointerup")
_DATUM = re.compile(r"\bdatum\b")
# What lasts as long as the chart: of an event it has the keys and places.
_THINGS = re.compile(r"\b(?:datum|item|detail)\b")


class Reacts(ValueError):
    """A chart could do something of its own."""


def check(spec: Any) -> None:
    """Raises Reacts."""
    found = [*parts(spec)]
    if any(key == "nearest" and value for value, key in found) and any(map(_is_computed_tooltip, found)):
        # The cells that find the nearest point have its tooltip as it stands, and their rows are what is drawn.
        raise Reacts
    for value, key in found:
        if key in _STREAMS:
            _check_stream(value, key)
        if value == "image" and key in ("mark", "type"):
            # What is drawn is an element of the page.
            raise Reacts
        if key == "toggle" and _THINGS.search(str(value)):
            raise Reacts


def _is_computed_tooltip(part: tuple[Any, str]) -> bool:
    value, key = part
    return key == "tooltip" and isinstance(value, dict) and not value.keys().isdisjoint(("condition", "expr", "signal"))


def parts(value: Any, key: str = "", outer: str = "") -> Iterator[tuple[Any, str]]:
    """Every part but rows of data, with its key; those of a list have the list's. outer: the key outside of that."""
    if key == "datasets" or (key == "values" and outer == "data"):
        return
    yield value, key
    if isinstance(value, list):
        for item in value:
            yield from parts(item, key, outer)
    elif isinstance(value, dict):
        for inner, item in value.items():
            yield from parts(item, inner, key)


def _check_stream(value: Any, key: str) -> None:
    match value:
        case str() if not all(_is_within(*found) for found in _SOURCE.findall(value)):
            raise Reacts
        case list() if key == "on":
            raise Reacts
        case list():
            for item in value:
                _check_stream(item, key)
        case dict():
            if value.get("source", "view") not in ("view", "scope") or _DATUM.search(str(value.get("filter"))):
                raise Reacts
            for stream in ("between", "stream", "merge"):
                _check_stream(value.get(stream), stream)
        case _:
            pass


def _is_within(source: str, event: str) -> bool:
    return source in _WITHIN or bool(_NAMED.fullmatch(source)) or (source == "window" and event in _DRAG)
