"""CSS selectors of the sandbox's: renamed as its classes and ids are, and bound to its own output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .names import own_id, own_name, words

PSEUDO = words(
    """
    active any-link checked disabled empty enabled first-child first-of-type focus focus-within hover last-child
    last-of-type link odd only-child only-of-type visited
    """
)
COUNTING = frozenset({"nth-child", "nth-last-child", "nth-last-of-type", "nth-of-type"})
_COMBINATORS = frozenset({">", "+", "~"})
_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_COUNT = re.compile(r"(odd|even|[+-]?\d*+n?(\s*+[+-]\s*+\d++)?)", re.ASCII | re.IGNORECASE)


class Foreign(Exception):
    """A selector that is not of the simple kind that passes."""


def scoped(prelude: list[Any], scope: str) -> list[str]:
    """The selectors of a rule, each below ``.scope``; those that are not understood are left out."""
    return [f".{scope} {text}" for part in _split(prelude) if (text := selector(part, scope))]


def selector(tokens: list[Any], scope: str = "") -> str:
    """One selector of types, classes, ids, simple pseudo-classes and combinators; "" for any other."""
    try:
        words = list(_words(tokens))
    except Foreign:
        return ""
    text = " ".join("".join(words).split())
    # What went through here before is in its scope already.
    text = text.removeprefix(f".{own_name(scope)} ")
    return "" if text[:1] in ("", *_COMBINATORS) or text[-1:] in _COMBINATORS else text


def _split(tokens: list[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _words(tokens: list[Any]) -> Iterator[str]:
    waiting = iter(tokens)
    for token in waiting:
        match token.type:
            case "whitespace":
                yield " "
            case "ident":
                yield _name(token.value)
            case "hash":
                yield "#" + own_id(_name(token.value))
            case "literal":
                yield _after(token.value, waiting)
            case _:
                raise Foreign


def _after(mark: str, waiting: Iterator[Any]) -> str:
    """What a punctuation mark begins."""
    if mark in _COMBINATORS:
        return f" {mark} "
    if mark == "*":
        return mark
    following = next(waiting, None)
    if following is None:
        raise Foreign
    if mark == "." and following.type == "ident":
        return "." + own_name(_name(following.value))
    if mark == ":" and following.type == "ident" and following.lower_value in PSEUDO:
        return ":" + str(following.lower_value)
    if mark == ":" and following.type == "function" and following.lower_name in COUNTING:
        return f":{following.lower_name}({_count(following.arguments)})"
    raise Foreign


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise Foreign
    return value


def _count(tokens: list[Any]) -> str:
    text = "".join(token.serialize() for token in tokens).strip()
    if not _COUNT.fullmatch(text):
        raise Foreign
    return "".join(text.split())
