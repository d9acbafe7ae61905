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

from .language import EVENT, computes, stands_alone
from .members import apart_whole, is_inherited, leads_to_function
from .names import words
from .signals import Names
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
_VALUES = words(
    "datum default domain equal font gt gte labelFont lt lte oneOf range sort subtitleFont titleFont value values"
)
_EXPRESSIONS = words("and calculate expr filter labelExpr not or param signal test toggle")
# Meant to be numbers, and written as they stand.
_NUMBERS = re.compile(r"\w*(?:Length|Offset|[bB]andPosition)|band|columns|extent|labelFlush|offset", re.ASCII)
_MEASURES = words("center ci independent iqr min-max normalize shared stderr stdev zero")
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
_OPENING = re.compile(r'(?<![^\s(\[{])"')
_CLOSING = str.maketrans(
    {
        '"': "\N{RIGHT DOUBLE QUOTATION MARK}",
        "'": "\N{RIGHT SINGLE QUOTATION MARK}",
        "`": "\N{LEFT SINGLE QUOTATION MARK}",
        "\\": SHOWN,
    }
)
DATE = words("year quarter month date day hours minutes seconds milliseconds")
# A number, a name, or what is no date but how one is written.
_PART = re.compile(
    r"[0-9]{1,9}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)[a-z]{0,9}|%[^\"'`\\]*",
    re.IGNORECASE | re.ASCII,
)
# Of any other, the compiler makes expressions for labels.
_FORMATS = words("number time")
# In a label's expression the compiler puts formats in the place of names, as a pattern's replacement: with signs that
# mean something there, and names that it then finds.
_REPLACES = re.compile(r"\$\Z|datum\.")


class LeadsOut(ValueError):
    """An expression in a chart could reach the page."""


def string(text: str, key: str, names: Names) -> str:
    """A string under this key, in a chart that gives these names, as it may stand there. Raises LeadsOut."""
    if key in _WORDLESS:
        return apart_whole(_text(text))
    if is_inherited(text):
        # What is constant may become a row's, or name something in a table that is an object.
        raise LeadsOut
    if key in _TEXTS:
        return _format(text)
    if not _passes(text, key, names):
        raise LeadsOut
    return text


def _text(text: str) -> str:
    """As a printer sets it, without what would end it."""
    return _OPENING.sub("\N{LEFT DOUBLE QUOTATION MARK}", text).translate(_CLOSING)


def _format(text: str) -> str:
    if _WORDS.search(text) or _ANY.search(text) or _REPLACES.search(text):
        raise LeadsOut
    return _text(text)


def _passes(text: str, key: str, names: Names) -> bool:
    if _WORDS.search(text) or names.are_made_in(text):
        return False
    if key in _EXPRESSIONS:
        replaced = ("label", "value") if key == "labelExpr" else ()
        return computes(text, names.own) and all(stands_alone(text, "datum", member) for member in replaced)
    if key.endswith("ormatType"):
        # It is called by this name.
        return text in _FORMATS
    may_quote = key in _STREAMS or key in _VALUES
    shape = None if may_quote else _PART if key in DATE else _QUOTABLE
    is_path = not may_quote and key != "name"
    if (shape and not shape.fullmatch(text)) or (is_path and leads_to_function(text)):
        return False
    may_call = key in _VALUES or key in _COLUMNS or _COLOR.fullmatch(text)
    is_expression = ("(" in text and not may_call) or (_NUMBERS.fullmatch(key) and text not in _MEASURES)
    # Of which column an extent is, is a name, too.
    if is_expression and not computes(text, names.own | ({text} if key == "extent" else set())):
        return False
    return text in _NAMES or not (_LEADS_OUT.search(text) or _MEMBER.search(text))
