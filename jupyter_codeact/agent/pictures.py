"""Pictures in the history: from text, beside outputs, and for models that see none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from .shapes import Message

_IMAGE = re.compile(r"!\[[^\[\]]*+\]\((data:(image/[a-z+.-]+);base64,[A-Za-z0-9+/=]+)\)")


@dataclass(frozen=True, kw_only=True)
class ImageParsing:
    """Makes pictures of the Markdown images with their data in the text of the person's side.

    Those of a tool's output follow in a message of their own: services take pictures from the person alone.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    type: Literal["image_parsing"] = "image_parsing"
    allowed_mime_types: tuple[str, ...] = ("image/png", "image/jpeg", "image/webp")

    def __call__(self, history: list[Message]) -> list[Message]:
        made: list[Message] = []
        places: list[int] = []
        pictures: list[dict[str, Any]] = []
        for before, message in zip([None, *history], [*history, None], strict=True):
            if before and pictures and (message is None or message["role"] != "tool"):
                made.append(_following(before, pictures))
                pictures = []
            places.append(len(made))
            if message is not None:
                parsed, found = self._parsed(message)
                # What a summary stands for may be more messages now.
                made.append(parsed | {"covers": places[parsed["covers"]]} if "covers" in parsed else parsed)
                pictures += found
        return made

    def _parsed(self, message: Message) -> tuple[Message, list[dict[str, Any]]]:
        """The message, and the pictures that are to follow it."""
        parts = self._parts(message["content"]) if message["role"] in ("user", "tool") else []
        pictures = [part for part in parts if "image_url" in part]
        if not pictures:
            return message, []
        if message["role"] == "user":
            return message | {"content": parts}, []
        return message | {"content": "".join(part.get("text", FOLLOWS) for part in parts)}, pictures

    def _parts(self, text: Any) -> list[dict[str, Any]]:
        if not isinstance(text, str) or "](data:image/" not in text:
            return []
        parts: list[dict[str, Any]] = []
        end = 0
        for found in _IMAGE.finditer(text):
            if found[2] in self.allowed_mime_types:
                parts += [_text_part(text[end : found.start()]), image_part(found[1])]
                end = found.end()
        parts.append(_text_part(text[end:]))
        return [part for part in parts if part.get("text", "-").strip()]


def _following(message: Message, pictures: list[dict[str, Any]]) -> Message:
    """The pictures of a reply's outputs, the last of which is ``message``."""
    same = {key: message[key] for key in ("agent", "is_demo") if key in message}
    return {"role": "user", "content": pictures, "message_type": "images", "tags": ["images"]} | same


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def image_part(url: str) -> dict[str, Any]:
    """A picture as a part of a message; ``url`` has its data."""
    return {"type": "image_url", "image_url": {"url": url}}


FOLLOWS = "(a picture, which follows)"
UNSEEN = "[a picture that you don't see: code that makes it again can save it as a file]"


def without_pictures(history: list[Message]) -> list[Message]:
    """For a model that sees none: a word in the place of each. Other messages are the same objects."""
    return [_unseen(message) if isinstance(message["content"], list) else message for message in history]


def _unseen(message: Message) -> Message:
    parts = [part if part.get("type") != "image_url" else _text_part(UNSEEN) for part in message["content"]]
    return message | {"content": parts}
