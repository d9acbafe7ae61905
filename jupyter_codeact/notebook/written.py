"""A run written down as a notebook: prompts and words are Markdown cells, actions are code cells with their outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ..events import Output
from ..files import write_atomically
from ..words import fenced

KERNELSPEC = {"name": "codeact", "display_name": "Python 3 (CodeAct)", "language": "python"}
_KEYS = {
    "stream": ("name", "text"),
    "error": ("ename", "evalue", "traceback"),
    "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata", "execution_count"),
}


class WrittenNotebook:
    """Grows cell by cell; ``node`` is the document."""

    def __init__(self, run: str) -> None:
        self.node: NotebookNode = new_notebook(metadata={"kernelspec": KERNELSPEC})
        self._run = run
        self._count = 0

    def text(self, text: str) -> None:
        """A Markdown cell; nothing where there is no text."""
        if text.strip():
            self.node.cells.append(new_markdown_cell(text.strip()))

    def block(self, title: str, text: str, language: str = "text") -> None:
        """A Markdown cell with a fenced block."""
        self.text(f"**{title}**\n\n{fenced(text, language)}")

    def code(self, source: str, outputs: tuple[Output, ...] = (), *, cell_id: str = "", **marks: Any) -> None:
        """A code cell of the agent's, with its outputs in nbformat's shape or in a message's."""
        cell = new_code_cell(source, metadata={"jupyter_codeact": {"run": self._run, **marks}})
        if cell_id:
            cell.id = cell_id
        if marks.get("status") != "rejected":
            self._count += 1
            cell.execution_count = self._count
        cell.outputs = [output_of(output) for output in outputs]
        self.node.cells.append(cell)

    def save(self, path: Path) -> None:
        """Raises OSError."""
        write_atomically(path, nbformat.writes(self.node) + "\n", 0o644)


def output_of(output: Output) -> NotebookNode:
    """Without what messages have and documents don't."""
    kind = output["output_type"]
    made: NotebookNode = new_output(kind, **{key: output[key] for key in _KEYS[kind] if key in output})
    return made


def stream(text: str) -> Output:
    """An output that is text alone."""
    return {"output_type": "stream", "name": "stdout", "text": text}
