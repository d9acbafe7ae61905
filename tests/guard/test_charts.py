"""Charts stay, without what loads, links or makes elements; a map that loads its tiles does not."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from browser import hostile

from jupyter_codeact.guard import charts, members

# Vega-Lite's own.
DRAG = "[mousedown, window:mouseup] > window:mousemove!"


def lite(spec: dict[str, Any]) -> dict[str, Any]:
    """What is left of a chart, without what says that it is Vega-Lite's, how it is read, and what is kept apart."""
    cleaned = charts.vega(spec)
    assert cleaned is not None
    assert cleaned.pop("usermeta") == charts.INTERPRETED
    schema = cleaned.pop("$schema")
    assert schema == spec.get("$schema", charts.LITE)
    if "transform" in cleaned:
        guards = [members.kept_apart(str(transform.get("as"))) for transform in cleaned["transform"]]
        computed = [transform.get("calculate") for transform in cleaned["transform"]]
        cleaned["transform"] = [
            one for one, made, guard in zip(cleaned["transform"], computed, guards, strict=True) if made != guard
        ]
    return cleaned | ({"$schema": schema} if "$schema" in spec else {})


# No figure is sent anywhere.
NOWHERE = {"plotlyServerURL": "", "showSendToCloud": False}


def plotted(figure: dict[str, Any]) -> dict[str, Any]:
    """What is left of a figure, without what is said to each."""
    cleaned = charts.plotly(figure)
    assert cleaned is not None
    assert cleaned.pop("config") == NOWHERE
    return cleaned


IMAGE = {"input": "image", "src": "/x", "onerror": "act()"}
RANGE = {"input": "range", "min": 0, "max": 9, "step": 1, "name": "size"}


@pytest.mark.parametrize(
    ("bind", "left"),
    [
        (IMAGE, None),
        ({"input": "range", "onfocus": "act()", "min": {"a": 1}}, {"input": "range"}),
        ({"a": IMAGE, "b": RANGE}, {"b": RANGE}),
        # Without a kind it is an input of whatever attributes there are.
        ({"type": "Image", "src": "/x", "onerror": "act()"}, {}),
        ({"type": "text", "onfocus": "document.title=`x`", "legend": "click"}, {"legend": "click"}),
        ("onclick", None),
        ({"input": ["range"], "onerror": "act()"}, None),
        ({"element": "#main", "a": RANGE}, {"a": RANGE}),
        ("scales", "scales"),
        ({"legend": "click"}, {"legend": "click"}),
        ({"input": "select", "options": [None, "a"], "labels": ["-", "A"]},) * 2,
        ({"input": "search", "name": "Find"},) * 2,
    ],
)
def test_an_input_has_known_settings_alone(bind: Any, left: Any) -> None:
    for place in ([{"name": "x", "bind": bind}], [{"name": "x", "select": "point", "bind": bind}]):
        (found,) = lite({"layer": [{"params": place}]})["layer"][0]["params"]
        assert found == {**place[0], "bind": left}


@pytest.mark.parametrize("kind", ["scattermap", "choroplethmap", "densitymap", "scattermapbox"])
def test_a_map_of_tiles_is_held_back_wherever_it_is_made(kind: str) -> None:
    trace = {"type": kind, "lat": [1], "lon": [2]}
    button = {"method": "restyle", "args": ["type", [kind]]}
    for figure in (
        {"data": [trace], "layout": {"map": {"style": "white-bg"}}},
        {"data": [{}], "layout": {"updatemenus": [{"buttons": [button]}]}},
        {"data": [], "frames": [{"data": [trace]}]},
    ):
        assert charts.plotly(figure) is None
    # Plotly puts all kinds into each figure.
    figure = {"data": [{"type": "bar"}], "layout": {"template": {"data": {kind: [{"type": kind}]}}}}
    assert plotted(figure) == figure


AWAY = "http://canary.invalid/"


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["images[0].source", AWAY], None),
        ([{"images[0].source": AWAY}], [{}]),
        (["images[0]", {"source": AWAY}], ["images[0]", {}]),
        (["geojson", [AWAY]], None),
        (["updatemenus[0].buttons[0].args[1]", AWAY], None),
        ([{"updatemenus[0].buttons[0].args": ["images[0].source", AWAY]}], [{}]),
        ([{"__proto__.a": 1, "a.__proto__[0]": 1}], [{}]),
        (["images[0].source", "data:image/png;base64,x"],) * 2,
        ([["0"], {"frame": {"duration": 50}}],) * 2,
        ([{"visible": [True, False]}, {"title.text": "a", "xaxis.range[0]": 1}],) * 2,
    ],
)
def test_a_button_sets_nothing_that_loads(arguments: Any, left: Any) -> None:
    button = {"method": "relayout", "args": arguments, "args2": arguments}
    rest = {"args": left, "args2": left} if left is not None else {}
    for menu in ("updatemenus", "sliders"):
        cleaned = plotted({"layout": {menu: [{"buttons": [button]}]}})
        assert cleaned == {"layout": {menu: [{"buttons": [{"method": "relayout", **rest}]}]}}


@pytest.mark.parametrize(
    ("color", "stays"),
    [
        ("url(//canary) rgb(1,2,3)", False),
        ("rgb(1,2,3);background-image:url(//canary)", False),
        ("red}*{display:none", False),
        ([["x", "image-set('//canary' 1x) #fff"]], False),
        ("rgba(1, 2, 3, 0.5)", True),
        ("#FFF", True),
        ("Viridis_r", True),
        ("coloraxis2", True),
        ([[0, "hsl(120, 50%, 50%)"], [1.0, "rgb(1e-05,2,3)"]], True),
        ({"dtype": "i1", "bdata": "AA=="}, True),
        ([1, 2.5, None], True),
    ],
)
def test_a_color_is_nothing_else(color: Any, stays: bool) -> None:
    """Plotly 2 wrote it into the page's style sheets as it stood."""
    left = {"color": color} if stays else {}
    figure = {"data": [{"marker": {"color": color}}], "layout": {"paper_bgcolor": color, "modebar": {"bgcolor": color}}}
    background = {"bgcolor": color} if stays else {}
    layout = {"modebar": background, **({"paper_bgcolor": color} if stays else {})}
    assert plotted(figure) == {"data": [{"marker": left}], "layout": layout}
    button = {"args": ["marker.color", color], "args2": [{"paper_bgcolor": color}]}
    (cleaned,) = plotted({"layout": {"updatemenus": [{"buttons": [button]}]}})["layout"]["updatemenus"][0]["buttons"]
    assert cleaned == (button if stays else {"args2": [{}]})


def test_a_button_that_a_template_makes_is_looked_at() -> None:
    button = {"name": "b", "method": "restyle", "args": ["type", "scattermapbox"]}
    template = {"layout": {"updatemenus": [{"name": "a", "buttons": [button]}]}}
    assert charts.plotly({"data": [], "layout": {"template": template}}) is None


