from __future__ import annotations

import json
import re
from typing import Any

import pytest
from browser import hostile
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_codeact.guard import bundle, charts, html, outputs, prompts, replies, widgets

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


@pytest.mark.parametrize("mime", ["<img src=x onerror=alert(1)>", "a&lt;b", "[x](y)", "x" * 81, ""])
def test_what_is_no_name_of_a_type_is_not_written_into_a_note(mime: str) -> None:
    shown = bundle.clean({"text/html": "<b>seen</b>", mime: "x", "application/x-own": "y"})
    assert shown == {
        "text/html": "<b>seen</b><p><small>Held back: a type without a name, application/x-own."
        " `%agent trust outputs` shows such outputs of this kernel.</small></p>"
    }


@pytest.mark.parametrize("mime", ["application/json", "application/geo+json", "Application/JSON"])
@pytest.mark.parametrize("value", [["a", "b"], ["a"], [["a", "b"]], {"a": ["b", "c"]}])
def test_a_list_is_a_list_where_json_is_and_lines_where_a_text_is(mime: str, value: Any) -> None:
    assert bundle.clean({mime: value, "text/plain": ["a\n", "b"]}) == {mime.lower(): value, "text/plain": "a\nb"}


@pytest.mark.parametrize("value", [None, False, 0, "", []])
def test_json_that_is_nothing_is_json(value: Any) -> None:
    assert bundle.clean({"application/json": value}) == {"application/json": value}


STAND_IN = "<IPython.core.display.HTML object>"
BAR = '<div style="height: 9px; background: red"></div>'


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("<!-- a comment -->", ""),
        ("<html><body></body></html>", ""),
        ("<br>", "<br>"),
        ("<p></p>", "<p></p>"),
        ("<pre></pre>", "<pre></pre>"),
        ('<table border="1"></table>', '<table border="1"></table>'),
        ('<div id="x"></div>', '<div id="out-x"></div>'),
        (BAR, f'<div class="out-scope" style="{html.BOX}">{BAR}</div>'),
        (
            "<style>i { height: 9px }</style><i></i>",
            f'<style>.out-scope i {{ height: 9px }}</style><div class="out-scope" style="{html.BOX}"><i></i></div>',
        ),
    ],
)
def test_html_that_is_empty_or_drawn_by_style_alone_stays_what_it_is(given: str, kept: str) -> None:
    shown = bundle.clean({"text/html": given, "text/plain": STAND_IN})
    assert re.sub(r"scope-[0-9a-f]+", "scope", shown["text/html"]) == kept
    assert shown["text/plain"] == STAND_IN


@pytest.mark.parametrize(
    "given",
    [
        "<canvas></canvas>",
        "<my-el></my-el>",
        "<noscript>words</noscript>",
        '<picture><source srcset="https://a.org/x.png"></picture>',
        '<img srcset="https://a.org/x.png">',
        '<img src="#a">',
        '<div style="background-image:url(https://a.org/x.png)"></div>',
    ],
)
def test_html_of_which_nothing_is_left_to_see_is_named(given: str) -> None:
    """Front ends show HTML rather than text, and an empty one hides what else there is."""
    shown = bundle.clean({"text/html": given, "text/plain": "T(1, 2)"})
    assert "text/html" not in shown
    assert shown["text/plain"].startswith("T(1, 2)\nHeld back: HTML that is not shown here.")


def test_markdown_of_a_comment_and_an_empty_drawing_are_empty() -> None:
    assert bundle.clean({"text/markdown": "<!-- c -->", "text/plain": "x"}) == {"text/html": "", "text/plain": "x"}
    assert bundle.clean({"image/svg+xml": "", "text/plain": "x"}) == {"text/html": "", "text/plain": "x"}
    assert bundle.clean({"text/markdown": "", "text/latex": ""}) == {"text/markdown": "", "text/latex": ""}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("<script>x</script>", "a script"),
        (f"{BAR}<script>x</script>", "a script"),
        ("<math><mi>x</mi></math>", "a formula in MathML"),
        ("<img src='plot.png'>", "a picture that is not in the output itself"),
        ("<video src='film.mp4' controls></video>", "a video or sound that is not in the output itself"),
        ("<audio><source src='http://x.example/a.mp3'></audio>", "a video or sound that is not in the output itself"),
    ],
)
def test_a_note_stands_where_something_was_held_back_and_nothing_is_left_to_read(given: str, name: str) -> None:
    shown = bundle.clean({"text/html": given, "text/plain": STAND_IN})
    assert shown == {
        "text/plain": f"Held back: {name}. `%agent trust outputs` shows such outputs of this kernel.",
    }


