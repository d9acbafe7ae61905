"""Rows of a chart are objects, or plain values: a list has methods in place of columns.

What an engine takes for rows is looked at, wherever a format has it look: ``values``, what a ``property`` leads to,
and data sets in each format with which they are asked for.
"""

from __future__ import annotations

import re
from typing import Any

from .members import OF_OBJECTS
from .names import words
from .reactions import Reacts, parts

_TEXTS = words("csv dsv tsv")
# Only the first sign counts. One that words are made of would part them, and what was put behind a name in them.
_DELIMITER = re.compile(r"(?!\w)[\x00-\x7f]")
# As everybody reads it: brackets and backslashes mean something to Vega.
_PATH = re.compile(r"[\w -]+(?:\.[\w -]+)*")


def check(spec: dict[str, Any]) -> None:
    """Raises Reacts."""
    sources = [value for value, key in parts(spec) if key == "data" and isinstance(value, dict)]
    datasets = spec.get("datasets") or {}
    if not isinstance(datasets, dict):
        raise Reacts
    asked = [(source["values"], source.get("format")) for source in sources if "values" in source]
    asked += [(datasets[name], source.get("format")) for source in sources if (name := _name(source)) in datasets]
    if not all(_are_rows(values, style or {}) for values, style in asked):
        raise Reacts


def _name(source: dict[str, Any]) -> str | None:
    name = source.get("name")
    return name if isinstance(name, str) else None


def _are_rows(values: Any, style: Any) -> bool:
    """style: the ``format`` in which they are read."""
    if not isinstance(style, dict):
        return False
    kind, path = style.get("type") or "json", style.get("property")
    if not isinstance(kind, str):
        return False
    if kind in _TEXTS:
        # A list would be joined to one.
        delimiter = style.get("delimiter") or ","
        return isinstance(values, str) and isinstance(delimiter, str) and bool(_DELIMITER.match(delimiter))
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
