"""Charts that are data: Vega, Vega-Lite, Plotly, GeoJSON. They stay, without what loads, links or runs.

Vega loads what a ``url`` names, with the page's cookies; its tooltips show a picture where a value is called
``image``; ``usermeta`` sets options of the embedding page. Plotly loads pictures, maps and styles.
"""

from __future__ import annotations

import re
from typing import Any

_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|svg\+xml)[;,]", re.IGNORECASE)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_PLAIN = (int, float, bool, type(None))
_DROPPED = {
    "vega": frozenset({"usermeta", "href", "element", "$ref", "loader"}),
    "plotly": frozenset({"topojsonURL", "plotlyServerURL", "accesstoken", "mapboxAccessToken", "sourceurl"}),
    "geo": frozenset[str](),
}
_LOADS = {
    "vega": frozenset({"url"}),
    "plotly": frozenset({"source", "style", "geojson", "url", "src", "href"}),
    "geo": frozenset[str](),
}
_PROTOTYPE = frozenset({"__proto__", "constructor", "prototype"})


def vega(spec: Any) -> dict[str, Any]:
    """A specification of either dialect. Anything but an object would be an address to load one from."""
    if not isinstance(spec, dict):
        return {}
    cleaned: dict[str, Any] = _walk(spec, "vega")
    return _without_tooltips(cleaned) if _mentions_pictures(cleaned) else cleaned


def plotly(figure: Any) -> dict[str, Any]:
    cleaned: dict[str, Any] = _walk(figure, "plotly") if isinstance(figure, dict) else {}
    return cleaned


def geojson(features: Any) -> Any:
    """Renderers put properties into pop-ups, as HTML: here they hold no tags."""
    return untagged(_walk(features, "geo"))


def untagged(value: Any) -> Any:
    """JSON whose strings hold no tags: a space that can't be seen stands after each ``<`` that would begin one."""
    match value:
        case str():
            return _TAG.sub("<\u200b", value)
        case list():
            return [untagged(item) for item in value]
        case dict():
            return {untagged(key): untagged(item) for key, item in value.items()}
        case _:
            return value


def _walk(value: Any, dialect: str) -> Any:
    if isinstance(value, list):
        return value if all(type(item) in _PLAIN for item in value) else [_walk(item, dialect) for item in value]
    if isinstance(value, dict):
        return {key: _walk(item, dialect) for key, item in value.items() if _stays(key, item, dialect)}
    return value


def _stays(key: str, value: Any, dialect: str) -> bool:
    if key in _DROPPED[dialect] or key in _PROTOTYPE:
        return False
    if key == "cursor":
        return isinstance(value, str) and value.replace("-", "").isalpha()
    if key not in _LOADS[dialect]:
        return True
    if dialect == "plotly" and not isinstance(value, str):
        return True
    if dialect == "plotly" and key == "style":
        # A map's style: the built-in ones have names.
        return bool(re.fullmatch(r"[\w-]*", value))
    return isinstance(value, str) and bool(_PICTURE.match(value))


def _mentions_pictures(value: Any) -> bool:
    """Whether an expression or a field could come to the name ``image``; a backslash may spell anything."""
    match value:
        case str():
            return "\\" in value or "image" in value.lower()
        case list():
            return any(map(_mentions_pictures, value))
        case dict():
            return any(_mentions_pictures(key) or _mentions_pictures(item) for key, item in value.items())
        case _:
            return False


def _without_tooltips(value: Any) -> Any:
    match value:
        case list():
            return [_without_tooltips(item) for item in value]
        case dict():
            return {key: _without_tooltips(item) for key, item in value.items() if key != "tooltip"}
        case _:
            return value
