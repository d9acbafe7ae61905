"""Which widgets pass, and that each stays what it was when a page made it."""

from __future__ import annotations

import json
from typing import Any

import ipywidgets
import pytest
from ipywidgets.widgets.widget import _registry

from jupyter_codeact.guard.models import BASE, CONTROLS, FIGURES, OUTPUT, identity
from jupyter_codeact.guard.notes import REMEDY, below
from jupyter_codeact.guard.patterns import Misshapen
from jupyter_codeact.kernel.widgets import CONTROL, TARGET, Widgets

ACTS = "<img src=x onerror=alert(1)>"
LEFT = f"<img>{below(['a handler', 'a picture that is not in the output itself'])}"
SAVE = {"type": "save", "format": "png"}
CLICK = {"method": "custom", "content": {"type": "toolbar_button", "name": "save_figure"}}


def state(name: str, module: str = CONTROLS, **more: Any) -> dict[str, Any]:
    names = {"_model_name": f"{name}Model", "_model_module": module, "_view_name": f"{name}View"}
    return {**names, "_view_module": module, **more}


def opened(widgets: Widgets, name: str, comm_id: str = "", **more: Any) -> Any:
    content = {"comm_id": comm_id or name, "target_name": TARGET, "data": {"state": state(name, **more)}}
    return widgets.clean("comm_open", content)


def closed(widgets: Widgets, comm_id: str) -> None:
    assert widgets.clean("comm_close", {"comm_id": comm_id}) is not None


def link(widgets: Widgets, source: Any, target: Any, comm_id: str = "link") -> Any:
    return opened(widgets, "Link", comm_id, _view_name=None, source=source, target=target)


def said(widgets: Widgets, comm_id: str, method: str, **data: Any) -> Any:
    passed = widgets.clean("comm_msg", {"comm_id": comm_id, "data": {"method": method, **data}})
    return passed and passed["data"]


def updated(widgets: Widgets, comm_id: str, **values: Any) -> Any:
    return said(widgets, comm_id, "update", state=values).get("state")


def entry(name: str, module: str = CONTROLS, **more: Any) -> dict[str, Any]:
    return {"model_name": f"{name}Model", "model_module": module, "state": state(name, module, **more)}


def bare(name: str, module: str = CONTROLS) -> dict[str, Any]:
    """What it is told of a model that the sandbox says nothing of, or nothing that may pass."""
    return {**entry(name, module), "model_module_version": "*"}


def restored(widgets: Widgets, asked: bool = True, **states: Any) -> dict[str, Any] | None:
    """What a page is told that is loaded anew; None where nothing is."""
    widgets.asked("comm_open", {"comm_id": "page", "target_name": CONTROL, "data": {}})
    if asked:
        widgets.asked("comm_msg", {"comm_id": "page", "data": {"method": "request_states"}})
    answer = said(widgets, "page", "update_states", states=states, buffer_paths=[])
    widgets.asked("comm_close", {"comm_id": "page"})
    return answer and answer["states"]


@pytest.fixture
def widgets() -> Widgets:
    return Widgets()


def test_every_widget_of_ipywidgets_is_known() -> None:
    made = _registry._registry
    classes = [
        (name, module, view, view_module)
        for module, versions in made.items()
        for names in versions.values()
        for name, modules in names.items()
        for view_module, views in modules.items()
        for view_names in views.values()
        for view in view_names
        if (name, module) != ("DOMWidgetModel", CONTROLS)
    ]
    assert len(classes) > 60, ipywidgets.__version__
    for name, module, view, view_module in classes:
        named = {"_model_name": name, "_model_module": module, "_view_name": view, "_view_module": view_module}
        assert identity(named) is not None, named


@pytest.mark.parametrize(
    "more",
    [
        {"_model_module": "anywidget", "_view_module": "anywidget"},
        {"_view_module": "ipylab"},
        {"_model_module": None},
        {"_view_name": "ErrorWidgetView", "_view_module": BASE, "msg": ACTS},
        {"_model_name": "DOMWidgetModel", "_model_module": BASE, "_view_name": "ErrorWidgetView", "_view_module": BASE},
        {"_model_name": "TextModel", "_view_name": "LabelView"},
        {"_model_name": "TextModel", "_view_name": "HTMLView"},
        {"_model_name": ["LabelModel"]},
        {"_model_name": ACTS},
        {"_view_name": ACTS},
    ],
)
def test_a_model_that_is_not_known_or_not_by_its_own_view_is_held_back(widgets: Widgets, more: dict[str, Any]) -> None:
    assert opened(widgets, "Label", "x", **more) is None
    assert widgets.held == {"x": "a widget with code of its own"}
    assert said(widgets, "x", "update", state={"value": "x"}) is None
    assert opened(widgets, "Label") is not None


