"""SVG as a picture: in an `<img>` a browser runs no script of it and loads nothing for it."""

from __future__ import annotations

import base64
import re

from . import blocks

_ROOT = re.compile(r"<svg\b", re.IGNORECASE | re.ASCII)
_NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'
_XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


def picture(source: str) -> str:
    """HTML that shows the drawing."""
    data = base64.b64encode(_complete(source).encode(errors="replace")).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="">'


def pictures(text: str) -> str:
    """HTML with each drawing in it as a picture."""
    return blocks.replace(text, "svg", picture)


def _complete(source: str) -> str:
    """HTML knows these name spaces by itself, a picture must name them."""
    head = source[: source.find(">") + 1] if source.lstrip()[:4].lower() == "<svg" else source
    missing = [space for space in (_NAMESPACE, _XLINK) if space.partition("=")[0] + "=" not in head.replace(" =", "=")]
    return _ROOT.sub(lambda found: " ".join([found.group(), *missing]), source, count=1) if missing else source
