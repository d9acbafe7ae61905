"""Rows of a chart are objects, or plain values: a list has methods in place of columns.

What an engine takes for rows is looked at, wherever a format has it look: ``values``, what a ``property`` leads to,
and data sets in each format with which they are asked for.
"""

from __future__ import annotations

import re
from typing import Any

from .members import OF_OBJECTS
from .reactions import Reacts, parts

# As everybody reads it: brackets and backslashes mean something to Vega.
_PATH = re.compile(r"[\w -]+(?:\.[\w -]+)*")


def check(spec: dict[str, Any]) -> None:
    """Raises Reacts."""
    styles, datasets = formats(spec), spec.get("datasets") or {}
    if not isinstance(datasets, dict):
        raise Reacts
    for source in _sources(spec):
        name = name_of(source)
        values = [source["values"]] if "values" in source else []
        values += [datasets[name]] if name in datasets else []
        style = source.get("format") if name is None else styles[name]
        # What is written in a source, and in a data set of its name, would be read as the other is.
        if len(values) > 1 or not all(_are_rows(value, style or {}) for value in values):
            raise Reacts


def formats(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """How the sources of each name are read: the compiler has one of them, with what all their formats say.

    Raises Reacts where one says another thing than another. Columns are parsed by expressions of their own.
    """
    styles: dict[str, dict[str, Any]] = {}
    for source in _sources(spec):
        name, style = name_of(source), source.get("format") or {}
        if not isinstance(style, dict):
            raise Reacts
        if name is not None:
            common = styles.setdefault(name, {})
            if any(common.setdefault(key, value) != value for key, value in style.items() if key != "parse"):
                raise Reacts
    return styles


def name_of(source: dict[str, Any]) -> str | None:
    name = source.get("name")
    return name if isinstance(name, str) else None


def _sources(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [value for value, key in parts(spec) if key == "data" and isinstance(value, dict)]


def _are_rows(values: Any, style: Any) -> bool:
    """style: the ``format`` in which they are read. What was a text of rows is none any more (``texts.py``)."""
    if not isinstance(style, dict):
        return False
    kind, path = style.get("type") or "json", style.get("property")
    found = _property(values, path) if path else values
    if kind == "topojson":
        # Its features are made.
        return isinstance(found, dict)
    return kind == "json" and _are_plain(found)


def _are_plain(values: Any) -> bool:
    if isinstance(values, list):
        return not any(isinstance(row, list) for row in values)
    return isinstance(values, dict)


def _property(values: Any, path: Any) -> Any:
    """What is there; None where it is not written out."""
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        return None
    for name in path.split("."):
        if not isinstance(values, dict) or name in OF_OBJECTS or name not in values:
            return None
        values = values[name]
    return values
