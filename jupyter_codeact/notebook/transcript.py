"""The agent's words as outputs of its cell: Markdown that grows, one output a paragraph of the run."""

from __future__ import annotations

import asyncio
import re
import time
import uuid

from .. import words
from ..events import ActionDone, Edited, MimeBundle, NotRun, Outcome, TextChunk, ThinkingChunk, WordsDropped
from ..protocols import AgentCell

# Growing text is sent this often: smooth to read, and cheap for a page that renders Markdown anew each time.
FLUSH_S = 0.08
_END = re.compile(r"</(?=details)", re.IGNORECASE)


def markdown(text: str, plain: str | None = None) -> MimeBundle:
    return {"text/markdown": text, "text/plain": text if plain is None else plain}


class Transcript:
    """Writes text and thinking into the agent's cell. ``live``: as it grows; otherwise each block once, whole."""

    def __init__(self, cell: AgentCell, live: bool) -> None:
        self._cell = cell
        self._live = live
        self._block: Block | None = None
        self._reply: list[Block] = []

    def hear(self, event: object) -> None:
        """Write down what an event of the loop says."""
        match event:
            case TextChunk(text):
                self._open(TextBlock).add(text)
            case ThinkingChunk(text):
                self._open(ThinkingBlock).add(text)
            case WordsDropped():
                self._drop()
            case NotRun(text, said):
                if said:
                    self.show(markdown(said, said))
                self.show(markdown(f"*{text}*", text))
            case ActionDone(outcome=outcome):
                self._done(outcome)
            case _:
                pass

    def close(self) -> None:
        """What comes next is an output of its own."""
        if self._block is not None:
            self._block.close()
            self._block = None

    def _done(self, outcome: Outcome) -> None:
        """An action has ended: the reply was good, its words stay, and the next reply's are an output of their own."""
        self.close()
        self._reply.clear()
        if isinstance(outcome, Edited) and outcome.complaint:
            self.show(markdown(words.fenced(outcome.complaint, "text"), outcome.complaint))

    def _drop(self) -> None:
        """The reply is void: its words go, as far as the front end can take them back."""
        for block in self._reply:
            block.discard()
        self._reply.clear()
        self._block = None

    def show(self, data: MimeBundle) -> None:
        """An output that is no text of the model's."""
        self.close()
        self._cell.display(data, "")

    def _open(self, kind: type[Block]) -> Block:
        if not isinstance(self._block, kind):
            self.close()
            self._block = kind(self._cell, self._live)
            self._reply.append(self._block)
        return self._block


class Block:
    """One output that grows."""

    def __init__(self, cell: AgentCell, live: bool) -> None:
        self._cell = cell
        self._live = live
        self._id = uuid.uuid4().hex
        self._text = ""
        self._shown = ""
        self._timer: asyncio.TimerHandle | None = None
        self._began = time.monotonic()

    def add(self, chunk: str) -> None:
        self._text += chunk
        if self._live and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self._flush)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._flush(last=True)

    def discard(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._shown and self._live:
            self._cell.display(markdown(""), self._id, update=True)

    def _flush(self, last: bool = False) -> None:
        self._timer = None
        data = self.data(last)
        if self._text.strip() and (self._text != self._shown or last):
            self._cell.display(data, self._id if self._live else "", update=bool(self._shown))
            self._shown = self._text

    def data(self, last: bool) -> MimeBundle:
        raise NotImplementedError


class TextBlock(Block):
    """The model's words, as they are."""

    def data(self, last: bool) -> MimeBundle:
        return markdown(self._text.strip())


class ThinkingBlock(Block):
    """The model's thinking, folded."""

    def data(self, last: bool) -> MimeBundle:
        title = f"Thought for {words.seconds(time.monotonic() - self._began)}" if last else "Thinking"
        # It may speak of the tag that would end its fold.
        inside = _END.sub("&lt;/", self._text.strip())
        return markdown(f"<details><summary>{title}</summary>\n\n{inside}\n\n</details>", f"[{title}]")
