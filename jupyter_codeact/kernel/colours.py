"""Diffs in Markdown, with red and green behind their lines: JupyterLab's highlighter gives those no colours.

A block of HTML takes the place of the fence. Nothing in it is more than text, whoever wrote it: neither Markdown nor a
formula begins in what is escaped here.
"""

from __future__ import annotations

import html
import re

from ..events import MimeBundle

# Every fence, so that a diff which another fence holds stays as it is there.
_FENCE = re.compile(r"(?ms)^(?P<fence>`{3,})(?P<language>[^`\n]*)\n(?P<text>.*?)^(?P=fence)[ \t]*$")
_FORMULAS = {ord(sign): f"&#{ord(sign)};" for sign in "$\\"}
# As the extension's own diffs look, in words that a notebook keeps: its page may have no extension.
_BEHIND = {"-": "rgba(244, 67, 54, 0.16)", "+": "rgba(76, 175, 80, 0.18)"}


def coloured(data: MimeBundle) -> MimeBundle:
    """``data`` with the diffs of its Markdown as HTML."""
    text = data.get("text/markdown")
    if not isinstance(text, str) or "```diff" not in text:
        return data
    return {**data, "text/markdown": _FENCE.sub(_block, text)}


def _block(found: re.Match[str]) -> str:
    if found["language"].strip() != "diff":
        return found[0]
    return f"<pre>{''.join(map(_line, found['text'].splitlines()))}</pre>"


def _line(line: str) -> str:
    text = html.escape(line).translate(_FORMULAS)
    behind = _BEHIND.get(line[:1])
    return f'<span style="background-color: {behind}">{text}</span>\n' if behind else f"{text}\n"