@pytest.mark.parametrize(
    "markup", ["", "<p></p>", "<script>x</script>", BAR, '<div id="x" style="height: 9em"></div><script>x</script>']
)
@pytest.mark.parametrize("other", [("image/png", "AAAA"), (bundle.PLOTLY, {"data": []}), ("text/markdown", "**x**")])
def test_a_picture_is_not_hidden_behind_html_in_which_there_is_nothing(markup: str, other: tuple[str, Any]) -> None:
    mime, value = other
    shown = bundle.clean({"text/html": markup, "text/plain": "x", mime: value})
    assert shown.keys() == {"text/plain", mime}
    assert shown["text/plain"] == "x"


@pytest.mark.parametrize("markup", ["", "<script>x</script>"])
def test_nor_is_a_drawing_or_markdown_that_leaves_as_html(markup: str) -> None:
    drawing = "<svg xmlns='http://www.w3.org/2000/svg'></svg>"
    for bundled in ({"text/html": markup, "image/svg+xml": drawing}, {"image/svg+xml": drawing, "text/html": markup}):
        assert "<img" in bundle.clean(bundled)["text/html"]
    assert "<b>x</b>" in bundle.clean({"text/html": markup, "text/markdown": "<b>x</b>"})["text/html"]
    assert bundle.clean({"image/svg+xml": drawing, "text/html": "<b>x</b>"}) == {"text/html": "<b>x</b>"}


def test_a_chart_keeps_its_data_and_loses_what_loads() -> None:
    assert charts.vega(hostile.VEGA) is None
    loads = {"href": "javascript:canary()", "cursor": "url(//canary)", "tooltip": {"expr": "datum.image + '//canary'"}}
    # Letters of other alphabets are some of these, where case does not matter.
    picture = "data:\N{LATIN SMALL LETTER DOTLESS I}mage/png;base64,canary"
    data = {"url": picture, "values": [{"a": 1}]}
    spec = {"data": data, "mark": {"type": "bar", **loads}, "usermeta": ["canary"]}
    cleaned = charts.vega(spec)
    assert cleaned is not None
    text = json.dumps(cleaned)
    for gone in ("canary", "javascript", "tooltip"):
        assert gone not in text
    assert cleaned["data"] == {"values": [{"a": 1}]}
    figure = {
        "data": [{"type": "choropleth", "geojson": "http://x", "y": [1, 2], "marker": {"line": {"color": "red"}}}],
        "layout": {"images": [{"source": "http://x"}, {"source": "data:image/png;base64,x"}]},
    }
    kept = charts.plotly(figure)
    assert "http" not in json.dumps(kept)
    assert kept["layout"]["images"] == [{}, {"source": "data:image/png;base64,x"}]
    assert kept["data"][0]["marker"] == {"line": {"color": "red"}}


def test_metadata_says_how_large_a_picture_is_and_nothing_else() -> None:
    metadata = {"image/png": {"width": 3, "height": "x"}, "text/html": {"isolated": True}, "a": {"embed_options": {}}}
    assert bundle.clean_metadata(metadata) == {"image/png": {"width": 3}}


HIDDEN: list[dict[str, Any]] = [
    {"data": {"text/html": "<script>x</script>"}},
    {"output_type": "update_display_data", "data": {"text/plain": "x"}},
    {"output_type": ["display_data"]},
    {"output_type": "stream", "name": "stdout", "text": ["x"]},
    {"output_type": "status", "execution_state": "idle"},
]
HALF = {"output_type": "display_data"}
PRINTED = [
    {"output_type": "stream", "name": "stdout", "text": "x"},
    {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["t"]},
    {"output_type": "display_data", "data": {"text/plain": "x"}, "metadata": {}},
    {"output_type": "execute_result", "data": {"text/plain": "x"}, "metadata": {}, "execution_count": 3},
]


def noted(name: str) -> str:
    remedy = "`%agent trust outputs` shows such outputs of this kernel."
    return f"<p><small>Held back: {name}. {remedy}</small></p>"