def test_the_numbers_of_a_diagram_are_no_address() -> None:
    assert plotted({"source": [AWAY]}) == {}
    links = {"source": [0, 1], "target": [1, 2], "color": {"dtype": "i1", "bdata": "AA=="}}
    assert plotted({"link": links}) == {"link": links}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('<a href="/logout">x</a>', '<\u200ba href="/logout">x<\u200b/a>'),
        ('<span style="mask-image:url(//a)">', '<\u200bspan style="mask-image:url(//a)">'),
        ("<%{x}", "<\u200b%{x}"),
        ("<b onclick=x>", "<\u200bb onclick=x>"),
        ("<b>bold</b><br>%{y}<extra></extra>",) * 2,
        ("1 < 2", "1 <\u200b 2"),
        ("$x^2$",) * 2,
        ("$\\mmlToken{mi}[href='/logout']{x}$", "$\N{SET MINUS}mmlToken{mi}[href='/logout']{x}$"),
        # Templates, axes and formats of dates put texts together: a piece of a formula has no dollars.
        ("\\href{javascript:act()}{x}", "\N{SET MINUS}href{javascript:act()}{x}"),
        ("$\\ne%{meta[0]}$", "$\N{SET MINUS}ne%{meta[0]}$"),
        ("$\\ne", "$\N{SET MINUS}ne"),
        ("$%{meta[0]}\\%", "$%{meta[0]}\N{SET MINUS}%"),
        ("$\\ne<extra></extra>wcommand$", "$\N{SET MINUS}ne<extra></extra>wcommand$"),
        ("%{x|$\\%-href{javascript:act()}{x}$}", "%{x|$\N{SET MINUS}%-href{javascript:act()}{x}$}"),
        ("$95\\%CI$, $\\frac{\\%A}{\\%B}$",) * 2,
        ("$\\alpha \\le %{y}$, $50\\%$, $\\text{%d %b}$",) * 2,
    ],
)
def test_texts_are_styled_by_bare_tags_alone(text: str, left: str) -> None:
    cleaned = plotted({"data": [{"text": [text], "name": text}], "layout": {"title": {"text": text}}})
    assert cleaned == {"data": [{"text": [left], "name": left}], "layout": {"title": {"text": left}}}


@pytest.mark.parametrize(
    "layout",
    [
        {"xaxis": {"tickformat": "{}"}},
        {"xaxis": {"tickformatstops": [{"value": "{}"}]}},
        {"template": {"layout": {"xaxis": {"hoverformat": "{}"}}}},
        {"updatemenus": [{"buttons": [{"method": "relayout", "args": [{"xaxis.tickformat": "{}"}]}]}]},
        {"updatemenus": [{"buttons": [{"method": "relayout", "args": ["xaxis.tickformat", "{}"]}]}]},
        {"updatemenus": [{"buttons": [{"method": "relayout", "args": [{"xaxis.tickformatstops[0].value": "{}"}]}]}]},
    ],
)
def test_no_command_is_what_the_format_of_a_date_leaves(layout: dict[str, Any]) -> None:
    """It leaves a letter that it does not know, without the percent before it."""
    for directive in ("%h", "%-h"):
        texts = f"\\{directive}ref{{x}}{{y}}", f"\N{SET MINUS}{directive}ref{{x}}{{y}}"
        given, left = (json.loads(json.dumps(layout).replace('"{}"', json.dumps(text))) for text in texts)
        assert plotted({"data": [], "layout": given})["layout"] == left


def test_nor_what_it_ends_with() -> None:
    """Nothing comes of a directive without a letter, and what is written behind the tick follows."""
    for ending in ("%-", "%_", "%0", "%"):
        axis = {"type": "date", "tickformat": f"$\\ne{ending}", "ticksuffix": "href{/logout}{x}$"}
        assert plotted({"layout": {"xaxis": axis}})["layout"]["xaxis"]["tickformat"] == f"$\N{SET MINUS}ne{ending}"
        template = f"%{{x|$\\{ending}}}href{{/logout}}{{x}}$"
        left = template.replace("\\", "\N{SET MINUS}")
        assert plotted({"data": [{"hovertemplate": template}]}) == {"data": [{"hovertemplate": left}]}


def test_a_surface_is_patterned_by_a_backslash() -> None:
    """And no template asks for it: it would begin a command."""
    traces = [{"marker": {"pattern": {"shape": ["\\", "/"]}}}, {"fillpattern": {"shape": "\\"}}]
    button = {"args": [{"marker.pattern.shape": ["\\", "x"]}]}
    figure = {"data": traces, "layout": {"updatemenus": [{"buttons": [button]}]}}
    assert plotted(figure) == figure
    asks = "$%{fullData.marker.pattern.shape}href{/logout}{x}$ shape=%{x}"
    left = {"hovertemplate": asks.replace("%{f", "%\u200b{f")}
    assert plotted({"data": [{"hovertemplate": asks}]}) == {"data": [left]}
    other = {"text": "\\", "shape": "a\\"}
    assert plotted({"data": [other]})["data"] == [{k: v.replace("\\", "\N{SET MINUS}") for k, v in other.items()}]


@pytest.mark.parametrize(
    "expression",
    [
        "+{valueOf:vlSelectionTuples([{datum:'act()'}],{fields:[{getter:[].at.constructor}]})[0].values[0]}",
        "scale(event.view.setTimeout,'act()')",
        "scale(event['vi'+'ew'].setTimeout,'act()')",
        "event",
        "[].at['con'+'structor']",
        "[].at/**/['con'+'structor']",
        "''['\\x63onstructor']",
        "''['con\\structor']",
        "item().mark.group.context.dataflow",
        "{a: event}",
        "event .view",
        "datum[name]",
        # A space follows the sign, which is another pattern then, or none.
        "test(/(?<!x)y/, datum.a)",
        "replace(datum.a, /(?<k>x)/, '$1$1')",
        "test(regexp('(?<!x)y'), datum.a)",
    ],
)
def test_an_expression_that_could_reach_the_page_is_held_back(expression: str) -> None:
    for spec in (
        {"transform": [{"calculate": expression, "as": "a"}]},
        {"transform": [{"filter": {"and": ["true", {"not": expression}]}}]},
        {"params": [{"name": "p", "select": {"type": "point", "on": {"type": "click", "filter": [expression]}}}]},
        {"params": [{"name": "p", "expr": expression}]},
        _encoded(axis={"values": {"signal": expression}}),
        _encoded(axis={"labelExpr": expression}),
    ):
        assert charts.vega(spec) is None


