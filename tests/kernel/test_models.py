"""Another model in the middle of a conversation, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from helpers import shown
from nbformat.v4 import new_code_cell, new_notebook
from servers import ModelServer, Reply, ToolCall

Opened = Callable[..., Any]
PICTURE = "from PIL import Image\nImage.new('RGB', (8, 8))"


def cells(*sources: str) -> Any:
    return new_notebook(cells=[new_code_cell(source) for source in sources])


async def test_another_model_goes_on_with_what_it_can_take(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures go to who sees them; who is given tools, and who is not, can't go on with the other's."""
    pytest.importorskip("PIL")
    monkeypatch.setenv("JUPYTER_CODEACT_MODEL", "openai/gpt-4o")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with ModelServer() as server:
        monkeypatch.setenv("JUPYTER_CODEACT_API_BASE", server.openai_base)
        plot = Reply(tool_calls=[ToolCall("run_cell", {"code": PICTURE})])
        server.add(plot, *[Reply("Seen.")] * 3)
        async with opened("%%agent\nplot") as document:
            await document.run_cells()
            assert "image_url" in str(server.requests[1].json["messages"])

            document.nb = cells("%agent model openai/gpt-3.5-turbo", "%agent context", "%%agent\nand now?")
            await document.run_cells()
            sent = str(server.requests[2].json["messages"])
            assert ("image_url" in sent, sent.count("a picture that you don't see")) == (False, 1)
            assert "a picture that you don't see" in shown(document.nb.cells[1])

            document.nb = cells("%agent model openai/local-model", "%agent context", "%%agent\nyou?")
            for cell in document.nb.cells:
                await document.run_cell(cell)
            for cell in document.nb.cells[1:]:
                assert "This conversation was held with tools, and openai/local-model is given none" in shown(cell)
            assert len(server.requests) == 3

            again = ("%agent reset", "%%agent\nyou?", "%agent model openai/gpt-4o", "%agent context")
            document.nb = cells(*again)
            for cell in document.nb.cells:
                await document.run_cell(cell)
            assert "tools" not in server.requests[3].json
            assert "was held without tools, and openai/gpt-4o has them" in shown(document.nb.cells[-1])
