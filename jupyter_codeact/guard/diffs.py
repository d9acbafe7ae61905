"""Diffs with red and green behind their lines: JupyterLab's highlighter gives those no colours."""

from __future__ import annotations

import html

# As the extension's own diffs look, on light pages and on dark ones.
BEHIND = {"-": "rgba(244, 67, 54, 0.16)", "+": "rgba(76, 175, 80, 0.18)"}


def highlighted(text: str, language: str, _attributes: str) -> str:
    """The lines of a fence as HTML; "" for one that is no diff, as markdown-it takes it."""
    return "".join(f"{_line(line)}\n" for line in text.splitlines()) if language == "diff" else ""


def _line(line: str) -> str:
    text, behind = html.escape(line), BEHIND.get(line[:1])
    return f'<span style="background-color:{behind}">{text}</span>' if behind else text