def test_a_model_stays_what_it_is(widgets: Widgets) -> None:
    opened(widgets, "HTML")
    opened(widgets, "Layout", module=BASE)
    assert said(widgets, "HTML", "update_states", states={"HTML": entry("Text")}) is None
    told = {"HTML": bare("HTML"), "Layout": bare("Layout", BASE)}
    assert restored(widgets, HTML=entry("Text", value=ACTS), Layout=entry("Text", value=ACTS)) == told
    assert updated(widgets, "HTML", **state("Text"), value=ACTS) == {
        "_model_module": CONTROLS,
        "_view_module": CONTROLS,
        "value": LEFT,
    }
    assert updated(widgets, "Layout", margin="-9em", top="1em") == {"margin": None, "top": "1em"}
    closed(widgets, "HTML")
    assert opened(widgets, "Text", "HTML", value=ACTS) is None
    assert opened(Widgets(), "Text", "HTML", value=ACTS) is not None


def test_a_page_that_asks_is_told_all_models_once(widgets: Widgets) -> None:
    opened(widgets, "HTML")
    told = restored(widgets, HTML=entry("HTML", value=f"<b>x</b>{ACTS}"), never=entry("HTML"))
    assert told == {
        "HTML": {
            "model_name": "HTMLModel",
            "model_module": CONTROLS,
            "model_module_version": None,
            "state": state("HTML", value=f"<b>x</b>{LEFT}"),
        }
    }
    assert restored(widgets, asked=False, HTML=entry("HTML")) is None
    widgets.asked("comm_open", {"comm_id": "page", "target_name": CONTROL, "data": {}})
    widgets.asked("comm_msg", {"comm_id": "page", "data": {"method": "request_states"}})
    assert said(widgets, "page", "update_states", states={}) is not None
    assert said(widgets, "page", "update_states", states={}) is None
    assert opened(widgets, "HTML", "page") is None


@pytest.mark.parametrize(
    "change",
    [
        {"model_name": "TextModel"},
        {"model_module": "https://elsewhere.example/module.js"},
        {"model_module": ACTS},
        {"model_module": None},
        {"state": state("Text")},
        {"state": state("HTML", _model_module="anywidget")},
        {"state": state("HTML", _view_name="ErrorWidgetView", _view_module=BASE)},
    ],
)
def test_what_an_entry_says_of_a_model_is_what_it_is(widgets: Widgets, change: dict[str, Any]) -> None:
    opened(widgets, "HTML")
    assert restored(widgets, HTML={**entry("HTML"), **change}) == {"HTML": bare("HTML")}


def test_a_link_joins_numbers_for_ever(widgets: Widgets) -> None:
    for name in ("Text", "HTML", "IntText", "IntSlider", "IntRangeSlider"):
        opened(widgets, name)
    numbers = ["IPY_MODEL_IntText", "value"], ["IPY_MODEL_IntSlider", "value"]
    texts = ["IPY_MODEL_Text", "value"], ["IPY_MODEL_HTML", "value"]
    assert link(widgets, *numbers) is not None
    assert updated(widgets, "link", source=texts[0], target=texts[1]) == {}
    aside = {"source": texts[0], "target": texts[1], "_view_name": None}
    unseen = {**bare("Link"), "state": {key: value for key, value in state("Link").items() if key != "_view_name"}}
    assert (restored(widgets, link=entry("Link", **aside)) or {})["link"] == unseen
    assert link(widgets, *texts, comm_id="b") is None
    assert link(widgets, [*texts[0], ""], [*texts[1], ""], comm_id="c") is None
    assert link(widgets, {"0": texts[0][0], "1": "value"}, texts[1], comm_id="d") is None
    assert link(widgets, ["IPY_MODEL_never", "value"], numbers[1], comm_id="e") is None
    closed(widgets, "IntRangeSlider")
    assert link(widgets, ["IPY_MODEL_IntRangeSlider", "value"], numbers[1], comm_id="g") is None
    # Whatever they are called meanwhile.
    restored(widgets, Text=entry("IntText"), HTML=entry("IntText"))
    assert link(widgets, *texts, comm_id="f") is None


