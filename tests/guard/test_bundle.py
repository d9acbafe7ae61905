from __future__ import annotations

import json
from typing import Any

import pytest
from browser import hostile
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_codeact.guard import bundle, charts, outputs, prompts, replies, widgets

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
MIMES = st.sampled_from(
    [
        "text/plain",
        "text/html",
        "text/markdown",
        "text/latex",
        "image/svg+xml",
        "image/png",
        "application/json",
        "application/javascript",
        "application/vnd.vega.v5+json",
        "application/vnd.vegalite.v5+json",
        "application/vnd.plotly.v1+json",
        "application/geo+json",
        bundle.VIEW,
        "application/x-own",
    ]
)


@settings(max_examples=300)
@given(st.dictionaries(MIMES, JSON, max_size=5))
def test_a_bundle_of_anything_comes_through_and_a_second_pass_changes_nothing(data: dict[str, Any]) -> None:
    once = bundle.clean(data)
    json.dumps(once)
    assert bundle.clean(once) == once
    assert "application/javascript" not in once


@settings(max_examples=300)
@given(st.sampled_from(sorted(outputs.TYPES)), st.dictionaries(st.text(max_size=12), JSON, max_size=5))
def test_any_content_of_any_type_is_cleaned_or_refused(kind: str, content: dict[str, Any]) -> None:
    cleaned = outputs.clean(kind, content)
    assert cleaned is None or outputs.clean(kind, cleaned) == cleaned
    replies.clean("execute_reply", content, "x")
    replies.clean("kernel_info_reply", content, None)
    widgets.clean_state(content, "HTMLModel")


@given(JSON)
def test_any_chart_comes_through(value: Any) -> None:
    for clean in (charts.vega, charts.plotly, charts.geojson):
        once = clean(value)
        assert clean(once) == once


def test_types_that_run_code_leave_a_note() -> None:
    shown = bundle.clean({"application/javascript": "x", "text/plain": "<IPython.core.display.Javascript object>"})
    assert shown == {
        "text/plain": "Held back: JavaScript output. `%agent trust outputs` shows such outputs of this kernel."
    }


def test_a_picture_is_not_hidden_behind_html_in_which_nothing_is_left() -> None:
    assert bundle.clean({"text/html": "<script>x</script>", "image/png": "AAAA"}) == {"image/png": "AAAA"}


def test_a_chart_keeps_its_data_and_loses_what_loads() -> None:
    cleaned = charts.vega(hostile.VEGA)
    text = json.dumps(cleaned)
    for gone in ("canary", "javascript", "usermeta", "tooltip"):
        assert gone not in text
    assert cleaned["data"][1]["values"] == [{"a": 1}]
    figure = {
        "data": [{"type": "choropleth", "geojson": "http://x", "y": [1, 2], "marker": {"line": {"color": "red"}}}],
        "layout": {
            "images": [{"source": "http://x"}, {"source": "data:image/png;base64,x"}],
            "map": {"style": "http://x"},
        },
    }
    kept = charts.plotly(figure)
    assert "http" not in json.dumps(kept)
    assert kept["layout"]["images"] == [{}, {"source": "data:image/png;base64,x"}]
    assert kept["data"][0]["marker"] == {"line": {"color": "red"}}


def test_metadata_says_how_large_a_picture_is_and_nothing_else() -> None:
    metadata = {"image/png": {"width": 3, "height": "x"}, "text/html": {"isolated": True}, "a": {"embed_options": {}}}
    assert bundle.clean_metadata(metadata) == {"image/png": {"width": 3}}


WIDGETS: list[tuple[str, str, Any, Any]] = [
    ("HTMLModel", "value", "<b onclick=x>a</b>", "<b>a</b>"),
    ("HTMLMathModel", "placeholder", "<script>x</script>", ""),
    ("TextModel", "value", "a <b", "a <b"),
    ("CheckboxModel", "description_allow_html", True, False),
    ("ButtonModel", "icon", "check", "check"),
    ("ButtonModel", "icon", "check jp-Dialog", ""),
    ("ButtonModel", "_dom_classes", ["jp-Dialog", "mine"], ["out-jp-Dialog", "out-mine"]),
    ("LayoutModel", "margin", "-300px 0", None),
    ("LayoutModel", "width", "50%", "50%"),
    ("LayoutModel", "grid_template_columns", "repeat(3, 1fr)", "repeat(3, 1fr)"),
    ("HTMLStyleModel", "background", "url(http://x)", None),
    ("HTMLStyleModel", "background", "rgb(1, 2, 3)", "rgb(1, 2, 3)"),
    ("HTMLStyleModel", "background", ["url(http://x)"], None),
    ("LayoutModel", "width", [["9em"]], None),
    ("HTMLModel", "value", ["<script>x</script>"], ""),
    ("HTMLModel", "value", {"0": ["<script>x</script>"]}, ""),
    ("HTMLModel", "value", [1, [2.5, None]], [1, [2.5, None]]),
    ("TextModel", "description", ["$\\href{x}{y}$"], ""),
    ("LabelModel", "value", "$\\href{x}{y}$", "$\N{SET MINUS}href{x}{y}$"),
    ("LabelModel", "value", ["$\\href{x}{y}$"], ""),
    ("LabelModel", "_view_name", "<img src=x>", None),
    ("LabelModel", "_view_name", None, None),
    ("LabelModel", "_model_module_version", "<img src=x>", ""),
    ("LabelModel", "_view_module_version", "~2.1.0-beta.1 || *", ""),
    ("LabelModel", "_view_module_version", "^2.0.0", "^2.0.0"),
    ("IntSliderModel", "readout_format", "<img src=x>", ""),
    ("IntSliderModel", "readout_format", "*<+$010,.2~f", "*<+$010,.2~f"),
    ("MPLCanvasModel", "_cursor", "url(http://x)", "default"),
    ("MPLCanvasModel", "_cursor", "ew-resize", "ew-resize"),
    ("MPLCanvasModel", "_data_url", "http://x", None),
    ("MPLCanvasModel", "_data_url", "data:image/png;base64,aGk=", "data:image/png;base64,aGk="),
    ("ToolbarModel", "toolitems", [["Home", "<b x", "home"]], [["Home", "<\u200bb x", "home"]]),
    ("ImageModel", "format", "url", "png"),
    ("ImageModel", "format", "svg+xml", "svg+xml"),
    ("IntSliderModel", "value", 3, 3),
]


