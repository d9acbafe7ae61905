"""What one kernel does with skills: its library, the search, the agent's hands on them, and where they are tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import config
from .events import RanCell
from .files import current_folder
from .models.embedding import Embeddings
from .sandbox.launch import Sandbox
from .settings import Settings
from .skills.checks import Tried
from .skills.editor import LibraryEditor
from .skills.history import Note
from .skills.index import Index
from .skills.library import Library
from .skills.search import Search
from .skills.skill import Files
from .skills.tool import SkillTool


class Workshop:
    """The skills of one notebook.

    ran: the cells that ran, oldest first. fresh: opens a sandbox of the notebook's kind. notebook: its name, or "".
    last_run, last_actions: what is remembered of the agent's last run, and the ids of its cells that ran.
    """

    def __init__(
        self,
        settings: Settings,
        configuration: config.Agent,
        ran: Callable[[], list[RanCell]],
        fresh: Callable[..., Sandbox] | None = None,
        notebook: str = "",
    ) -> None:
        self._settings = settings
        self._fresh = fresh
        self.ran = ran
        self.notebook = notebook
        self.last_run: dict[str, str] = {}
        self.last_actions: tuple[str, ...] = ()
        self._earlier: tuple[str, ...] = ()
        self.library = Library(*map(Path, settings.libraries), history=settings.histories)
        self.search = self._open_search(configuration)
        self.editor = LibraryEditor(self.library, self.try_skill, Path())
        self.tool = SkillTool(
            self.library,
            self.search,
            lambda: (self.ran(), self.last_cells),
            trial=self.try_skill,
            # Nobody is asked whether a test may run: without a sandbox it does not.
            test=None if settings.sandbox == "none" else self._test,
            work=Path(),
        )

    def _open_search(self, configuration: config.Agent) -> Search:
        model, base = configuration.embedding_model, configuration.embedding_api_base
        embed = Embeddings(model, base or None) if model else None
        index, library = Index(self._settings.skill_index), self.library
        return Search(index, library.folders, embed=embed, embeds=model, notes=library.notes)

    @property
    def last_cells(self) -> tuple[str, ...]:
        """Those of the last run that ran any: "store that" may be a run of its own."""
        return self.last_actions or self._earlier

    def begin(self, run: dict[str, str]) -> None:
        """A run of the agent's begins: what it saves is remembered as made in it."""
        self._earlier = self.last_cells
        self.last_run, self.last_actions = run, ()
        self.editor.note = self.tool.note = Note("agent", "Edited by the agent", self._origin() | run)

    def note(self, message: str, cells: Sequence[RanCell] = (), about: Mapping[str, str] | None = None) -> Note:
        """What is remembered of a skill that the person saves, with the agent's run if ``cells`` are its own."""
        counts = {"Cells": ", ".join(str(cell.count) for cell in cells)} if cells else {}
        run = self.last_run if any(cell.cell_id in self.last_actions for cell in cells) else {}
        return Note("you", message, self._origin() | counts | run | {**(about or {})})

    def _origin(self) -> dict[str, str]:
        return {"Notebook": self.notebook} if self.notebook else {}

    async def try_skill(
        self, name: str, files: Files, tell: Callable[[str], None], step_s: float | None = None
    ) -> Tried:
        """What comes of a skill in a fresh sandbox, of the notebook's kind. Raises SandboxUnavailable."""
        from .headless.trial import STEP_S, fresh_of, try_skill

        fresh = self._fresh or fresh_of(self._settings, current_folder())
        return await try_skill(fresh, name, files, tell, step_s or STEP_S)

    async def _test(self, name: str, files: Files, tell: Callable[[str], None]) -> Tried:
        """What comes of a stored skill in a sandbox with an empty working folder. Raises SandboxUnavailable."""
        from .headless.trial import try_apart

        return await try_apart(self._settings, name, files, tell)

    async def try_out(self, files: Files) -> list[str]:
        """What fails when modules from elsewhere are imported and tested, in a sandbox with an empty working folder.

        Raises SandboxUnavailable.
        """
        from .headless.trial import tried_elsewhere

        return await tried_elsewhere(files, self._settings)

    async def run_examples(self, notebook: dict[str, Any], tell: Callable[[str], None]) -> list[str]:
        """Run a skill notebook in a sandbox with an empty working folder; what went wrong, a line each.

        Raises SandboxUnavailable.
        """
        from .headless.examples import ran

        return await ran(notebook, self._settings, tell)
