"""A model whose replies are a file: for demos, for teaching, and for tests without a service.

``docs/scripted.md`` has what the file holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .. import tokens
from ..errors import ConfigError, OutOfReplies
from ..events import CallDelta, Delta, Reply, TextDelta, ThinkingDelta, ToolCall, Usage
from ..files import read_in
from ..words import plural, reason

_PACKAGE = Path(__file__).resolve().parent.parent
# In a wheel they lie in the package; in a checkout beside it.
SHIPPED = next((p for p in (_PACKAGE / "examples", _PACKAGE.parent / "examples") if p.is_dir()), _PACKAGE)
# The tool that a reply's ``edit`` is a call of.
EDIT = "edit_file"
# What a script, a reply and a call of a tool may have.
SCRIPT, REPLY, CALL = (
    ("replies", "delay_s"),
    ("text", "thinking", "code", "edit", "submit", "calls"),
    ("name", "arguments"),
)


class ScriptedModel:
    """Streams the replies of a script, in order."""

    takes_tools = True
    sees_images = False
    context_tokens = None

    def __init__(self, name: str, replies: list[dict[str, Any]], delay_s: float = 0.0) -> None:
        self.name = name
        self._replies = replies
        self._delay_s = delay_s
        self._next = 0

    @classmethod
    def load(cls, name: str, folder: Path) -> ScriptedModel:
        """Read the script ``name``: a path, or the name of one that ships with the package."""
        import yaml

        path = _find(name, folder)
        try:
            script = _mapping(yaml.safe_load(read_in(folder, path)), "it", SCRIPT)
            # What is wrong is better said now than in the middle of a run.
            replies = [_checked(reply, f"reply {n}") for n, reply in enumerate(_list(script, "replies", "it"), 1)]
            delay_s = _seconds(script.get("delay_s", 0.0))
        except OSError as error:
            raise ConfigError(f"{path} can't be read: {error.strerror or error}.") from None
        except (yaml.YAMLError, TypeError, ValueError) as error:
            ours = not isinstance(error, yaml.YAMLError | UnicodeError)
            said = " ".join(str(error).split()) if ours else reason(error)
            raise ConfigError(f"{path} is not a script: {said}.") from None
        return cls(f"scripted/{name}", replies, delay_s)

    async def query(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> AsyncGenerator[Delta, None]:
        if self._next == len(self._replies):
            raise OutOfReplies(_spent(self.name, len(self._replies), tools))
        reply = self._replies[self._next]
        self._next += 1
        for delta in self._deltas(reply):
            await asyncio.sleep(self._delay_s)
            yield delta
        yield self._reply(reply, messages)

    def _deltas(self, reply: dict[str, Any]) -> list[Delta]:
        deltas: list[Delta] = [ThinkingDelta(piece) for piece in _pieces(str(reply.get("thinking", "")))]
        deltas += [TextDelta(piece) for piece in _pieces(str(reply.get("text", "")))]
        for index, call in enumerate(_calls(reply, self._next)):
            deltas.append(CallDelta(index, call.name, ""))
            deltas += [CallDelta(index, "", piece) for piece in _pieces(call.arguments)]
        return deltas

    def _reply(self, reply: dict[str, Any], messages: list[dict[str, Any]]) -> Reply:
        """Tokens are counted roughly; a script costs nothing."""
        text, calls = str(reply.get("text", "")), _calls(reply, self._next)
        received = tokens.estimated(text + "".join(call.arguments for call in calls))
        return Reply(text, calls, Usage(tokens.of_request(messages), received, 0, 0.0, 1))

    def count(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> int:
        return tokens.of_request(messages, tools)

    def as_sent(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return messages


def shipped_scripts() -> list[str]:
    """Names of the models that need no key."""
    return [f"scripted/{path.stem}" for path in sorted(SHIPPED.glob("*.yaml"))]


def _spent(name: str, count: int, tools: list[dict[str, Any]]) -> str:
    """Where words alone end no run, the last reply may have been meant to."""
    submits = any(tool["function"]["name"] == "submit" for tool in tools)
    end = "A run from a terminal ends with a reply that has `submit`." if submits else "`%agent reset` begins it again."
    return f"{name} has no more replies: it had {plural(count, 'reply', 'replies')}. {end}"


def _checked(reply: object, what: str) -> dict[str, Any]:
    """A reply of a file's. Raises ValueError, for a sentence that begins with the file."""
    found = _mapping(reply, what, REPLY)
    for number, call in enumerate(_list(found, "calls", what) if "calls" in found else (), start=1):
        _mapping(call, f"call {number} of {what}", CALL, needed=CALL)
    return found


def _mapping(value: object, what: str, known: Sequence[str], needed: Sequence[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a mapping with {', '.join(known)}")  # noqa: TRY004  # in the file, no type
    for key in map(str, value):
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"{what} has the key {key!r}, which means nothing ({hint})")
    if missing := [key for key in needed if key not in value]:
        raise ValueError(f"{what} has no {missing[0]}")
    return value


def _list(values: dict[str, Any], key: str, what: str) -> list[Any]:
    if not isinstance(values.get(key), list):
        raise ValueError(f"{what} needs a list `{key}`")  # noqa: TRY004  # in the file, no type
    found: list[Any] = values[key]
    return found


def _seconds(value: Any) -> float:
    with contextlib.suppress(TypeError, ValueError):
        if 0 <= (found := float(value)) < float("inf"):
            return found
    raise ValueError(f"its `delay_s` is {value!r}, and no number of seconds, such as 0.02")


def _calls(reply: dict[str, Any], number: int) -> tuple[ToolCall, ...]:
    calls = list(reply.get("calls", ()))
    if "code" in reply:
        calls.append({"name": "run_cell", "arguments": {"code": str(reply["code"])}})
    if "edit" in reply:
        calls.append({"name": EDIT, "arguments": reply["edit"]})
    if "submit" in reply:
        calls.append({"name": "submit", "arguments": {"answer": str(reply["submit"])}})
    ids = [f"call_{number}", *(f"call_{number}_{place}" for place in range(1, len(calls)))]
    named = zip(ids, calls, strict=False)
    return tuple(ToolCall(call_id, str(call["name"]), _json(call["arguments"])) for call_id, call in named)


def _json(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _pieces(text: str) -> list[str]:
    """About a token each: a word with the space before it."""
    return re.findall(r"\s*\S{1,8}|\s+$", text)


def _find(name: str, folder: Path) -> Path:
    """Beside the notebook, or among those that ship with the package."""
    places = [base / f"{name}{ending}" for base in (folder, SHIPPED) for ending in ("", ".yaml", ".yml")]
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        known = ", ".join(shipped_scripts()) or "none"
        raise ConfigError(f"There is no script {name!r} in {folder} or in the package (shipped: {known}).")
    return found
