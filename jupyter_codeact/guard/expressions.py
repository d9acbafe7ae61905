r"""What the engine that JupyterLab brings makes expressions of, in a chart of Vega-Lite's.

Strings that are expressions may compute (``language.py``), and what they compute may be how something looks: a size, a
colour, a text, a domain. What something is, which rows it is made of, or the name of a column may not be computed,
since names that are put together come to everything: to the page, and to functions of any kind.

Any other string, and any key, might be a piece of an expression: Vega-Lite's compiler, and Vega's parser, write names,
titles, formats, dates and whatever is meant to be a number into expressions as they stand. So all of them are looked
at, but for rows of data; and what could call something must be an expression that computes, but for names of columns,
which are always quoted. None may end the quotes that it could be put between, but values, which are written with their
escapes. Texts that are shown are only ever put between quotes: theirs become typographic ones, and their words are
free.
"""

from __future__ import annotations

import re
from typing import Any

from .language import EVENT, computes, stands_alone
from .members import leads_to_function
from .names import words
from .reactions import parts
from .tex import SHOWN

# Members that each value has, and what leads from what is drawn to the page. Under these names nothing is written
# either: what is called in place of ``toString`` is called with any ``this``.
_WORDS = re.compile(
    r"\b(?:__\w+__|constructor|prototype|valueOf|toString(?!\()|toJSON|vlSelectionTuples|dataflow|ownerDocument"
    r"|defaultView|contentWindow|contentDocument)\b",
    re.ASCII,
)
_EVENT = "|".join(EVENT)
# What comes to any member, or sets it.
_ANY = re.compile(r"\b(?:encode|merge|modify|pluck|setdata|vlSelection\w*+)\s*+[()]", re.ASCII)
# In a piece of an expression; two words beside each other are none.
_LEADS_OUT = re.compile(
    rf"\bcontext\b|{_ANY.pattern}"
    # A letter in an escape may stand for another.
    r"|\\[\w\r\n\u2028\u2029]"
    rf"|(?<![\w$.'\"])(?<!\w )event\b(?!\.(?:{_EVENT})\b|\s++\w)",
    re.ASCII,
)
# Columns may be called so.
_NAMES = words("context event")
# After anything but an operator a bracket is a member's, and after a backslash it is in a text. In the name of an event
# it holds a condition.
_MEMBER = re.compile(
    r"[^\s(,\[:?=<>!&|+*%{~;\\-]\s*+"
    rf"\[(?!\s*+(?:\d+|'[^'\\]*'|\"[^\"\\]*\"|event\.(?:alt|ctrl|meta|shift)Key|!event\.(?:{_EVENT}))\s*+\])"
)
# It ends no quotes, but where what follows makes no sense to anybody. A backslash stands before a dot or a bracket in
# the name of a column.
_QUOTABLE = re.compile(r"(?:[^\"'`\\\r\n\u2028\u2029\[]|\[(?:'[\w ]++'\]|\"[\w ]++\"\])?+|\\[^\w\s\"'`\\])*+")
_TEXTS = words(
    """
    countTitle description format normalizedNumberFormat normalizedTimeFormat numberFormat subtitle text timeFormat
    title
    """
)
_WORDLESS = words("countTitle description subtitle text title")
_VALUES = words("datum domain equal font gt gte labelFont lt lte oneOf range sort subtitleFont titleFont value values")
# Where a chart has units of time, the compiler writes these values as they stand.
_OF_TIME = words("datum equal gt gte lt lte oneOf range sort values")
_PLACES = words("latitude latitude2 longitude longitude2")
_EXPRESSIONS = words("and calculate expr filter labelExpr not or param signal test toggle")
# Meant to be numbers, and written as they stand.
_NUMBERS = re.compile(r"\w*(?:Length|Offset|[bB]andPosition)|band|columns|extent|labelFlush|offset", re.ASCII)
# Beside them stands a second, under a key that means something else elsewhere.
_TWO_COLUMNS = words("loess pivot regression")
# Where events come from, with conditions in brackets.
_STREAMS = words("bind clear events legend on translate zoom")
# Names of columns, mostly; those of marks, views and data have no brackets anyway.
_COLUMNS = words(
    """
    argmax argmin as column density field fields flatten fold groupby impute key layer loess lookup on pivot quantile
    regression repeat row stack
    """
)
_COLOR = re.compile(r"(?:rgb|hsl)a?\([\d\s.,%/+-]*+\)", re.ASCII)
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
_OPENING = re.compile(r'(?<![^\s(\[{])"')
_CLOSING = str.maketrans(
    {
        '"': "\N{RIGHT DOUBLE QUOTATION MARK}",
        "'": "\N{RIGHT SINGLE QUOTATION MARK}",
        "`": "\N{LEFT SINGLE QUOTATION MARK}",
        "\\": SHOWN,
    }
)
_DATE = words("year quarter month date day hours minutes seconds milliseconds")
# A number, a name, or what is no date but how one is written.
_PART = re.compile(
    r"[0-9]{1,9}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)[a-z]{0,9}|%[^\"'`\\]*",
    re.IGNORECASE | re.ASCII,
)
# How a column is read: put between quotes of the compiler's, without its own.
_READ = re.compile(r"(?:date|utc):(['\"])([^\"'`\\]*)\1")
# Of any other, the compiler makes expressions for labels.
_FORMATS = words("number time")
# In a label's expression the compiler puts formats in the place of names, as a pattern's replacement: with signs that
# mean something there, and names that it then finds.
_REPLACES = re.compile(r"\$\Z|datum\.")
# From a specification to those in it that may have data of their own; what a style is called leads nowhere.
_VIEWS = words("concat from hconcat layer spec transform vconcat")


