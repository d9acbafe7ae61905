"""What front ends send. What no kernel could read goes no further: whoever comes after it would wait for its end."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from ..guard.levels import is_deeper, may_be_deeper
from .wire import Message

_VERSION = re.compile(r"\d{1,3}(\.|\Z)")
# As jupyter_client tells dates, in all of a header; it stumbles over one that looks like a date and is none.
_LIKE_A_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|([+-]\d{2}:?\d{2}))?$")
_ZONE = re.compile(r".*(Z|\d|[+-][0-2]\d:?[0-5]\d)\Z")


def has_header(message: Message) -> bool:
    """Whether it says what it is, so that it can be answered. An ipykernel drops what does not."""
    try:
        message.header, message.parent = header, parent = _object(message.parts[0]), _object(message.parts[1])
    except (ValueError, RecursionError):
        return False
    if not all(_is_plain(value) for value in (*header.values(), *parent.values())):
        return False
    named = all(isinstance(header.get(name), str) for name in ("msg_id", "msg_type"))
    version = header.get("version", "5.0")
    subshell = header.get("subshell_id") or None
    return named and isinstance(version, str) and bool(_VERSION.match(version)) and isinstance(subshell, str | None)


def misfit(message: Message) -> str:
    """What is wrong with a request, as a sentence; "" where an answer to it will come."""
    try:
        message.metadata, message.content = _object(message.parts[2]), _object(message.parts[3])
    except (ValueError, RecursionError):
        return "The request can't be read: its metadata and its content have to be JSON objects."
    if message.type == "execute_request" and not isinstance(message.content.get("code"), str):
        return "The request has no code in it that is text."
    return ""


def _object(part: bytes) -> dict[str, Any]:
    """Raises ValueError, or RecursionError."""
    value = json.loads(part.decode())
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 as what is no JSON at all
    if may_be_deeper(part) and is_deeper(value):
        raise RecursionError
    return value


def _is_plain(value: Any) -> bool:
    """A text, a number or nothing; and a date, if it looks like one."""
    if not isinstance(value, str):
        return not isinstance(value, list | dict)
    if not _LIKE_A_DATE.match(value):
        return True
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return value.isascii() and _ZONE.match(value) is not None
