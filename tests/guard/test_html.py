from __future__ import annotations

import re

import pytest
from browser import hostile
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.display import ProgressBar

from jupyter_codeact.guard import bundle, html, markdown

from .reading import active

PIECES = [
    "<script>", "</script>", "<style>", "</style>", "<b", ">", "<", "</", "<div class='jp-Dialog'>", "<table>", "<td>",
    "<svg onload=x>", "</svg>", "<math>", "<mtext>", "<a href='javascript:x'>", "<a href=https://x.y>", "</a>", "<p>",
    "<img src=x onerror=y>", '<img src="data:image/png;base64,x">', "<iframe srcdoc='", "'", '"', "<!--", "-->", "<![CDATA[",
    "]]>", "<?", "style='position:fixed;color:red'", "b{color:red}", "@import url(x);", "b{background:url(x)}",
    "<form action=x>", "<input onfocus=x>", "&lt;", "&#106;", "\x00", "\ud800", "\\", "$\\href{x}{y}$", "`", "```\n", "\n\n",
    "[x](javascript:y)", "![x](http://y)", "<noscript>", "<template>", "<textarea>", "<title>", "<plaintext>", "<xmp>",
    "#T_1 td:hover, .a > b { color: #fff; width: -3px }", "<details ontoggle=x open>", " id=main ", "<select>", "<option>",
    "<progress value=1 onclick=x", "<meter form=f>", "<frameset>", "<body onload=x>", "<html>", "<col>", "<caption>", "<p style='--x: url(y); color: var(--x)'>", "</p>",
]  # fmt: skip
MESS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=24).map("".join)


@settings(max_examples=600)
@given(MESS)
def test_nothing_active_is_left_of_any_html_and_a_second_pass_changes_nothing(text: str) -> None:
    once = html.clean(text).page()
    assert active(once) == []
    assert html.clean(once).page() == once


@settings(max_examples=400)
@given(MESS)
def test_nothing_active_is_left_of_any_markdown(text: str) -> None:
    shown = bundle.clean({"text/markdown": text})
    assert active(shown.get("text/html", "")) == []
    left = shown.get("text/markdown", "")
    assert markdown.is_text(left)
    assert "\\href" not in left


@pytest.mark.parametrize(("name", "mime", "content", "metadata"), hostile.bundles())
def test_of_each_known_attack_nothing_is_left(name: str, mime: str, content: str, metadata: dict[str, object]) -> None:
    shown = bundle.clean({mime: content, "text/plain": name})
    assert "isolated" not in str(bundle.clean_metadata(metadata))
    assert active(shown.pop("text/html", "")) == []
    assert shown.keys() <= {"text/plain", "text/latex", "text/markdown"}
    assert not any(command in str(shown) for command in ("\\href{", "\\require{", "\\style{", "\\class{"))


CSS = [
    ("td { color: red }", "td { color: red }"),
    ("#T_1 .a > th:nth-child( 2n+1 ) { width: 10em }", "#out-T_1 .out-a > th:nth-child(2n+1) { width: 10em }"),
    (".dataframe tbody tr th:only-of-type { vertical-align: middle }", None),
    ("td { background: linear-gradient(90deg, #d65f5f 50%, transparent 50%) }", None),
    ("th { position: sticky; top: 0px; background-color: inherit }", None),
    ("td { --x: 3px; padding: var(--x) }", None),
    ("td { font-family: \"A\", serif !important }", None),
    ("td { position: fixed; position: absolute }", ""),
    ("td { margin: -1px; margin-top: -5em; text-indent: -9em }", ""),
    ("td { background: url(x); background: u\\72l(x); background-image: image-set('x' 1x) }", ""),
    ("td { width: calc(100% - 2px); margin: calc(0px - 9px) }", "td { width: calc(100% - 2px) }"),
    ("td { transform: scale(9); content: 'x'; animation: a 1s; behavior: url(x); z-index: calc(0 - 1) }", ""),
    ("@import 'x'; @font-face { src: url(x) } @media all { td { color: red } }", ""),
    ("td:has(.x), td[title^=a], ::before, > td, ~ td, :not(td), & td { color: red }", ""),
    ("td { font-family: '\\3c/style>' } .\\3c script { color: red }", ""),
    ("td { --x: url(y) } td { --x: { position: fixed } }", ""),
    (".jp-Dialog, #main { color: red }", ".out-jp-Dialog, #out-main { color: red }"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "kept"), CSS)
