"""Our own Markdown as lines for other programs: tables with tabs, code without its fences, no marks."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

from ..words import plain


def lines_of(markdown: str) -> str:
    """What a pipe is given of an answer."""
    lines: list[str | None] = [*markdown.splitlines()]
    for token in MarkdownIt().enable("table").parse(markdown):
        first, end = token.map or (0, 0)
        if token.type == "table_open":
            lines[first:end] = [_row(str(line)) for line in lines[first:end]]
            lines[first + 1] = None
        elif token.type == "fence":
            lines[first] = lines[end - 1] = None
        elif token.type == "inline":
            lines[first:end] = [plain(str(line)) for line in lines[first:end]]
    return "\n".join(line for line in lines if line is not None)


def _row(line: str) -> str:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return "\t".join(plain(cell.strip()).replace("\\|", "|") for cell in cells)
