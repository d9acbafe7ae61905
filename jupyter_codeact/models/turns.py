"""Turns in a request's messages: many servers refuse two of the same side's in a row, as a Stop or a summary leaves."""

from __future__ import annotations

from typing import Any


def in_turns(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbours of the person's as one. A model's are only ever parted by hers, or by results of its calls."""
    made: list[dict[str, Any]] = []
    for message in messages:
        if made and message["role"] == made[-1]["role"] == "user":
            made[-1] = made[-1] | message | {"content": _joined(made[-1]["content"], message["content"])}
        else:
            made.append(message)
    return made


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
