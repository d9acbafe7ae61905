"""An Environment without a front end: a reviewer says yes or no, the sandbox runs it."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from ..agent.editing import SKILL, place_of
from ..events import CodeAction, EditAction, Outcome, Rejected
from ..notebook.running import CellEnvironment, finish
from ..protocols import Runner

NOBODY = "The skill library is not changed in a run that nobody reviews."


class Reviewer(Protocol):
    """Whoever answers for what is run. The run waits for it; cancelling is its way to stop the run."""

    async def code(self, action: CodeAction) -> str | Rejected:
        """The source that may run: the action's, or what it was changed into."""

    async def edit(self, action: EditAction, diff: str, text: str) -> Rejected | None:
        """None lets the edit happen."""


class SandboxHolds:
    """Everything may run in the sandbox. The skill library lies outside: it is not changed with nobody to ask."""

    async def code(self, action: CodeAction) -> str | Rejected:
        return action.source

    async def edit(self, action: EditAction, diff: str, text: str) -> Rejected | None:
        return Rejected(NOBODY) if place_of(action).startswith(SKILL) else None


class YesToAll(SandboxHolds):
    """The library may be changed, too: it is a copy."""

    async def edit(self, action: EditAction, diff: str, text: str) -> Rejected | None:
        return None


class HeadlessCells(CellEnvironment):
    """Runs each action in the sandbox once the reviewer has let it."""

    def __init__(self, runner: Runner, reviewer: Reviewer) -> None:
        super().__init__(runner)
        self._reviewer = reviewer

    async def run(self, action: CodeAction, timeout_s: float | None) -> Outcome:
        source = await self._reviewer.code(action)
        if isinstance(source, Rejected):
            return source
        ran = await finish(self._runner, self._runner.run(source, action.id), timeout_s)
        return replace(ran, edited=source != action.source)

    async def confirm(self, action: EditAction, diff: str, text: str) -> Outcome | None:
        return await self._reviewer.edit(action, diff, text)
