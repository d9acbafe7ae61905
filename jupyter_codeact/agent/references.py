"""Messages of a written history name the step that has their text, instead of having it a second time.

``trajectory_step`` is the step's place. Of an observation the text is left out, which was at ``observation_at``; of a
reply the thought, and the action in the arguments of its first call, at ``action_at``. Of ``action`` the beginning
stays, which is what SWE-agent's inspector shows.
"""

from __future__ import annotations

import json
from typing import Any

from .shapes import Message, TrajectoryStep

KEYS = ("trajectory_step", "observation_at", "action_at")
BEGINNING = 70


def cut(message: Message) -> Message:
    """The message without what its step has."""
    if "trajectory_step" not in message:
        return message
    if message["role"] == "assistant":
        return _cut_reply(message)
    at, end = message["observation_at"]
    kept = _without(message, "tool_call_ids") if _calls_of(message) == message.get("tool_call_ids") else message
    return kept | {"content": message["content"][:at] + message["content"][end:]}


def unbound(message: Message) -> Message:
    """The message whole, where its step is in another file."""
    return _without(message, *KEYS)


def rehydrated(document: dict[str, Any]) -> dict[str, Any]:
    """A document with all texts put back into its history."""
    document = dict(document)
    steps = document.get("trajectory", [])
    return document | {"history": [_whole(message, steps) for message in document["history"]]}


def _cut_reply(message: Message) -> Message:
    kept, source = _without(message, "thought"), _escaped(message["action"])
    kept["action"] = message["action"][:BEGINNING]
    if not message.get("tool_calls") or not source:
        return kept
    call, *others = message["tool_calls"]
    before, found, after = call["function"]["arguments"].partition(source)
    # A model may escape more than it needs to: then it stays.
    return kept | {"tool_calls": [_with(call, before + after), *others], "action_at": len(before)} if found else kept


def _whole(message: Message, steps: list[TrajectoryStep]) -> Message:
    if "trajectory_step" not in message:
        return message
    step, whole = steps[message["trajectory_step"]], unbound(message)
    if message["role"] != "assistant":
        at, _ = message["observation_at"]
        calls = {"tool_call_ids": _calls_of(message)} if "tool_call_id" in message else {}
        return whole | {"content": message["content"][:at] + step["observation"] + message["content"][at:]} | calls
    action = step["extra_info"].get("proposed_action", step["action"])
    whole |= {"thought": step["thought"], "action": action}
    if "action_at" in message:
        at, (call, *others) = message["action_at"], message["tool_calls"]
        text = call["function"]["arguments"]
        whole["tool_calls"] = [_with(call, text[:at] + _escaped(action) + text[at:]), *others]
    return whole


def _calls_of(message: Message) -> list[Any] | None:
    """SWE-agent's list of what a message answers, of OpenAI's one."""
    return [message["tool_call_id"]] if "tool_call_id" in message else None


def _with(call: dict[str, Any], arguments: str) -> dict[str, Any]:
    return call | {"function": call["function"] | {"arguments": arguments}}


def _without(message: Message, *names: str) -> Message:
    return {key: value for key, value in message.items() if key not in names}


def _escaped(source: str) -> str:
    """As inside a string of JSON."""
    return json.dumps(source, ensure_ascii=False)[1:-1]
