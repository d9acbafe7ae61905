"""History processors: what of the history is sent. Pure functions: a list in, a new list out.

What is left out is left out in blocks, and not one message more at every step: services cache the beginning of a
conversation as long as it stays the same, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from .pictures import ImageParsing, without_pictures
from .shapes import Message

Processor = Callable[[list[Message]], list[Message]]
MOST_MARKS = 4
KEEP, REMOVE = "keep_output", "remove_output"
# Outputs of a conversation that no longer fits, the newest of them, and what tells where the whole of one is.
SHORT_CHARACTERS, NEWEST_CHARACTERS = 600, 2400
_LEFT_OUT = re.compile(r"\[… [\d,]+ characters left out; [^…\n]*+…\]")
_FORBID: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Everything as it is."""

    __pydantic_config__: ClassVar[Any] = _FORBID
    type: Literal["identity"] = "identity"

    def __call__(self, history: list[Message]) -> list[Message]:
        return list(history)


@dataclass(frozen=True, kw_only=True)
class LastNObservations:
    """The outputs of the last ``n`` observations; of older ones, how long they were.

    polling: older ones are left out this many at a time. always_remove_tags, always_keep_tags: tags of messages whose
    output always goes, or always stays. shortest: outputs of fewer characters stay, since little is won by their end.
    Prompts and demonstrations stay.
    """

    __pydantic_config__: ClassVar[Any] = _FORBID
    type: Literal["last_n_observations"] = "last_n_observations"
    n: int = 5
    polling: int = 1
    shortest: int = 0
    always_remove_tags: tuple[str, ...] = (REMOVE,)
    always_keep_tags: tuple[str, ...] = (KEEP,)

    def __post_init__(self) -> None:
        if self.n < 1 or self.polling < 1:
            raise ValueError("n and polling are at least 1")

    def __call__(self, history: list[Message]) -> list[Message]:
        places = [place for place, message in enumerate(history) if _is_output(message)]
        old = set(places[: max(0, len(places) // self.polling * self.polling - self.n)])
        return [self._seen(message, place in old) for place, message in enumerate(history)]

    def _seen(self, message: Message, old: bool) -> Message:
        tags = message.get("tags", ())
        if not (old or tags) or not _is_output(message):
            return message
        tags = set(tags)
        long = len(_text_of(message)) >= self.shortest or isinstance(message["content"], list)
        remove = (old and long) or bool(tags.intersection(self.always_remove_tags))
        keep = not remove or bool(tags.intersection(self.always_keep_tags))
        return message if keep else elided(message)


def _is_output(message: Message) -> bool:
    return message.get("message_type") in ("observation", "images") and not message.get("is_demo")


def elided(message: Message) -> Message:
    """The message without its output."""
    text = _text_of(message)
    return message | {"content": f"(old output left out: {len(text.splitlines())} lines)"}


def shortened(message: Message, characters: int) -> Message:
    """The message with the middle of a long output cut out."""
    text = _text_of(message)
    if message.get("role") == "assistant" or message.get("message_type") == "system_prompt" or len(text) <= characters:
        return message
    half = characters // 2
    # Where the whole of it is.
    middle = _LEFT_OUT.search(text)
    return message | {"content": f"{text[:half]}\n{middle[0] if middle else '[…]'}\n{text[-half:]}"}


def squeezed(messages: list[Message], end: int) -> list[Message]:
    """Before ``end`` without pictures, and with short outputs; the last of them is less short."""
    places = [place for place, message in enumerate(messages[:end]) if _is_output(message)]
    lengths = dict.fromkeys(places, SHORT_CHARACTERS) | dict.fromkeys(places[-1:], NEWEST_CHARACTERS)
    texts = without_pictures(messages[:end])
    return [shortened(m, lengths[n]) if n in lengths else m for n, m in enumerate(texts)] + messages[end:]


@dataclass(frozen=True, kw_only=True)
class TagToolCallObservations:
    """Tags the observations of some tools, by their names, for ``last_n_observations``."""

    __pydantic_config__: ClassVar[Any] = _FORBID
    type: Literal["tag_tool_call_observations"] = "tag_tool_call_observations"
    tags: tuple[str, ...] = (KEEP,)
    function_names: tuple[str, ...] = ()

    def __call__(self, history: list[Message]) -> list[Message]:
        names: dict[str, str] = {}
        made = []
        for message in history:
            names |= {call["id"]: call["function"]["name"] for call in message.get("tool_calls") or ()}
            wanted = names.get(message.get("tool_call_id", "")) in self.function_names
            made.append(message | {"tags": [*message.get("tags", ()), *self.tags]} if wanted else message)
        return made


@dataclass(frozen=True, kw_only=True)
class ClosedWindow:
    """Of views of the same file by the editor, only the newest is sent whole."""

    __pydantic_config__: ClassVar[Any] = _FORBID
    type: Literal["closed_window"] = "closed_window"
    tool: str = "edit_file"

    def __call__(self, history: list[Message]) -> list[Message]:
        seen: set[str] = set()
        made = []
        for message, path in reversed([*zip(history, _views(history, self.tool), strict=True)]):
            outdated = path is not None and path in seen and not message.get("is_demo")
            made.append(message | {"content": f"(outdated view of {path} left out)"} if outdated else message)
            seen |= {path} if path is not None else set()
        return made[::-1]


def _views(history: list[Message], tool: str) -> Iterator[str | None]:
    """For each message the path that it is a view of. The ids of one reply's calls may be those of another's."""
    viewed: dict[str, str | None] = {}
    for message in history:
        viewed |= {call["id"]: _viewed(call["function"], tool) for call in message.get("tool_calls") or ()}
        yield viewed.get(message.get("tool_call_id", ""))


def _viewed(function: dict[str, Any], tool: str) -> str | None:
    import json

    try:
        arguments = json.loads(function["arguments"]) if function["name"] == tool else None
    except ValueError:
        return None
    if not isinstance(arguments, dict) or arguments.get("command") != "view":
        return None
    return str(arguments.get("path"))


@dataclass(frozen=True, kw_only=True)
class CacheControl:
    """Marks the system message and the last ``last_n_messages`` of the person's side.

    A service that caches on request (Anthropic's) keeps what comes before a mark, and takes four. Others see none.
    """

    __pydantic_config__: ClassVar[Any] = _FORBID
    type: Literal["cache_control"] = "cache_control"
    last_n_messages: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.last_n_messages < MOST_MARKS:
            raise ValueError(f"last_n_messages is from 0 to {MOST_MARKS - 1}")

    def __call__(self, history: list[Message]) -> list[Message]:
        turns = [n for n, m in enumerate(history) if m["role"] in ("user", "tool")]
        places = turns[max(0, len(turns) - self.last_n_messages) :]
        system = [n for n, m in enumerate(history) if m["role"] == "system"][-1:]
        marked = {*places, *system}
        return [_marked(message) if n in marked else _unmarked(message) for n, message in enumerate(history)]


def _marked(message: Message) -> Message:
    return message | {"cache_control": {"type": "ephemeral"}}


def _unmarked(message: Message) -> Message:
    if "cache_control" not in message:
        return message
    return {key: value for key, value in message.items() if key != "cache_control"}


@dataclass(frozen=True, kw_only=True)
class RemoveRegex:
    """Takes what matches out of all texts but the last ``keep_last`` messages'. Where it was all, a word says so."""

    __pydantic_config__: ClassVar[Any] = _FORBID
    type: Literal["remove_regex"] = "remove_regex"
    remove: tuple[str, ...] = ("<diff>.*?</diff>",)
    keep_last: int = 0

    def __call__(self, history: list[Message]) -> list[Message]:
        last = len(history) - self.keep_last
        return [self._without(message) if n < last else message for n, message in enumerate(history)]

    def _without(self, message: Message) -> Message:
        content = message["content"]
        if isinstance(content, list):
            return message | {"content": [p | {"text": self._cut(p["text"])} if "text" in p else p for p in content]}
        # A model may call tools without a word.
        return message | {"content": self._cut(content, empty=bool(message.get("tool_calls")))}

    def _cut(self, text: str, empty: bool = False) -> str:
        removed = []
        for pattern in self.remove:
            text, count = re.subn(pattern, "", text, flags=re.DOTALL)
            removed += [pattern] if count else []
        left_out = removed and not empty and not text.strip()
        return f"(left out: what matches {', '.join(removed)})" if left_out else text


@dataclass(frozen=True, kw_only=True)
class Compact:
    """Sends the newest summary for what it stands for.

    tokens: once a request was longer, the model sums up the oldest part; None for four fifths of what it can read.
    """

    __pydantic_config__: ClassVar[Any] = _FORBID
    type: Literal["compact"] = "compact"
    tokens: int | None = None

    def __call__(self, history: list[Message]) -> list[Message]:
        summaries = [message for message in history if message.get("message_type") == "summary"]
        if not summaries:
            return list(history)
        newest, covers = summaries[-1], summaries[-1]["covers"]
        system = [message for message in history[:covers] if message.get("message_type") == "system_prompt"]
        rest = [message for message in history[covers:] if message.get("message_type") != "summary"]
        # In the new list it stands for what is before it.
        return [*system, newest | {"covers": len(system)}, *rest]


AnyProcessor = (
    Identity
    | LastNObservations
    | TagToolCallObservations
    | ClosedWindow
    | CacheControl
    | RemoveRegex
    | ImageParsing
    | Compact
)


def default_processors() -> tuple[AnyProcessor, ...]:
    """Outputs are the most of a conversation: the newest three to ten are sent whole, and what is short always."""
    return (Compact(), LastNObservations(n=3, polling=8, shortest=200), CacheControl())


def _text_of(message: Message) -> str:
    content = message["content"]
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "[a picture]")) for part in content)
    return str(content)