@pytest.mark.parametrize(
    "spec",
    [
        {
            "data": {"values": [{"event": "event", "a": "event.view\\n"}]},
            "encoding": {"x": {"field": "event"}},
        },
        {"title": "Date of the event", "mark": {"type": "text", "text": "context"}},
        {"transform": [{"calculate": "datum['a b'] + datum.event + domain('x')[0]", "as": "a"}]},
        {"transform": [{"filter": "inrange(datum.x, [0, 1]) && datum.type == 'event'"}]},
        {
            "params": [
                {
                    "name": "b",
                    "select": {"type": "interval", "translate": "[mousedown[!event.shiftKey], mouseup] > mousemove"},
                }
            ]
        },
        {"params": [{"name": "s", "expr": "clamp(width, 0, height)"}]},
        {"params": [{"name": "s", "expr": "[0, 1]"}], "encoding": {"x": {"field": "a\\.b"}}},
        {"transform": [{"calculate": "toString(datum.x)", "as": "a"}]},
        {"transform": [{"filter": "test(/(?<=x)y(?:z)/, datum.a) && datum.a < 5"}]},
        {"params": [{"name": "b", "value": 1}, {"name": "s", "expr": " [[0, 1], [datum.a, b]]"}]},
        {"transform": [{"extent": "b", "param": "e"}], "mark": {"type": "rule", "x": {"expr": "scale('x', e[0])"}}},
        {"transform": [{"stack": "a", "offset": "normalize", "groupby": [], "as": ["b", "c"]}]},
        {
            "params": [{"name": "q", "select": "point"}],
            "transform": [{"calculate": "2 * PI * height", "as": "a"}, {"filter": "q.a.length"}],
        },
    ],
)
def test_ordinary_expressions_stay(spec: dict[str, Any]) -> None:
    assert lite(spec) == spec


def _encoded(**more: Any) -> dict[str, Any]:
    return {"data": {"values": [{"a": 1}]}, "mark": "point", "encoding": {"x": {"field": "a", **more}}}


OUT = '" + [0].at.call + "'


@pytest.mark.parametrize(
    "spec",
    [
        _encoded(aggregate=OUT),
        _encoded(axis={"labelFontStyle": "x\\"}),
        _encoded(bin={"span": "'"}),
        _encoded(field=OUT),
        _encoded(timeUnit="a\n"),
        _encoded(**{OUT: 1}),
        {"data": {"name": "z'), warn('x'), data('z"}},
        {"data": {"values": [], "format": {"parse": {"a": "date:%Y', 'x'], ['"}}}},
        {"data": {"values": [], "format": {"parse": {OUT: "date"}}}},
        {"datasets": {OUT: []}, "params": [{"name": "p"}]},
        {"params": [{"name": OUT}]},
        {"layer": [{"name": OUT}]},
        {"mark": {"type": "point", "xOffset": OUT}},
        # A date, or a list that stands for one, is written as it stands.
        _encoded(axis={"values": [{"year": "warn(1)"}]}),
        _encoded(legend={"values": [{"year": 2000, "date": ["warn(1)"]}]}),
        _encoded(sort=[{"month": "january()"}]),
        # What is called data, and is none.
        {"config": {"style": {"data": {"values": ["event.view"]}}}},
        _encoded(axis={"data": {"values": ["event.view"]}}),
        {"data": {"values": {"signal": "event.view"}}},
    ],
)
def test_what_could_end_the_quotes_of_an_expression_is_held_back(spec: dict[str, Any]) -> None:
    assert charts.vega(spec) is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Size (m²), men's", "Size (m²), men\N{RIGHT SINGLE QUOTATION MARK}s"),
        ('50% "best"', "50% \N{LEFT DOUBLE QUOTATION MARK}best\N{RIGHT DOUBLE QUOTATION MARK}"),
        ("a\\", "a\N{SET MINUS}"),
        ("The event, [t] in context",) * 2,
    ],
)
def test_quotes_of_a_text_become_typographic(text: str, left: str) -> None:
    for said, shown in ((text, left), ([text, text], [left, left])):
        for key in ("title", "format"):
            assert lite(_encoded(**{key: said})) == _encoded(**{key: shown})
        assert lite({"layer": [{"title": {"text": said}}]}) == {"layer": [{"title": {"text": shown}}]}


ROWS = [{"event": 'event.view["x"]', "a": "men's\\n"}]


@pytest.mark.parametrize(
    "spec",
    [
        _encoded(sort=["men's", '"'], scale={"domain": ["men's"], "range": ["red"]}, axis={"values": ["men's"]}),
        _encoded(field="a\\.b\\[m\\]"),
        _encoded(field="argmax_a['b c']"),
        _encoded(axis={"values": [{"year": 2000, "month": "jan", "utc": True}, {"year": "2001"}]}),
        _encoded(axis={"format": {"year": "%Y", "month": "%b"}}),
        {
            "vconcat": [
                {"layer": [{"data": {"values": ROWS}}]},
                {"spec": {"data": {"values": [{"a": "b'"}]}}},
            ]
        },
        {"transform": [{"lookup": "a", "from": {"data": {"values": ROWS}, "key": "a"}}]},
        {"datasets": {"d": ROWS}, "data": {"name": "d"}},
        {
            "data": {
                "values": [{"date": "01.02.2003", "year": "2003"}],
                "format": {"parse": {"date": "date:'%d.%m.%Y'", "year": "number"}},
            }
        },
        {"params": [{"name": "p", "bind": {"input": "select", "options": ["men's"], "name": "Men's: "}}]},
        {"params": [{"name": "p", "select": "point", "bind": {"legend": "click[event.altKey]"}}]},
        {"transform": [{"filter": {"field": "a", "equal": "men's"}}, {"filter": 'datum.a == "men\'s"'}]},
        {"params": [{"name": "p", "select": {"type": "point", "clear": "mouseout[!event.item]"}}]},
        {"params": [{"name": "p", "select": {"type": "point", "on": "@bars:mouseover, view:click", "nearest": True}}]},
        {"params": [{"name": "p", "select": {"type": "interval", "zoom": "wheel![event.altKey]"}, "bind": "scales"}]},
        {
            "data": {"values": [{"on": ["a"], "type": "image", "modify": 1}]},
            "transform": [{"calculate": "1", "as": "url"}],
        },
    ],
)
def test_ordinary_charts_stay_as_they_are(spec: dict[str, Any]) -> None:
    assert lite(spec) == spec


@pytest.mark.parametrize(
    "spec",
    [
        {"mark": "image"},
        {"layer": [{"mark": {"type": "image"}}]},
        {"params": [{"name": "p", "select": {"type": "point", "on": "window:keydown"}}]},
        {"params": [{"name": "p", "select": {"type": "point", "clear": {"source": "window", "type": "keydown"}}}]},
        {"params": [{"name": "p", "select": {"type": "point", "on": {"between": [{"source": "body"}, {}]}}}]},
        {"params": [{"name": "p", "select": {"type": "interval", "translate": "[window:keydown, mouseup]"}}]},
        {"params": [{"name": "p", "select": "point", "bind": {"legend": "window:keydown!"}}]},
        {"config": {"signals": [{"name": "s", "on": [{"events": "click", "update": "1"}]}]}},
        {"transform": [{"calculate": "modify('u', null, null, data('marks')[0], {href: '/logout'})", "as": "a"}]},
        {"transform": [{"calculate": "(modify)('u', data('marks')[0])", "as": "a"}]},
    ],
)
def test_a_chart_that_does_things_of_its_own_is_held_back(spec: dict[str, Any]) -> None:
    assert charts.vega(spec) is None


