"""What the next request would send, part by part, with its tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .. import tokens
from .conversation import Conversation
from .demonstrations import demonstration_messages
from .shapes import Message

UNREADABLE = "(only its service can read it)"
YOURS = "(what you write next)"


@dataclass(frozen=True)
class Part:
    """name: whose words, and what kind. tokens: about. text: as it is sent."""

    name: str
    tokens: int
    text: str


def next_request(agent: Conversation, state: dict[str, Any], extra_fields: dict[str, Any]) -> list[Part]:
    """The request that the next prompt makes. ``state``: see ``acting.state_of``. The history stays as it is."""
    before = [m for m in agent.history if m["agent"] == agent.name]
    if not before:
        before = [agent.system_message(), *demonstration_messages(agent.templates, agent.name)]
    messages = agent.processed([*before, agent.instance_message(YOURS, state, extra_fields)])
    definitions = agent.tools.definitions() if agent.model.takes_tools else []
    shown = [json.dumps(definition) for definition in definitions]
    tools = [Part("tools", sum(map(tokens.estimated, shown)), "\n".join(shown))] if shown else []
    return [*tools, *map(part_of, agent.model.as_sent(messages))]


def part_of(message: Message) -> Part:
    return Part(f"{message['role']}: {message['message_type']}", tokens.of_message(message), text_of(message))


def text_of(message: Message) -> str:
    """A message as text: its thinking, its words, then its calls; a picture by its size."""
    thought = [str(block.get("thinking") or UNREADABLE) for block in message.get("thinking_blocks") or ()]
    thought += [str(message["reasoning_content"])] if message.get("reasoning_content") else []
    content = message.get("content") or ""
    parts = content if isinstance(content, list) else [{"text": content}]
    shown = [f"[thinking] {text}" for text in thought]
    shown += [str(part["text"]) if "text" in part else f"[a picture, about {tokens.IMAGE} tokens]" for part in parts]
    shown += [
        f"{call['function']['name']}({call['function']['arguments']})" for call in message.get("tool_calls") or ()
    ]
    return "\n".join(text for text in shown if text)
