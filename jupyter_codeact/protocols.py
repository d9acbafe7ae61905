"""The seams between the parts. Each protocol says who calls it, in which thread, and whether it may block."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, Protocol

from .events import Checked, CodeAction, Delta, EditAction, MimeBundle, Outcome, RanCell
from .execution import Execution


class Model(Protocol):
    """A language model. The loop calls it, one query at a time."""

    name: str

    @property
    def takes_tools(self) -> bool:
        """Whether it is given tools; otherwise its actions are fenced blocks."""

    @property
    def sees_images(self) -> bool:
        """Whether pictures may be sent to it."""

    @property
    def context_tokens(self) -> int | None:
        """How many tokens it can read; None where that is not known."""

    def query(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> AsyncGenerator[Delta, None]:
        """Stream a reply to ``messages`` (OpenAI's chat shape); the last delta is the Reply.

        Raises ModelError and its kind. Cancelling the task ends the request at once, and so does closing the stream,
        which whoever leaves it early has to do.
        """

    def count(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> int:
        """The tokens of a request, about. May take tens of milliseconds."""

    def as_sent(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The messages with as much of earlier thinking as goes back to the service: its own, where it takes it."""


class Environment(Protocol):
    """Where actions are reviewed and run. The loop calls it, in its own task."""

    async def run(self, action: CodeAction, timeout_s: float | None) -> Outcome:
        """Have the action reviewed, run it, and return once its last output is in. Raises SandboxError."""

    async def confirm(self, action: EditAction, diff: str, text: str) -> Outcome | None:
        """Show an edit before it is done; None lets it happen, Rejected does not."""

    async def inside(self, function: str, **arguments: Any) -> Any:
        """Call a function of ``inside.py`` where the code runs, unseen; a JSON value. Raises SandboxError."""

    async def restart(self) -> None:
        """End what runs, and begin with a fresh kernel. Raises SandboxError."""


class Editor(Protocol):
    """The agent's file editor. The loop calls it; edits are small, and done at once."""

    def view(self, arguments: dict[str, Any]) -> str | None:
        """The answer to a command that changes nothing; None for one that does. Raises EditError."""

    def plan(self, arguments: dict[str, Any]) -> PlannedEdit:
        """What an edit would do. Raises EditError where it is impossible."""


Tell = Callable[[str], None]
"""Hears how far something is, in a few words."""


def unheard(_text: str) -> None:
    """Where nobody waits for it."""


class Change(Protocol):
    """A change of files that is possible and not yet made. The loop shows it, and then awaits it, in its own task."""

    @property
    def changes(self) -> bool:
        """Whether anything would be otherwise than it is."""

    @property
    def diff(self) -> str:
        """A unified diff of what it would change."""

    @property
    def summary(self) -> str:
        """What it would do, in a few words."""

    async def apply(self, tell: Tell = unheard) -> str:
        """Make it; what the model is told. May take seconds. Raises EditError."""

    async def checks(self, tell: Tell = unheard) -> Checked:
        """What is told of it once it is made. May take seconds."""


class Skills(Protocol):
    """The agent's hand on the skill library. The loop awaits it, in its own task."""

    async def answer(self, arguments: dict[str, Any]) -> str | Change:
        """The answer to a command that changes nothing, or a save that is not made yet. Raises EditError."""


class Finder(Protocol):
    """Finds what a prompt should come with. The loop awaits it once for each prompt, in its own task."""

    async def fields(self, prompt: str, state: dict[str, Any]) -> dict[str, Any]:
        """Values that the instance template may name. ``state``: folder and variables. It does not raise."""


class PlannedEdit(Protocol):
    """An edit that is possible and not yet done."""

    before: str | None
    after: str | None

    @property
    def diff(self) -> str:
        """A unified diff of what it would change."""

    @property
    def summary(self) -> str:
        """What it would do, in a few words."""

    def apply(self) -> str:
        """Do it, atomically; returns what the model is told. Raises EditError where the file has changed."""

    async def checks(self, tell: Tell = unheard) -> Checked:
        """Once it is done: what its checks say. Takes seconds; cancelling ends it."""


class Runner(Protocol):
    """A sandbox's kernel, as those who wait for an action see it. Used in one event loop; nothing here blocks."""

    def run(self, source: str, action_id: str) -> Execution:
        """Run code in the sandbox."""

    def interrupt(self) -> None:
        """Interrupt what runs in the sandbox."""

    async def evaluate(self, expression: str) -> str:
        """The text of an expression's value, asked for in the sandbox unseen. Raises SandboxError."""

    async def restart(self) -> None:
        """End the sandbox; returns once a fresh one answers."""


class AgentCell(Runner, Protocol):
    """The cell with `%%agent` in it, as the kernel offers it: outputs of what it runs become its own.

    Used in the host's thread; nothing here blocks.
    """

    id: str
    code: str

    @property
    def attached(self) -> bool:
        """Whether the front end that runs the cell has our extension, and has attached by now."""

    @property
    def can_ask(self) -> bool:
        """Whether the person can be asked on stdin."""

    def display(self, data: MimeBundle, display_id: str = "", update: bool = False) -> None:
        """Show an output, or show it anew."""

    def withdraw(self, display_id: str) -> None:
        """Take away an output that was shown with ``display_id``: the newest, in a cell that runs nothing."""

    def become(self, text: str) -> None:
        """Have the cell hold another text once it has ended, in front ends that do so."""

    def tell(self, **message: Any) -> None:
        """Say something to the extension, see docs/comm.md."""

    def lead(self, front_end: FrontEnd) -> None:
        """From here on, what the person does in the extension goes to ``front_end``."""

    def opening(self, action_id: str) -> None:
        """An action begins to stream into the cell of that id: it can't be run yet."""

    def closed(self, action_id: str) -> None:
        """That cell is not being written any more."""

    def expect(self, action: CodeAction) -> Execution:
        """From now on, a run of the cell with the action's id is the person's approval of it."""

    def forget(self, action: CodeAction) -> None:
        """A run of that cell is an ordinary one again."""

    def stop(self) -> None:
        """End the run, as the person's Stop does."""

    async def ask(self, prompt: str) -> str:
        """Ask the person on stdin. Ctrl-D is a Stop. Raises only when cancelled."""


class FrontEnd(Protocol):
    """Hears what the person does with a proposal in the extension. The host calls it, in its thread."""

    def on_message(self, message: dict[str, Any]) -> None:
        """One message of the extension's, as in docs/comm.md."""

    def replay(self) -> None:
        """The page was opened anew: tell it everything that is open."""


class AgentHost(Protocol):
    """The host, as the proxy sees it: called in the proxy's thread, must not block."""

    def start(self, request: Any) -> None:
        """One of our own cells is due."""

    def stop(self) -> None:
        """End the run, if there is one, wherever it is."""

    def on_comm(self, message: Any) -> None:
        """A front end said something on our comm."""

    def assist(self, message: Any) -> None:
        """Somebody pressed Tab or Shift+Tab in one of our magics."""

    def is_being_written(self, cell_id: str) -> bool:
        """Whether an action is still streaming into that cell, so that it can't be run yet."""


class Notebook(Protocol):
    """What magics know of the notebook, and of what it may show."""

    @property
    def trusts_outputs(self) -> bool:
        """Whether active content of the sandbox's is shown."""

    def trust_outputs(self, trusted: bool) -> None:
        """From now on, show it or hold it back."""

    def ran(self) -> list[RanCell]:
        """The cells that ran in this kernel, oldest first."""
