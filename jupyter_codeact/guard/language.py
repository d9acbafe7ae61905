"""Vega's expressions: as much of the language as charts are made with, and nothing that finds a way out of it.

What harms can't be listed: each release has functions that come to any member by a name that is put together
(``pluck``), that set any property (``modify``), or that call what they are handed (``scale``). So an expression is read
sign by sign. It may call functions that compute, look up a scale by a name that is written out, and count rows. Members
have the names that are written there, and none of a function's; no value can be called; and what is drawn, the view and
the window have no name. Nothing is put together but lists: an object could have what calls in place of its columns.

https://vega.github.io/vega/docs/expressions/
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from .members import METHODS, OF_OBJECTS
from .names import words

EVENT = words(
    """
    altKey button buttons clientX clientY code ctrlKey deltaMode deltaX deltaY detail item key keyCode metaKey
    offsetX offsetY pageX pageY pointerType screenX screenY shiftKey timeStamp type which x y
    """
)
"""What may be asked of an event; its ``view`` is the window."""

_COMPUTE = words(
    """
    abs acos asin atan atan2 bandspace btoa atob ceil clamp clampRange containerSize contrast cos cumulativeLogNormal
    cumulativeNormal cumulativeUniform date datetime day dayAbbrevFormat dayFormat dayofyear densityLogNormal
    densityNormal densityUniform encodeURIComponent exp extent floor flush format hcl hours hsl hypot if inrange indexof
    isArray isBoolean isDate isDefined isFinite isNaN isNumber isObject isRegExp isString isValid join lab lastindexof
    length lerp log lower luminance max milliseconds min minutes month monthAbbrevFormat monthFormat now pad panLinear
    panLog panPow panSymlog parseFloat parseInt peek pow quantileLogNormal quantileNormal quantileUniform quarter random
    regexp replace reverse rgb round sampleLogNormal sampleNormal sampleUniform seconds sequence sin slice span split
    sqrt substring tan test time timeFormat timeOffset timeParse timeSequence timeUnitSpecifier timezoneoffset toBoolean
    toDate toNumber toString trim truncate upper utc utcFormat utcOffset utcParse utcSequence utcdate utcday
    utcdayofyear utchours utcmilliseconds utcminutes utcmonth utcquarter utcseconds utcweek utcyear warn week windowSize
    year zoomLinear zoomLog zoomPow zoomSymlog
    """
)
# What they look up has a name, which must stand there: other things could be called in place of a scale.
_LOOK_UP = words("bandwidth domain indata invert range scale")
# Constants, and what is there in each chart.
_GIVEN = words(
    """
    E LN10 LN2 LOG10E LOG2E MAX_VALUE MIN_VALUE NaN PI SQRT1_2 SQRT2 datum event false height null true undefined width
    """
)
# What is drawn and what it is drawn in; and what is no name, before which a slash would mean something else.
_NAMELESS = words(
    """
    _ event facet group item parent unit break case catch class const continue debugger default delete do else enum
    export extends finally for function if import in instanceof let new return super switch this throw try typeof var
    void while with yield
    """
)
_SIGNS = re.compile(
    r"""
      (?P<text> '(?:[^'\\\r\n\u2028\u2029]|\\[\\'"nrt]|\\u(?!00[0-7])[0-9a-fA-F]{4})*+'
              | "(?:[^"\\\r\n\u2028\u2029]|\\[\\'"nrt]|\\u(?!00[0-7])[0-9a-fA-F]{4})*+" )
    | (?P<number> (?:0[xX][0-9a-fA-F]++ | (?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+)(?![\w$]) )
    | (?P<name> [^\W\d][\w$]*+ | \$[\w$]*+ )
    | (?P<sign> [=!]==?+ | [<>]{1,3}=?+ | && | \|\| | \*\* | [-+*%&|^~!?:,.()\[\]{}] )
    | (?P<slash> / (?![/*]) )
    | (?P<space> [ \t\r\n]++ )
    """,
    re.VERBOSE,
)
_PATTERN = re.compile(r"/(?:[^/\\\[\r\n]|\\[^\r\n]|\[(?:[^\]\\\r\n]|\\[^\r\n])*+\])++/[a-z]*+")
# In a pattern a space behind this sign is another one, and one stands behind it before it is shown (``charts.py``).
_PARTED = re.compile(r"\(\?<[A-Za-z!]")
_BRACKETS = {")": "(", "]": "[", "}": "{"}


class _Sign(NamedTuple):
    kind: str
    text: str

    @property
    def ends_value(self) -> bool:
        """Whether a bracket that follows asks something of a value, and a slash divides it."""
        return self.kind in ("text", "number", "name", "pattern") or self.text in _BRACKETS


_END = _Sign("end", "")


def computes(expression: str, names: Container[str]) -> bool:
    """Whether it only computes, with parameters of these names. What is no expression does not."""
    signs = None if _PARTED.search(expression) else _read(expression)
    if signs is None or not _is_closed(signs):
        return False
    return all(_may_stand(signs, at) and _is_known(signs, at, names) for at in range(1, len(signs) - 2))


def stands_alone(expression: str, name: str, member: str) -> bool:
    """Whether ``name.member`` is that member of that name wherever it is written, and no part of a text.

    The compiler puts something in its place, without a look at what stands around it.
    """
    signs = [sign.text for sign in _read(expression) or ()]
    found = zip(signs, signs[1:], signs[2:], signs[3:], strict=False)
    alone = sum(before != "." and whole == [name, ".", member] for before, *whole in found)
    return expression.count(f"{name}.{member}") == alone


def _read(expression: str) -> list[_Sign] | None:
    """The signs, with one that is none before them and two behind; None where something else stands there."""
    signs, at = [_END], 0
    while at < len(expression):
        found = _SIGNS.match(expression, at)
        kind = found.lastgroup if found is not None else None
        if kind == "slash" and not signs[-1].ends_value:
            found, kind = _PATTERN.match(expression, at), "pattern"
        if found is None or kind is None:
            return None
        at = found.end()
        if kind != "space":
            signs.append(_Sign(kind, found[0]))
    return [*signs, _END, _END]


def _is_closed(signs: Sequence[_Sign]) -> bool:
    open_ones = []
    for sign in signs:
        if sign.kind == "sign" and sign.text in _BRACKETS.values():
            open_ones.append(sign.text)
        elif (
            sign.kind == "sign"
            and sign.text in _BRACKETS
            and (not open_ones or open_ones.pop() != _BRACKETS[sign.text])
        ):
            return False
    return not open_ones


def _may_stand(signs: Sequence[_Sign], at: int) -> bool:
    before, sign, after, further = signs[at - 1 : at + 3]
    match sign:
        case ("name", name):
            return _may_be_named(name, signs, at)
        case ("sign", "."):
            return before.ends_value and after.kind == "name"
        case ("sign", "("):
            return before.kind == "name" or not before.ends_value
        case ("sign", "{"):
            return False
        case ("sign", "["):
            return not before.ends_value or (
                after.kind != "name" and further.text == "]" and _is_member(after, signs, at)
            )
    return True


def _is_member(sign: _Sign, signs: Sequence[_Sign], at: int) -> bool:
    """Whether a value may be asked for it, by the dot or the bracket there: a column of a row's is no function."""
    if sign.kind == "number":
        return True
    is_column = signs[at - 1].text == "datum" and signs[at - 2].text != "."
    name = sign.text[1:-1] if sign.kind == "text" else sign.text
    return sign.kind in ("name", "text") and name not in (OF_OBJECTS if is_column else METHODS)


def _is_known(signs: Sequence[_Sign], at: int, names: Container[str]) -> bool:
    """Whether a name that is no member's, nor a function's, is of what the chart gives; the compiler makes more."""
    before, sign, after = signs[at - 1 : at + 2]
    if sign.kind != "name" or before.text == "." or after.text == "(":
        return True
    return sign.text in _GIVEN or sign.text in names


def _may_be_named(name: str, signs: Sequence[_Sign], at: int) -> bool:
    before, _, after, further = signs[at - 1 : at + 3]
    if before.text == ".":
        return after.text != "(" and _is_member(signs[at], signs, at - 1)
    if after.text == "(":
        return _may_call(name, signs, at)
    if name == "datum":
        # A row as a whole could be taken for a text, and its columns for a text's functions.
        return after.text in (".", "[")
    if name == "event":
        return after.text == "." and further.text in EVENT and (further.text != "item" or _is_whole(signs, at))
    return name not in _NAMELESS


def _is_whole(signs: Sequence[_Sign], at: int) -> bool:
    """Whether ``event.item`` is asked for, and nothing of it."""
    return signs[at + 3].text not in (".", "[")


def _may_call(name: str, signs: Sequence[_Sign], at: int) -> bool:
    argument, end = signs[at + 2], signs[at + 3]
    if name in _LOOK_UP:
        return argument.kind == "text" and end.text in (",", ")")
    if name == "data":
        before = [sign.text for sign in signs[max(at - 2, 0) : at]]
        behind = [sign.text for sign in signs[at + 4 : at + 7]]
        is_counted = before == ["length", "("] and behind[:1] == [")"]
        is_counted |= behind[:2] == [".", "length"] and not {".", "["}.intersection(behind[2:])
        return argument.kind == "text" and end.text == ")" and is_counted
    return name in _COMPUTE
