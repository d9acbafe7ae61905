"""A `Reply` in the words of Anthropic's messages: content blocks, each opened, filled and closed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .script import Frame, Json, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIGNATURE = "c2lnbmVk"


def stream(reply: Reply, request: Json) -> Iterator[Frame]:
    yield _event("message_start", message=_message(reply, request, content=[], stop=None, completion=0))
    for index, (start, deltas) in enumerate(_blocks(reply)):
        yield _event("content_block_start", index=index, content_block=start)
        for delta in deltas:
            yield _event("content_block_delta", is_chunk=True, index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    if reply.error:
        yield _event("error", error={"type": reply.error, "message": "the scripted server says no"})
        return
    if reply.ending is None:
        return
    end = {"stop_reason": _stop(reply), "stop_sequence": None}
    yield _event("message_delta", delta=end, usage={"output_tokens": reply.usage[1]})
    yield _event("message_stop")


def whole(reply: Reply, request: Json) -> Json:
    content: list[Json] = []
    if reply.thinking:
        content.append({"type": "thinking", "thinking": reply.thinking, "signature": SIGNATURE})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    for index, call in enumerate(reply.tool_calls):
        content.append(_tool_use(index, call.name, json.loads(call.json)))
    return _message(reply, request, content=content, stop=_stop(reply), completion=reply.usage[1])


def _blocks(reply: Reply) -> Iterator[tuple[Json, Iterable[Json]]]:
    """(opening block, its deltas) in the order in which a model sends them."""
    if reply.thinking:
        yield {"type": "thinking", "thinking": "", "signature": ""}, _thinking(reply)
    if reply.text:
        yield {"type": "text", "text": ""}, _deltas(reply, reply.text, "text_delta", "text")
    for index, call in enumerate(reply.tool_calls):
        yield _tool_use(index, call.name, {}), _deltas(reply, call.json, "input_json_delta", "partial_json")


def _thinking(reply: Reply) -> Iterator[Json]:
    yield from _deltas(reply, reply.thinking, "thinking_delta", "thinking")
    yield {"type": "signature_delta", "signature": SIGNATURE}


def _deltas(reply: Reply, text: str, kind: str, key: str) -> Iterator[Json]:
    return ({"type": kind, key: piece} for piece in reply.pieces(text))


def _tool_use(index: int, name: str, arguments: Json) -> Json:
    return {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": arguments}


def _message(reply: Reply, request: Json, *, content: list[Json], stop: str | None, completion: int) -> Json:
    return {
        "id": "msg_test",
        "type": "message",
        "role": "assistant",
        "model": request.get("model", ""),
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {
            # Anthropic counts cached tokens beside, not inside, the input.
            "input_tokens": reply.usage[0] - reply.cached,
            "cache_read_input_tokens": reply.cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": completion,
        },
    }


def _event(kind: str, *, is_chunk: bool = False, **fields: object) -> Frame:
    body = json.dumps({"type": kind, **fields})
    return Frame(f"event: {kind}\ndata: {body}\n\n".encode(), is_chunk)


def _stop(reply: Reply) -> str:
    return reply.ending or ("tool_use" if reply.tool_calls else "end_turn")
