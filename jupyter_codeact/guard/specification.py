"""A chart's specification, part by part: where something may be computed, and which strings are rows or names.

What a string may be is in ``expressions.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .expressions import DATE, LeadsOut, string
from .language import computes
from .members import apart, kept_apart, leads_to_function
from .names import words
from .reactions import parts
from .signals import Names, names_in

# Where a chart has units of time, the compiler writes these values as they stand.
_OF_TIME = words("datum equal gt gte lt lte oneOf range sort values")
_PLACES = words("latitude latitude2 longitude longitude2")
# Beside them stands a second, under a key that means something else elsewhere.
_TWO_COLUMNS = words("loess pivot regression")
_COMPUTED = words("expr signal")
# What may be computed.
_LOOKS = re.compile(
    r"(?:[a-z][a-zA-Z0-9]*(?:Align|Anchor|Angle|Baseline|Bound|Cap|Color|Count|Dash|Direction|End|Extent|Flush"
    r"|Font|Height|Inner|Left|Length|Limit|Max|Mid|Min|Offset|Opacity|Orient|Outer|Overlap|Padding|Radius|Raw|Reverse"
    r"|Right|Role|RoleDescription|Separation|Size|Step|Style|Thickness|Type(?<=symbolType)|Weight|Width|X|Y)"
    r"|align|anchor|angle|aria|aspect|background|base|baseline|blend|center|clamp|coefficient|color|columns?|constant"
    r"|datum|description|dir|distance|domain|d[xy]|ellipsis|equal|exponent|extent|fill|fit|font|format|fraction|frame"
    r"|[gl]te?|height|interpolate|limit|lobes|nice|offset|opacity|orient|padding|parallels|precision|radius2?"
    r"|range|ratio|reverse|rotate|round|row|scheme|shape|size|spacing|step|stroke|subtitle|tension|text|theta2?|tilt"
    r"|time|title|tooltip|values?|width|[xy]2?|zero|zindex)"
)
# Vega's own, which its compiler hands on where they stand in a configuration.
_VEGA = words("axes encode legends marks projections scales signals")
# How a column is read: put between quotes of the compiler's, without its own.
_READ = re.compile(r"(?:date|utc):(['\"])([^\"'`\\]*)\1")
# From a specification to those in it that may have data of their own; what a style is called leads nowhere.
_VIEWS = words("concat from hconcat layer spec transform vconcat")


def held(spec: Any) -> Any:
    """The same specification, held to what its expressions may do. Raises LeadsOut."""
    found = [*parts(spec)]
    names = names_in(found)
    if any(key == "timeUnit" for _, key in found):
        values = (value for value, key in found if key in _OF_TIME and isinstance(value, str))
        if not all("(" not in value or computes(value, names.own) for value in values):
            raise LeadsOut
    return _Walk(names).held(spec, "", is_view=True)


class _Walk:
    def __init__(self, names: Names) -> None:
        self._names = names

    def held(self, value: Any, key: str, is_view: bool = False) -> Any:
        match value:
            case str():
                return string(value, key, self._names)
            case list():
                return [self.held(item, key, is_view) for item in value]
            case dict():
                if not _may_stand(value, key):
                    raise LeadsOut
                return {self._name(inner): self._member(inner, item, key, is_view) for inner, item in value.items()}
            case _:
                return value

    def _member(self, inner: str, value: Any, outer: str, is_view: bool) -> Any:
        match inner, value:
            case "data", _ if is_view:
                return self._data(value)
            case "datasets", dict() if is_view:
                return {self._name(name): _rows(rows) for name, rows in value.items()}
            case "bind", dict():
                return self._bound(value)
            case "transform", list():
                return [*self._transforms(value)]
            case "datum", str() if outer in _PLACES:
                inner = "expr"
            case _, str() if outer == "parse":
                return value if _READ.fullmatch(value) else string(value, "", self._names)
            case _, str() if outer == "format" and inner in DATE:
                inner = "format"
        return self.held(value, inner, is_view and inner in _VIEWS)

    def _transforms(self, transforms: list[Any]) -> Iterator[Any]:
        """With one behind each that computes a column: nobody can tell from an expression what it puts together."""
        for transform in transforms:
            if _is_computed(transform):
                raise LeadsOut
            yield self.held(transform, "transform", is_view=True)
            if isinstance(transform, dict) and "calculate" in transform:
                column = transform.get("as")
                if not isinstance(column, str):
                    # The engine would write it as one, and its column were another than the one that is emptied.
                    raise LeadsOut
                yield {"calculate": kept_apart(column), "as": column}

    def _data(self, value: Any) -> Any:
        """One source of data, or several."""
        match value:
            case list():
                return [self._data(item) for item in value]
            case dict():
                return {
                    self._name(key): _rows(item) if key == "values" else self.held(item, key)
                    for key, item in value.items()
                }
            case _:
                return self.held(value, "data")

    def _bound(self, bind: dict[str, Any]) -> Any:
        """Settings of an input are its element's, and known (``charts.py``); an event's name has conditions in it."""
        if "input" in bind:
            return bind
        return {
            self._name(key): self._bound(item) if isinstance(item, dict) else self.held(item, "bind")
            for key, item in bind.items()
        }

    def _name(self, key: str) -> str:
        """Keys may be names of columns."""
        return string(key, "field", self._names)


def _is_computed(transform: Any) -> bool:
    """Whether what a transform does is computed, but for what it leaves out: much of it is written into rows."""
    if isinstance(transform, dict):
        transform = {key: value for key, value in transform.items() if key != "filter"}
    return any(isinstance(part, dict) and not part.keys().isdisjoint(_COMPUTED) for part, _ in parts(transform))


def _may_stand(value: dict[str, Any], key: str) -> bool:
    """Whether an object may stand under this key: one that computes something, names a column, or is Vega's own."""
    if _TWO_COLUMNS & value.keys() and any(leads_to_function(str(value.get(second))) for second in ("on", "value")):
        return False
    if (key == "impute" or "impute" in value) and isinstance(value.get("value"), (dict, list)):
        # What is imputed is a row's, and could be computed there.
        return False
    if key in ("as", "field", "fields", "groupby"):
        return key == "field" and value.keys() == {"repeat"}
    if value.keys() & _VEGA or (key.startswith(("axis", "legend")) and "encoding" in value):
        return False
    return not value.keys() & _COMPUTED or key == "params" or bool(_LOOKS.fullmatch(key))


def _rows(value: Any) -> Any:
    """What nobody takes for anything but data, and nobody computes."""
    if isinstance(value, dict) and "signal" in value:
        raise LeadsOut
    return apart(value)
