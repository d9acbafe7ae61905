"""Writes a run down as a notebook while it goes on."""

from __future__ import annotations

from ..events import (
    ActionDone,
    Answered,
    CodeAction,
    EditAction,
    Edited,
    LimitReached,
    NotRun,
    Ran,
    Rejected,
    Stopped,
    TextChunk,
    WordsDropped,
)
from ..notebook.written import WrittenNotebook


class NotebookRecord:
    """A listener of an agent's. ``notebook`` is what it has written so far."""

    def __init__(self, run: str, prompt: str) -> None:
        self.notebook = WrittenNotebook(run)
        self.notebook.text(prompt)
        self._words = ""

    def __call__(self, event: object) -> None:
        match event:
            case TextChunk(text):
                self._words += text
            case WordsDropped():
                self._words = ""
            case NotRun(text, said):
                self.notebook.text(said)
                self.notebook.text(f"*{text}*")
            case ActionDone():
                self._say()
                self._take(event)
            case Answered(text):
                said = self._words.strip()
                self._say()
                self.notebook.text("" if text == said else text)
            case LimitReached(text):
                self._say()
                self.notebook.text(text)
            case Stopped():
                self._say()
                self.notebook.text("Stopped.")
            case _:
                pass

    def _say(self) -> None:
        self.notebook.text(self._words)
        self._words = ""

    def _take(self, done: ActionDone) -> None:
        action, outcome = done.action, done.outcome
        match action, outcome:
            case CodeAction(), Ran():
                marks = {"status": "accepted"} | ({"proposed": action.source} if outcome.edited else {})
                self.notebook.code(outcome.source, outcome.outputs, cell_id=action.id, step=action.step, **marks)
            case CodeAction(), Rejected(reason):
                self.notebook.code(action.source, cell_id=action.id, step=action.step, status="rejected", reason=reason)
            case EditAction(), Edited(text, _, True):
                self.notebook.block("Edit", text, "diff")
            case EditAction(), Edited(complaint=complaint) if complaint:
                self.notebook.block("Edit failed", complaint)
            case EditAction(), Rejected(reason):
                self.notebook.text(f"**Edit rejected**{f': {reason}' if reason else ''}")
            case _:
                pass
