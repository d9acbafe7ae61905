"""What several test modules say of documents and trajectories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from jupyter_codeact.notebook.document import Document


def shown(cell: NotebookNode) -> str:
    """Everything that a cell shows, as text, in order."""
    return "\n".join(_text(output) for output in cell.outputs)


def _text(output: NotebookNode) -> str:
    match output.output_type:
        case "stream":
            return str(output.text)
        case "error":
            return f"{output.ename}: {output.evalue}"
        case _:
            return str(output.data.get("text/plain", ""))


def marks(document: Document) -> list[dict[str, Any]]:
    """What the cells that the agent wrote say of themselves."""
    return [cell.metadata["jupyter_codeact"] for cell in document.nb.cells if "jupyter_codeact" in cell.metadata]


def trajectory(home: Path) -> dict[str, Any]:
    """The newest one."""
    newest = max(home.glob("runs/*/*.traj"), key=lambda path: path.stat().st_mtime_ns)
    return dict(json.loads(newest.read_text()))


def history(home: Path) -> list[dict[str, Any]]:
    """The messages of the newest trajectory."""
    return list(trajectory(home)["history"])


async def until_shown(document: Document, text: str) -> None:
    """Until some cell shows the text."""
    while not any(text in shown(cell) for cell in document.nb.cells if cell.cell_type == "code"):
        await document.change()
