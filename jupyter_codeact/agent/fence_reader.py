"""Replies of models without tool calls: they write what they would call as fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..events import Delta, Event, Reply, TextChunk, TextDelta, ThinkingChunk, ThinkingDelta
from .reader import CUT, EDITS, NO_ACTION, Finished, Problem, Reader, new_id, submission, whole_json
from .tools import EDIT, RUN, SUBMIT

UNCLOSED = "The reply broke off inside its block: close it with ```."
# As far in as a list has it.
_FENCE = re.compile(r"^([ \t]{0,8})(`{3,}|~{3,})[ \t]*+([^\s`]*+)[^`]*+$")
# What Markdown allows before the fence that closes.
_CLOSING_INDENT = 3
_CODE = ("python", "py", "python3", "py3", "ipython", "ipython3", "tool_code")


class FenceReader(Reader):
    """The first fenced block of Python is the action, and ends the reply; what follows is not read."""

    def __init__(self, step: int, tools: Sequence[str] = (RUN, EDIT)) -> None:
        super().__init__(step, tools)
        self._line = ""
        self._shown = 0
        self._fence = ""
        self._indent = 0
        self._language = ""
        self._words: list[str] = []
        self._block: list[str] = []
        self._closed = False

    def feed(self, delta: Delta) -> Iterator[Event]:
        if isinstance(delta, ThinkingDelta):
            yield ThinkingChunk(delta.text)
        if not isinstance(delta, TextDelta):
            return
        *lines, rest = (self._line + delta.text).split("\n")
        for line in lines:
            yield from self._take(line.removesuffix("\r") + "\n")
        self._line = rest
        yield from self._peek(rest.removesuffix("\r"))

    def _acting(self) -> bool:
        return self._language in _CODE or (self._language != RUN and self._language in self.tools)

    def _peek(self, line: str) -> Iterator[Event]:
        """Show the beginning of a line, unless it may become a fence."""
        if self._closed or line.lstrip(" \t").startswith(("`", "~")) or not line.strip():
            return
        line = self._dedented(line)
        if not self._fence or not self._acting():
            yield TextChunk(line[self._shown :])
            self._shown = len(line)
        elif self._language in _CODE:
            yield from self._grow(0, line[self._shown :])
            self._shown = len(line)

    def _take(self, line: str) -> Iterator[Event]:
        shown, self._shown = self._shown, 0
        if self._closed:
            return
        fence = _FENCE.match(line)
        if not self._fence and fence:
            self._indent, self._fence, self._language = len(fence[1]), fence[2], fence[3].strip("{.}").lower()
            if self._acting():
                return
        elif self._fence and fence and self._closes(fence):
            self._closed = self._acting()
            self._fence = "" if not self._closed else self._fence
            if self._closed:
                return
            self._language = ""
        if self._fence and self._acting():
            line = self._dedented(line)
            self._block.append(line)
            if self._language in _CODE:
                yield from self._grow(0, line[shown:])
        else:
            self._words.append(line)
            yield TextChunk(line[shown:])

    def _closes(self, fence: re.Match[str]) -> bool:
        near = len(fence[1]) <= self._indent + _CLOSING_INDENT
        return near and not fence[3] and fence[2].startswith(self._fence)

    def _dedented(self, line: str) -> str:
        """A line of a block without the indentation of the block's fence."""
        if not (self._fence and self._acting()):
            return line
        bare = line.lstrip(" \t")
        return line[min(self._indent, len(line) - len(bare)) :]

    def finish(self, reply: Reply) -> Finished:
        events = [] if self._closed or not self._line else list(self._take(self._line.removesuffix("\r") + "\n"))
        text = "".join(self._words).strip()
        block = "".join(self._block).rstrip("\n")
        if not self._closed and (reply.cut or (self._fence and self._acting())):
            return [], [], text, Problem("format", CUT if reply.cut else UNCLOSED)
        if self._closed and self._language in (*EDITS, SUBMIT):
            return self._json_block(events, text, block)
        if self._closed and block.strip():
            return events, [self._written(0)], text, None
        if not text or self._closed:
            problem = Problem("format", "It was empty: write a ```python block, or answer in words.")
            return [], [], text, problem
        if SUBMIT in self.tools:
            return [], [], text, Problem("words", NO_ACTION)
        return events, [], text, None

    def _json_block(self, events: list[Event], text: str, block: str) -> Finished:
        arguments = whole_json(block)
        if not isinstance(arguments, dict):
            return [], [], text, Problem("format", f"The {self._language} block is not a JSON object.")
        if self._language == SUBMIT:
            return events, [submission(arguments, self.step)], text, None
        return events, [EDITS[self._language](new_id(), self.step, arguments)], text, None
