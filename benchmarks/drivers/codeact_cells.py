"""``%%agent`` in our kernel with our extension's twin: each action is a cell, which the front end runs at once."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from codeact_kernel import BEFORE, CELL, environment
from nbformat.v4 import new_code_cell, new_notebook
from turns import serve_async

from jupyter_codeact.notebook.document import Document


@asynccontextmanager
async def prepare(address: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    os.environ.update(environment(address))
    async with Document(new_notebook()) as document:

        async def execute(source: str) -> None:
            document.nb.cells = [cell := new_code_cell(source)]
            if await document.run_cell(cell) != "ok":
                raise RuntimeError(str(cell.outputs))

        await execute(BEFORE)
        yield lambda: execute(CELL)


if __name__ == "__main__":
    serve_async(prepare)
