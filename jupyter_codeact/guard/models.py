"""Which models of widgets a page may have, and which view shows each of them.

What a model may hold is cleaned for its own view: another one, as the box that says what went wrong does, shows as HTML
what was taken for text. So models are known by name, and a model stays what it was when it was opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .names import words

BASE = "@jupyter-widgets/base"
CONTROLS = "@jupyter-widgets/controls"
# ipympl: its JavaScript is a JupyterLab extension that somebody installed, and it is sent pictures.
FIGURES = "jupyter-matplotlib"
OUTPUT = "@jupyter-widgets/output"
NAMING = ("_model_name", "_model_module", "_view_name", "_view_module")

# X for a model XModel with a view XView in the same module.
_PLAIN = {
    BASE: words("Layout"),
    CONTROLS: words(
        """
        Accordion Audio Box Button Checkbox ColorPicker ColorsInput Combobox Controller ControllerAxis ControllerButton
        DatePicker Datetime Dropdown FileUpload FloatLogSlider FloatRangeSlider FloatSlider FloatText FloatsInput
        GridBox HBox HTML HTMLMath Image IntRangeSlider IntSlider IntText IntsInput Label Password Play RadioButtons
        Select SelectMultiple SelectionRangeSlider SelectionSlider Stack Tab TagsInput Text Textarea Time ToggleButton
        ToggleButtons VBox Valid Video
        """
    ),
    FIGURES: words("MPLCanvas Toolbar"),
    OUTPUT: words("Output"),
}
# Models that have the view of another one.
_SHARING = {
    "BoundedFloatTextModel": "FloatTextView",
    "BoundedIntTextModel": "IntTextView",
    "FloatProgressModel": "ProgressView",
    "IntProgressModel": "ProgressView",
    "NaiveDatetimeModel": "DatetimeView",
}
_STYLES = words("Button Checkbox Description HTML HTMLMath Label Progress Slider Text ToggleButton ToggleButtons")
LINKS = frozenset({"LinkModel", "DirectionalLinkModel"})
_UNSEEN = {**dict.fromkeys(LINKS, CONTROLS), "DOMWidgetModel": BASE, "WidgetModel": BASE}


class Identity(NamedTuple):
    """What a model is: as its state says it, in the order of ``NAMING``."""

    model: str
    model_module: str
    view: str | None
    view_module: str | None

    def keeps(self, state: dict[str, Any]) -> bool:
        """Whether nothing in a state would make something else of it."""
        return all(state[key] == mine for key, mine in zip(NAMING, self, strict=True) if key in state)

    def without_change(self, state: dict[str, Any]) -> dict[str, Any]:
        """The state, as far as it doesn't."""
        mine = dict(zip(NAMING, self, strict=True))
        return {key: value for key, value in state.items() if key not in mine or value == mine[key]}


def _identities() -> Iterator[Identity]:
    for module, names in _PLAIN.items():
        for name in names:
            yield from _with_view(f"{name}Model", module, f"{name}View", module)
    for model, view in _SHARING.items():
        yield from _with_view(model, CONTROLS, view, CONTROLS)
    for name in _STYLES:
        yield from _with_view(f"{name}StyleModel", CONTROLS, "StyleView", BASE)
    for model, module in _UNSEEN.items():
        yield from _unseen(model, module)


def _with_view(model: str, module: str, view: str, view_module: str) -> Iterator[Identity]:
    yield Identity(model, module, view, view_module)
    yield from _unseen(model, module)


def _unseen(model: str, module: str) -> Iterator[Identity]:
    return (Identity(model, module, None, view_module) for view_module in (None, *_PLAIN))


_KNOWN: dict[tuple[Any, ...], Identity] = {each: each for each in _identities()}


def identity(state: dict[str, Any]) -> Identity | None:
    """What the model of this state is; None for one that is not known, or that the view of another one would show."""
    named = tuple(state.get(key) for key in NAMING)
    return _KNOWN.get(named) if all(isinstance(name, str | None) for name in named) else None
