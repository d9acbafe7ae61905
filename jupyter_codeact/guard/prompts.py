"""Questions that code in the sandbox asks on stdin, told from ours by what a person sees of them."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

# Any wording that could pass for "Run this? [y]es, [n]o with a reason, [a]ll, [s]top: " or for the question of trust.
_LIKE_OURS = re.compile(r"(?:run|do|store)\W*this|\[y\]|\[a\]ll|approve|trust|%agent|allow")
_STYLE = re.compile(r"\x1b\[[\d;:]*m")
_SEQUENCE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]P^_X]|\x9d|\x90)[^\x07\x1b\x9c]*|\x1b[ -~]?")
# What is written after them may stand over what was before, or backwards; a style or a line break is no such thing.
_MOVING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e]")
# Small capitals, strokes, circles: another form of the same letter, as Unicode's names say.
_FORM = re.compile(r"\b(?:LATIN|REGIONAL INDICATOR)\b.*\bLETTER (?:SMALL CAPITAL |DOTLESS |SCRIPT )?([A-Z])\b")
FROM = "Asked by the code that runs: "
LIMIT = 10_000
# Of one that could be ours: what precedes it stays in view.
SHORT = 500


def clean(content: dict[str, Any]) -> dict[str, Any]:
    """The prompt, with its origin before it where it might be taken for one of ours."""
    prompt = str(content.get("prompt", ""))[:LIMIT]
    if _could_be_ours(prompt):
        prompt = _printed(prompt).removeprefix(FROM)[:SHORT]
        prompt = FROM + prompt
    return {"prompt": prompt, "password": bool(content.get("password"))}


def _could_be_ours(prompt: str) -> bool:
    if _MOVING.search(_STYLE.sub("", prompt).replace("\r\n", "\n")):
        return True
    seen = "".join(map(_letter, unicodedata.normalize("NFKD", _printed(prompt)))).casefold()
    return bool(_LIKE_OURS.search(seen)) or any(map(_is_mixed, re.findall(r"\w+", seen)))


def _printed(prompt: str) -> str:
    """In one line, without characters and sequences that are never seen themselves."""
    text = re.sub(r"\s", " ", _SEQUENCE.sub("", prompt))
    return "".join(sign for sign in text if not unicodedata.category(sign).startswith("C"))


def _letter(sign: str) -> str:
    """The letter that this is a form of; nothing for a mark upon one."""
    if sign.isascii():
        return sign
    form = _FORM.search(unicodedata.name(sign, ""))
    return form[1] if form else "" if unicodedata.category(sign).startswith("M") else sign


def _is_mixed(word: str) -> bool:
    """Whether letters of another script stand among Latin ones, as they do where they are to look like them."""
    scripts = {unicodedata.name(sign, "?").split()[0] == "LATIN" for sign in word if sign.isalpha()}
    return len(scripts) > 1
