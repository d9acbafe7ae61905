"""A `Reply` in the words of OpenAI's embeddings: its ``vectors``, one for each text of the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .script import Json, Reply


def whole(reply: Reply, request: Json) -> Json:
    data = [{"object": "embedding", "index": at, "embedding": [*vector]} for at, vector in enumerate(reply.vectors)]
    usage = {"prompt_tokens": reply.usage[0], "total_tokens": reply.usage[0]}
    # The order is not promised; the index says whose vector it is.
    return {"object": "list", "data": data[::-1], "model": request.get("model", ""), "usage": usage}
