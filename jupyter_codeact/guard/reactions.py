"""What a chart of Vega's does once it is drawn: select, zoom, answer to inputs within itself, and nothing else.

A specification of Vega is a program. Its triggers take any object for a row of data, those of the page too, and its
transforms write any property of what they are given; so a chart that has triggers is held back, as is one whose marks
are transformed after their encoding was seen to. Vega-Lite has neither: what it makes of a selection is its own. A
stream of events may come from the chart alone, and not from the window, where keys are typed that are not the chart's.
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
# Transforms of marks that only make shapes.
_SHAPES = words("geopath geoshape")
# What is drawn can be asked for as data, by the name of a mark: these are Vega-Lite's.
_DRAWN = re.compile(r"(?:.*_)?(?:cell|group|marks|pathgroup)|.*(?:footer|header|title)", re.DOTALL)
# Properties of what is drawn that load or lead somewhere.
_LEADING = words("cursor href image tooltip url")


class Reacts(ValueError):
    """A chart could do something of its own."""


def check(spec: Any) -> None:
    """Raises Reacts. Which of the two dialects a specification is, it says itself: this holds for both."""
    asked, drawn = set[str](), set[str]()
    for value, key, outer in _parts(spec, "", ""):
        if key in _STREAMS:
            _check_stream(value, key)
        if value == "image" and key in ("mark", "type"):
            # What is drawn is an element of the page.
            raise Reacts
        if key in ("data", "source"):
            asked |= _strings(value.get("name") if isinstance(value, dict) else value)
        if isinstance(value, dict):
            if "type" in value and _LEADING.intersection(_strings(value.get("as"))):
                raise Reacts
            if outer == "marks" and key == "transform":
                _check_shape(value)
            if key == "marks":
                drawn |= _strings(value.get("name"))
    if asked & drawn or any(map(_DRAWN.fullmatch, asked)):
        raise Reacts


def _parts(value: Any, key: str, outer: str) -> Iterator[tuple[Any, str, str]]:
    """Every part but rows of data, with its key and the one outside of that; those of a list have the list's."""
    if key == "datasets" or (key == "values" and outer == "data"):
        return
    yield value, key, outer
    if isinstance(value, list):
        for item in value:
            yield from _parts(item, key, outer)
    elif isinstance(value, dict):
        for inner, item in value.items():
            yield from _parts(item, inner, key)


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
            if value.get("source", "view") not in ("view", "scope"):
                raise Reacts
            for stream in ("between", "stream", "merge"):
                _check_stream(value.get(stream), stream)
        case _:
            pass


def _is_within(source: str, event: str) -> bool:
    return source in _WITHIN or bool(_NAMED.fullmatch(source)) or (source == "window" and event in _DRAG)


def _check_shape(transform: dict[str, Any]) -> None:
    if transform.get("type") not in _SHAPES or "as" in transform:
        raise Reacts


def _strings(names: Any) -> set[str]:
    return {name for name in (names if isinstance(names, list) else [names]) if isinstance(name, str)}
