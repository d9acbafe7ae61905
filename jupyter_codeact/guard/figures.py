"""What figures (ipympl) are told beside their state: by messages of their own, of which each kind has its shape."""

from __future__ import annotations

import json
from typing import Any

from .patterns import Misshapen, fitted, flag, number, one_of, text

Content = dict[str, Any]
# What she saves has the suffix that it says, and is nothing that a double click would run.
FORMATS = ("png", "pdf", "svg", "jpg", "jpeg", "webp", "tif", "tiff", "eps", "ps")
LABEL_LIMIT = 100
_SHAPES: dict[str, Content] = {
    "binary": {},
    "capture_scroll": {"capture_scroll": flag},
    "draw": {},
    "history_buttons": {"Back": flag, "Forward": flag},
    "navigate_mode": {"mode": text},
    "refresh": {},
    "resize": {"size": (number, number), "forward?": flag},
    "rubberband": {"x0": number, "y0": number, "x1": number, "y1": number},
    "save": {"format?": one_of(*FORMATS)},
}


def told(content: Any) -> tuple[str, Content]:
    """Which kind of message it is, and the same message. Raises ValueError for what is none.

    By one that is ``save`` the page saves a file, under a name and with bytes that the sandbox says.
    """
    data = content.get("data") if isinstance(content, dict) else None
    said = json.loads(data) if isinstance(data, str) else None
    kind = said.get("type") if isinstance(said, dict) else None
    if not isinstance(kind, str) or kind not in _SHAPES:
        raise Misshapen
    return kind, {"data": json.dumps({"type": kind, **fitted(said, _SHAPES[kind])}, allow_nan=False)}


def asks_to_save(content: Any) -> bool:
    """Whether this is her click on the button that saves a figure, as the page says it."""
    return isinstance(content, dict) and content.get("name") == "save_figure"


def label(value: Any) -> str:
    """The name of a figure, which a saved one has as a file."""
    return "".join(filter(str.isprintable, value))[:LABEL_LIMIT] if isinstance(value, str) else ""
