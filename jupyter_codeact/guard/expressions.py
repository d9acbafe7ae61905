r"""Vega's expressions: what the engine that JupyterLab brings can be made to run is anything.

An expression has no names but Vega's own. What leads out of it is ``event``, whose ``view`` is the window, and members
that each value has, such as ``constructor``. What is called in place of ``toString`` is called with any ``this``, so
that the engine's own functions call ``eval``. Each release mends some of it. So a chart is held back in which a string
could come to those: as a word, by an escape that spells it, or by a member whose name is put together.

Any string, and any key, might be an expression or a piece of one: Vega-Lite's compiler, and Vega's parser, write names,
titles, formats and dates into expressions as they stand. So all of them are looked at, but for rows of data. And no
string may end the quotes that it could be put between, but for what is an expression itself, and values, which are
written with their escapes. Texts that are shown are only ever put between quotes: theirs become typographic ones, and
their words are free.
"""

from __future__ import annotations

import re
from typing import Any

from .names import words
from .tex import SHOWN

_EVENT = "|".join(
    words(
        """
        altKey button buttons clientX clientY code ctrlKey deltaMode deltaX deltaY detail item key keyCode metaKey
        offsetX offsetY pageX pageY pointerType screenX screenY shiftKey timeStamp type which x y
        """
    )
)
_LEADS_OUT = re.compile(
    r"\b(?:__\w+__|constructor|prototype|valueOf|toString(?!\()|toJSON|vlSelectionTuples|dataflow|context|ownerDocument"
    r"|defaultView|contentWindow|contentDocument)\b"
    # It sets what it is told to in any object.
    r"|\bmodify\b"
    # A letter in an escape may stand for another.
    r"|\\[\w\r\n\u2028\u2029]"
    rf"|(?<![\w$.'\"])event\b(?!\.(?:{_EVENT})\b)",
    re.ASCII,
)
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
_VALUES = words("datum domain equal font gt gte labelFont lt lte oneOf range sort subtitleFont titleFont value values")
_EXPRESSIONS = words(
    """
    bind calculate clear events expr filter init insert labelExpr modify on remove signal test toggle translate trigger
    update zoom
    """
)
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
# From a specification to those in it that may have data of their own; what a style is called leads nowhere.
_VIEWS = words("concat from hconcat layer marks spec transform vconcat")


class LeadsOut(ValueError):
    """An expression in a chart could reach the page."""


def held(spec: Any) -> Any:
    """The same specification, held to what its expressions may do. Raises LeadsOut."""
    return _held(spec, "", is_view=True)


def _held(value: Any, key: str, is_view: bool = False) -> Any:
    match value:
        case str():
            return _string(value, key)
        case list():
            return [_held(item, key, is_view) for item in value]
        case dict():
            return {_name(inner): _member(inner, item, key, is_view) for inner, item in value.items()}
        case _:
            return value


def _member(inner: str, value: Any, outer: str, is_view: bool) -> Any:
    match inner, value:
        case "data", _ if is_view:
            return _data(value)
        case "datasets", dict() if is_view:
            return {_name(name): _rows(rows) for name, rows in value.items()}
        case "bind", dict():
            return _bound(value)
        case _, str() if outer == "parse":
            return value if _READ.fullmatch(value) else _string(value, "")
        case _, str() if outer == "format" and inner in _DATE:
            return _text(value)
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
    """What nobody takes for anything but data; those of a signal are computed."""
    return _held(value, "") if isinstance(value, dict) and "signal" in value else value


def _bound(bind: dict[str, Any]) -> Any:
    """Settings of an input are its element's, and known (``charts.py``); an event's name has conditions in it."""
    if "input" in bind:
        return bind
    return {_name(key): _bound(item) if isinstance(item, dict) else _held(item, "bind") for key, item in bind.items()}


def _name(key: str) -> str:
    return _string(key, "")


def _string(text: str, key: str) -> str:
    if key in _TEXTS:
        return _text(text)
    may_quote = key in _EXPRESSIONS or key in _VALUES
    shape = None if may_quote else _PART if key in _DATE else _QUOTABLE
    if (shape and not shape.fullmatch(text)) or _leads_out(text, key):
        raise LeadsOut
    return text


def _text(text: str) -> str:
    """As a printer sets it, without what would end it."""
    return _OPENING.sub("\N{LEFT DOUBLE QUOTATION MARK}", text).translate(_CLOSING)


def _leads_out(text: str, key: str) -> bool:
    if text == "event":
        # A column may be called so.
        return key in _EXPRESSIONS
    return bool(_LEADS_OUT.search(text) or _MEMBER.search(text))
