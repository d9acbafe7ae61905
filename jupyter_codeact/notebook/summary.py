"""The line under the answer: how the run went, in numbers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .. import words
from ..events import ActionDone, CodeAction, EditAction, Edited, LimitReached, Ran, Stopped, Usage, UsageSeen

LEFT = (
    "Step {} has not ended: its code ignores interrupts, and cells wait for it. It may end by itself; restarting the "
    "kernel ends it, and variables are gone then."
)


@dataclass
class Summary:
    """Counts while the run goes on.

    offered, used: skills that the model was told of, and those that its actions used. steps: cells that ran. last: the
    number of the last action. saved, files: changes of skills, and of other files. unrecorded: why there is no
    trajectory, "" where there is. left: what is to be said of one that a Stop did not end.
    """

    offered: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    steps: int = 0
    last: int = 0
    edited: int = 0
    saved: int = 0
    files: int = 0
    usage: Usage = field(default_factory=Usage)
    limit: str = ""
    left: str = ""
    interrupted: bool = False
    unrecorded: str = ""
    began: float = field(default_factory=time.monotonic)

    def count(self, event: object) -> None:
        if isinstance(event, ActionDone):
            self.last = event.action.step
        match event:
            case UsageSeen(run=usage):
                self.usage = usage
            case ActionDone(CodeAction(step=step), Ran(edited=edited, status=status)):
                self.steps += 1
                self.edited += edited
                self.left = LEFT.format(step) if status == "left" else ""
            case ActionDone(EditAction() as action, Edited(ok=True, changed=True)):
                self.saved += action.of_skill
                self.files += not action.of_skill
            case LimitReached(text):
                self.limit = text
            case Stopped(running):
                self.interrupted = running
            case _:
                pass

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.began

    def line(self, how: str = "Done") -> str:
        """``**Done** · 4 steps, 1 edited · 12.3k tokens · $0.031 · 41 s · skills used: gp_fit``."""
        parts = [f"**{how}**"]
        if self.steps:
            parts.append(words.plural(self.steps, "step") + (f", {self.edited} edited" if self.edited else ""))
        if self.saved:
            parts.append(words.plural(self.saved, "change") + " to skills")
        if self.files:
            parts.append(words.plural(self.files, "change") + " to files")
        parts += [words.usage(self.usage), words.seconds(self.elapsed_s)]
        parts += [f"skills used: {', '.join(self.used)}"] if self.used else []
        if rest := [name for name in self.offered if name not in self.used]:
            parts.append(f"skills {'also ' if self.used else ''}offered: {', '.join(rest)}")
        if self.unrecorded:
            parts.append(f"not recorded: {self.unrecorded}")
        return " · ".join(parts)

    def stopped(self) -> str:
        """What the line says after a Stop."""
        if not self.steps:
            return "Stopped by you before the first step"
        return f"Stopped by you {'in' if self.interrupted else 'after'} step {self.last}"
