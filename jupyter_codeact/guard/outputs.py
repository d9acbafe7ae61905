"""What each type of message may hold: content in, harmless content out.

A type that is not in the table is not passed on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import answers, bundle
from .names import words
from .patterns import natural

Content = dict[str, Any]
STATES = frozenset({"busy", "idle", "starting"})
# An error's text; what is longer was made to be.
ERROR_LIMIT = 200_000
TYPES = words(
    """
    clear_output comm_close comm_msg comm_open debug_event display_data error execute_input execute_result
    shutdown_reply status stream update_display_data
    """
)


def clean(kind: str, content: Content, no_view: bundle.NoView = bundle.unknown) -> Content | None:
    """The content of an output of that kind, harmless; None where it may not pass. Comms: ``widgets.py``."""
    if kind in ("display_data", "execute_result", "update_display_data"):
        return display(kind, content, no_view)
    check = _CHECKS.get(kind)
    return check(content) if check is not None else None


def display(kind: str, content: Content, no_view: bundle.NoView = bundle.unknown) -> Content:
    cleaned: Content = {
        "data": bundle.clean(content.get("data"), no_view),
        "metadata": bundle.clean_metadata(content.get("metadata")),
    }
    if "transient" in content:
        transient = content["transient"]
        display_id = transient.get("display_id") if isinstance(transient, dict) else None
        cleaned["transient"] = {"display_id": display_id[:200]} if isinstance(display_id, str) else {}
    return cleaned | _counted(kind, content)


def shaped(kind: str, content: Content) -> Content:
    """The content of a display that the person trusts: as it is, and of the kind that front ends take for granted."""
    kept = {key: content.get(key) for key in ("data", "metadata")} | content
    shaped = {key: value if isinstance(value, dict) else {} for key, value in kept.items()}
    shaped["data"] = {mime: value for mime, value in shaped["data"].items() if _is_savable(mime, value)}
    return shaped | _counted(kind, content)


def _is_savable(mime: str, value: Any) -> bool:
    """As notebooks have it: JSON where the type says so, else a text or its lines."""
    lines = value if isinstance(value, list) else [value]
    return bundle.is_json(mime) or all(isinstance(line, str) for line in lines)


def _counted(kind: str, content: Content) -> Content:
    """Who saves a result asks for its count."""
    is_counted = kind == "execute_result" or "execution_count" in content
    return {"execution_count": count(content)} if is_counted else {}


def error(content: Content) -> Content:
    """Texts, and no more of them than somebody could read."""
    lines = content.get("traceback")
    traceback = [str(line) for line in lines] if isinstance(lines, list) else []
    return {
        "ename": str(content.get("ename", ""))[:1000],
        "evalue": str(content.get("evalue", ""))[:ERROR_LIMIT],
        "traceback": _shortened(traceback),
    }


def _shortened(lines: list[str]) -> list[str]:
    kept: list[str] = []
    room = ERROR_LIMIT
    for line in lines:
        if len(line) > room:
            return [*kept, line[:room], f"[… {len(lines) - len(kept)} more lines of this traceback …]"]
        kept.append(line)
        room -= len(line) + 1
    return kept


def stream(content: Content) -> Content | None:
    name, text = content.get("name"), content.get("text")
    return {"name": name, "text": text} if name in ("stdout", "stderr") and isinstance(text, str) else None


def _status(content: Content) -> Content | None:
    state = content.get("execution_state")
    return {"execution_state": state} if state in STATES else None


def _execute_input(content: Content) -> Content | None:
    code = content.get("code")
    return {"code": code, "execution_count": count(content)} if isinstance(code, str) else None


def count(content: Content) -> int | None:
    """Of a cell; None for anything that a page can't count with."""
    number = content.get("execution_count")
    return number if natural(number) else None


_CHECKS: dict[str, Callable[[Content], Content | None]] = {
    "clear_output": lambda content: {"wait": bool(content.get("wait"))},
    "debug_event": answers.debug_event,
    "error": error,
    "execute_input": _execute_input,
    "shutdown_reply": lambda content: {"status": "ok", "restart": bool(content.get("restart"))},
    "status": _status,
    "stream": stream,
}
