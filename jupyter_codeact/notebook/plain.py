"""A run without our extension (nbclient, console, VS Code): code, outputs and answer are outputs of one cell."""

from __future__ import annotations

import asyncio

from .. import words
from ..errors import UsageError
from ..events import CodeAction, EditAction, Outcome, Rejected
from ..protocols import AgentCell
from .running import CellEnvironment, finish
from .transcript import Transcript, markdown

NOBODY = (
    "The agent proposed the action above, and nobody can be asked here whether it may run. "
    "Write `%%agent --review auto` to let it run by itself in the sandbox."
)
QUESTION = "Run this? [y]es, [n]o with a reason, [a]ll, [s]top: "


class PlainCells(CellEnvironment):
    """Everything appears in the agent's cell, in the order in which it happens; questions come on stdin."""

    def __init__(self, cell: AgentCell, review: str) -> None:
        super().__init__(cell)
        self._cell = cell
        self._auto = review == "auto"
        # Blocks appear whole: some of these front ends can't change what they have shown.
        self._transcript = Transcript(cell, live=False)

    def show(self, event: object) -> None:
        self._transcript.hear(event)

    def close(self, line: str) -> None:
        self._transcript.close()
        if line:
            self._transcript.show(markdown(line, line.replace("**", "")))

    def on_message(self, message: dict[str, object]) -> None:
        """No extension, no messages."""

    def replay(self) -> None:
        """No extension, nothing to replay."""

    async def run(self, action: CodeAction, timeout_s: float | None) -> Outcome:
        title = f"Step {action.step}"
        self._transcript.show(
            markdown(f"**{title}**\n\n{words.fenced(action.source, 'python')}", f"{title}\n{action.source}\n")
        )
        refused = await self._ask()
        if refused is not None:
            return refused
        return await finish(self._cell, self._cell.run(action.source, action.id), timeout_s)

    async def confirm(self, action: EditAction, diff: str, text: str) -> Outcome | None:
        self._transcript.show(markdown(f"**{text}**\n\n{words.fenced(diff, 'diff')}", f"{text}\n{diff}\n"))
        return await self._ask()

    async def _ask(self) -> Rejected | None:
        """None for yes. Where nobody can be asked, the run ends: it never goes on unasked."""
        if self._auto:
            return None
        if not self._cell.can_ask:
            raise UsageError(NOBODY)
        while True:
            answer = (await self._cell.ask(QUESTION)).strip()
            word, _, reason = answer.partition(" ")
            match word.lower():
                case "y" | "yes":
                    return None
                case "a" | "all":
                    self._auto = True
                    return None
                case "n" | "no":
                    return Rejected(reason.strip() or (await self._cell.ask("Reason (optional): ")).strip())
                case "s" | "stop":
                    self._cell.stop()
                    await asyncio.Event().wait()
