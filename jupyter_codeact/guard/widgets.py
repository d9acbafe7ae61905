"""State of ipywidgets' models: data for known views, never code of the sandbox's.

HTML and HTMLMath put their value into the page as it is; a link copies a value to another model inside the page,
past this guard; styles and layouts are CSS; an Output shows MIME bundles. Which models there are: ``models.py``.
A reference to another model passes where the page has that from this kernel: from the notebook's file it may have
others, which nobody has cleaned.
What a widget can't do it says in a box that shows the error's text as HTML: names, versions and formats, which errors
quote, are held to their own shapes. And where a text is meant a list is as good to the page, which joins it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import bundle, charts, figures, html, notes, outputs, tex, values
from .names import PROTOTYPE, own_classes, words

REFERENCE = "IPY_MODEL_"
TRAITS = frozenset({"value", "min", "max", "step", "disabled"})
NUMERIC = words(
    """
    BoundedFloatTextModel BoundedIntTextModel CheckboxModel FloatLogSliderModel FloatProgressModel FloatRangeSliderModel
    FloatSliderModel FloatTextModel IntProgressModel IntRangeSliderModel IntSliderModel IntTextModel PlayModel
    ToggleButtonModel ValidModel
    """
)
_MARKUP = frozenset({"HTMLModel", "HTMLMathModel"})
_CLASSES = frozenset({"_dom_classes", "icon", "icons"})
# As a notebook has them.
_SHOWN = ("display_data", "error", "execute_result", "stream")
# What the page takes as a picture's type, for an address of its own: opened by itself, SVG is a page that acts.
_RASTER = words("apng avif bmp gif ico jpeg jpg png tiff vnd.microsoft.icon webp x-icon")
# Of sound and film. What ends with +xml is a page, too, whatever stands before it.
_MEDIUM = re.compile(r"[\w.-]+", re.ASCII)
_COUNTING = frozenset({"FloatsInputModel", "IntsInputModel"})
# What these keys may hold, and what they hold where it is something else.
_SHAPES: dict[str, tuple[re.Pattern[str], str | None]] = {
    "_model_module_version": (re.compile(r"[\w.^~*+ -]*", re.ASCII), ""),
    "_view_module_version": (re.compile(r"[\w.^~*+ -]*", re.ASCII), ""),
    # As d3-format has it.
    "readout_format": (re.compile(r"(?:.?[<>=^])?[-+( ]?[$#]?0?\d*,?(?:\.\d+)?~?[a-z%]?", re.IGNORECASE), ""),
    "_cursor": (re.compile(r"[a-z-]*"), "default"),
    "_data_url": (re.compile(r"data:image/png;base64,[\w+/=]*", re.ASCII), None),
}
State = dict[str, Any]


def clean_state(state: State, model: str, no_view: bundle.NoView = bundle.unknown) -> State:
    """A model's state, or an update of it; ``model`` is the name of its class in the page."""
    cleaned = {key: _clean(key, value, model) for key, value in state.items() if key != "outputs"}
    kept: State = _without_unknown(cleaned, no_view)
    return {**kept, "outputs": _outputs(state["outputs"], no_view)} if "outputs" in state else kept


def clean_version(version: Any) -> Any:
    """Of a model's module."""
    return _shaped("_model_module_version", version)


def clean_paths(paths: Any) -> list[list[str | int]]:
    """Where buffers go in a state."""
    kept = [path for path in paths if isinstance(path, list)] if isinstance(paths, list) else []
    return [[part if _is_step(part) else "_held_back" for part in path] for path in kept]


def takes(state: State, paths: list[list[str | int]], buffers: int) -> bool:
    """Whether a page can put so many buffers there. Where it can't it makes no model of what is opened."""
    before = {(*path[:length],) for path in paths for length in range(1, len(path))}
    is_clear = not any((*path,) in before for path in paths)
    return is_clear and len(paths) <= buffers and all(_leads(state, path) for path in paths)


def _leads(value: Any, path: list[str | int]) -> bool:
    """Whether a value can be set there: in an object under any name, in a list in the place of another."""
    for step in path[:-1]:
        if not _holds(value, step):
            return False
        value = value[step]
    return bool(path) and (isinstance(value, dict) or _holds(value, path[-1]))


