"""Patterns that JSON from the sandbox is fitted to: what is of another type is refused, and what is more is left out.

A pattern is an object of patterns by key, of which those with a ``?`` may be missing (``ANY`` alone is for all keys); a
list of one pattern, for each item; a tuple of them, for items one by one; or a function that tells what fits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

ANY = "*"


class Misshapen(ValueError):
    """Not of the shape that its kind of message has."""


def fitted(value: Any, pattern: Any) -> Any:
    """What the pattern knows of the value."""
    match pattern, value:
        case dict(), dict():
            return _object(value, pattern)
        case [*_], [*_] if isinstance(pattern, list):
            return [fitted(item, pattern[0]) for item in value]
        case tuple(), [*_] if len(value) == len(pattern):
            return [fitted(item, part) for item, part in zip(value, pattern, strict=True)]
    if callable(pattern) and pattern(value):
        return value
    raise Misshapen


def _object(value: dict[str, Any], pattern: dict[str, Any]) -> dict[str, Any]:
    if ANY in pattern:
        return {key: fitted(inner, pattern[ANY]) for key, inner in value.items()}
    fits = {}
    for name, part in pattern.items():
        key = name.removesuffix("?")
        if key in value:
            fits[key] = fitted(value[key], part)
        elif key == name:
            raise Misshapen
    return fits


def text(value: Any) -> bool:
    return isinstance(value, str)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def number(value: Any) -> bool:
    """One that a page can count with."""
    return isinstance(value, int | float) and not flag(value) and abs(value) < 2**53 and math.isfinite(value)


def whole(value: Any) -> bool:
    return isinstance(value, int) and number(value)


def natural(value: Any) -> bool:
    return whole(value) and value >= 0


def table(value: Any) -> bool:
    return isinstance(value, dict)


def list_of(pattern: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(pattern, value))


def optional(pattern: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or pattern(value)


def one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: text(value) and value in words


def like(expression: str) -> Callable[[Any], bool]:
    return lambda value: text(value) and bool(re.fullmatch(expression, value))


def either(*patterns: Any) -> Callable[[Any], bool]:
    """For what is passed on as it is: its own objects may hold no more than a pattern knows."""
    return lambda value: any(_is(value, pattern) for pattern in patterns)


def _is(value: Any, pattern: Any) -> bool:
    try:
        return bool(fitted(value, pattern) == value)
    except Misshapen:
        return False
