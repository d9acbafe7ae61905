"""A run in a front end with our extension: actions become cells, and her run of one is her approval."""

from __future__ import annotations

import asyncio
from typing import Any

from .. import words
from ..events import (
    ActionChunk,
    ActionDone,
    ActionDropped,
    ActionOpened,
    CodeAction,
    EditAction,
    Outcome,
    Ran,
    Rejected,
    TextChunk,
    UsageSeen,
    WordsDropped,
    Working,
)
from ..execution import Execution, RunStopped
from ..protocols import AgentCell
from .running import CellEnvironment, finish, stopped
from .summary import Summary
from .transcript import Transcript, markdown

FLUSH_S = 0.03
WAITING = "Waiting for you"


class LiveCells(CellEnvironment):
    """Cells and FrontEnd in one: tells the extension what happens, and hears what the person does.

    ``open``: the messages that a page which is opened anew must be told, in order.
    """

    def __init__(self, cell: AgentCell, run: str, summary: Summary, review: str) -> None:
        super().__init__(cell)
        self._cell = cell
        self._run = run
        self._summary = summary
        self._auto = review == "auto"
        self._transcript = Transcript(cell, live=True)
        self._after = cell.id
        self._open: dict[str, dict[str, Any]] = {}
        self._status: dict[str, Any] = {}
        self._chunks: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._verdict: asyncio.Future[Outcome | None] | None = None
        self._writing = 0

    # ---- what happens, to the extension

    def show(self, event: object) -> None:
        """Show one event of the loop."""
        self._transcript.hear(event)
        match event:
            case Working(state, text):
                self._say(state, text)
            case TextChunk(text):
                self._writing += len(text)
            case ActionOpened():
                self._propose(event.id, event.step)
            case ActionChunk():
                self._append(event.id, event.text)
            case ActionDropped():
                self._withdraw(event.id)
            case UsageSeen() | WordsDropped() | ActionDone():
                self._writing = 0
            case _:
                pass

    def close(self, line: str) -> None:
        """The run is over, in whatever way; "" where an error says it all."""
        self._transcript.close()
        if line:
            self._transcript.show(markdown(line))
        for action_id in list(self._open):
            self._settle(action_id, "stopped")
        self._say("done", "")

    def _say(self, state: str, text: str) -> None:
        self._status = {
            "op": "status",
            "run": self._run,
            "cell": self._cell.id,
            "state": state,
            "text": text,
            "elapsed_s": round(self._summary.elapsed_s, 1),
            # What the model has written since it was last charged; four characters make about a token.
            "tokens": self._summary.usage.tokens + self._writing // 4,
            "auto": self._auto,
        }
        self._cell.tell(**self._status)

    def _propose(self, id: str, step: int) -> None:
        self._transcript.close()
        self._cell.opening(id)
        message = {"run": self._run, "step": step, "id": id, "after": self._after, "cell": self._cell.id}
        self._open[id] = {"op": "propose", **message}
        self._after = id
        self._cell.tell(**self._open[id])

    def _append(self, id: str, text: str) -> None:
        """Tokens travel in handfuls: a message each would keep the page busy with messages."""
        self._chunks[id] = self._chunks.get(id, "") + text
        self._writing += len(text)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        chunks, self._chunks = self._chunks, {}
        for cell_id, text in chunks.items():
            self._cell.tell(op="append", id=cell_id, text=text)

    def _withdraw(self, id: str) -> None:
        self._flush()
        message = self._open.pop(id, None)
        self._after = message["after"] if message and self._after == id else self._after
        self._cell.closed(id)
        self._cell.tell(op="withdraw", id=id)

    def _settle(self, id: str, status: str, **more: str) -> None:
        self._open.pop(id, None)
        self._cell.closed(id)
        self._cell.tell(op="settle", id=id, status=status, **more)

    # ---- review and run

    async def run(self, action: CodeAction, timeout_s: float | None) -> Outcome:
        """Offer the action as a cell; return what she made of it."""
        if action.id not in self._open:
            self._propose(action.id, action.step)
        self._flush()
        execution = self._cell.expect(action)
        try:
            verdict = await self._reviewed(action, execution)
            if verdict is not None:
                return verdict
            self._cell.tell(op="running", id=action.id)
            self._say("running", f"Running step {action.step}")
            ran = await finish(self._cell, execution, timeout_s)
        except asyncio.CancelledError as stop:
            self._cell.forget(action)
            self._settle(action.id, "stopped")
            if execution.started.done() and not isinstance(stop, RunStopped):
                # She ran it, and the Stop came right behind.
                raise await stopped(self._cell, execution) from None
            raise
        self._settled(action, ran)
        return ran

    async def _reviewed(self, action: CodeAction, execution: Execution) -> Outcome | None:
        """Wait until she runs the cell, or rejects it."""
        ready = {**self._price(), "op": "ready", "id": action.id, "source": action.source}
        self._open[action.id] = {**self._open[action.id], "ready": ready}
        self._say("waiting", "" if self._auto else WAITING)
        self._cell.tell(**ready, auto=self._auto)
        verdict = self._verdict = asyncio.get_running_loop().create_future()
        await asyncio.wait({execution.started, verdict}, return_when=asyncio.FIRST_COMPLETED)
        self._verdict = None
        if execution.started.done() or not verdict.done():
            return None
        rejected: Outcome | None = verdict.result()
        self._cell.forget(action)
        reason = rejected.reason if isinstance(rejected, Rejected) else ""
        self._settle(action.id, "rejected", reason=reason)
        return rejected

    def _settled(self, action: CodeAction, ran: Ran) -> None:
        if ran.status in ("error", "died"):
            self._say("running", f"Step {action.step} failed, the agent is trying again")
        if ran.edited:
            self._settle(action.id, "edited", proposed=action.source)
        else:
            self._settle(action.id, "accepted" if ran.status == "ok" else "failed")

    async def confirm(self, action: EditAction, diff: str, text: str) -> Outcome | None:
        """Show the diff in the agent's cell, and wait for her word unless she gave it for all."""
        self._transcript.show(markdown(f"**{text}**\n\n{words.fenced(diff, 'diff')}", f"{text}\n{diff}"))
        if self._auto:
            return None
        message = {**self._price(), "op": "confirm", "run": self._run, "id": action.id, "cell": self._cell.id}
        self._open[action.id] = {**message, "text": text}
        self._say("waiting", WAITING)
        self._cell.tell(**self._open[action.id])
        verdict: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self._verdict = verdict
        try:
            return await verdict
        finally:
            self._verdict = None
            self._open.pop(action.id, None)
            self._cell.tell(op="confirmed", id=action.id)

    def _price(self) -> dict[str, Any]:
        used = self._summary.usage
        return {"tokens": used.tokens, "cost": words.money(used.cost)}

    # ---- what she does, from the extension

    def on_message(self, message: dict[str, Any]) -> None:
        match message.get("op"):
            case "reject":
                reason = str(message.get("reason") or "")
                self._decide(message, Rejected(reason or ("She deleted the cell." if message.get("removed") else "")))
            case "approve":
                self._decide(message, None)
            case "auto":
                self._auto = bool(message.get("on"))
                self._say(str(self._status.get("state", "thinking")), str(self._status.get("text", "")))
            case "stop":
                self._cell.stop()
            case _:
                pass

    def _decide(self, message: dict[str, Any], verdict: Outcome | None) -> None:
        """Her word counts for what is open, and for nothing else: not for a cell, when she approves an edit."""
        open_message = self._open.get(str(message.get("id")))
        is_edit = open_message is not None and open_message["op"] == "confirm"
        if self._verdict is None or self._verdict.done() or open_message is None:
            return
        if verdict is not None or is_edit:
            self._verdict.set_result(verdict)

    def replay(self) -> None:
        """Tell a page that was opened anew what is open."""
        if self._status:
            self._cell.tell(**{**self._status, "elapsed_s": round(self._summary.elapsed_s, 1)})
        for message in self._open.values():
            ready = message.get("ready")
            self._cell.tell(**{key: value for key, value in message.items() if key != "ready"})
            if ready is not None:
                self._cell.tell(**ready, auto=self._auto)