@pytest.mark.parametrize(
    "spec",
    [
        {"$schema": "https://vega.github.io/schema/vega/v5.json", "marks": []},
        {"$schema": "https://vega.github.io/schema/vega/v5.json", **_encoded()},
        {"$schema": "https://elsewhere.example/schema/vega-lite/v5.json", **_encoded()},
        {"$schema": ["https://vega.github.io/schema/vega-lite/v5.json"], **_encoded()},
        {"$schema": "https://vega.github.io/schema/vega-lite/v5.json#/schema/vega/v5.json", **_encoded()},
        {"marks": [{"type": "rect"}]},
        {"signals": [{"name": "s"}]},
        {**_encoded(), "config": {"signals": [{"name": "s", "on": [{"events": "click", "update": "1"}]}]}},
        _encoded(axis={"encoding": {"labels": {"update": {"text": {"value": "a"}}}}}),
        {"config": {"axis": {"encode": {}}}},
    ],
)
def test_vega_itself_is_held_back(spec: dict[str, Any]) -> None:
    """It is a language of programs, which take elements of the page for rows and set what they like."""
    assert charts.vega(spec) is None


@pytest.mark.parametrize("version", ["v5.json", "v5.6.1.json", "v6.json"])
def test_what_a_chart_is_it_says_itself(version: str) -> None:
    spec = {"$schema": f"https://vega.github.io/schema/vega-lite/{version}", **_encoded()}
    assert lite(spec) == spec
    assert charts.vega(_encoded() | {"usermeta": {"embedOptions": {"ast": False}}}) == charts.vega(_encoded())


CALL = "scale(scale(datum.a, datum.b), 0)"
PATH = "'mark.group.con'+'text.data'+'flow._el'"


@pytest.mark.parametrize(
    "spec",
    [
        {"data": {"values": {"signal": "s"}}},
        {"mark": {"type": {"signal": "'im' + 'age'"}}},
        _encoded(field={"signal": PATH}),
        {"transform": [{"calculate": "1", "as": {"expr": "'im' + 'age'"}}]},
        {"transform": [{"fold": [{"signal": PATH}], "as": ["a", "b"]}]},
        {"transform": [{"calculate": "1", "as": "toString"}]},
        _encoded(field={"datum": "x"}),
        _encoded(field={"group": "context"}),
        _encoded(field={"repeat": "row", "signal": PATH}),
        {"transform": [{"aggregate": [{"op": "sum", "field": "a", "as": "b"}], "groupby": [{"signal": PATH}]}]},
        # What is drawn, as rows.
        {"data": {"name": "layer_0_marks"}, "mark": "point"},
        {"transform": [{"lookup": "a", "from": {"data": {"name": "marks"}, "key": "a", "fields": ["mark"]}}]},
        # A format's type is the name of a function.
        _encoded(axis={"formatType": "setdata"}),
        {"config": {"customFormatTypes": True, "numberFormatType": "modify"}},
        # What is meant to be a number, or a time, is written as it stands.
        *({"mark": {"type": "bar", key: CALL}} for key in ("size", "xOffset", "yOffset", "clip", "strokeWidth")),
        {"mark": {"type": "bar", "width": {"band": CALL}}},
        {"config": {"bar": {"strokeWidth": CALL}}},
        *(_encoded(axis={key: CALL}) for key in ("labelOffset", "bandPosition", "offset", "labelFlush", "translate")),
        *(_encoded(legend={key: CALL}) for key in ("columns", "gradientLength")),
        _encoded(timeUnit="year", axis={"values": [CALL]}),
        _encoded(timeUnit="year", sort=[CALL]),
        {"transform": [{"filter": {"timeUnit": "year", "field": "a", "equal": CALL}}]},
        {"transform": [{"filter": {"timeUnit": "year", "field": "a", "oneOf": [CALL]}}]},
        {"transform": [{"filter": {"or": [CALL]}}]},
        {"transform": [{"filter": {"param": CALL}}]},
        {"encoding": {"latitude": {"datum": CALL}}},
        {"encoding": {"y": {"timeUnit": "year", "datum": CALL}}},
        {"mark": {"type": "bar", "yOffset": "item.mark"}},
        {"width": {"step": CALL}},
        {"mark": {"type": "bar", "clip": {"expr": "[].join"}}},
    ],
)
def test_what_a_chart_is_made_of_is_not_computed(spec: dict[str, Any]) -> None:
    """Names that are put together come to everything."""
    assert charts.vega(spec) is None


@pytest.mark.parametrize(
    "spec",
    [
        _encoded(field={"repeat": "column"}),
        _encoded(
            axis={"labelAngle": {"expr": "width"}, "tickCount": {"signal": "ceil(width/40)"}, "formatType": "time"}
        ),
        _encoded(field="event type", title="Type of event"),
        _encoded(field="the event", aggregate="count"),
        _encoded(field="context", scale={"domain": ["context", "event", "modify"]}),
        _encoded(field="modify date"),
        {
            "params": [{"name": "q", "value": 1}, {"name": "p", "expr": "2 * q"}],
            "mark": {"type": "bar", "cornerRadius": {"expr": "p"}},
        },
        {"transform": [{"filter": "test(/^\\d+$/, datum.b)"}]},
        {"mark": {"type": "bar", "color": "rgba(1, 2, 3, 0.5)", "fill": "hsl(120, 50%, 50%)", "stroke": "rgb(1,2,3)"}},
        {"data": {"values": [], "format": {"parse": {"Weight (kg)": "number"}}}},
        _encoded(field="Weight (kg)", sort=["Korea (South)"], scale={"domain": ["Korea (South)"]}),
        {
            "transform": [
                {"filter": {"field": "a", "oneOf": ["Korea (South)"]}},
                {"fold": ["a (b)"], "as": ["c (d)", "e"]},
            ]
        },
        {"transform": [{"filter": {"timeUnit": "year", "field": "a", "range": ["2000-01-01", "2001"]}}]},
    ],
)
def test_how_it_looks_may_be_computed_and_columns_have_any_name(spec: dict[str, Any]) -> None:
    assert lite(spec) == spec


def test_a_source_that_is_shown_has_no_tags() -> None:
    spec = {
        "data": {"values": [{"<img src=x>": "</code><script>"}]},
        "transform": [{"filter": "datum.a<height && 1<2"}],
    }
    text = json.dumps(charts.vega(spec))
    assert not re.search("<[a-z/!?]", text)
    assert "datum.a< height && 1<2" in text


def test_a_pivot_may_name_a_picture() -> None:
    spec = {"transform": [{"pivot": "k", "value": "v"}], "mark": {"type": "bar", "tooltip": {"content": "data"}}}
    assert lite(spec) == {"transform": spec["transform"], "mark": {"type": "bar"}}


