"""The conversation as the model sees it, in OpenAI's chat shape; always valid to send."""

from __future__ import annotations

import json
from typing import Any

from ..events import Action, CodeAction, Reply
from ..words import fenced
from .tools import EDIT

Message = dict[str, Any]
STOPPED = "Stopped by the person before this was done."


class History:
    """Messages, oldest first. Every tool call gets its answer, at the latest when the run closes."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._open: list[Action] = []

    def add_system(self, text: str) -> None:
        self.messages.append({"role": "system", "content": text})

    def add_user(self, text: str) -> None:
        self.close()
        self.messages.append({"role": "user", "content": text})

    def add_reply(self, reply: Reply | None, actions: list[Action], text: str) -> None:
        """Add a reply that can be acted on; its actions are open until ``add_result``."""
        if reply is not None:
            self.messages.append(_assistant(reply, actions, text))
            self._open = list(actions)

    def add_result(self, action: Action, text: str) -> None:
        self._open = [other for other in self._open if other.id != action.id]
        self.messages.append(_result(action, text))

    def close(self, reason: str = STOPPED) -> None:
        """The run is over: what was still open is answered, so that the next prompt can follow."""
        for action in list(self._open):
            self.add_result(action, reason)

    def requery(self, reply: Reply | None, problem: str) -> list[Message]:
        """The messages for another try after an unreadable reply. The history itself stays as it is."""
        said = (reply.text if reply else "") or "(no words)"
        calls = "".join(f"\n{call.name}({call.arguments})" for call in (reply.calls if reply else ()))
        return [
            *self.messages,
            {"role": "assistant", "content": said + calls},
            {"role": "user", "content": problem},
        ]


def _assistant(reply: Reply, actions: list[Action], text: str) -> Message:
    message: Message = {"role": "assistant", "content": reply.text}
    if reply.calls:
        message["tool_calls"] = [
            {"id": action.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for action, call in zip(actions, reply.calls, strict=True)
        ]
    elif actions:
        message["content"] = f"{text}\n\n{_fenced(actions[0])}".strip()
    if reply.thinking_blocks:
        message["thinking_blocks"] = list(reply.thinking_blocks)
    return message


def _fenced(action: Action) -> str:
    if isinstance(action, CodeAction):
        language, block = "python", action.source
    else:
        language, block = EDIT, json.dumps(action.arguments)
    return fenced(block, language)


def _result(action: Action, text: str) -> Message:
    if action.call_id:
        return {"role": "tool", "tool_call_id": action.call_id, "content": text}
    return {"role": "user", "content": text}
