"""About how many tokens a text has, where the model's own tokenizer isn't at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

# What today's tokenizers cut a text into before they merge bytes: words with the space before them, numbers in threes,
# runs of other signs, and of white space.
_PIECE = re.compile(r" ?[^\W\d_]+|\d{1,3}| ?[^\s\w]+|_+|\s+")
# An image of about a megapixel, as services count it.
IMAGE = 1200
# For the frame of a message, or of a tool's definition.
FRAME = 4


def estimated(text: str) -> int:
    """Within about a fifth of what o200k makes of prose, code and tables."""
    return sum(_tokens(piece) for piece in _PIECE.findall(text))


def exceed(text: str, budget: int) -> bool:
    """Whether they are more than ``budget``; a long text is not counted to its end."""
    counts = accumulate(_tokens(found[0]) for found in _PIECE.finditer(text))
    return any(count > budget for count in counts)


def _tokens(piece: str) -> int:
    """A common word is one token; a long or foreign one several; signs go by twos and threes."""
    bare = piece.lstrip(" ")
    if not bare or bare.isspace():
        return 1
    if not bare.isascii():
        return 1 + len(bare.encode()) // 5
    if bare.isalpha():
        return 1 + max(0, len(bare) - 5) // 5
    return 1 if bare.isdigit() else 1 + (len(bare) - 1) // 4


def of_request(messages: Iterable[dict[str, Any]], tools: Iterable[dict[str, Any]] = ()) -> int:
    """A whole request."""
    return sum(map(of_message, messages)) + sum(estimated(json.dumps(tool)) for tool in tools)


def of_message(message: dict[str, Any]) -> int:
    content = message.get("content") or ""
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    count = sum(estimated(str(part["text"])) if "text" in part else IMAGE for part in parts)
    calls = message.get("tool_calls") or ()
    count += sum(estimated(call["function"]["name"] + call["function"]["arguments"]) for call in calls)
    count += sum(estimated(str(block.get("thinking", ""))) for block in message.get("thinking_blocks") or ())
    return count + estimated(str(message.get("reasoning_content") or "")) + FRAME