def test_none_is_forgotten_and_where_there_is_no_room_new_ones_are_held_back() -> None:
    widgets = Widgets(kept=3)
    for name in ("IntText", "IntSlider"):
        opened(widgets, name)
    link(widgets, ["IPY_MODEL_IntText", "value"], ["IPY_MODEL_IntSlider", "value"])
    for number in range(9):
        assert opened(widgets, "Text", f"x{number}") is None
    restored(widgets, **{f"y{number}": entry("Link") for number in range(9)})
    assert set(widgets.models) == {"IntText", "IntSlider", "link"}
    assert widgets.held["x0"] == "a widget after 3 others"
    assert updated(widgets, "link", source=["IPY_MODEL_t", "value"]) == {}
    assert opened(widgets, "Text", "x" * 1000) is None
    assert "x" * 1000 not in widgets.held


HERE, AWAY, OWN = (f"IPY_MODEL_{name}" for name in ("HTML", "saved", "own"))


def test_what_the_kernel_has_not_opened_is_not_referred_to(widgets: Widgets) -> None:
    """A page may have a model of that name from the notebook's file."""
    opened(widgets, "HTML")
    assert opened(widgets, "HTML", "own", _view_module="anywidget") is None
    made = opened(widgets, "VBox", children=[AWAY, HERE, OWN], layout=AWAY, style=HERE)["data"]["state"]
    assert (made["children"], made["layout"], made["style"]) == ([HERE], None, HERE)
    for value, left in (([[HERE, AWAY]], [[HERE]]), ({"a": {"b": AWAY, "c": HERE}}, {"a": {"b": None, "c": HERE}})):
        assert updated(widgets, "VBox", children=value, any=value) == {"children": left, "any": left}
    told = restored(widgets, VBox=entry("VBox", children=[OWN, HERE, AWAY])) or {}
    assert told["VBox"]["state"]["children"] == [HERE]
    closed(widgets, "HTML")
    assert updated(widgets, "VBox", children=[HERE]) == {"children": []}


def views(*models: str) -> list[dict[str, Any]]:
    mime = "application/vnd.jupyter.widget-view+json"
    return [
        {"output_type": "display_data", "data": {mime: {"model_id": model}, "text/plain": "w"}, "metadata": {}}
        for model in models
    ]


def test_nor_shown_in_an_output(widgets: Widgets) -> None:
    opened(widgets, "HTML")
    state = opened(widgets, "Output", module=OUTPUT, outputs=views("saved", "HTML"))["data"]["state"]
    texts = [output["data"]["text/plain"] for output in state["outputs"]]
    assert texts == ["w\nHeld back: a widget that this kernel has not opened. " + REMEDY, "w"]
    assert widgets.no_view("HTML") == ""
    widgets.end()
    assert widgets.no_view("HTML") != ""


@pytest.mark.parametrize("trusted", [False, True])
def test_a_page_that_asks_is_told_of_all_that_is_open(widgets: Widgets, trusted: bool) -> None:
    """What it isn't told of it takes from the file."""
    content = {"comm_id": "a", "target_name": TARGET, "data": {"state": state("HTML")}}
    if trusted:
        widgets.follow("comm_open", content)
    else:
        assert widgets.clean("comm_open", content) is not None
    opened(widgets, "HTML", "b")
    assert restored(widgets) == {"a": bare("HTML"), "b": bare("HTML")}
    told = {"target_name": TARGET}
    assert widgets.listed({"a": told, "other": told}) == dict.fromkeys(("a", "b", "other"), told)
    widgets.follow("comm_close", {"comm_id": "a"})
    assert restored(widgets, a=entry("HTML")) == {"b": bare("HTML")}
    assert widgets.listed({}) == {"b": told}