WINDOW = "mark.group.context.dataflow._el.ownerDocument.defaultView.open"
CONTAINER = {"name": "cursor", "value": "url(/api/contents?canary=cursor), auto"}
COMPUTED = {"name": "cursor", "expr": "'url(http://canary.invalid/cursor?' + length('abc') + '), auto'"}
OUTER = {"name": "q_tuple", "select": {"type": "interval", "encodings": ["x"]}}
INNER = {"name": "q", "select": {"type": "point", "fields": ["v"], "on": "mousemove"}}
POINTED = {"name": "p", "select": {"type": "interval", "encodings": ["x"]}}


# A column that is a list of a selection's columns, and rows that are lists.
HANDS_ON = "p_tuple_fields && p_tuple_fields[0] && isDefined(p_tuple_fields[0].getter)"
STEPS = [
    {"calculate": HANDS_ON, "as": "on"},
    {"calculate": "datum.on ? p_tuple_fields[0].getter : [].indexOf", "as": "indexOf"},
    {"calculate": "datum.on ? indexof(datum, 'a') : [].indexOf", "as": "indexOf"},
    {"calculate": "datum.on ? indexof(datum, datum[1]) : [].indexOf", "as": "indexOf"},
]
LISTED = {
    "layer": [
        {
            "data": {"values": [{"tuple_fields": {"type": "E", "field": "constructor.constructor"}}]},
            "params": [POINTED],
            "encoding": {"x": {"field": "tuple_fields", "type": "nominal", "sort": None}},
        },
        {"data": {"values": [["a", "act()"]], "format": {"parse": None}}, "transform": STEPS, "mark": "rule"},
    ]
}


# What the compiler puts in the place of a name, it puts into texts as well, whose quotes it ends.
PUT_IN = "+pluck(item.mark, substring(datum.value, 0, 4))+"
HEADED = {"field": "a", "header": {"formatType": "time", "format": PUT_IN, "labelExpr": "'datum.label'"}}


@pytest.mark.parametrize(
    "spec",
    [
        _encoded(axis={"formatType": "utc", "format": PUT_IN, "labelExpr": '"datum.label"'}),
        _encoded(axis={"formatType": "utc"}),
        {"mark": "bar", "encoding": {"row": HEADED}},
        *({"mark": "bar", "encoding": {"row": {"field": "a", "header": {"labelExpr": expression}}}}
          for expression in ("'datum.label'", '"datum.value" + 1', "/datum.label/", "datum.labels", "xdatum.label")),
        *({"config": {key: text}} for key in ("timeFormat", "numberFormat") for text in (PUT_IN, "%Y$", "datum.value")),
        _encoded(axis={"format": {"year": "item.dataflow"}}),
        # A row in a text's place.
        {"mark": {"type": "text", "text": {"expr": "datum.z ? 'x' : datum"}}},
        {"transform": [{"calculate": "peek(datum)", "as": "split"}]},
    ],
)  # fmt: skip
def test_what_is_put_into_a_labels_expression_ends_no_text_of_it(spec: dict[str, Any]) -> None:
    assert charts.vega(spec) is None


@pytest.mark.parametrize(
    "axis",
    [
        {"labelExpr": "datum.label + ' (' + datum.value + ')'", "format": "$,.2f"},
        {"labelExpr": "datum.value > 2 ? datum.label : ''", "formatType": "time", "format": "%Y: %q"},
        {"labelExpr": "'label of the datum: ' + datum['label']"},
    ],
)
def test_labels_are_made_of_what_an_axis_has(axis: dict[str, Any]) -> None:
    assert charts.vega(_encoded(axis=axis) | {"config": {"numberFormat": ",.1~f"}}) is not None


@pytest.mark.parametrize("spec", [hostile.HOVERED, hostile.LITE[-1], LISTED])
def test_a_chart_that_was_made_to_act_is_held_back(spec: dict[str, Any]) -> None:
    assert charts.vega(spec) is None
    whole = hostile.HOVERED["concat"][0]
    for layer in range(3):
        assert charts.vega({"layer": whole["layer"][layer : layer + 1]}) is None


@pytest.mark.parametrize(
    "spec",
    [
        # What Vega takes for its own.
        _encoded() | {"params": [CONTAINER]},
        _encoded() | {"params": [COMPUTED]},
        _encoded() | {"params": [CONTAINER], "config": {"events": {"globalCursor": True}}},
        {"layer": [{"params": [{"name": "cursor", "select": "point"}]}]},
        {"config": {"params": [CONTAINER]}},
        *({"params": [{"name": name, "value": 1}]} for name in ("padding", "background", "unit", "parent", "autosize")),
        {"params": [{"name": ["cursor"], "value": "auto"}]},
        # What the compiler makes of the name of a selection.
        {"layer": [{"params": [OUTER, INNER], "encoding": {"x": {"field": "fields"}}}]},
        {"params": [POINTED], "encoding": {"x": {"field": "tuple_fields"}}},
        {"params": [POINTED], "encoding": {"x": {"field": "tuple fields"}}},
        {"params": [{"name": "p", "select": "point", "value": [{"toggle": 1}]}]},
        {"params": [INNER, {"name": "q_x", "value": 1}]},
        {"params": [INNER, {"name": "q v", "value": 1}]},
        {"params": [INNER, {"name": "q_yearmonth_a", "value": 1}], "encoding": {"x": {"timeUnit": "yearmonth"}}},
        {"params": [INNER], "datasets": {"q_store": [{"fields": [], "values": []}]}},
        {"params": [INNER], "data": {"name": "q_store", "values": [{"unit": ""}]}},
        {"params": [INNER], "concat": [{"name": "q"}]},
        {"params": [{"name": "x", "select": "interval"}], "encoding": {"x": {"field": "step"}}},
        # And of those of views.
        {"params": [{"name": "concat_0_x_step", "value": 1}]},
        {"name": "a", "params": [{"name": "a_width", "value": 1}]},
        {"name": "a", "data": {"name": "a_marks", "values": []}},
        {"repeat": ["b"], "spec": {}, "datasets": {"child__b_marks": []}},
        {"data": {"name": "source_0", "values": []}},
        # A source that nobody defined.
        {"concat": [{"layer": [{"data": {"name": "q_tuple_brush_bg"}}]}]},
        {"data": {"name": "voronoi"}},
        {"data": {"name": "d"}},
        {"transform": [{"lookup": "a", "from": {"data": {"name": "q_store"}, "key": "fields"}}]},
        # A selection's columns are texts.
        {"params": [{"name": "q", "select": {"type": "point", "fields": [["a"]]}}]},
        {"params": [{"name": "q", "select": {"type": "point", "fields": [{"field": WINDOW}]}}]},
    ],
)
def test_names_of_a_chart_do_not_meet_those_that_are_made(spec: dict[str, Any]) -> None:
    assert charts.vega(spec) is None


