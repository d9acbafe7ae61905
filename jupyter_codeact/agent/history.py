"""The conversation as a list of messages: how each is made, and that a service can always be sent them.

A message has OpenAI's chat shape and, beside it, what processors, trajectories and scripted models go by: ``agent``
(whose it is), ``message_type``, ``is_demo``, ``tags``, of an action ``thought`` and ``action``, and of its observation
``outcome``; a reply has the ``model`` that gave it. Models send on what their service takes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..events import Action, CodeAction, EditAction, Reply, SkillAction
from ..words import fenced
from .shapes import Message, StepOutput
from .tools import EDIT, RUN, SKILLS, SUBMIT

STOPPED = "Stopped by the person before this was done."
ENDED = "Not done: the run has ended."


def text_message(role: str, content: Any, kind: str, agent: str, **more: Any) -> Message:
    return {"role": role, "content": content, "agent": agent, "message_type": kind, **more}


def reply_message(reply: Reply, actions: Sequence[Action], text: str, agent: str) -> Message:
    """A reply that can be acted on. Without tool calls, the model sees only what was acted on."""
    kind = "action" if actions else "thought"
    message = text_message("assistant", reply.text or text, kind, agent, thought=text, action=source_of(actions[:1]))
    if reply.calls:
        message["tool_calls"] = [
            {"id": action.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for action, call in zip(actions, reply.calls, strict=True)
        ]
    elif actions:
        message["content"] = f"{text}\n\n{_fenced(actions[0])}".strip()
    if reply.thinking_blocks:
        message["thinking_blocks"] = [dict(block) for block in reply.thinking_blocks]
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    return message


def result_message(call_id: str, content: Any, agent: str, **more: Any) -> Message:
    """What came of an action: the answer to its tool call, or the next turn of the person's side."""
    message = text_message("tool" if call_id else "user", content, "observation", agent, **more)
    if call_id:
        message |= {"tool_call_id": call_id, "tool_call_ids": [call_id]}
    return message


def open_calls(history: Sequence[Message]) -> list[str]:
    """The ids of the newest reply's calls that nothing has answered yet."""
    answered = set()
    for message in reversed(history):
        if message["role"] == "assistant":
            return [call["id"] for call in message.get("tool_calls") or () if call["id"] not in answered]
        answered.add(message.get("tool_call_id"))
    return []


def requery_messages(output: str, problem: str, agent: str) -> list[Message]:
    """A reply that could not be read, and what was wrong with it."""
    said = text_message("assistant", output.strip() or "(no words)", "failed", agent)
    return [said, text_message("user", problem, "error", agent)]


def said(reply: Reply) -> str:
    """A reply as text, calls included."""
    calls = "".join(f"\n{call.name}({call.arguments})" for call in reply.calls)
    return (reply.text + calls).strip("\n")


def source_of(actions: Sequence[Action]) -> str:
    """An action as text: code as it is, the others as the arguments of their tool."""
    return "\n".join(
        action.source if isinstance(action, CodeAction) else json.dumps(_arguments(action)) for action in actions
    )


def _arguments(action: Action) -> dict[str, Any]:
    match action:
        case EditAction():
            return action.arguments
        case CodeAction():
            return {"code": action.source}
        case _:
            return {"answer": action.answer, "gave_up": action.gave_up}


def tool_of(action: Action) -> str:
    """The name of the tool that an action is a call of."""
    match action:
        case CodeAction():
            return RUN
        case SkillAction():
            return SKILLS
        case EditAction():
            return EDIT
        case _:
            return SUBMIT


def _fenced(action: Action) -> str:
    return fenced(source_of([action]), "python" if isinstance(action, CodeAction) else tool_of(action))


def describe(step: StepOutput, reply: Reply, agent: str, model: str) -> None:
    """Fill in what a step has of its reply: among it, the message that says it in the history."""
    message = step.message = reply_message(reply, step.actions, step.thought, agent) | {"model": model}
    step.tool_calls = message.get("tool_calls")
    step.tool_call_ids = [call["id"] for call in step.tool_calls] if step.tool_calls else None
    step.thinking_blocks = message.get("thinking_blocks")
