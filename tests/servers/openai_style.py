"""A `Reply` in the words of OpenAI's chat completions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .script import UNSAID, Frame, Json, Reply, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterator


def stream(reply: Reply, request: Json) -> Iterator[Frame]:
    yield _delta(request, {"role": "assistant", "content": ""})
    for piece in reply.pieces(reply.thinking):
        yield _delta(request, {"reasoning_content": piece}, is_chunk=True)
    for piece in reply.pieces(reply.text):
        yield _delta(request, {"content": piece}, is_chunk=True)
    for index, call in enumerate(reply.tool_calls):
        yield from _tool_call(reply, request, index, call)
    for piece in reply.pieces(reply.refusal):
        yield _delta(request, {"refusal": piece}, is_chunk=True)
    if reply.ending is None:
        return
    yield _delta(request, {}, finish=_finish(reply))
    if (request.get("stream_options") or {}).get("include_usage"):
        yield _frame(_envelope(request, "chat.completion.chunk") | {"choices": [], "usage": _usage(reply)})
    yield Frame(b"data: [DONE]\n\n")


def whole(reply: Reply, request: Json) -> Json:
    message: Json = {"role": "assistant", "content": reply.text or None}
    if reply.thinking:
        message["reasoning_content"] = reply.thinking
    if reply.tool_calls:
        message["tool_calls"] = [_call(i, c, c.json) for i, c in enumerate(reply.tool_calls)]
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
    return _envelope(request, "chat.completion") | {"choices": [choice], "usage": _usage(reply)}


def _tool_call(reply: Reply, request: Json, index: int, call: ToolCall) -> Iterator[Frame]:
    """The name comes first with empty arguments; then only pieces of the arguments, told apart by index."""
    yield _delta(request, {"tool_calls": [{"index": index} | _call(index, call, "")]})
    for piece in reply.pieces(call.json):
        part = {"index": index, "function": {"arguments": piece}}
        yield _delta(request, {"tool_calls": [part]}, is_chunk=True)


def _call(index: int, call: ToolCall, arguments: str) -> Json:
    return {
        "id": f"call_{index}",
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def _delta(request: Json, delta: Json, *, finish: str | None = None, is_chunk: bool = False) -> Frame:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _frame(_envelope(request, "chat.completion.chunk") | {"choices": [choice]}, is_chunk)


def _frame(payload: Json, is_chunk: bool = False) -> Frame:
    return Frame(b"data: " + json.dumps(payload).encode() + b"\n\n", is_chunk)


def _envelope(request: Json, kind: str) -> Json:
    return {"id": "chatcmpl-test", "object": kind, "created": 1, "model": request.get("model", "")}


def _finish(reply: Reply) -> str | None:
    if reply.ending == UNSAID:
        return None
    return reply.ending or ("tool_calls" if reply.tool_calls else "stop")


def _usage(reply: Reply) -> Json:
    prompt, completion = reply.usage
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": reply.cached},
    }