# A selection keeps what is drawn, and a row is taken for a text: once it was hovered, it loaded any address.
SELECTED = {"name": "q", "select": "point"}
KEEPS = {"name": "q", "select": {"type": "point", "toggle": "event.item"}}
CONTEXT = "q_toggle.mark.group.context"
ROW = {"type": "collect", "id": "z", "g": 1, "value": {"$request": "http://example.org/", "$format": {"type": "json"}}}
RUNS = {
    "data": {"values": [ROW]},
    "transform": [
        {"calculate": f"{CONTEXT}.operatorExpression", "as": "split"},
        {"calculate": CONTEXT, "as": "expr"},
        {"aggregate": [{"op": "argmin", "field": "g", "as": "r"}], "groupby": ["g"]},
    ],
    "mark": {"type": "text", "lineBreak": "#", "text": {"expr": "datum.r"}},
}


@pytest.mark.parametrize(
    "spec",
    [
        {"layer": [{"params": [KEEPS]}, RUNS]},
        {"params": [KEEPS]},
        {"params": [{"name": "q", "select": {"type": "point", "toggle": "event.detail"}}]},
        {"layer": [{"params": [SELECTED]}, RUNS]},
        {"params": [SELECTED], "transform": [{"calculate": "q_tuple_fields[0]", "as": "a"}]},
        {"params": [SELECTED], "transform": [{"filter": {"timeUnit": "year", "field": "a", "equal": "q_tuple"}}]},
        {"params": [SELECTED], "transform": [{"extent": "q_toggle", "param": "e"}]},
        {"params": [SELECTED], "transform": [{"extent": "a", "param": "q_toggle"}]},
        {"params": [{"name": "a_b", "select": "point"}], "transform": [{"filter": "a_b_modify"}]},
        {"transform": [{"filter": "nobody"}]},
        {"transform": [{"extent": "a", "param": "cursor"}]},
        {"mark": {"type": "text", "fontSize": {"expr": "concat_0_width"}}},
        _encoded(axis={"labelOffset": "nobody"}),
    ],
)
def test_an_expression_has_no_names_but_those_that_the_chart_gives(spec: dict[str, Any]) -> None:
    assert charts.vega(spec) is None


@pytest.mark.parametrize(
    "spec",
    [
        {"params": [{"name": "brush", "select": "interval"}, {"name": "brush_2", "select": "interval"}]},
        {"params": [POINTED], "encoding": {"x": {"field": "x"}, "y": {"field": "store"}}},
        {
            "params": [
                {"name": "height", "value": 20},
                {"name": "bin_width", "value": 2},
                {"name": "data_max", "value": 3},
            ]
        },
        {"concat": [{"name": "child__row_a"}, {"name": "view_1"}], "params": [POINTED | {"views": ["view_1"]}]},
        {"concat": [{"data": {"name": "d", "values": [{"a": 1}]}}, {"data": {"name": "d"}}]},
        {"params": [POINTED | {"value": [{"name": "cell"}]}, {"name": "r", "bind": RANGE | {"name": "facet"}}]},
        {"layer": [{"data": {"sequence": {"start": 0, "stop": 9, "as": "a"}, "name": "numbers"}}]},
    ],
)
def test_names_of_a_chart_are_its_own(spec: dict[str, Any]) -> None:
    assert lite(spec) == spec


FEATURES = [{"type": "Feature", "properties": {"name": "a", "push": 1}}]
TOPOLOGY = {"type": "Topology", "objects": {"o": {"type": "GeometryCollection", "geometries": []}}, "arcs": []}


@pytest.mark.parametrize(
    ("data", "stays"),
    [
        ({"values": [["a", "b"]]}, False),
        ({"values": [{"a": 1}, [1]]}, False),
        ({"values": '[["a"]]'}, False),
        ({"values": "a", "format": {"type": "json"}}, False),
        ({"values": "a", "format": {"type": "dsv", "delimiter": "|"}}, True),
        ({"values": {"a": "b\nc"}, "format": {"type": "csv"}}, False),
        ({"values": [["a"]], "format": {"type": "csv"}}, False),
        # They would be joined to a text, at commas.
        ({"values": ["a", "b\rtoString", "1"], "format": {"type": "csv"}}, False),
        ({"values": "a", "format": {"type": ["csv"]}}, False),
        ({"values": {"a": [["a"]]}, "format": {"property": "a"}}, False),
        ({"values": {"a": [["a"]]}, "format": {"type": "json", "property": ["a"]}}, False),
        ({"values": {"a": [1]}, "format": {"property": "a.push"}}, False),
        ({"values": {"x[0]": FEATURES, "x": [[1]]}, "format": {"property": "x[0]"}}, False),
        ({"values": {"x\\": {"y": FEATURES}, "x.y": [[1]]}, "format": {"property": "x\\.y"}}, False),
        ({"values": [], "format": {"type": "geojson"}}, False),
        ({"values": {"features": FEATURES}, "format": {"type": "json", "property": "features"}}, True),
        ({"values": {"hits": {"hits": FEATURES}}, "format": {"property": "hits.hits"}}, True),
        ({"values": TOPOLOGY, "format": {"type": "topojson", "feature": "o"}}, True),
        ({"values": [1, None, "a", {"sort": ["b"]}]}, True),
        ({"values": {"a": 1}}, True),
    ],
)
def test_rows_are_no_lists(data: dict[str, Any], stays: bool) -> None:
    """A list has methods in place of columns."""
    named = {"datasets": {"d": data["values"]}, "data": {"name": "d", **{k: data[k] for k in data if k != "values"}}}
    for spec in ({"data": data}, named, {"layer": [{"data": data}]}):
        assert (charts.vega(spec) is not None) == stays


TABLE = {"p": [["a"]]}
TEXT = 'c,a,b\n"1"x__proto__,0\n"1"x__proto__,1\n'


@pytest.mark.parametrize(
    "sources",
    [
        [{"name": "d", "values": TABLE}, {"name": "d", "format": {"property": "p"}}],
        [{"name": "d", "values": [TEXT]}, {"name": "d", "format": {"type": "csv"}}],
        [{"values": [TEXT]}, {"name": "d", "values": [TEXT]}, {"name": "d", "format": {"type": "csv"}}],
        [{"name": "d", "values": {"p": []}, "format": {"property": "p"}}, {"name": "d", "format": {"property": "q"}}],
        # Of what is the same the first one is taken, under the name of the second.
        [{"values": {"p": []}, "format": {"property": "p"}}, {"name": "e", "values": {"p": []}}],
    ],
)
def test_sources_of_one_name_are_read_in_one_way(sources: list[dict[str, Any]]) -> None:
    """Of several the compiler makes one, with the formats of all."""
    spec = {"datasets": {"e": TABLE}, "layer": [{"data": source} for source in sources]}
    assert charts.vega(spec) is None


def test_a_name_is_defined_once_and_said_often() -> None:
    style = {"type": "json", "property": "p"}
    for first, second in ((style, {}), ({"property": "p"}, {"type": "json"}), (style, style | {"parse": None})):
        layer = [{"data": {"name": "d", "format": how}} for how in (first, second)]
        spec = {"datasets": {"d": {"p": [{"a": 1}]}}, "layer": layer}
        assert lite(spec) == spec


