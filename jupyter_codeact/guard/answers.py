"""What the sandbox's answers to front ends hold, kind by kind, as Jupyter's protocol and ipykernel have it.

The debugger's are its own protocol's: whatever JSON it is, what front ends take for granted in it has its type.
"""

from __future__ import annotations

import re
from typing import Any

from .patterns import (
    ANY,
    Misshapen,
    either,
    fitted,
    flag,
    like,
    list_of,
    natural,
    number,
    one_of,
    optional,
    table,
    text,
    whole,
)

Content = dict[str, Any]
_STATUS = one_of("ok")
_OURS = re.compile(r"\s*+\??+\??+%%?(?:agent|skill)\b")
_PORTS = {f"{name}_port?": natural for name in ("shell", "iopub", "stdin", "hb", "control")}
_COMPLETION = {"start": natural, "end": natural, "text": text, "type?": optional(text), "signature?": optional(text)}
_INPUT = (whole, whole, either(text, (text, optional(text))))
_TABLES: dict[str, Content] = {
    "comm_info_reply": {"status": _STATUS, "comms": {ANY: {"target_name": text}}},
    "complete_reply": {
        "status": _STATUS,
        "matches": [text],
        "cursor_start": natural,
        "cursor_end": natural,
        "metadata?": {"_jupyter_types_experimental?": [_COMPLETION]},
    },
    "connect_reply": {"status": _STATUS, **_PORTS},
    "create_subshell_reply": {"status": _STATUS, "subshell_id": text},
    "history_reply": {"status": _STATUS, "history": [_INPUT]},
    # A console writes the indent where she types: nothing but space.
    "is_complete_reply": {
        "status": one_of("complete", "incomplete", "invalid", "unknown"),
        "indent?": like("[ \t]{0,1000}"),
    },
    "list_subshell_reply": {"status": _STATUS, "subshell_id": [text]},
    "shutdown_reply": {"status": _STATUS, "restart?": flag},
    "usage_reply": {
        "hostname?": text,
        "pid?": natural,
        "kernel_cpu?": number,
        "kernel_memory?": number,
        "host_cpu_percent?": number,
        "cpu_count?": optional(natural),
        "host_virtual_memory?": {ANY: number},
    },
}
# Of delete_subshell, interrupt and what no front end asks for.
_BARE: Content = {"status": _STATUS}

_DEBUG_REPLY = {
    "type?": one_of("response"),
    "seq?": whole,
    "request_seq?": whole,
    "sequence_seq?": whole,
    "success?": flag,
    "command?": text,
    "message?": optional(text),
    "body?": optional(table),
}
_DEBUG_EVENT = {"type?": one_of("event"), "seq?": whole, "event": like(r"\w{1,80}"), "body?": _DEBUG_REPLY["body?"]}
# By name, wherever it stands in a body: the debugger's protocol uses a name for one thing.
_DEBUGGED: dict[str, Any] = {
    **dict.fromkeys(("allThreadsStopped", "copyToGlobals", "isStarted", "richRendering", "success", "verified"), flag),
    **dict.fromkeys(("column", "endColumn", "endLine", "hashSeed", "line", "threadId", "totalModules"), whole),
    **dict.fromkeys(("frameId", "indexedVariables", "namedVariables", "variablesReference"), whole),
    **dict.fromkeys(
        ("content", "evaluateName", "hashMethod", "name", "path", "reason", "result", "sourcePath", "tmpFilePrefix"),
        text,
    ),
    **dict.fromkeys(("tmpFileSuffix", "type", "value"), text),
    **dict.fromkeys(("breakpoints", "modules", "scopes", "stackFrames", "threads", "variables"), list_of(table)),
    "exceptionPaths": list_of(text),
    "stoppedThreads": list_of(whole),
}


def fits(kind: str, content: Content) -> Content:
    """What its kind of answer may hold. Raises Misshapen where it is none."""
    answer: Content = fitted(content, _TABLES.get(kind, _BARE))
    if kind == "history_reply":
        answer["history"] = [[number, line, _past(entry)] for number, line, entry in answer["history"]]
    if kind == "complete_reply" and answer["cursor_start"] > answer["cursor_end"]:
        raise Misshapen
    return answer


def _past(entry: Any) -> Any:
    """A cell, or what went in and came out. One of ours ran outside, and is there as comments: a console recalls it."""
    if isinstance(entry, list):
        return [_past(entry[0]), *entry[1:]]
    lines = entry.splitlines()
    return "\n".join(f"# {line}" for line in lines) if any(map(_OURS.match, lines)) else entry


def debug_reply(content: Content) -> Content:
    return _debugged(fitted(content, _DEBUG_REPLY))


def debug_event(content: Content) -> Content | None:
    """None where it is none."""
    try:
        return _debugged(fitted(content, _DEBUG_EVENT))
    except Misshapen:
        return None


def _debugged(content: Content) -> Content:
    pending = [content.get("body")]
    while pending:
        match pending.pop():
            case dict() as inner:
                if not all(_DEBUGGED[key](value) for key, value in inner.items() if key in _DEBUGGED):
                    raise Misshapen
                # Data are what an output shows, and are cleaned as one.
                pending += [value for key, value in inner.items() if key != "data"]
            case list() as items:
                pending += items
    return content
