"""MIME bundles: which types pass, and in what shape. A type that is not named here is not shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..events import STAND_IN, MimeBundle
from . import charts, html, markdown, svg, tex
from .notes import below, note

HTML = "text/html"
JSON = "application/json"
MARKDOWN = "text/markdown"
PLAIN = "text/plain"
PLOTLY = "application/vnd.plotly.v1+json"
SVG = "image/svg+xml"
VIEW = "application/vnd.jupyter.widget-view+json"
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
_VEGA = re.compile(r"application/vnd\.vega(?:lite)?\.v\d+\+json")
_NAME = re.compile(r"[\w.+/-]{1,80}", re.ASCII)
_NAMES = {
    **dict.fromkeys(("application/javascript", "text/javascript"), "JavaScript output"),
    PLOTLY: "a map of Plotly's, which loads its tiles",
}
_METADATA: dict[str, type | tuple[type, ...]] = {
    "width": (int, float),
    "height": (int, float),
    "unconfined": bool,
    "needs_background": str,
    "expanded": bool,
    "root": str,
}
# Says of a widget's model why it is not shown; "" where it is.
NoView = Callable[[str], str]


def unknown(_: str) -> str:
    """Of a model that nobody has opened: a page may have one of that name from the notebook's file."""
    return "a widget that this kernel has not opened"


class Bundle:
    """One bundle on its way through: ``data`` is what may be shown so far, ``held`` the names of the rest."""

    def __init__(self, raw: dict[str, Any], no_view: NoView) -> None:
        self.raw = raw
        self.no_view = no_view
        self.data: MimeBundle = {}
        self.markup: dict[str, html.Cleaned] = {}
        self.held: list[str] = []

    def clean(self) -> MimeBundle:
        for mime, value in self.raw.items():
            self._take(mime.lower(), value if is_json(mime) else _joined(value))
        self._settle()
        return self.data

    def _take(self, mime: str, value: Any) -> None:
        if mime in (HTML, MARKDOWN, SVG):
            self._take_markup(mime, value)
        elif mime == VIEW:
            self._take_view(value)
        elif mime == JSON:
            # Any value is of its shape, null as well.
            self.data[mime] = value
        elif (convert := converter(mime)) is not None and (converted := convert(value)) is not None:
            self.data[mime] = converted
        else:
            self.held.append(_NAMES.get(mime, mime if _NAME.fullmatch(mime) else "a type without a name"))

    def _take_markup(self, mime: str, value: Any) -> None:
        if not isinstance(value, str):
            self.held.append(mime)
        elif mime == HTML:
            self.markup[mime] = html.clean(value)
        elif mime == SVG:
            self.markup[mime] = html.Cleaned(svg.picture(value) if value else "")
        elif markdown.is_text(value):
            self.data[mime] = value
        else:
            self.markup[mime] = markdown.rendered(value)

    def _take_view(self, value: Any) -> None:
        model = value.get("model_id") if isinstance(value, dict) else None
        why = self.no_view(model) if isinstance(model, str) else "a widget without a name"
        if why:
            self.held.append(why)
        else:
            self.data[VIEW] = {"model_id": model, "version_major": 2, "version_minor": 0}

    def _settle(self) -> None:
        """Add the HTML, and say what was held back, where there is room.

        HTML in which there is nothing to read may be meant so, or draw by its style alone. But it takes the place of no
        note, nor of a picture or a chart: front ends show HTML rather than pictures.
        """
        markup = self._fullest()
        self.held += markup.held if markup else ()
        text = note(self.held)
        is_alone = not self.data.keys() - {PLAIN}
        if markup is not None and (not markup.is_empty or (is_alone and not text)):
            self.data[HTML] = markup.page(below(self.held))
        elif text and is_alone:
            plain = str(self.data.get(PLAIN, ""))
            self.data[PLAIN] = text if not plain or STAND_IN.fullmatch(plain) else f"{plain}\n{text}"

    def _fullest(self) -> html.Cleaned | None:
        """What leaves as HTML: the first, in the order in which front ends take them, in which there is something."""
        ranked = [self.markup[mime] for mime in (HTML, MARKDOWN, SVG) if mime in self.markup]
        return next((markup for markup in ranked if not markup.is_empty), ranked[0] if ranked else None)


def clean(data: Any, no_view: NoView = unknown) -> MimeBundle:
    """``data`` without what acts."""
    return Bundle(data if isinstance(data, dict) else {}, no_view).clean()


def clean_metadata(metadata: Any) -> dict[str, Any]:
    """Sizes of pictures and the like. Options for renderers are not the sandbox's to set."""
    if not isinstance(metadata, dict):
        return {}
    kept = {mime: _options(options) for mime, options in metadata.items() if isinstance(options, dict)}
    return {mime: options for mime, options in kept.items() if options} | _options(metadata)


def _options(options: dict[str, Any]) -> dict[str, Any]:
    known = ((key, value) for key, value in options.items() if key in _METADATA)
    return {key: value for key, value in known if isinstance(value, _METADATA[key])}


def is_json(mime: str) -> bool:
    """Whether a value of this type is JSON, where a list is one, and no text's lines."""
    return mime.lower().endswith("json")


def converter(mime: str) -> Callable[[Any], Any] | None:
    """What makes a value of this type harmless; it returns None for a value of the wrong shape."""
    if mime in PICTURES:
        return _base64
    if _VEGA.fullmatch(mime):
        return charts.vega
    return _CONVERTERS.get(mime)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _latex(value: Any) -> str | None:
    return tex.formula(value) if isinstance(value, str) else None


def _base64(value: Any) -> str | None:
    """It goes into an attribute in some front ends."""
    fits = isinstance(value, str) and value.isascii() and not any(mark in value for mark in "<>\"'`&")
    return value if fits else None


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    PLAIN: _text,
    "text/latex": _latex,
    "application/geo+json": charts.geojson,
    PLOTLY: charts.plotly,
}


def _joined(value: Any) -> Any:
    """Notebooks allow a list of lines where a text is meant."""
    is_lines = isinstance(value, list) and value and all(isinstance(line, str) for line in value)
    return "".join(value) if is_lines else value