@pytest.mark.parametrize(
    "spec",
    [
        {"transform": [{"calculate": "{indexOf: [].push, length: 0}", "as": "v"}]},
        {"transform": [{"calculate": "[].push", "as": "v"}]},
        {"transform": [{"calculate": "datum.hasOwnProperty", "as": "v"}]},
        {"mark": {"type": "text", "text": {"expr": "{split: 1}"}}},
        {"mark": {"type": "text", "text": "a", "lineBreak": {"expr": "datum.f"}}},
        {"config": {"lineBreak": {"expr": "datum.f"}}},
        _encoded(field="a.push"),
        _encoded(field="a[push]"),
        _encoded(field="a['push']"),
        _encoded(field="hasOwnProperty"),
        {"transform": [{"fold": ["a", "b.sort"]}]},
        {"transform": [{"aggregate": [{"op": "values", "as": "l"}], "groupby": ["a.indexOf"]}]},
        {"transform": [{"pivot": "a", "value": "l.push"}]},
        {"transform": [{"regression": "a", "on": "l.push"}]},
        {"params": [{"name": "q", "select": {"type": "point", "fields": ["v.reduce"]}}]},
        # Of an event, it may be of what is drawn.
        {"params": [{"name": "q", "select": {"type": "point", "nearest": True, "toggle": "datum.bounds.clone"}}]},
        {"params": [{"name": "q", "select": {"type": "point", "on": {"type": "click", "filter": "datum.mark"}}}]},
        {"params": [{"name": "q", "expr": "parent.mark"}]},
    ],
)
def test_no_function_is_a_value(spec: dict[str, Any]) -> None:
    assert charts.vega(spec) is None


NEAREST = {"params": [{"name": "q", "select": {"type": "point", "nearest": True}}]}
DRAWN = {"expr": "datum.mark.group.context"}


@pytest.mark.parametrize(
    ("tooltip", "stays"),
    [
        ({"mark": {"type": "point", "tooltip": DRAWN}}, False),
        ({"mark": "point", "config": {"point": {"tooltip": DRAWN}}}, False),
        ({"encoding": {"tooltip": {"condition": {"test": "datum.mark", "value": 1}}}}, False),
        ({"mark": {"type": "point", "tooltip": True}}, True),
        ({"encoding": {"tooltip": [{"field": "a"}, {"field": "b", "format": ".2f"}]}}, True),
    ],
)
def test_where_the_nearest_point_is_found_no_tooltip_is_computed(tooltip: dict[str, Any], stays: bool) -> None:
    """It would be of a row that is what is drawn."""
    assert (charts.vega({**NEAREST, **tooltip}) is not None) is stays
    assert charts.vega(tooltip) is not None


TABLES = ["__proto__", "constructor", " prototype ", "toString", "hasOwnProperty"]


def _texts(value: Any) -> list[str]:
    """All strings but keys."""
    if isinstance(value, dict):
        value = [*value.values()]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", TABLES)
def test_no_row_and_no_name_is_found_in_a_table_that_is_an_object(name: str) -> None:
    """What is collected under it would be in all objects of the page, whose editors then save no edits."""
    pie = {"data": [{"type": "pie", "labels": ["get"], "values": [1], "legendgroup": name, "ids": [[name]]}]}
    chart = {"data": {"values": [{"a": name, "b": [{"c": name}]}]}, "mark": "area"}
    csv = {"data": {"values": f"a,b\n{name},1\n", "format": {"type": "csv"}}, "mark": "area"}
    named = {"datasets": {"d": [name]}, "data": {"name": "d"}}
    cleaned = [plotted(pie), lite(chart), lite(csv), lite(named)]
    for text in _texts(cleaned):
        assert name.strip() not in [part.strip() for part in re.split(r"[,\n]", str(text))]
    assert str(cleaned).count(f"{name.strip()}\\u200b") == 6


IMPUTED = {"impute": "a", "key": "k", "groupby": ["b"], "keyvals": [7, 8]}


@pytest.mark.parametrize(
    "spec",
    [
        {"transform": [{"calculate": "datum.p + datum.q", "as": ["z"]}]},
        {"transform": [{"calculate": "datum.p + datum.q", "as": True}]},
        {"transform": [{"calculate": "datum.p + datum.q", "as": None}]},
        {"transform": [{"calculate": "datum.p + datum.q"}]},
        {"transform": [{**IMPUTED, "value": {"signal": "'hasOwn' + 'Property'"}}]},
        {"transform": [{**IMPUTED, "value": [{"signal": "'hasOwn' + 'Property'"}]}]},
        _encoded(impute={"value": {"expr": "'hasOwn' + 'Property'"}}),
        # It becomes the first new row's.
        *(
            {"transform": [{**made, "extent": extent, "as": ["v", "q"]}, {**IMPUTED, "groupby": ["v"], "value": 0}]}
            for made in ({"density": "b"}, {"regression": "b", "on": "a"})
            for how in ("expr", "signal")
            for extent in ({how: "['__pro'+'to__', 1]"}, [{how: "'__pro'+'to__'"}, 1])
        ),
        {"transform": [{"bin": {"extent": {"expr": "[0, 1]"}}, "field": "a", "as": "b"}]},
        {"layer": [{"transform": [{"regression": "b", "on": "a", "params": {"expr": "1"}}]}]},
    ],
)
def test_nor_one_that_is_computed_where_it_is_not_emptied(spec: dict[str, Any]) -> None:
    assert charts.vega(spec) is None


@pytest.mark.parametrize(
    "spec",
    [
        {"transform": [{"filter": {"field": "a", "equal": {"expr": "1 + 1"}}}]},
        {"transform": [{"filter": {"or": [{"field": "a", "range": [{"signal": "1"}, {"expr": "2"}]}, "datum.b"]}}]},
        {"transform": [{"density": "b", "extent": [0, 9]}, {"regression": "b", "on": "a", "extent": [0, 1]}]},
        # Columns of rows may be called so.
        {"transform": [{"lookup": "a", "from": {"data": {"values": [{"expr": 1, "signal": 2}]}, "key": "expr"}}]},
        {"transform": [{"lookup": "a", "from": {"data": {"values": []}, "key": "a"}, "default": "Other (n/a)"}]},
        {"transform": [{"lookup": "a", "from": {"data": {"values": []}, "key": "a"}, "default": "it's"}]},
    ],
)
def test_what_is_left_out_is_computed_and_what_is_written_is_constant(spec: dict[str, Any]) -> None:
    assert lite(spec) == spec


@pytest.mark.parametrize("name", ["hasOwnProperty", " isPrototypeOf", "__lookupGetter__", "toString", "prototype"])
def test_nor_a_constant(name: str) -> None:
    """Some are values of rows, and some are names in tables of the compiler's."""
    for spec in (
        {"transform": [{**IMPUTED, "value": name}]},
        {"transform": [{**IMPUTED, "keyvals": [name]}]},
        {"transform": [{"lookup": "a", "from": {"data": {"values": []}, "key": "a"}, "default": name}]},
        {"transform": [{"fold": ["a"], "as": [name, "b"]}]},
        {"data": {"sequence": {"start": 0, "stop": 2, "as": name}}},
        {"name": name},
        {"params": [{"name": name, "value": 1}]},
        _encoded(datum=name),
        _encoded(axis={"format": name}),
        _encoded(scale={"domain": [name]}),
    ):
        assert charts.vega(spec) is None
    assert lite({"title": name})["title"] == f"{name}\u200b"


