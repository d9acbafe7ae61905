"""What the sandbox answers to an expression that was evaluated unseen."""

from __future__ import annotations

import asyncio
from typing import Any

from ..errors import SandboxDied, SandboxError
from .wire import Message


def take_answer(answer: asyncio.Future[str], message: Message) -> None:
    """The text of the value in a reply, or why there is none. What stands there is the sandbox's word."""
    found: Any = message.content.get("user_expressions")
    found = found.get("x") if isinstance(found, dict) else None
    found = found if isinstance(found, dict) else {}
    data = found.get("data")
    if message.type == "sandbox_died":
        answer.set_exception(SandboxDied("The sandbox ended before it answered."))
    elif found.get("status") == "ok" and isinstance(data, dict):
        answer.set_result(str(data.get("text/plain", "")))
    else:
        why = str(found.get("evalue", "no reason given"))[:300]
        answer.set_exception(SandboxError(f"The sandbox could not answer: {why}"))
