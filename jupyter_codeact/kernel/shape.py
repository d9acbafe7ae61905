"""What a message of the sandbox's is made of: what every front end can read, of a size that this process can take.

Front ends read strictly: a date that is none, a version that is no number or a NaN ends a client that reads it.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, NoReturn

from ..guard.levels import is_deeper, may_be_deeper
from ..guard.names import PROTOTYPE
from .wire import Message, split

HEADER_LIMIT = 4096
# Bytes of a message from which on it is checked aside: Markdown of this size takes 0.1 s where it was made to.
LONG = 4_000
# Of a message whose bytes are a picture's, which are only looked through.
LONG_PICTURE = 1_000_000
# JSON is read in one go, with this process's other threads waiting: a million values take about 0.2 s.
VALUES = 1_000_000
DISPLAYS = frozenset({"display_data", "execute_result", "update_display_data"})
_HEADER_KEYS = frozenset({"msg_id", "msg_type", "session", "username", "date", "version"})
# What is in any text that spells a key of PROTOTYPE, escapes or not: a search costs less than to look at each key.
_SPELLINGS = (b"proto", b"constructor", b"\\u005", b"\\u006", b"\\u007")
_VERSION = re.compile(r"5\.\d{1,3}")
# A display as IPython makes it of a picture, up to the picture's own bytes.
_PICTURE_HEAD = re.compile(
    rb'\{"data": ?\{(?:"text/plain": ?"[^"\\]{0,200}", ?)?"image/(?:png|jpeg|gif|webp)": ?"(?=[^"\\])'
)
_STREAM_HEADS = tuple(
    b'{"name":%s"%s",%s"text":%s"' % (gap, name, gap, gap) for name in (b"stdout", b"stderr") for gap in (b" ", b"")
)


class Held(Exception):
    """A message that may not pass. Why is for whoever reads the code; the sandbox is not told."""


def _refuse(constant: str) -> NoReturn:
    raise Held


def _without_prototype(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in pairs if key not in PROTOTYPE}


# Made once: json makes new ones for each call that has options, which takes longer than to read a short message.
_WHOLE = json.JSONDecoder(parse_constant=_refuse)
_DISARMED = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_without_prototype)
_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def shaped(message: Message) -> Message:
    """The message, if its header is one. What else stands in the header is not passed on."""
    raw = message.parts[0]
    if len(raw) > HEADER_LIMIT or len(message.parts[1]) > 16 * HEADER_LIMIT:
        raise Held
    # Of its keys the known ones are kept, whatever the others are called.
    header = read(raw, whole=True)
    known = {key: value for key, value in header.items() if key in _HEADER_KEYS}
    if not ("msg_id" in known and "msg_type" in known):
        raise Held
    for key, value in known.items():
        if not (isinstance(value, str) and _fits(key, value)):
            raise Held
    # Four quotes for each pair: no key stands there twice, and nothing is spelt in another way.
    if len(known) != len(header) or not raw.isascii() or b"\\" in raw or raw.count(b'"') != 4 * len(known):
        message.parts[0] = written(known)
    message.header = known
    return message


def _fits(key: str, value: str) -> bool:
    """Clients look for dates in all of a header, and stumble over one that looks like a date and is none."""
    match key:
        case "date":
            return value.endswith("Z") and bool(datetime.fromisoformat(value))
        case "version":
            return bool(_VERSION.fullmatch(value))
        case _:
            return ":" not in value


def read(data: bytes, whole: bool = False) -> dict[str, Any]:
    """A JSON object, of the kind that a browser can read too. Unless ``whole``, without keys of PROTOTYPE anywhere."""
    if has_many_values(data):
        raise Held
    decoder = _DISARMED if not whole and _may_spell_prototype(data) else _WHOLE
    value = decoder.decode(data.decode(errors="replace"))
    if not isinstance(value, dict):
        raise Held
    return value


def _may_spell_prototype(data: bytes) -> bool:
    rest = _without_picture(data)
    return any(spelling in rest for spelling in _SPELLINGS)


def written(document: dict[str, Any]) -> bytes:
    """The same as bytes. Raises ValueError for a number that JSON doesn't have, which may be spelt as 1e999."""
    data = _WRITER.encode(document).encode(errors="replace")
    if may_be_deeper(data) and is_deeper(document):
        raise Held
    return data


def has_many_values(data: bytes) -> bool:
    """Whether it may hold more than ``VALUES`` values."""
    return len(data) > VALUES and sum(map(data.count, (b",", b"[", b"{"))) > VALUES


def is_long(frames: list[bytes]) -> bool:
    """Whether it may take long to check. Prints don't, nor do pictures: they are read, and not sanitised."""
    size = sum(map(len, frames))
    if size < LONG:
        return False
    try:
        message = shaped(split(frames))
    except Exception:  # noqa: BLE001 a boundary: what is no message is refused at once
        return False
    if message.type == "stream":
        return False
    if message.type not in DISPLAYS or size > LONG_PICTURE:
        return True
    content = message.parts[3]
    return size - len(content) + len(_without_picture(content)) >= LONG


def _without_picture(content: bytes) -> bytes:
    """What is left without a picture's own bytes, if that is what it shows first: they are a text, and hold no keys."""
    if not (head := _PICTURE_HEAD.match(content)):
        return content
    return head[0] + content[max(head.end(), content.find(b'"', head.end())) :]


def is_stream(content: bytes) -> bool:
    """Whether this is plainly ``{"name": …, "text": …}``: told from its bytes, because floods come through here."""
    head = next((head for head in _STREAM_HEADS if content.startswith(head)), None)
    if head is None or not content.endswith(b'"}') or len(content) < len(head) + 2:
        return False
    text = content[len(head) : -2]
    if b"\\" in text:
        # Half of a surrogate pair is no text that could be saved.
        if b"\\ud" in text or b"\\uD" in text:
            return False
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b'"' not in text and not text.endswith(b"\\") and _is_json(content)


def _is_json(content: bytes) -> bool:
    """A name of a file that is no UTF-8, once printed, comes as bytes that are none either."""
    try:
        json.loads(content.decode())
    except ValueError:
        return False
    return True