def test_of_a_style_sheet_what_is_harmless_is_kept_and_bound_to_its_output(given: str, kept: str | None) -> None:
    page = html.clean(f"<style>{given}</style><b>x</b>").page()
    expected = given if kept is None else kept
    if not expected:
        assert page == "<b>x</b>"
        return
    scope = page.partition('<div class="')[2].partition('"')[0]
    rules = page.partition("<style>")[2].partition("</style>")[0]
    assert rules.replace(f".{scope} ", "") == expected
    assert rules.count(f".{scope} ") == expected.partition("{")[0].count(",") + 1


KEPT = [
    "<b>x</b>",
    "<p>a <a href=\"https://x.y/?a=1&amp;b\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a></p>",
    '<img src="data:image/png;base64,AAAA" alt="x" width="3">',
    "<details open=\"\"><summary>s</summary>x</details>",
    "<table border=\"1\" class=\"dataframe\"><tbody><tr><td colspan=\"2\">1 &lt; 2</td></tr></tbody></table>",
    '<video controls="" src="data:video/mp4;base64,AAAA"></video>',
    '<progress max="10" value="3"></progress>',
    '<meter min="0" max="1" low="0.2" high="0.8" optimum="0.5" value="0.6"></meter>',
]  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_what_is_harmless_stays(text: str) -> None:
    cleaned = html.clean(text)
    assert cleaned.page() == text
    assert cleaned.held == ()


def test_a_progress_bar_of_ipythons_is_shown() -> None:
    drawn = ProgressBar(10)._repr_html_()
    shown = bundle.clean({"text/html": drawn, "text/plain": "[ ]"})["text/html"]
    assert re.search(r'<progress [^>]*max="10" value="0"[^>]*></progress>', shown)
    assert "width:60ex" in shown.replace(" ", "")
    assert html.clean("<progress onfocus=x value=1 form=f></progress>").page() == '<progress value="1"></progress>'


def test_a_drawing_in_html_becomes_a_picture() -> None:
    page = html.clean('<p>a<svg onload="x"><circle r="1"/></svg>b</p>').page()
    assert page.startswith('<p>a<img src="data:image/svg+xml;base64,')
    assert "onload" not in page


def test_hard_input_takes_no_long_time() -> None:
    for text in (
        "<" * 200_000,
        "<div>" * 20_000,
        "<svg" * 100_000,
        "<a on" * 100_000,
        "<style>" * 50_000,
        "a{" * 50_000,
        "&" * 2_000_000,
        "<div></x>" * 20_000,
        f'</style><div class="out-scope-0" style="{html.BOX}">' * 20_000,
        "<svg>x</svg>" * 50_000,
    ):
        html.clean(f"<style>{text}</style>{text}").page()
    markdown.rendered("[" * 20_000 + "`" * 20_000 + "*a " * 5_000)


def test_a_large_table_is_shown_whole() -> None:
    cells = "<td>1234.5678</td>" * 10
    table = f'<table class="dataframe"><tbody>{f"<tr>{cells}</tr>" * 26_000}</tbody></table>'
    assert 4_900_000 < len(table) < html.LIMIT
    cleaned = html.clean(table)
    assert cleaned.page() == table
    assert cleaned.held == ()
    assert "MB" in html.clean(table * 2).held[0]


# ruff: noqa: E501 tables
