"""Names that a chart gives, beside those that Vega has, and that its compiler makes of them.

Where two meet, the compiler takes what it finds for its own: a parameter called ``cursor`` is the style of an element,
a column ``fields`` of a selection ``q_tuple`` says what another one, ``q``, looks at, and rows called ``q_store`` are
what it has selected. So they don't meet. A source that is named is one that the chart defines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .names import words
from .reactions import Reacts, parts

_VEGAS = words(
    """
    _ anim_clock anim_value autosize background cursor datum eased_anim_clock event facet geo_interval_init_tick group
    is_playing item last_tick_at max_range_extent min_extent padding parent this unit
    """
)
# What the compiler makes, alone or behind a view's name. Looked for in its 816 examples, compiled. A height or a width
# may be a parameter: it is only counted with.
_MADE = re.compile(
    r"(?:(?:concat_\d+|layer_\d+|child)_)*"
    r"(?:(?:concat|layer)_\d+|child__\w*|child(?:Width|Height)|(?:x|y|xOffset|yOffset)_step|bin_\w*_(?:bins|extent)"
    r"|(?:source|data|geojson|lookup)_\d+|(?:cross_)?(?:(?:row|column|facet)_(?:domain|header|footer|title|layout)_?)+(?:row|column)?"
    r"|width|height|cell|group|marks|pathgroup|projection|root|voronoi|facet|faceted_path_\w*|stack_group_\w*"
    r"|\w*_legend_(?:symbols|labels|entries))"
    r"|\w*child__\w*",
    re.ASCII,
)
# With a selection's name before them.
_SELECTIONS = words(
    """
    brush center curr domain init modify scale_trigger selection_domain store toggle translate translate_anchor
    translate_delta tuple tuple_fields x y zoom zoom_anchor zoom_delta latitude longitude
    """
)
# Signals among them. A column may be called x or y: the compiler counts.
_TAKEN = words(
    """
    center curr init modify scale_trigger toggle translate_anchor translate_delta tuple tuple_fields zoom_anchor
    zoom_delta
    """
)
_SIZES = words("height width")
_VIEWS = words("concat hconcat layer spec vconcat") | {""}
_HAVE_NAMES = words("data mark params title") | _VIEWS
# More than anybody gives, in signs, and in pairs that could meet.
_LENGTH_LIMIT = 1000
_PAIRS_LIMIT = 200_000
_COLUMNS = words("column field fields layer repeat row timeUnit unit")
_DEFINES = words("graticule sequence sphere url values")
_ODD = re.compile(r"\W", re.ASCII)
_DIGIT = re.compile(r"\d", re.ASCII)
# Of what is made of a selection, what leads to more than numbers: its columns with what reads them, what is drawn.
_MADE_OF = re.compile(rf"\b(\w+?)_(?:{'|'.join(sorted(_TAKEN))})\b", re.ASCII)


class Names(NamedTuple):
    """What a chart names: ``own`` are its parameters, selections among them, as expressions name them."""

    own: frozenset[str]
    selections: frozenset[str]

    def are_made_in(self, text: str) -> bool:
        """Whether it has the name of something that is made of a selection: what it is, is the compiler's."""
        return any(name in self.selections for name in _MADE_OF.findall(text))


def names_in(found: Sequence[tuple[Any, str]]) -> Names:
    """found: the parts of a chart."""
    parameters = {
        _written(name): value
        for value, key in found
        if key == "params" and isinstance(value, dict) and isinstance(name := value.get("name"), str)
    }
    selections = (name for name, value in parameters.items() if "select" in value)
    return Names(frozenset({*parameters, *_extents(found)}), frozenset(selections))


def _extents(found: Sequence[tuple[Any, str]]) -> set[str]:
    """What transforms name, of two numbers."""
    named = (value["param"] for value, _ in found if isinstance(value, dict) and value.keys() == {"extent", "param"})
    return {name for name in named if isinstance(name, str)}


