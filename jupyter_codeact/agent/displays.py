"""What is told of a display that has no text of its own: the text of its HTML, its JSON, what a chart is of."""

from __future__ import annotations

import html
import json
import re
from typing import Any

HTML = "text/html"
# Characters, and character references, above which HTML would take its reader too long.
LONGEST, REFERENCES = 2_000_000, 200_000
_BLOCKS = ("br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "pre", "caption")
_CELLS = ("td", "th")
_CELL_END = re.compile(r"</t[dh]>\s*")
_BLOCK = rf"</?(?:{'|'.join(_BLOCKS)})>\s*+"
# With all space before it, which is read from its beginning only.
_LINE_END = re.compile(rf"{_BLOCK}|(?<!\s)\s++{_BLOCK}")
_PICTURE = re.compile(r"<img[^<>]*>")
_TAG = re.compile(r"<[^<>]*>")
# So the guard has an SVG shown.
_DRAWING = re.compile(r'<img src="data:image/svg\+xml;base64,([\w+/=]+)" alt="">(?:<p><small>[^<]*</small></p>)?')
_PLOTLY = "application/vnd.plotly.v1+json"
_VEGA = "application/vnd.vega"


def drawing(data: dict[str, object]) -> str | None:
    """The SVG (base64) that is all of a display's HTML."""
    found = _DRAWING.fullmatch(str(data.get(HTML, "")).strip())
    return found[1] if found else None


def described(data: dict[str, Any]) -> str:
    """What a display shows, in words; "" where that can't be said."""
    for mime, value in data.items():
        if mime == _PLOTLY and isinstance(value, dict):
            return _chart("Plotly", value, "data")
        if mime.startswith(_VEGA) and isinstance(value, dict):
            return _chart("Vega", value, "marks")
    if HTML in data and (text := text_of(str(data[HTML]))):
        return text
    found = next((value for mime, value in data.items() if mime.endswith("json")), None)
    return "" if found is None else json.dumps(found, ensure_ascii=False, default=str)


def text_of(source: str) -> str:
    """The text of HTML: a line for each row of a table, with tabs between its cells."""
    if len(source) > LONGEST or source.count("&") > REFERENCES:
        return ""
    import nh3

    source = source.encode(errors="replace").decode()
    text = nh3.clean(source, tags={*_BLOCKS, *_CELLS, "img"}, attributes={}, clean_content_tags={"script", "style"})
    text = _LINE_END.sub("\n", _CELL_END.sub("\t", text))
    text = html.unescape(_TAG.sub("", _PICTURE.sub("[picture]", text)))
    lines = (line.replace("\xa0", " ").strip(" \r") for line in text.split("\n"))
    return "\n".join(line.removesuffix("\t") for line in lines if line.strip())


def _chart(library: str, spec: dict[str, Any], parts: str) -> str:
    """Of which kinds a chart is, and its title."""
    layout = spec.get("layout") if isinstance(spec.get("layout"), dict) else spec
    title = layout.get("title") if isinstance(layout, dict) else None
    title = title.get("text") if isinstance(title, dict) else title
    items = spec.get(parts) if isinstance(spec.get(parts), list) else [{"type": spec.get("mark")}]
    kinds = {_name(item.get("type")): None for item in items or () if isinstance(item, dict)}
    named = f" ({', '.join(filter(None, kinds))[:200]})" if any(kinds) else ""
    return f"[a chart of {library}'s{named} is shown to the person{f': {title}'[:300] if title else ''}]"


def _name(kind: Any) -> str:
    """Of a trace or a mark; Plotly's scatter has no name of its own."""
    return str(kind.get("type", "") if isinstance(kind, dict) else kind or "")
