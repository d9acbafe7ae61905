"""A person in the model's place: she writes the action in the cell that is proposed, and runs it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

from .. import tokens
from ..events import CallDelta, Delta, Reply, TextDelta, ToolCall

ENDED = "Ended by you."
PROMPT = "# Write the next action here and run the cell. Reject it to end the run."


class HumanModel:
    """Proposes a cell with nothing but a comment in it. Her rejection of it is the end of the run."""

    name = "human"
    takes_tools = True
    sees_images = False
    context_tokens = None

    def __init__(self) -> None:
        self._asked = 0

    async def query(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> AsyncGenerator[Delta, None]:
        if messages[-1].get("outcome") == "rejected":
            yield TextDelta(ENDED)
            yield Reply(ENDED)
            return
        self._asked += 1
        call = ToolCall(f"human_{self._asked}", "run_cell", json.dumps({"code": PROMPT}))
        yield CallDelta(0, call.name, call.arguments)
        yield Reply("", (call,))

    def count(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> int:
        return tokens.of_request(messages, tools)

    def as_sent(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return messages
