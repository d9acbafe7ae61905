"""A case: what is asked of both kernels, and where ours may answer otherwise."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from jupyter_codeact.guard import html

from .conversation import Ask, Content, Conversation, Transcript, execute, normalised


@dataclass(frozen=True)
class Difference:
    """On purpose: ``row`` of docs/differences.md has the reason, ``ours`` makes our transcript of the plain one."""

    row: str
    ours: Callable[[Transcript], Transcript]


@dataclass(frozen=True)
class Case:
    """A conversation."""

    name: str
    asks: tuple[Ask, ...]
    differs: Difference | None = None


def instead(row: str, plain: str, ours: str) -> Difference:
    """Where the plain kernel says this JSON, ours says that."""
    return Difference(
        row, lambda transcript: dict(json.loads(json.dumps(transcript, sort_keys=True).replace(plain, ours)))
    )


def without(row: str, kind: str) -> Difference:
    """Ours sends no message of this kind."""
    return Difference(
        row, lambda transcript: {name: [e for e in said if e["type"] != kind] for name, said in transcript.items()}
    )


def _sanitised(transcript: Transcript) -> Transcript:
    ours = copy.deepcopy(transcript)
    for entry in ours["iopub"]:
        data = entry["content"].get("data", {})
        if "text/html" in data:
            data["text/html"] = html.clean(data["text/html"]).page()
    return normalised(ours)


# What is left of HTML is tested with the guard.
SANITISED = Difference("HTML", _sanitised)


def case(name: str, *asks: Ask | str, differs: Difference | None = None) -> Case:
    """Where only a text is given, it is executed."""
    return Case(name, tuple(execute(ask) if isinstance(ask, str) else ask for ask in asks), differs)


def cursor(kind: str, code: str, **content: Any) -> Ask:
    return Ask(kind, {"code": code, "cursor_pos": len(code), **content})


def history(access: str, **content: Any) -> Ask:
    return Ask("history_request", {"hist_access_type": access, "raw": True, "output": False, **content})


def debug(command: str, **arguments: Any) -> Ask:
    content = {"type": "request", "seq": 1, "command": command, "arguments": arguments}
    return Ask("debug_request", content, channel="control")


def control(kind: str, **content: Any) -> Ask:
    return Ask(kind, content, channel="control")


def slider_moves(talk: Conversation) -> Content:
    opened = [m["content"] for _, m in talk.heard if m["msg_type"] == "comm_open"]
    slider = next(c for c in opened if c["data"]["state"].get("_model_name") == "IntSliderModel")
    return {"comm_id": slider["comm_id"], "data": {"method": "update", "state": {"value": 7}, "buffer_paths": []}}


def picture_is_asked_for(talk: Conversation) -> Content:
    opened = [m["content"] for _, m in talk.heard if m["msg_type"] == "comm_open"]
    image = next(c for c in opened if c["data"]["state"].get("_model_name") == "ImageModel")
    return {"comm_id": image["comm_id"], "data": {"method": "request_state"}}


def breakpoint_in_it(talk: Conversation) -> Content:
    replies = [m["content"] for _, m in talk.heard if m["msg_type"] == "debug_reply"]
    path = replies[-1]["body"]["sourcePath"]
    arguments = {"source": {"path": path}, "breakpoints": [{"line": 2}], "sourceModified": False}
    return {"type": "request", "seq": 1, "command": "setBreakpoints", "arguments": arguments}


def subshell_named(talk: Conversation) -> Content:
    return {"subshell_id": talk.find("create_subshell_reply")["subshell_id"]}


def in_subshell(code: str, **content: Any) -> Ask:
    return replace(execute(code, **content), subshell=True)


def value_there(talk: Conversation) -> Content:
    frame = next(f for _, m in talk.heard for f in (m["content"].get("body") or {}).get("stackFrames", ()))
    arguments = {"expression": "first + 1", "frameId": frame["id"]}
    return {"type": "request", "seq": 1, "command": "evaluate", "arguments": arguments}