@pytest.mark.parametrize("name", ["toString", "hasOwnProperty", "__lookupGetter__", "constructor", "__proto__"])
def test_no_path_of_a_figure_leads_through_what_all_objects_have(name: str) -> None:
    """Plotly follows it into a function that all objects of the page have, and sets something there."""
    paths = (name, f"{name}.call", f"{name}[0].call", f"xaxis.{name}.call", f"xaxis[0].{name}")
    set_ones = dict.fromkeys(paths, 5)
    button = {"method": "animate", "args": [["f"], {"layout": set_ones}], "args2": [{"data": [set_ones]}]}
    figure = {"frames": [{"name": "f", "layout": {"xaxis": set_ones}, "data": [set_ones]}], "data": [set_ones]}
    cleaned = {"frames": [{"name": "f", "layout": {"xaxis": {}}, "data": [{}]}], "data": [{}]}
    for menu, parts in (("updatemenus", "buttons"), ("sliders", "steps")):
        left = {"method": "animate", "args": [["f"], {"layout": {}}], "args2": [{"data": [{}]}]}
        shown = plotted({**figure, "layout": {menu: [{parts: [button]}]}})
        assert shown == {**cleaned, "layout": {menu: [{parts: [left]}]}}
        for path in paths:
            menus = [{parts: [{"method": "relayout", "args": [path, 5]}]}]
            assert plotted({"layout": {menu: menus}}) == {"layout": {menu: [{parts: [{"method": "relayout"}]}]}}


@pytest.mark.parametrize("name", ["toString", "hasOwnProperty", "__proto__"])
@pytest.mark.parametrize("path", ["{}.call", "{}[0].call", "a.{}.call", "a b.{}", "marker[0].{}"])
def test_no_string_of_a_figure_is_such_a_path(path: str, name: str) -> None:
    """What Plotly 2 puts together of rows it sets at a path that a string names."""
    figure = {"data": [{"transforms": [{"type": "aggregate", "aggregations": [{"target": path.format(name)}]}]}]}
    left = path.format(f"{name}\u200b")
    assert plotted(figure)["data"][0]["transforms"][0]["aggregations"] == [{"target": left}]


def test_texts_of_a_figure_may_speak_of_it() -> None:
    words = "It has a constructor (toString). %{customdata.constructor} %{customdata.toString:.2f}"
    assert plotted({"layout": {"title": {"text": words}}}) == {"layout": {"title": {"text": words}}}


def test_nor_is_one_that_is_computed() -> None:
    cleaned = charts.vega({"transform": [{"calculate": "datum.a + datum.b", "as": "c\\.d"}, {"flatten": ["a"]}]})
    assert cleaned is not None
    computed, guard, _ = cleaned["transform"]
    assert computed["as"] == guard["as"] == "c\\.d"
    assert guard["calculate"].endswith(""" ? null : datum["c\\\\.d"]""")
    pattern = re.compile(guard["calculate"].partition("/")[2].rpartition("/")[0])
    assert all(pattern.search(text) for text in (*TABLES, "x,__proto__", "constructor,y"))
    assert not any(pattern.search(text) for text in ("", "1,2", "proto", "reconstructor", "toStringTag"))


def test_words_that_only_have_such_a_name_in_them_stay() -> None:
    rows = {"data": {"values": [{"a": "the constructor of it", "b": "prototypes"}]}}
    assert lite(rows) == rows


@pytest.mark.parametrize(
    "spec",
    [
        {"transform": [{"calculate": "datum.sort + datum['link'] + length(datum.a.b)", "as": "push"}]},
        _encoded(field="a\\.push"),
        _encoded(field="sort"),
        _encoded(field="properties.name"),
        {"data": {"values": FEATURES}},
        {"mark": {"type": "text", "lineBreak": "|"}},
    ],
)
def test_columns_have_any_name(spec: dict[str, Any]) -> None:
    assert lite(spec) == spec


@pytest.mark.parametrize(
    ("spec", "left"),
    [
        (
            {"config": {"events": {"globalCursor": True}, "view": {"stroke": None}}},
            {"config": {"view": {"stroke": None}}},
        ),
        ({"params": [{"name": "p", "value": 1, "update": "2"}]}, {"params": [{"name": "p", "value": 1}]}),
        (
            {"params": [{"name": "p", "select": {"type": "point", "project": {"items": []}, "materialized": 1}}]},
            {"params": [{"name": "p", "select": {"type": "point"}}]},
        ),
        (
            {"config": {"selection": {"point": {"project": [], "on": "click"}}}},
            {"config": {"selection": {"point": {"on": "click"}}}},
        ),
        ({"mark": {"type": "bar", "interactive": 1}}, {"mark": {"type": "bar"}}),
        ({"config": {"style": {"mine": {"size": 3}}, "range": {"mine": ["red"]}}},) * 2,
        ({"params": [{"name": "p", "select": "point", "value": [{"mine": 1}]}]},) * 2,
    ],
)
def test_what_vega_lite_does_not_know_goes(spec: dict[str, Any], left: dict[str, Any]) -> None:
    assert lite(spec) == left


KEPT = {
    "responsive": True,
    "displayModeBar": "hover",
    "scrollZoom": True,
    "modeBarButtonsToRemove": ["zoom2d"],
    "toImageButtonOptions": {"filename": "my plot", "format": "svg", "height": None, "scale": 2},
}


def test_how_a_figure_answers_stays_within_it() -> None:
    other = {
        "locale": "xx",
        "locales": {"xx": {"dictionary": {"Double-click to zoom back out": "Your session has expired."}}},
        "fillFrame": True,
        "setBackground": "opaque",
        "mapboxAccessToken": "x",
        "notifyOnLogging": 2,
        "modeBarButtonsToAdd": [{"name": "a", "click": "b"}],
        "showTips": "yes",
    }
    assert charts.plotly({"data": [], "config": KEPT | other}) == {"data": [], "config": KEPT | NOWHERE}
    assert charts.plotly({"data": [], "config": [other]}) == {"data": [], "config": NOWHERE}
    odd = {"filename": "../a\n", "format": "html", "width": "9"}
    assert charts.plotly({"config": {"toImageButtonOptions": odd}}) == {
        "config": {"toImageButtonOptions": {}} | NOWHERE
    }


@pytest.mark.parametrize("config", [None, {}, {"plotlyServerURL": "https://plot.ly", "showSendToCloud": True}])
def test_no_figure_offers_to_be_sent_away(config: Any) -> None:
    """Plotly 4 does, where it is not told otherwise."""
    for figure in ({"data": []}, {"data": [], "config": config}):
        assert plotted(figure) == {"data": []}
