"""Names under which values have functions, and what comes to one.

A function that is a value is called by whoever takes it for something else: a text's separator, a list's own method. So
none is named. A row is an object (``rows.py``) and has but the few that each object has: any other name behind it is a
column's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .names import words

OF_OBJECTS = words(
    """
    __defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__ constructor hasOwnProperty isPrototypeOf
    propertyIsEnumerable toLocaleString toString valueOf
    """
)
METHODS = OF_OBJECTS | words(
    """
    add anchor apply arguments at big bind blink bold call callee caller catch charAt charCodeAt clear
    codePointAt compile concat copyWithin delete difference endsWith entries every exec fill filter finally find
    findIndex findLast findLastIndex fixed flat flatMap fontcolor fontsize forEach get getBigInt64 getBigUint64
    getDate getDay getFloat16 getFloat32 getFloat64 getFullYear getHours getInt16 getInt32 getInt8
    getMilliseconds getMinutes getMonth getOrInsert getOrInsertComputed getSeconds getTime getTimezoneOffset
    getUTCDate getUTCDay getUTCFullYear getUTCHours getUTCMilliseconds getUTCMinutes getUTCMonth getUTCSeconds
    getUint16 getUint32 getter getUint8 getYear has includes indexOf intersection isDisjointFrom isSubsetOf
    isSupersetOf isWellFormed italics join keys lastIndexOf link localeCompare map match matchAll normalize
    padEnd padStart pop push reduce reduceRight repeat replace replaceAll resize reverse search set setBigInt64
    setBigUint64 setDate setFloat16 setFloat32 setFloat64 setFromBase64 setFromHex setFullYear setHours setInt16
    setInt32 setInt8 setMilliseconds setMinutes setMonth setSeconds setTime setUTCDate setUTCFullYear
    setUTCHours setUTCMilliseconds setUTCMinutes setUTCMonth setUTCSeconds setUint16 setUint32 setUint8 setYear
    shift slice small some sort splice split startsWith strike sub subarray substr substring sup
    symmetricDifference test then toBase64 toDateString toExponential toFixed toGMTString toHex toISOString
    toJSON toLocaleDateString toLocaleLowerCase toLocaleTimeString toLocaleUpperCase toLowerCase toPrecision
    toReversed toSorted toSpliced toTemporalInstant toTimeString toUTCString toUpperCase toWellFormed transfer
    transferToFixedLength trim trimEnd trimLeft trimRight trimStart union unshift values with
    """
)
"""Of lists, texts, numbers, dates, patterns, functions, maps, sets, promises and buffers, as browsers have them."""

# What stands in an object without being put there: where one is kept as a table, it is found under these names, and
# what is then counted or collected there is everybody's.
INHERITED = OF_OBJECTS | words("__proto__ prototype")
_ANY_INHERITED = f"(?:{'|'.join(sorted(INHERITED))})"
_INHERITED = re.compile(rf"(?<!\w){_ANY_INHERITED}(?!\w)")
_UNSEEN = "\N{ZERO WIDTH SPACE}"
# Where Vega parts the path to what a row holds; what a backslash stands before belongs to a name.
_NAME = re.compile(r"(?:[^\\.\[\]'\"]|\\.)++", re.DOTALL)
# Where Plotly does.
PART = re.compile(r"[^.\[\]]+")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def leads_to_function(path: str) -> bool:
    """Whether the path to a column comes to one: its first name is the column's."""
    first, *further = (_ESCAPED.sub(r"\1", name) for name in _NAME.findall(path) or [""])
    return first in OF_OBJECTS or not METHODS.isdisjoint(further)


def is_inherited(text: str) -> bool:
    """Whether it is such a name, for whoever leaves out spaces about it, too."""
    return text.strip() in INHERITED


def apart(value: Any, one: Callable[[str], str] | None = None) -> Any:
    """JSON whose strings are no names of what each object has: a sign that can't be seen stands behind such a one.

    one: what is done to each string.
    """
    one = one or apart_whole
    match value:
        case str():
            return one(value)
        case list():
            return [apart(item, one) for item in value]
        case dict():
            return {key: apart(item, one) for key, item in value.items()}
        case _:
            return value


def apart_whole(text: str) -> str:
    """The same of one string. Of most it is told at once that they are no such name."""
    return _INHERITED.sub(_with_sign, text) if "__proto__" in text or is_inherited(text) else text


def apart_path(text: str) -> str:
    """The same where a string may be a path, each part of which is a name."""
    is_path = not INHERITED.isdisjoint(PART.findall(text))
    return _INHERITED.sub(_with_sign, text) if is_path else apart_whole(text)


def _with_sign(found: re.Match[str]) -> str:
    return found[0] + _UNSEEN


def kept_apart(column: str) -> str:
    """An expression: what is in this column, unless it is such a name, or a list with one."""
    value = f"datum[{json.dumps(column)}]"
    return f"test(/(^|,)\\s*{_ANY_INHERITED}\\s*(,|$)/, '' + {value}) ? null : {value}"
