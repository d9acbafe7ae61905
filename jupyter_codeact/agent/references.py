"""What a written trajectory has once: messages of its history, and its cells, name the step that has their text.

``trajectory_step`` is the step's place. Of an observation the beginning stays; of a reply the thought is left out, and
the action in the arguments of its first call. What stands in their place, from and to ``observation_at`` or
``action_at``, says where the whole is: SWE-agent's own tools show both lists. They read ``action`` and ``content``, and
take pictures as Markdown.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .pictures import image_part
from .shapes import Message, TrajectoryStep

KEYS = ("trajectory_step", "observation_at", "action_at")
# What is no longer than this stands in both places; of longer outputs so much stays, and so much of actions, which
# SWE-agent's inspector cuts by itself.
SHORT, BEGINNING, ACTION = 120, 60, 71
_PICTURE = re.compile(r"!\[picture\]\(([^)\[]++)\)")


def cut(message: Message) -> Message:
    """The message without what its step has."""
    if "trajectory_step" not in message:
        return message
    if message["role"] == "assistant":
        return _cut_reply(message)
    at, end = message["observation_at"]
    text, number = message["content"], message["trajectory_step"] + 1
    if end - at <= SHORT:
        return unbound(message)
    kept = _without(message, "tool_call_ids") if _calls_of(message) == message.get("tool_call_ids") else message
    beginning = f"{text[at : at + BEGINNING]}\n[… {end - at} characters: step {number}]"
    return kept | {"content": text[:at] + beginning + text[end:], "observation_at": [at, at + len(beginning)]}


def unbound(message: Message) -> Message:
    """The message whole, where its step is in another file."""
    return _without(message, *KEYS)


def drawn(message: Message) -> Message:
    """The message with its pictures as Markdown, where it is made of them."""
    if message["message_type"] != "images":
        return message
    return message | {"content": "\n".join(f"![picture]({part['image_url']['url']})" for part in message["content"])}


def _undrawn(message: Message) -> Message:
    if "message_type" not in message or message["message_type"] != "images" or not isinstance(message["content"], str):
        return message
    return message | {"content": [image_part(url) for url in _PICTURE.findall(message["content"])]}


def placed(cells: list[str], steps: list[TrajectoryStep]) -> list[int | str]:
    """The places of the steps that ran ``cells``; a source that none has stays."""
    rest = enumerate(steps)
    return [next((place for place, step in rest if step["action"] == cell), cell) for cell in cells]


def rehydrated(document: dict[str, Any]) -> dict[str, Any]:
    """A document with all texts put back where they belong."""
    document = dict(document)
    steps = document.get("trajectory", [])
    whole: dict[str, Any] = {"history": [_whole(message, steps) for message in document["history"]]}
    info = document.get("info")
    if isinstance(info, dict) and "cells" in info:
        cells = [steps[cell]["action"] if isinstance(cell, int) else cell for cell in info["cells"]]
        whole["info"] = info | {"cells": cells}
    return document | whole


def _cut_reply(message: Message) -> Message:
    kept, source = _without(message, "thought"), _escaped(message["action"])
    kept["action"] = message["action"][:ACTION]
    if not message.get("tool_calls") or len(source) <= SHORT:
        return kept
    call, *others = message["tool_calls"]
    before, found, after = call["function"]["arguments"].partition(source)
    # A model may escape more than it needs to: then it stays.
    if not found:
        return kept
    instead = f"# step {message['trajectory_step'] + 1}"
    calls = [_with(call, before + instead + after), *others]
    return kept | {"tool_calls": calls, "action_at": [len(before), len(before + instead)]}


def _whole(message: Message, steps: list[TrajectoryStep]) -> Message:
    if "trajectory_step" not in message:
        return _undrawn(message)
    step, whole = steps[message["trajectory_step"]], unbound(message)
    if message["role"] != "assistant":
        at, end = message["observation_at"]
        calls = {"tool_call_ids": _calls_of(message)} if "tool_call_id" in message else {}
        text = message["content"]
        return whole | {"content": text[:at] + step["observation"] + text[end:]} | calls
    action = step["extra_info"].get("proposed_action", step["action"])
    whole |= {"thought": step["thought"], "action": action}
    if "action_at" in message:
        (at, end), (call, *others) = message["action_at"], message["tool_calls"]
        text = call["function"]["arguments"]
        whole["tool_calls"] = [_with(call, text[:at] + _escaped(action) + text[end:]), *others]
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