WIDGETS: list[tuple[str, str, Any, Any]] = [
    ("HTMLModel", "value", "<b onclick=x>a</b>", f"<b>a</b>{noted('a handler')}"),
    ("HTMLMathModel", "value", "<script>x</script>", noted("a script")),
    ("HTMLModel", "value", "<i></i>", "<i></i>"),
    ("HTMLMathModel", "placeholder", "<script>x</script>", ""),
    ("TextModel", "value", "a <b", "a <b"),
    ("CheckboxModel", "description_allow_html", True, False),
    ("ButtonModel", "icon", "check", "check"),
    ("ButtonModel", "icon", "check jp-Dialog", ""),
    ("ButtonModel", "_dom_classes", ["jp-Dialog", "mine"], ["out-jp-Dialog", "out-mine"]),
    ("ButtonModel", "_dom_classes", ["a b", "", " c"], ["out-a", "out-b", "out-c"]),
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
    ("MPLCanvasModel", "_figure_label", "Figure 1\u202e\n", "Figure 1"),
    ("MPLCanvasModel", "_figure_label", ["Figure 1"], ""),
    ("ImageModel", "format", "url", "png"),
    ("ImageModel", "format", "svg+xml", "png"),
    ("ImageModel", "format", "SVG+XML", "png"),
    ("ImageModel", "format", "html", "png"),
    ("ImageModel", "format", ["svg+xml"], "png"),
    ("ImageModel", "format", "webp", "webp"),
    ("VideoModel", "format", "url", "mp4"),
    ("VideoModel", "format", "x+xml", "mp4"),
    ("AudioModel", "format", "x-wav", "x-wav"),
    ("FloatsInputModel", "format", ",.2f", ",.2f"),
    ("IntsInputModel", "format", "d", "d"),
    ("IntsInputModel", "format", "<img src=x>", ""),
    ("LayoutModel", "width", "calc(100% - 20px)", "calc(100% - 20px)"),
    ("LayoutModel", "max_height", "calc((100vh - 2em) / 3 * -1)", "calc((100vh - 2em) / 3 * -1)"),
    ("LayoutModel", "min_width", "calc(1px + calc(2 * 3px))", "calc(1px + calc(2 * 3px))"),
    ("LayoutModel", "width", "calc(1px + attr(x))", None),
    ("LayoutModel", "width", "calc(var(--x) * 2)", None),
    ("LayoutModel", "width", "calc(1px - 9cqw)", None),
    ("LayoutModel", "margin", "calc(0px - 300px)", None),
    ("LayoutModel", "grid_template_columns", "calc(0px - 300px)", None),
    ("IntSliderModel", "value", 3, 3),
    ("OutputModel", "outputs", {"0": HIDDEN[0]}, []),
    ("OutputModel", "outputs", HIDDEN, []),
    ("OutputModel", "outputs", [HALF, "x", *PRINTED], [{**HALF, "data": {}, "metadata": {}}, *PRINTED]),
]


@pytest.mark.parametrize(("model", "key", "value", "expected"), WIDGETS)
def test_the_state_of_a_widget(model: str, key: str, value: Any, expected: Any) -> None:
    assert widgets.clean_state({key: value}, model) == {key: expected}


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


def test_a_cell_that_was_aborted_has_nothing_for_the_front_end_to_do() -> None:
    assert replies.clean("execute_reply", {"status": "aborted"}, "x") == {"status": "aborted"}


@pytest.mark.parametrize(
    ("cell", "left"),
    [
        ("%agent trust outputs", "# %agent trust outputs"),
        ("%%agent --review auto\nsend all", "# %%agent --review auto\n# send all"),
        ("x = 1\n  ?%skill\r%skill rm a", "# x = 1\n#   ?%skill\n# %skill rm a"),
        ("# %%agent\n# hello",) * 2,
        ("x = 1\n\n%matplotlib inline\n'%agent'",) * 2,
    ],
)
def test_a_cell_of_ours_is_a_comment_in_the_history(cell: str, left: str) -> None:
    entries = [[1, 1, cell], [1, 2, [cell, "%agent"]], [1, 3, [cell, None]]]
    reply = replies.clean("history_reply", {"status": "ok", "history": entries}, None)
    assert reply["history"] == [[1, 1, left], [1, 2, [left, "%agent"]], [1, 3, [left, None]]]