def _holds(value: Any, step: str | int) -> bool:
    if isinstance(value, list):
        return type(step) is int and 0 <= step < len(value)
    return isinstance(value, dict) and step in value


def ends(state: State) -> list[tuple[str, str]] | None:
    """What a link joins: ids of models, each with the name of a trait; None where it isn't said in that way."""
    match [state.get("source"), state.get("target")]:
        case [[str() as source, str() as out], [str() as target, str() as into]]:
            return [(source.removeprefix(REFERENCE), out), (target.removeprefix(REFERENCE), into)]
    return None


def _is_step(part: Any) -> bool:
    return isinstance(part, int) or (isinstance(part, str) and part not in PROTOTYPE)


def _clean(key: str, value: Any, model: str) -> Any:  # noqa: PLR0911 a table of what each key may hold
    if key in _SHAPES:
        return _shaped(key, value)
    if model in _MARKUP and key in ("value", "placeholder"):
        return _markup(value, key) if isinstance(value, str) else _textless(value)
    if key == "description" or (model == "LabelModel" and key == "value"):
        # Typeset by the page, as formulas are.
        return tex.plain(value) if isinstance(value, str) else _textless(value)
    if key == "format":
        return _shaped("readout_format", value) if model in _COUNTING else _format(value, model)
    if (clean := _CLEANERS.get(key)) is not None:
        return clean(value)
    if key in _CLASSES:
        return _classes(value, key)
    if model.endswith(("LayoutModel", "StyleModel")) and not key.startswith("_"):
        return _style(value, key.replace("_", "-"))
    return value


def _markup(value: str, key: str) -> str:
    """With a note of what was held back where she sees it; a placeholder is not shown."""
    cleaned = html.clean(value)
    return cleaned.page(notes.below(cleaned.held) if key == "value" else "")


def _without_unknown(value: Any, no_view: bundle.NoView) -> Any:
    """Without references, however deep, to models that are not shown."""
    if isinstance(value, dict):
        return {key: _without_unknown(inner, no_view) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_unknown(inner, no_view) for inner in value if not _is_unknown(inner, no_view)]
    return None if _is_unknown(value, no_view) else value


def _is_unknown(value: Any, no_view: bundle.NoView) -> bool:
    return isinstance(value, str) and value.startswith(REFERENCE) and no_view(value.removeprefix(REFERENCE)) != ""


def _shaped(key: str, value: Any) -> Any:
    pattern, other = _SHAPES[key]
    return value if value is None or (isinstance(value, str) and pattern.fullmatch(value)) else other


def _textless(value: Any) -> Any:
    return "" if _has_text(value) else value


def _has_text(value: Any) -> bool:
    """Whether a text is in it, however deep."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, str) or any(map(_has_text, inner))


def _style(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value if values.is_harmless(value, name) else None
    return None if _has_text(value) else value


def _classes(value: Any, key: str) -> Any:
    if isinstance(value, list):
        names = [_classes(item, key) for item in value if isinstance(item, str)]
        # The page takes each of them as one name, and shows no widget where it is none.
        return " ".join(names).split() if key == "_dom_classes" else names
    if key == "_dom_classes":
        return own_classes(str(value))
    # One word of the icon font; the page puts `fa-` before it.
    return value if isinstance(value, str) and value.replace("-", "").isalnum() else ""


def _format(value: Any, model: str) -> str:
    """``url`` would have the page load what the value names."""
    if model == "ImageModel":
        return value if isinstance(value, str) and value in _RASTER else "png"
    return value if isinstance(value, str) and _MEDIUM.fullmatch(value) and value != "url" else "mp4"


def _outputs(value: Any, no_view: bundle.NoView) -> list[State]:
    given = [output for output in value if isinstance(output, dict)] if isinstance(value, list) else []
    return [made for output in given if (made := _output(output, no_view)) is not None]


def _output(output: State, no_view: bundle.NoView) -> State | None:
    """Made anew from what is known of its kind: a page takes each other key, too, for what was printed."""
    kind = output.get("output_type")
    content = outputs.clean(kind, output, no_view) if kind in _SHOWN else None
    return None if content is None else {"output_type": kind, **content}


_CLEANERS: dict[str, Callable[[Any], Any]] = {
    "_figure_label": figures.label,
    "description_allow_html": lambda _: False,
    "toolitems": charts.untagged,
}
