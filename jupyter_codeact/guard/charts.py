"""Charts that are data: Vega-Lite, Plotly, GeoJSON. They stay, without what loads, links or runs.

Vega loads what a ``url`` names, with the page's cookies; its tooltips show a picture where a value is called
``image``; ``usermeta`` sets options of the embedding page; ``bind`` makes an element, with any attributes. Plotly loads
pictures, maps and outlines, reads its texts as a kind of HTML, and its buttons set anything by its path. A map of tiles
is not shown at all: whatever its style, where it is and what is written on it is asked of somebody's server.
"""

from __future__ import annotations

import re
from typing import Any

from . import expressions, lite, modebar, reactions, rows, signals, specification, tex, texts
from .members import INHERITED, PART, apart, apart_path
from .names import PROTOTYPE, words

# What a specification is, it says first of all by this; without it, vega-embed goes by its keys.
LITE = "https://vega.github.io/schema/vega-lite/v5.json"
_LITE = re.compile(r"https?://vega\.github\.io/schema/vega-lite/v\d(?:\.\d+){0,2}\.json", re.ASCII)
# Its expressions are interpreted, and not made functions of: the interpreter hands out none that makes code of texts.
INTERPRETED = {"embedOptions": {"ast": True}}
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|svg\+xml)[;,]", re.IGNORECASE | re.ASCII)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_PLAIN = (int, float, bool, type(None))
_DROPPED = {
    "vega": frozenset({"usermeta", "href", "element", "$ref", "loader", "url"}),
    "plotly": frozenset({"topojsonURL", "plotlyServerURL"}),
    "geo": frozenset[str](),
}
_LOADS = frozenset({"source", "geojson", "url", "src", "href"})
_INPUTS = words("checkbox color date number radio range search select text time")
_SETTINGS = frozenset({"input", "name", "min", "max", "step", "options", "labels", "debounce", "value"})
# Those of Plotly's tags that only style. Of any other, a template could put its attributes together.
_STYLED = re.compile(r"<(?!\u200b|/?(?:b|i|br|sub|sup|em|strong|s|u|extra)\s{0,3}/?>)")
# A template that asks for how a surface is patterned, which may be a backslash.
_SHAPED = re.compile(r"%(?=\{[^{}]*shape)")
_TILES = re.compile(r"(?:scatter|choropleth|density)map(?:box)?")
# Older releases of Plotly look for a colour anywhere in a text, and write all of it into a style sheet.
_COLOR = re.compile(
    r"\s*(?:#\w{3,8}|[a-z]+\d*(?:_r)?|(?:rgb|hsl|hsv|hwb)a?\([\d\s.,%/e+-]*\))?\s*", re.IGNORECASE | re.ASCII
)
# What a button does: a method is called with them. One may name a path, and the next say what is set there.
_ARGUMENTS = frozenset({"args", "args2"})
# Keys, and ends of paths, of what may be a date's format: a button's argument, too, and one of several by zoom.
_FORMATS = ("format", "value", *_ARGUMENTS)
# Numbers, as Plotly writes them.
_ARRAY = frozenset({"dtype", "bdata", "shape"})


def vega(spec: Any) -> dict[str, Any] | None:
    """A chart of Vega-Lite's, which says so. Anything but an object would be an address to load one from.

    One of Vega itself is a program, and held back.
    """
    if not isinstance(spec, dict) or not _LITE.fullmatch(str(spec.get("$schema", LITE))):
        return None
    try:
        reactions.check(spec)
        signals.check(spec)
        cleaned: dict[str, Any] = lite.known(specification.held(texts.read(_walk(spec, "vega"))))
        rows.check(cleaned)
    except (expressions.LeadsOut, reactions.Reacts):
        return None
    # The menu writes the source of a chart into a page of its own, as it stands. A space is none to an expression.
    shown: dict[str, Any] = untagged(_without_tooltips(cleaned) if _mentions_pictures(cleaned) else cleaned, "< ")
    return {"$schema": LITE, **shown, "usermeta": INTERPRETED}


def plotly(figure: Any) -> dict[str, Any] | None:
    """A figure, or None for a map."""
    if not isinstance(figure, dict) or _has_tiles(figure):
        return None
    cleaned: dict[str, Any] = apart(_walk(figure, "plotly"), apart_path)
    return cleaned | {"config": modebar.known(cleaned.get("config"))}


def _has_tiles(value: Any) -> bool:
    """Whether a trace could be on a map of tiles. A template names all kinds of traces, and makes none.

    But it makes buttons.
    """
    match value:
        case str():
            return _TILES.fullmatch(value) is not None
        case list():
            return any(map(_has_tiles, value))
        case dict():
            return any(_has_tiles(_without_traces(item) if key == "template" else item) for key, item in value.items())
        case _:
            return False