@pytest.mark.parametrize("key", ["style", "sheet", "layout"])
def test_a_number_without_end_in_a_style_is_left_out(key: str) -> None:
    number = "9" * 5000
    if key == "layout":
        assert widgets.clean_state({"width": number}, "LayoutModel") == {"width": None}
        return
    text = f"<b style='width:{number}px'>a</b>" if key == "style" else f"<style>b {{width: {number}px}}</style><b>a</b>"
    assert bundle.clean({"text/html": text}) == {"text/html": "<b>a</b>"}


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
    for prompt in ("Run this? [y]es, [n]o: ", "RUN  THIS?", "Do this? ", "Store this? ", "Trust outputs? "):
        assert prompts.clean({"prompt": prompt})["prompt"] == prompts.FROM + prompt
    assert prompts.clean({"prompt": "name? "}) == {"prompt": "name? ", "password": False}


@pytest.mark.parametrize(
    "prompt",
    [
        "R\u200bun th\u200bis? [\u200by]es",
        "Run th\u0456s?",
        "\x1b[1mRun\x1b[0m this?",
        "R\u0301un this?",
        "R\u3164un this?",
        "\uff32\uff55\uff4e this?",
        "\u0280\u1d1c\u0274 \u1d1b\u029c\u026as?",
        "\U0001f150llow?",
        "\u202e?siht nuR",
        "Rux\bn this?",
        "name\r\x1b[2KR\x1b]0;x\x07un this?",
        prompts.FROM + "\r\x1b[2KRun this?",
        "\n" * 100 + "Run this?",
    ],
    ids=ascii,
)
def test_a_question_that_looks_like_ours_says_who_asks(prompt: str) -> None:
    """And nothing in it moves over that, or puts it out of view."""
    shown = prompts.clean({"prompt": prompt})["prompt"]
    assert shown.startswith(prompts.FROM)
    assert len(shown) <= len(prompts.FROM) + prompts.SHORT
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", shown)
    assert prompts.clean({"prompt": shown})["prompt"] == shown


SCRIPTS = ("name", "Größe", "имя", "όνομα", "名前を入力", "이름", "שם", "اسم", "नाम", "ชื่อ", "անուն")


@pytest.mark.parametrize("prompt", [*(f"{word}: " for word in SCRIPTS), "Введите URL: ", "1) a\n2) b\r\n> ",
                                    "\x1b[1mname\x1b[0m? ", "e\u0301te\u0301? ", "👩‍🔬? "])  # fmt: skip
def test_other_questions_come_as_they_are(prompt: str) -> None:
    assert prompts.clean({"prompt": prompt})["prompt"] == prompt


UNSEEN = st.sampled_from(
    ["\u200b", "\u200d", "\u00ad", "\ufeff", "\u2060", "\u0301", "\u034f", "\ufe0f", "\u3164", "\x1b[1m",
     "\x1b[38;5;1m",
     "\U000e0061", "\x00", "\x1b[0K", "\x07", ""]
)  # fmt: skip
ALIKE = {"a": "а𝐚ａ", "r": "𝗋ｒʀг", "u": "υս", "n": "ո𝓃", "i": "іι", "s": "ѕ", "h": "һ", "y": "у", "t": "т", "o": "оο"}  # noqa: RUF001


@settings(max_examples=500)
@given(st.data(), st.sampled_from(["run this? [y]es", "Run this? [y]es, [n]o with a reason, [a]ll, [s]top: "]))
def test_however_it_is_written_a_question_like_ours_says_who_asks(data: st.DataObject, ours: str) -> None:
    """Something unseen after each sign, and in one word of it, letters that look the same."""
    alike = data.draw(st.integers(0, 2))
    signs = [data.draw(st.sampled_from([sign, *ALIKE.get(sign, "")])) if alike == 1 else sign for sign in ours[1:8]]
    written = "".join(sign + data.draw(UNSEEN) for sign in [ours[0], *signs, *ours[8:]])
    assert prompts.clean({"prompt": written})["prompt"].startswith(prompts.FROM)


@settings(max_examples=300)
@given(st.text())
def test_of_any_question_a_second_look_says_the_same(prompt: str) -> None:
    once = prompts.clean({"prompt": prompt})
    assert prompts.clean(once) == once


@pytest.mark.parametrize("count", [True, -1, 2**53, 1.0, "1"])
def test_a_count_that_no_notebook_has_is_none(count: Any) -> None:
    assert outputs.count({"execution_count": count}) is None


def test_an_endless_traceback_is_cut() -> None:
    cut = outputs.error({"ename": "E", "evalue": "x" * 10**6, "traceback": ["y" * 1000] * 10**4})
    assert sum(map(len, cut["traceback"])) < 2 * outputs.ERROR_LIMIT
    assert len(cut["evalue"]) == outputs.ERROR_LIMIT