class LeadsOut(ValueError):
    """An expression in a chart could reach the page."""


def held(spec: Any) -> Any:
    """The same specification, held to what its expressions may do. Raises LeadsOut."""
    found = [*parts(spec)]
    if any(key == "timeUnit" for _, key in found):
        values = (value for value, key in found if key in _OF_TIME and isinstance(value, str))
        if not all("(" not in value or computes(value) for value in values):
            raise LeadsOut
    return _held(spec, "", is_view=True)


def _held(value: Any, key: str, is_view: bool = False) -> Any:
    match value:
        case str():
            return _string(value, key)
        case list():
            return [_held(item, key, is_view) for item in value]
        case dict():
            if not _may_stand(value, key):
                raise LeadsOut
            return {_name(inner): _member(inner, item, key, is_view) for inner, item in value.items()}
        case _:
            return value


def _may_stand(value: dict[str, Any], key: str) -> bool:
    """Whether an object may stand under this key: one that computes something, names a column, or is Vega's own."""
    if _TWO_COLUMNS & value.keys() and any(leads_to_function(str(value.get(second))) for second in ("on", "value")):
        return False
    if key in ("as", "field", "fields", "groupby"):
        return key == "field" and value.keys() == {"repeat"}
    if value.keys() & _VEGA or (key.startswith(("axis", "legend")) and "encoding" in value):
        return False
    return not value.keys() & {"expr", "signal"} or key == "params" or bool(_LOOKS.fullmatch(key))


def _member(inner: str, value: Any, outer: str, is_view: bool) -> Any:
    match inner, value:
        case "data", _ if is_view:
            return _data(value)
        case "datasets", dict() if is_view:
            return {_name(name): _rows(rows) for name, rows in value.items()}
        case "bind", dict():
            return _bound(value)
        case "datum", str() if outer in _PLACES:
            inner = "expr"
        case _, str() if outer == "parse":
            return value if _READ.fullmatch(value) else _string(value, "")
        case _, str() if outer == "format" and inner in _DATE:
            return _format(value)
    return _held(value, inner, is_view and inner in _VIEWS)


def _data(value: Any) -> Any:
    """One source of data, or several."""
    match value:
        case list():
            return [_data(item) for item in value]
        case dict():
            return {_name(key): _rows(item) if key == "values" else _held(item, key) for key, item in value.items()}
        case _:
            return _held(value, "data")


def _rows(value: Any) -> Any:
    """What nobody takes for anything but data, and nobody computes."""
    if isinstance(value, dict) and "signal" in value:
        raise LeadsOut
    return value


def _bound(bind: dict[str, Any]) -> Any:
    """Settings of an input are its element's, and known (``charts.py``); an event's name has conditions in it."""
    if "input" in bind:
        return bind
    return {_name(key): _bound(item) if isinstance(item, dict) else _held(item, "bind") for key, item in bind.items()}


def _name(key: str) -> str:
    """Keys may be names of columns."""
    return _string(key, "field")


def _string(text: str, key: str) -> str:
    if key in _TEXTS:
        return _text(text) if key in _WORDLESS else _format(text)
    if not _passes(text, key):
        raise LeadsOut
    return text


def _text(text: str) -> str:
    """As a printer sets it, without what would end it."""
    return _OPENING.sub("\N{LEFT DOUBLE QUOTATION MARK}", text).translate(_CLOSING)


def _format(text: str) -> str:
    if _WORDS.search(text) or _ANY.search(text) or _REPLACES.search(text):
        raise LeadsOut
    return _text(text)


def _passes(text: str, key: str) -> bool:
    if _WORDS.search(text):
        return False
    if key in _EXPRESSIONS:
        is_label = key == "labelExpr"
        return computes(text) and not (is_label and not all(stands_alone(text, "datum", m) for m in ("label", "value")))
    if key.endswith("ormatType"):
        # It is called by this name.
        return text in _FORMATS
    may_quote = key in _STREAMS or key in _VALUES
    shape = None if may_quote else _PART if key in _DATE else _QUOTABLE
    is_path = not may_quote and key != "name"
    if (shape and not shape.fullmatch(text)) or (is_path and leads_to_function(text)):
        return False
    may_call = key in _VALUES or key in _COLUMNS or _COLOR.fullmatch(text)
    if (("(" in text and not may_call) or _NUMBERS.fullmatch(key)) and not computes(text):
        return False
    return text in _NAMES or not (_LEADS_OUT.search(text) or _MEMBER.search(text))
