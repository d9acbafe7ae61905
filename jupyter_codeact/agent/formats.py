"""Of which type a picture is, by its bytes: whoever sent it may say anything, and services refuse what says otherwise.

A refused picture would be refused with every later request, too. Nothing of the sandbox's is decoded here but base64.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass

# The types that services take.
SENDABLE = ("image/png", "image/jpeg", "image/webp", "image/gif")
# Bytes after which a picture's own end is still believed to be its end.
TRAILING = 64
_NO_SIZE = frozenset({0xC4, 0xC8, 0xCC})


@dataclass(frozen=True)
class Found:
    """mime: its true type. size: width and height in pixels. plain: it is whole, as far as can be seen, and a still."""

    mime: str
    size: tuple[int, int]
    plain: bool


def look(data: str) -> Found | None:
    """What a text in base64 is; None where it is no picture of a type that services take."""
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
        found = _looked(content)
    except (ValueError, binascii.Error, struct.error, IndexError):
        return None
    return found if found is not None and min(found.size) > 0 else None


def _looked(content: bytes) -> Found | None:
    end = content[-TRAILING:]
    if content[:8] == b"\x89PNG\r\n\x1a\n" and content[12:16] == b"IHDR":
        return Found(
            "image/png", struct.unpack_from(">II", content, 16), b"IEND" in end and b"acTL" not in content[:99]
        )
    if content[:3] == b"\xff\xd8\xff":
        return Found("image/jpeg", _jpeg_size(content), b"\xff\xd9" in end)
    if content[:6] in (b"GIF87a", b"GIF89a"):
        plain = b";" in end and content.count(b"\x21\xf9\x04") < 2
        return Found("image/gif", struct.unpack_from("<HH", content, 6), plain)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        whole = struct.unpack_from("<I", content, 4)[0] + 8 <= len(content) + 1
        return Found("image/webp", _webp_size(content), whole and b"ANIM" not in content[:99])
    return None


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Of its first frame; before it come segments with their lengths."""
    at = 2
    while content[at] == 0xFF:
        kind, length = content[at + 1], *struct.unpack_from(">H", content, at + 2)
        if 0xC0 <= kind <= 0xCF and kind not in _NO_SIZE:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        # Bytes of 0xFF may fill the place between segments.
        at += 1 if kind == 0xFF else 2 + length
    return 0, 0


def _webp_size(content: bytes) -> tuple[int, int]:
    """Of each of its three kinds."""
    match content[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", content, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            bits = struct.unpack_from("<I", content, 21)[0]
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8X":
            width, height = content[24:27], content[27:30]
            return 1 + int.from_bytes(width, "little"), 1 + int.from_bytes(height, "little")
        case _:
            return 0, 0