@pytest.mark.parametrize(("model", "key", "value", "expected"), WIDGETS)
def test_the_state_of_a_widget(model: str, key: str, value: Any, expected: Any) -> None:
    assert widgets.clean_state({key: value}, model) == {key: expected}


def test_a_widget_of_another_module_is_told() -> None:
    assert widgets.foreign_module({"_model_module": "anywidget", "_view_module": "anywidget"}) == "anywidget"
    assert widgets.foreign_module({"_model_module": "@jupyter-widgets/controls", "_view_module": "ipylab"}) == "ipylab"
    assert widgets.foreign_module({"_model_module": "@jupyter-widgets/base", "_view_module": None}) == ""


def test_a_label_s_view_shows_labels_only() -> None:
    """It typesets what it shows, and only for a label that was looked at."""
    assert widgets.foreign_view({"_model_name": "TextModel", "_view_name": "LabelView"})
    assert not widgets.foreign_view({"_model_name": "LabelModel", "_view_name": "LabelView"})


def test_buffers_reach_no_prototype() -> None:
    assert widgets.clean_paths([["value"], ["__proto__", "x"], "x", [{}]]) == [
        ["value"],
        ["_held_back", "x"],
        ["_held_back"],
    ]


PAYLOADS: list[tuple[dict[str, Any], str | None, bool]] = [
    ({"source": "set_next_input", "text": "x = 1", "replace": False}, "%load x", True),
    ({"source": "set_next_input", "text": "x = 1", "replace": True}, "%load x", True),
    ({"source": "set_next_input", "text": "x = 1", "replace": True}, "mine = 2", False),
    ({"source": "set_next_input", "text": "x = 1", "replace": False}, None, False),
    ({"source": "set_next_input", "text": "%agent trust outputs", "replace": False}, "%load x", False),
    ({"source": "set_next_input", "text": "\n %%agent --review auto\nx", "replace": False}, "%load x", False),
    ({"source": "edit_magic", "filename": "/etc/passwd"}, "%edit", False),
    ({"source": "ask_exit", "keepkernel": True}, "exit", True),
    ({"source": "ask_exit"}, None, False),
    ({"source": "page", "data": {"text/plain": "help"}, "start": 0}, None, True),
]


@pytest.mark.parametrize(("payload", "code", "passes"), PAYLOADS)
def test_what_a_reply_may_ask_of_the_front_end(payload: dict[str, Any], code: str | None, passes: bool) -> None:
    reply = replies.clean("execute_reply", {"status": "ok", "payload": [payload]}, code)
    assert bool(reply["payload"]) is passes


def test_facts_about_the_kernel_are_no_way_into_the_notebook_s_metadata() -> None:
    language = {"name": "x", "version": "3.12.1", "nbconvert_exporter": "evil.Exporter", "codemirror_mode": "x"}
    links = [{"text": "a", "url": "javascript:x"}, {"text": "Python", "url": "https://docs.python.org/3"}]
    info = replies.clean("kernel_info_reply", {"language_info": language, "help_links": links, "evil": 1}, None)
    assert info["language_info"]["nbconvert_exporter"] == "python"
    assert info["language_info"]["version"] == "3.12.1"
    assert [link["url"] for link in info["help_links"]] == ["https://docs.python.org/3"]
    assert "evil" not in info


def test_a_question_that_could_be_ours_says_who_asks() -> None:
    for prompt in ("Run this? [y]es, [n]o: ", "RUN  THIS?", "Trust outputs? "):
        assert prompts.clean({"prompt": prompt})["prompt"] == prompts.FROM + prompt
    assert prompts.clean({"prompt": "name? "}) == {"prompt": "name? ", "password": False}


def test_an_endless_traceback_is_cut() -> None:
    cut = outputs.error({"ename": "E", "evalue": "x" * 10**6, "traceback": ["y" * 1000] * 10**4})
    assert sum(map(len, cut["traceback"])) < 2 * outputs.ERROR_LIMIT
    assert len(cut["evalue"]) == outputs.ERROR_LIMIT
