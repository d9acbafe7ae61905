"""Which CSS values pass: nothing that loads, nothing that leaves its place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import tinycss2

from .names import words

PROPERTIES = words(
    """
    align-content align-items align-self background background-color background-image background-position
    background-repeat background-size border border-bottom border-bottom-color border-bottom-left-radius
    border-bottom-right-radius border-bottom-style border-bottom-width border-collapse border-color border-left
    border-left-color border-left-style border-left-width border-radius border-right border-right-color
    border-right-style border-right-width border-spacing border-style border-top border-top-color
    border-top-left-radius border-top-right-radius border-top-style border-top-width border-width bottom box-shadow
    box-sizing caption-side color column-gap cursor display empty-cells fill flex flex-basis flex-direction flex-flow
    flex-grow flex-shrink flex-wrap float font font-family font-size font-style font-variant font-weight gap grid
    grid-area grid-auto-columns grid-auto-flow grid-auto-rows grid-column grid-row grid-template
    grid-template-areas grid-template-columns grid-template-rows height justify-content justify-items justify-self
    left letter-spacing line-height list-style-type margin margin-bottom margin-left margin-right margin-top
    max-height max-width min-height min-width object-fit object-position opacity order outline outline-color
    outline-style outline-width overflow overflow-wrap overflow-x overflow-y padding padding-bottom padding-left
    padding-right padding-top position right row-gap stroke tab-size table-layout text-align text-decoration
    text-decoration-color text-decoration-line text-decoration-style text-indent text-overflow text-shadow
    text-transform top vertical-align visibility white-space width word-break word-spacing word-wrap z-index
    """
)
FUNCTIONS = words(
    """
    color color-mix conic-gradient fit-content hsl hsla hwb lab lch light-dark linear-gradient minmax oklab oklch
    radial-gradient repeat repeating-conic-gradient repeating-linear-gradient repeating-radial-gradient rgb rgba var
    """
)
# Of these one that comes out below zero is zero: they may be computed.
_SIZES = words("height max-height max-width min-height min-width width")
_UNITS = words("ch cm em ex in mm pc pt px q rem vh vmax vmin vw")
# Sticky headers of tables stay inside their table; the others could stand over our approval bar.
POSITIONS = frozenset({"static", "sticky"})
_PLAIN = frozenset({"ident", "number", "percentage", "dimension", "hash", "string", "whitespace"})
_ENDLESS = re.compile(r"[0-9]{400}")
_NUMBERS = frozenset({"number", "percentage", "dimension"})


def declaration(name: str, tokens: list[Any], important: bool = False) -> str:
    """``color: red``, or "" where it may not stand."""
    name = name if name.startswith("--") else name.lower()
    if not (name in PROPERTIES or _is_variable(name)) or not _pass(tokens, name in _SIZES):
        return ""
    value = " ".join(tinycss2.serialize(tokens).split())
    if not value or "<" in value or (name == "position" and value.lower() not in POSITIONS):
        return ""
    return f"{name}: {value}{' !important' if important else ''}"


def has_endless_number(text: str) -> bool:
    """Of more digits than anybody means, and than Python reads."""
    return _ENDLESS.search(text) is not None


def is_harmless(value: str, name: str) -> bool:
    """Whether a value may be set on this property, which is one that the page offers, of an element's ``style``."""
    if "<" in value or has_endless_number(value):
        return False
    return _pass(tinycss2.parse_component_value_list(value), name in _SIZES)


def _is_variable(name: str) -> bool:
    return name.startswith("--") and name.isascii() and name[2:].replace("-", "").replace("_", "").isalnum()


def _pass(tokens: Iterable[Any], is_size: bool = False) -> bool:
    return all(_passes(token, is_size) for token in tokens)


def _passes(token: Any, is_size: bool) -> bool:
    if token.type == "function" and token.lower_name == "calc":
        return is_size and all(map(_computes, token.arguments))
    if token.type == "function":
        return token.lower_name in FUNCTIONS and _pass(token.arguments)
    if token.type == "literal":
        return token.value in (",", "/")
    if token.type in _NUMBERS:
        # Below zero an element leaves its place: over the cell above, over the bar that asks for approval.
        return bool(token.value >= 0)
    return token.type in _PLAIN


def _computes(token: Any) -> bool:
    """Whether it may stand in a computation: numbers of known units, signs, brackets."""
    match token.type:
        case "number" | "percentage" | "whitespace":
            return True
        case "dimension":
            return token.lower_unit in _UNITS
        case "literal":
            return token.value in "+-*/"
        case "() block":
            return all(map(_computes, token.content))
        case "function":
            return token.lower_name == "calc" and all(map(_computes, token.arguments))
    return False
