"""Review in the terminal: the action is shown, and nothing runs before she has answered."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import tempfile
from pathlib import Path

from rich.text import Text

from ..errors import ConfigError
from ..events import CodeAction, EditAction, Rejected
from ..headless.cells import SandboxHolds
from .reading import forget_typed, read_line
from .screen import Screen

QUESTION = "Run this? [y]es, [n]o, [e]dit, [a]ll, [s]top: "
EDIT_QUESTION = "Do this? [y]es, [n]o, [a]ll, [s]top: "
REASON = "Reason, for the model (may be empty): "
NOBODY = "Nobody can be asked here whether an action may run: write `--review auto` to let them run in the sandbox."


class ShownReview(SandboxHolds):
    """What runs is shown before it does."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    async def code(self, action: CodeAction) -> str | Rejected:
        self.screen.propose(action)
        self.screen.working(f"Running step {action.step}")
        return action.source


class TerminalReview(ShownReview):
    """Asks about each action, until she says that all may run. Raises ConfigError where there is no terminal."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(screen)
        if not sys.stdin.isatty():
            raise ConfigError(NOBODY)
        self._all = False

    async def code(self, action: CodeAction) -> str | Rejected:
        self.screen.propose(action)
        source: str | Rejected = action.source
        while not self._all:
            answer = await self._ask(QUESTION)
            if answer == "edit":
                source = await _edited(action.source)
                self.screen.propose(CodeAction(action.id, action.step, source))
                continue
            source = answer if isinstance(answer, Rejected) else source
            break
        self.screen.working("" if isinstance(source, Rejected) else f"Running step {action.step}")
        return source

    async def edit(self, action: EditAction, diff: str, text: str) -> Rejected | None:
        if self._all:
            return None
        self.screen.propose_edit(action, diff, text)
        answer = await self._ask(EDIT_QUESTION)
        return answer if isinstance(answer, Rejected) else None

    async def _ask(self, question: str) -> Rejected | str:
        """Yes, edit, or a rejection. Stop, and the end of the input, end the run."""
        while True:
            forget_typed()
            self.screen.console.print(Text(question, "bold"), end="")
            word, _, reason = (await _line()).partition(" ")
            match word.lower():
                case "y" | "yes":
                    return "yes"
                case "a" | "all":
                    self._all = True
                    return "yes"
                case "e" | "edit" if question == QUESTION:
                    return "edit"
                case "n" | "no":
                    return Rejected(reason.strip() or await self._reason())
                case "s" | "stop":
                    raise asyncio.CancelledError

    async def _reason(self) -> str:
        self.screen.console.print(Text(REASON, "bold"), end="")
        return await _line()


async def _line() -> str:
    """Her answer. Raises CancelledError at the end of the input, which is a Stop."""
    try:
        return await read_line()
    except EOFError:
        raise asyncio.CancelledError from None


async def _edited(source: str) -> str:
    """The source as she leaves it in her editor."""
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with tempfile.NamedTemporaryFile("w+", suffix=".py", encoding="utf-8") as file:
        file.write(source)
        file.flush()
        try:
            process = await asyncio.create_subprocess_exec(*editor, file.name)
        except OSError as error:
            raise ConfigError(f"The editor {editor[0]} can't be started: {error.strerror}. Set EDITOR.") from None
        await process.wait()
        # Editors replace the file: what was opened here may be the old one.
        return await asyncio.to_thread(_read, Path(file.name))


def _read(path: Path) -> str:
    return path.read_text("utf-8").rstrip("\n")
