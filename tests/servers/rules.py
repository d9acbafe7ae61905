"""What both providers refuse of a request's messages: a scripted server that took everything would hide it.

Each function returns why the request is refused, or "".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from .script import Json

MOST_MARKS = 4
# What litellm puts in the place of an empty text: words that the model never said.
INVENTED = "Empty message content sanitised"
OPENAI_KEYS = {
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls", "reasoning_content", "refusal"},
    "tool": {"role", "content", "tool_call_id"},
}


def openai(request: Json) -> str:
    """The rules of OpenAI's chat completions. ``reasoning_content`` is DeepSeek's, who asks for it."""
    messages = request.get("messages") or []
    turns = iter(()) if request.get("tools") else _turns(messages)
    return _invented(request) or next(_openai(messages), "") or next(turns, "")


def anthropic(request: Json) -> str:
    """The rules of Anthropic's messages."""
    return _invented(request) or next(_anthropic(request), "")


def _invented(request: Json) -> str:
    return "words that nobody has said" if INVENTED in json.dumps(request) else ""


def _openai(messages: list[Json]) -> Iterator[str]:
    due: list[str] = []
    for place, message in enumerate(messages):
        role, where = message.get("role"), f"messages[{place}]"
        if role not in OPENAI_KEYS:
            yield f"{where}: there is no role {role!r}"
            return
        if unknown := message.keys() - OPENAI_KEYS[role]:
            yield f"{where}: {role} has no {', '.join(sorted(unknown))}"
        if role == "tool":
            if message.get("tool_call_id") not in due:
                yield f"{where}: answers no call of the reply before it"
            else:
                due.remove(message["tool_call_id"])
        elif due:
            yield f"{where}: calls are not answered: {', '.join(due)}"
        if not message.get("content") and not message.get("tool_calls"):
            yield f"{where}: is empty"
        yield from _pictures(where, message)
        if role == "assistant":
            due = [call["id"] for call in message.get("tool_calls") or ()]
            yield from _calls(where, message)
    if due:
        yield f"calls are not answered: {', '.join(due)}"


def _turns(messages: list[Json]) -> Iterator[str]:
    """As templates of local models have it, most of which know of no tools; OpenAI takes any order."""
    said = [message["role"] for message in messages if message["role"] != "system"]
    if "tool" not in said and said != [("user", "assistant")[place % 2] for place in range(len(said))]:
        yield f"after the system prompt roles must alternate, beginning with user: {', '.join(said)}"


def _pictures(where: str, message: Json) -> Iterator[str]:
    content, role = message.get("content"), message.get("role")
    parts = content if isinstance(content, list) else []
    if role != "user" and any(part.get("type") == "image_url" for part in parts):
        yield f"{where}: {role} has a picture"


def _calls(where: str, message: Json) -> Iterator[str]:
    ids = [call["id"] for call in message.get("tool_calls") or ()]
    if len({*ids}) < len(ids) or not all(ids):
        yield f"{where}: the ids of its calls are {ids}"
    for call in message.get("tool_calls") or ():
        if not _is_object(call["function"]["arguments"]):
            yield f"{where}: arguments are no JSON object: {call['function']['arguments']!r}"


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _anthropic(request: Json) -> Iterator[str]:
    messages = request.get("messages") or []
    marks = sum(map(_marks, (request.get("system"), request.get("tools"), messages)))
    if marks > MOST_MARKS:
        yield f"{marks} blocks with cache_control, at most {MOST_MARKS} may have it"
    due: list[str] = []
    for place, message in enumerate(messages):
        role, where = message.get("role"), f"messages.{place}"
        if role != ("assistant" if place % 2 else "user"):
            yield f"{where}: roles must alternate, beginning with user"
        content = message.get("content") or ""
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        yield from _blocks(where, blocks)
        answered = [block.get("tool_use_id") for block in blocks if block["type"] == "tool_result"]
        if sorted(answered) != sorted(due):
            yield f"{where}: tool_use {due} was followed by tool_result {answered}"
        due = [block["id"] for block in blocks if block["type"] == "tool_use"]
    if due:
        yield f"tool_use without tool_result: {', '.join(due)}"
    yield from _turn(request)


def _turn(request: Json) -> Iterator[str]:
    """The turn that goes on while results of tools come back: with thinking from its beginning, or without any."""
    thinks = (request.get("thinking") or {}).get("type") == "enabled"
    first: list[Json] | None = None
    for message in reversed(request.get("messages") or []):
        content = message.get("content")
        blocks = content if isinstance(content, list) else [{"type": "text"}]
        kinds = {block["type"] for block in blocks}
        if message.get("role") == "assistant":
            first = blocks
            if not thinks and kinds & {"thinking", "redacted_thinking"}:
                yield "thinking is disabled, and the last turn has some"
        elif "tool_result" not in kinds:
            break
    if thinks and first and first[0]["type"] not in ("thinking", "redacted_thinking"):
        yield f"expected thinking, found {first[0]['type']}: with thinking enabled, a turn with tool_use starts with it"


def _blocks(where: str, blocks: list[Json]) -> Iterator[str]:
    kinds = [block["type"] for block in blocks]
    if not blocks or any(block["type"] == "text" and not block["text"].strip() for block in blocks):
        yield f"{where}: text must not be empty"
    if "thinking" in kinds and kinds[0] not in ("thinking", "redacted_thinking"):
        yield f"{where}: thinking comes first"
    if any(block["type"] == "thinking" and not block.get("signature") for block in blocks):
        yield f"{where}: thinking is not signed"
    results = [place for place, kind in enumerate(kinds) if kind == "tool_result"]
    if results != [*range(len(results))]:
        yield f"{where}: tool_result comes before anything else"
    ids = [block["id"] for block in blocks if block["type"] == "tool_use"]
    if len({*ids}) < len(ids):
        yield f"{where}: tool_use ids must be unique"


def _marks(value: Any) -> int:
    if isinstance(value, dict):
        return ("cache_control" in value) + sum(map(_marks, value.values()))
    return sum(map(_marks, value)) if isinstance(value, list) else 0


RULES: dict[str, Callable[[Json], str]] = {"/v1/chat/completions": openai, "/v1/messages": anthropic}