def check(spec: dict[str, Any]) -> None:
    """Raises Reacts."""
    found = [*parts(spec)]
    named = [(value, key) for value, key in found if key in _HAVE_NAMES and isinstance(value, dict) and "name" in value]
    if not all(value["name"] is None or _is_short(value["name"]) for value, _ in named):
        raise Reacts
    given = [(_written(value["name"]), value, key) for value, key in named if value["name"] is not None]
    parameters = {name: value for name, value, key in given if key == "params"}
    views = {name for name, _, key in given if key in _VIEWS}
    selections = {name for name, value in parameters.items() if "select" in value}
    extents = _extents(found)
    names = {name for name, *_ in given} | extents | {_written(name) for name in _datasets(spec) if _is_short(name)}
    # What was repeated before it came here has views of such names.
    is_repeated = any(key == "repeat" for _, key in found)
    new = names if is_repeated else names - {name for name in views - parameters.keys() if "child__" in name}
    if _VEGAS & {*parameters, *extents} or any(_is_made(name, views) for name in new):
        raise Reacts
    if not all(_are_columns(value.get("fields", [])) for value, _ in found if isinstance(value, dict)):
        raise Reacts
    if selections & (views | _SIZES) or (selections and _meet(names, selections, views, {*_columns(found)})):
        raise Reacts
    _check_sources(spec, found)


def _is_short(name: Any) -> bool:
    return isinstance(name, str) and len(name) <= _LENGTH_LIMIT


def _written(name: str) -> str:
    """As the compiler writes a name into others."""
    name = "".join("__" if ord(sign) > 0xFFFF else sign for sign in name)
    return ("_" if _DIGIT.match(name) else "") + _ODD.sub("_", name)


def _is_made(name: str, views: set[str]) -> bool:
    return name not in _SIZES and any(_MADE.fullmatch(part) for part in (name, *_behind(name, views)))


def _behind(name: str, bases: set[str]) -> Iterator[str]:
    """What stands in it behind a base and a ``_``."""
    return (name[at + 1 :] for at, sign in enumerate(name) if sign == "_" and name[:at] in bases)


def _meet(names: set[str], selections: set[str], views: set[str], columns: set[str]) -> bool:
    """Whether a name could be one that is made of a selection's, or the other way round."""
    endings = _SELECTIONS | columns
    if (len(selections) + len(names)) * len(endings) > _PAIRS_LIMIT or not all(map(_is_short, columns)):
        return True
    if columns & _TAKEN or any(_is_made(f"{one}_{part}", views) for one in selections for part in endings):
        return True
    behind = {part for name in names for part in _behind(name, selections)}
    return any(
        f"{part}_".startswith(f"{one}_") or f"{one}_".startswith(f"{part}_") for part in behind for one in endings
    )


def _columns(found: list[tuple[Any, str]]) -> Iterator[str]:
    """What may be a column that a selection looks at, and what stands before one."""
    for value, key in found:
        if isinstance(value, str) and key in _COLUMNS:
            yield _written(value)
            yield _written(f"utc{value}")
        elif key == "params" and isinstance(value, dict):
            chosen = value.get("value")
            for item in chosen if isinstance(chosen, list) else [chosen]:
                yield from map(_written, item if isinstance(item, dict) else ())


def _are_columns(fields: Any) -> bool:
    """What is none, a selection would look at as it stands."""
    return fields is None or (isinstance(fields, list) and all(isinstance(field, str) for field in fields))


def _datasets(spec: dict[str, Any]) -> dict[str, Any]:
    datasets = spec.get("datasets")
    return datasets if isinstance(datasets, dict) else {}


def _check_sources(spec: dict[str, Any], found: list[tuple[Any, str]]) -> None:
    sources = [value for value, key in found if key == "data" and isinstance(value, dict)]
    defined = {None, *_datasets(spec), *(source.get("name") for source in sources if _DEFINES & source.keys())}
    if not all(source.get("name") in defined for source in sources if not _DEFINES & source.keys()):
        raise Reacts