@pytest.mark.parametrize(
    ("paths", "buffers"),
    [
        ([["value"]], 0),
        ([["never", "x"]], 1),
        ([["value", "x"]], 1),
        ([["list", "length"]], 1),
        ([["list", 1]], 1),
        ([["list", True, "x"]], 1),
        ([["table", "a"], ["table", "a", "b"]], 2),
        ([[]], 1),
    ],
)
def test_what_a_page_could_not_open_is_held_back(widgets: Widgets, paths: list[Any], buffers: int) -> None:
    """It puts the buffers where the paths say, and makes no model where it can't."""
    values = {"value": "x", "list": [{}], "table": {"a": {}}}
    content = {
        "comm_id": "a",
        "target_name": TARGET,
        "data": {"state": state("Image", **values), "buffer_paths": paths},
    }
    assert widgets.clean("comm_open", content, buffers=buffers) is None
    assert widgets.no_view("a") != ""
    content["data"] |= {"buffer_paths": [["value"], ["list", 0, "x"], ["table", "b"]]}
    assert widgets.clean("comm_open", content, buffers=3) is not None
    assert widgets.no_view("a") == ""


def test_to_a_model_that_is_not_known_nothing_is_said(widgets: Widgets) -> None:
    """It may be of any kind: one that is made by a page itself, say."""
    for method in ("update", "custom", "update_states"):
        assert said(widgets, "never", method, state={"source": 1, "_esm": "x"}, content={"do": "focus"}) == {}


def test_no_widget_is_told_to_take_the_focus(widgets: Widgets) -> None:
    opened(widgets, "Text")
    for do in ("focus", "blur"):
        assert said(widgets, "Text", "custom", content={"do": do}) is None


def figure(widgets: Widgets) -> None:
    opened(widgets, "MPLCanvas", module=FIGURES)
    opened(widgets, "Toolbar", module=FIGURES)


def told(widgets: Widgets, message: Any) -> Any:
    passed = said(widgets, "MPLCanvas", "custom", content={"data": json.dumps(message)})
    return passed and json.loads(passed["content"]["data"])


@pytest.mark.parametrize(
    "message",
    [
        {"type": "binary"},
        {"type": "draw"},
        {"type": "refresh"},
        {"type": "resize", "size": [640, 480.5], "forward": False},
        {"type": "rubberband", "x0": -1, "y0": -1, "x1": 2.5, "y1": 3},
        {"type": "history_buttons", "Back": True, "Forward": False},
        {"type": "navigate_mode", "mode": "PAN"},
        {"type": "capture_scroll", "capture_scroll": True},
    ],
)
def test_a_figure_is_told_what_matplotlib_tells_it(widgets: Widgets, message: dict[str, Any]) -> None:
    figure(widgets)
    assert told(widgets, {**message, "more": ACTS}) == message


@pytest.mark.parametrize(
    "message",
    [{"type": "image_mode"}, {"type": "resize", "size": "x"}, {"type": "__proto__"}, {"type": ["draw"]}, [], 1, ACTS],
)
def test_and_nothing_else(widgets: Widgets, message: Any) -> None:
    figure(widgets)
    with pytest.raises(Misshapen):
        told(widgets, message)


def test_a_figure_saves_a_picture_once_for_each_click_of_hers(widgets: Widgets) -> None:
    figure(widgets)
    assert told(widgets, SAVE) is None
    widgets.asked("comm_msg", {"comm_id": "Toolbar", "data": CLICK})
    assert told(widgets, SAVE) == SAVE
    assert told(widgets, SAVE) is None
    widgets.asked("comm_msg", {"comm_id": "Toolbar", "data": CLICK})
    with pytest.raises(Misshapen):
        told(widgets, {"type": "save", "format": "sh"})


def test_an_output_takes_in_what_its_own_request_prints(widgets: Widgets) -> None:
    content = {"comm_id": "o", "target_name": TARGET, "data": {"state": state("Output", OUTPUT, msg_id="other")}}
    assert widgets.clean("comm_open", content, "mine")["data"]["state"]["msg_id"] == ""
    for named, left in (("mine", "mine"), ("other", ""), ("", ""), (["mine"], "")):
        update = {"comm_id": "o", "data": {"method": "update", "state": {"msg_id": named}}}
        assert widgets.clean("comm_msg", update, "mine")["data"]["state"] == {"msg_id": left}
