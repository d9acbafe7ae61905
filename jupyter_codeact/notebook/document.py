"""A front end without a screen: runs a notebook document, and gives each action of the agent's a cell of its own.

The scripted twin of the JupyterLab extension: it speaks the same comm. Used by the demo, and by tests.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

Review = Callable[["Proposal"], Awaitable[None]]


@dataclass
class Proposal:
    """An open proposal, as a person sees it. ``source`` may be changed before ``run``."""

    document: Document
    message: dict[str, Any]
    cell: NotebookNode | None = None

    @property
    def is_edit(self) -> bool:
        """Whether it is a change of the skill library, which has no cell."""
        return bool(self.message["op"] == "confirm")

    def run(self) -> None:
        """Approve: run the cell as it stands, or let the edit happen."""
        if self.cell is None:
            self.document.say(op="approve", id=self.message["id"])
        else:
            self.document.send(self.cell)

    def reject(self, reason: str = "") -> None:
        self.document.say(op="reject", id=self.message["id"], reason=reason)


async def run_all(proposal: Proposal) -> None:
    """The review that says yes to everything."""
    proposal.run()


class Document(NotebookClient):
    """Executes a notebook as JupyterLab's Run All does, with our extension.

    review: called for every proposal; says yes, no or something else, at once or later.
    said: every message of the kernel's on our comm, oldest first.
    """

    def __init__(self, nb: NotebookNode, review: Review = run_all, **options: Any) -> None:
        super().__init__(nb, kernel_name=options.pop("kernel_name", "codeact"), **options)
        self.review = review
        self.said: list[dict[str, Any]] = []
        self.comm_id = uuid.uuid4().hex
        self._cells: dict[str, NotebookNode] = {}
        self._ends: dict[str, _End] = {}
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Document:
        """Start the kernel, and attach to it as the extension does."""
        self.reset_execution_trackers()
        self.clear_before_next_output = False
        self.create_kernel_manager()
        await self.async_start_new_kernel()
        await self.async_start_new_kernel_client()
        self._listener = asyncio.create_task(self._listen())
        self._replies = asyncio.create_task(self._listen_for_replies())
        for task in (self._listener, self._replies):
            task.add_done_callback(self._on_deaf)
        self.attach()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._listener, self._replies, *self._tasks):
            task.cancel()
        await asyncio.gather(self._listener, self._replies, *self._tasks, return_exceptions=True)
        await self._async_cleanup_kernel()

    # ---- the person

    async def run_cells(self) -> None:
        """Run every code cell that is in the document now, one after the other. Stops at the first error."""
        for cell in [cell for cell in self.nb.cells if cell.cell_type == "code"]:
            if await self.run_cell(cell) != "ok":
                return

    async def run_cell(self, cell: NotebookNode) -> str:
        """Run one cell to its end; returns the status of its reply."""
        return await self.send(cell)

    def send(self, cell: NotebookNode) -> asyncio.Future[str]:
        """Send a cell's source; the future is its reply's status, once every output is in."""
        cell.outputs, cell.execution_count = [], None
        cell.metadata["execution"] = {}
        content = {"code": cell.source, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": True}
        request = self.client.session.msg("execute_request", content, metadata={"cellId": cell.id})
        end = self._ends[request["header"]["msg_id"]] = _End(cell, asyncio.get_running_loop().create_future())
        self.post(request)
        return end.ended

    def attach(self) -> None:
        """Open our comm, as a page does when it is loaded."""
        content = {"comm_id": self.comm_id, "target_name": "jupyter_codeact", "data": {"op": "attach"}}
        self.post(self.client.session.msg("comm_open", content))

    def say(self, **data: Any) -> None:
        """Tell the kernel what the person did."""
        self.post(self.client.session.msg("comm_msg", {"comm_id": self.comm_id, "data": data}))

    def interrupt(self) -> None:
        """The square button."""
        self.post(self.client.session.msg("interrupt_request", {}), self.client.control_channel)

    def post(self, message: dict[str, Any], channel: Any = None) -> None:
        """Send a message, on the shell channel unless another is given.

        By the asyncio socket itself: what jupyter_client's channels send goes past it, and may swallow the news that
        there is something to read.
        """
        (channel or self.client.shell_channel).socket.send_multipart(self.client.session.serialize(message))

    async def until(self, op: str, **wanted: Any) -> dict[str, Any]:
        """The first message of the kernel's with this op and these values, said already or yet to come."""
        while True:
            for message in self.said:
                if message["op"] == op and wanted.items() <= message.items():
                    return message
            await self.change()

    async def change(self) -> None:
        """Until the next message of the kernel's has been taken in."""
        self._changed.clear()
        await self._changed.wait()

    @property
    def client(self) -> Any:
        """The kernel client; nbclient declares its type wider than what it starts."""
        return self.kc

    def cell(self, cell_id: str) -> NotebookNode:
        found: NotebookNode = next(cell for cell in self.nb.cells if cell.id == cell_id)
        return found

    # ---- the kernel

    async def _listen(self) -> None:
        while True:
            message = await self.client.get_iopub_msg(timeout=None)
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "comm_msg" and content["comm_id"] == self.comm_id:
                self._hear(content["data"])
                continue
            end = self._ends.get(message["parent_header"].get("msg_id", ""))
            if end is not None:
                self._take(message, end)
            self._changed.set()

    def _on_deaf(self, task: asyncio.Task[None]) -> None:
        """Nobody listens any more: whoever waits for a cell must hear why."""
        error = None if task.cancelled() else task.exception()
        for end in self._ends.values():
            if error is not None and not end.ended.done():
                end.ended.set_exception(error)

    def _take(self, message: dict[str, Any], end: _End) -> None:
        from nbclient.exceptions import CellExecutionComplete

        try:
            self.process_message(message, end.cell, self.nb.cells.index(end.cell))
        except CellExecutionComplete:
            end.idle = True
            end.settle()

    async def _listen_for_replies(self) -> None:
        while True:
            message = await self.client.get_shell_msg(timeout=None)
            end = self._ends.get(message["parent_header"].get("msg_id", ""))
            if end is not None:
                for payload in message["content"].get("payload", ()):
                    if payload["source"] == "set_next_input" and payload.get("replace"):
                        end.cell.source = payload["text"]
                end.status = message["content"].get("status", "error")
                end.settle()

    def _hear(self, message: dict[str, Any]) -> None:
        self.said.append(message)
        self._changed.set()
        match message["op"]:
            case "propose":
                self._insert(message)
            case "append":
                self._cells[message["id"]].source += message["text"]
            case "withdraw":
                self.nb.cells.remove(self._cells.pop(message["id"]))
            case "ready":
                cell = self._cells[message["id"]]
                cell.source = message["source"]
                self._ask(Proposal(self, message, cell), message["auto"])
            case "confirm":
                self._ask(Proposal(self, message), auto=False)
            case "settle":
                marks = {key: message[key] for key in ("status", "proposed", "reason") if key in message}
                self._cells[message["id"]].metadata["jupyter_codeact"].update(marks)

    def _insert(self, message: dict[str, Any]) -> None:
        """A new cell, found and placed by ids alone."""
        if message["id"] in self._cells:
            return
        marks = {"run": message["run"], "step": message["step"], "status": "proposed"}
        cell = new_code_cell("", id=message["id"], metadata={"jupyter_codeact": marks})
        ids = [other.id for other in self.nb.cells]
        at = ids.index(message["after"]) + 1 if message["after"] in ids else len(ids)
        self.nb.cells.insert(at, cell)
        self._cells[cell.id] = cell

    def _ask(self, proposal: Proposal, auto: bool) -> None:
        review = run_all if auto else self.review
        task = asyncio.ensure_future(review(proposal))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass
class _End:
    """A cell that runs, until its reply and its idle have both come."""

    cell: NotebookNode
    ended: asyncio.Future[str]
    status: str = ""
    idle: bool = field(default=False)

    def settle(self) -> None:
        if self.status and self.idle and not self.ended.done():
            self.ended.set_result(self.status)