def _without_traces(template: Any) -> Any:
    return {k: v for k, v in template.items() if k != "data"} if isinstance(template, dict) else template


def geojson(features: Any) -> Any:
    """Renderers put properties into pop-ups, as HTML: here they hold no tags."""
    return untagged(_walk(features, "geo"))


def untagged(value: Any, opening: str = "<\u200b") -> Any:
    """JSON whose strings hold no tags: a space, by default one that can't be seen, follows a ``<`` that begins one."""
    match value:
        case str():
            return _TAG.sub(opening, value)
        case list():
            return [untagged(item, opening) for item in value]
        case dict():
            return {untagged(key, opening): untagged(item, opening) for key, item in value.items()}
        case _:
            return value


def _walk(value: Any, dialect: str, under: str = "") -> Any:
    """``under``: the key of it, or of the list that it is in."""
    if isinstance(value, list):
        return value if all(type(item) in _PLAIN for item in value) else [_walk(item, dialect, under) for item in value]
    if isinstance(value, dict):
        kept = ((key, item) for key, item in value.items() if _stays(key, item, dialect))
        return {k: _bound(item) if (k, dialect) == ("bind", "vega") else _walk(item, dialect, k) for k, item in kept}
    if dialect != "plotly" or not isinstance(value, str):
        return value
    if value == "\\" and under.rpartition(".")[2] == "shape":
        # Lines that fall; no text has it in it.
        return value
    # Plotly, too, has its texts typeset.
    text = _SHAPED.sub("%\u200b", _STYLED.sub("<\u200b", value))
    return tex.piece(text, is_format=under.lower().endswith(_FORMATS))


def _bound(bind: Any) -> Any:
    """What sets a parameter: a scale, a legend, an input of a known kind with known settings, or one for each field.

    Whatever else stands there is an attribute of an element.
    """
    match bind:
        case "scales" | "legend":
            return bind
        case {"input": str() as kind}:
            return (
                {key: bind[key] for key in bind if key in _SETTINGS and _is_flat(bind[key])}
                if kind in _INPUTS
                else None
            )
        case {"legend": str()}:
            return {"legend": bind["legend"]}
        case dict() if "input" not in bind:
            inputs = {field: _bound(item) for field, item in bind.items() if isinstance(item, dict) and "input" in item}
            return {field: item for field, item in inputs.items() if item is not None and field not in PROTOTYPE}
        case _:
            return None


def _is_flat(value: Any) -> bool:
    return all(type(item) in (*_PLAIN, str) for item in (value if isinstance(value, list) else [value]))


def _stays(key: str, value: Any, dialect: str) -> bool:
    if dialect == "plotly":
        path = _names(key)
        is_odd = _ARGUMENTS.intersection(path) and (path != [key] or not _is_call(value))
        key = path[-1] if path else key
        # Where a path leads through what all objects have, something is set in all of them.
        if INHERITED.intersection(path) or is_odd or ("color" in key.lower() and not _is_colored(value)):
            return False
    if key in _DROPPED[dialect] or key in PROTOTYPE:
        return False
    if key == "cursor":
        return isinstance(value, str) and value.replace("-", "").isalpha()
    if dialect != "plotly" or key not in _LOADS:
        return True
    if not isinstance(value, str):
        # A button gives lists to many traces, each its own.
        return isinstance(value, dict) if key == "geojson" else _is_numbers(value)
    return bool(_PICTURE.match(value))


def _names(path: str) -> list[str]:
    """``images[0].source`` without its numbers."""
    return [name for name in PART.findall(path) if not name.strip().lstrip("-").isdigit()]


def _is_call(arguments: Any) -> bool:
    """Whether a button may do this; each other argument is seen to as all else is."""
    if not isinstance(arguments, list) or not arguments or not isinstance(arguments[0], str):
        return True
    path, value = arguments[0], arguments[1] if len(arguments) > 1 else None
    return not _ARGUMENTS.intersection(_names(path)) and _stays(path, value, "plotly")


def _is_colored(value: Any) -> bool:
    """Whether strings are colours, names of scales and axes; what lies deeper has keys of its own."""
    match value:
        case str():
            return _COLOR.fullmatch(value) is not None
        case list():
            return all(map(_is_colored, value))
        case _:
            return True


def _is_numbers(value: Any) -> bool:
    """Such as where the links of a diagram begin."""
    if isinstance(value, dict):
        return value.keys() <= _ARRAY
    return isinstance(value, list) and all(type(item) in _PLAIN for item in value)


def _mentions_pictures(value: Any) -> bool:
    """Whether an expression or a field could come to the name ``image``; a backslash may spell anything.

    A pivot makes names of what stands in rows, and that may be computed.
    """
    match value:
        case str():
            return "\\" in value or any(name in value.lower() for name in ("image", "pivot"))
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
