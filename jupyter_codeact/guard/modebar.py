"""How a figure of Plotly's answers to the mouse, as its ``config`` has it: within the figure.

Others of its keys show texts of their own over the page, write its style, load, link, or call what they are handed.
"""

from __future__ import annotations

import re
from typing import Any

from .names import words
from .patterns import flag, like, list_of, number, one_of

_FLAGS = words(
    """
    autosizable displayNotifier displaylogo editSelection editable responsive showAxisDragHandles
    showAxisRangeEntryBoxes showTips staticPlot typesetMath watermark
    """
)
# By their names: one that is an object does what it says.
_BUTTON = like(r"[A-Za-z0-9]{1,40}")
_FILE = re.compile(r"[\w (),+-][\w (),+.-]{0,99}")
_SHAPES = {
    **dict.fromkeys(_FLAGS, flag),
    "displayModeBar": lambda value: flag(value) or value == "hover",
    "doubleClick": lambda value: flag(value) or one_of("reset", "autosize", "reset+autosize")(value),
    "doubleClickDelay": number,
    "edits": lambda value: isinstance(value, dict) and all(map(flag, value.values())),
    "modeBarButtonsToAdd": list_of(_BUTTON),
    "modeBarButtonsToRemove": list_of(_BUTTON),
    "plotGlPixelRatio": number,
    "queueLength": number,
    "scrollZoom": lambda value: flag(value) or like(r"(?:(?:cartesian|gl3d|geo)\+?){1,3}")(value),
}
_IMAGE = {
    "filename": lambda value: isinstance(value, str) and _FILE.fullmatch(value) is not None,
    "format": one_of("png", "svg", "jpeg", "webp"),
    "height": lambda value: value is None or number(value),
    "scale": number,
    "width": lambda value: value is None or number(value),
}


# Plotly 4 offers to send a figure away, unless it is told not to; a button may be asked for by its name, too.
_NOWHERE = {"plotlyServerURL": "", "showSendToCloud": False}


def known(config: Any) -> dict[str, Any]:
    """What of it is known, the rest is left out; and whatever it is, no figure is sent anywhere."""
    if not isinstance(config, dict):
        return dict(_NOWHERE)
    image = config.get("toImageButtonOptions")
    picture = {"toImageButtonOptions": _of(image, _IMAGE)} if isinstance(image, dict) else {}
    return _of(config, _SHAPES) | picture | _NOWHERE


def _of(values: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in shapes and shapes[key](value)}
