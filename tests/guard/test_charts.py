"""Charts stay, without what loads, links or makes elements."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_codeact.guard import charts

IMAGE = {"input": "image", "src": "/x", "onerror": "act()"}
RANGE = {"input": "range", "min": 0, "max": 9, "step": 1, "name": "size"}


@pytest.mark.parametrize(
    ("bind", "left"),
    [
        (IMAGE, None),
        ({"input": "range", "onfocus": "act()", "min": {"a": 1}}, {"input": "range"}),
        ({"a": IMAGE, "b": RANGE}, {"a": None, "b": RANGE}),
        ({"input": ["range"], "onerror": "act()"}, None),
        ({"element": "#main", "a": RANGE}, {"a": RANGE}),
        ("scales", "scales"),
        ({"legend": "click"}, {"legend": "click"}),
        ({"input": "select", "options": [None, "a"], "labels": ["-", "A"]},) * 2,
    ],
)
def test_an_input_has_known_settings_alone(bind: Any, left: Any) -> None:
    for place in ({"signals": [{"name": "x", "bind": bind}]}, {"layer": [{"params": [{"name": "x", "bind": bind}]}]}):
        cleaned = charts.vega(place)
        (found,) = cleaned.get("signals") or cleaned["layer"][0]["params"]
        assert found == {"name": "x", "bind": left}


MAP = {
    "style": {"version": 8, "sprite": "http://a.invalid/s", "glyphs": "/g", "sources": {"t": {"tiles": ["/t"]}}},
    "layers": [{"sourcetype": "raster", "source": ["http://a.invalid/{z}"]}],
    "center": {"lat": 1, "lon": 2},
}


def test_a_map_loads_nothing_of_its_own() -> None:
    figure = {
        "data": [{"type": "scattermap", "lat": [1]}],
        "layout": {"map": MAP, "template": {"layout": {"map2": MAP}}},
    }
    cleaned = charts.plotly(figure)
    assert cleaned["layout"] == {
        "map": {"center": MAP["center"]},
        "template": {"layout": {"map2": {"center": MAP["center"]}}},
    }
    assert charts.plotly({"layout": {"map": {"style": "white-bg"}}})["layout"]["map"]["style"] == "white-bg"
    assert "source" not in charts.plotly({"source": ["http://a.invalid/{z}"]})
    links = {"source": [0, 1], "target": [1, 2], "color": {"dtype": "i1", "bdata": "AA=="}}
    assert charts.plotly({"link": links}) == {"link": links}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('<a href="/logout">x</a>', '<\u200ba href="/logout">x<\u200b/a>'),
        ('<span style="mask-image:url(//a)">', '<\u200bspan style="mask-image:url(//a)">'),
        ("<%{x}", "<\u200b%{x}"),
        ("<b onclick=x>", "<\u200bb onclick=x>"),
        ("<b>bold</b><br>%{y}<extra></extra>",) * 2,
        ("1 < 2", "1 <\u200b 2"),
    ],
)
def test_texts_are_styled_by_bare_tags_alone(text: str, left: str) -> None:
    cleaned = charts.plotly({"data": [{"text": [text], "name": text}], "layout": {"title": {"text": text}}})
    assert cleaned == {"data": [{"text": [left], "name": left}], "layout": {"title": {"text": left}}}
