"""What the model is told of outputs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact import tokens
from jupyter_codeact.agent.observation import clean, printed, shorten
from jupyter_codeact.events import Output, Ran


def stream(text: str, name: str = "stdout") -> Output:
    return {"output_type": "stream", "name": name, "text": text}


def shown(data: dict[str, Any], kind: str = "display_data") -> Output:
    return {"output_type": kind, "data": data, "metadata": {}}


def error(*traceback: str) -> Output:
    return {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "by zero", "traceback": [*traceback]}


def told(*outputs: Output) -> str:
    return printed(Ran("", outputs, "ok"))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain", "plain"),
        ("\x1b[0;31mred\x1b[0m", "red"),
        ("\x1b[38;5;4mblue\x1b[39m", "blue"),
        ("\x1b[?25lhidden\x1b[?25h", "hidden"),
        ("\x1b[4:3mcurly", "curly"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        ("\x1b(B\x1b[mtput", "tput"),
        ("a\x1b[Ab", "ab"),
        ("10%\r 50%\r100%\n", "100%\n"),
        ("10%\r50%\r", "50%"),
        ("\rstart", "start"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("a\r\r\nb", "a\nb"),
        ("ünï😀", "ünï😀"),
        ("half \ud800 of one", "half ? of one"),
    ],
)
def test_text_as_a_terminal_leaves_it(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_every_text_can_be_sent(text: str) -> None:
    clean(text).encode()
    assert "\r" not in clean(text)


PLOTLY, VEGA = "application/vnd.plotly.v1+json", "application/vnd.vegalite.v5+json"
SALES = "[a chart of Plotly's (bar, pie) is shown to the person: Sales]"
NO_WORDS = "[shown to the person: text/html, text/plain]"
PICTURE, NONE = "a picture is shown to the person", "and no such picture by its bytes"
DRAWING = '<img src="data:image/svg+xml;base64,PHN2Zz4=" alt="">'
DRAWN = f"[{PICTURE}: image/svg+xml]"
TABLE = """<style>td { color: red }</style><table><caption>Scores</caption>
<thead><tr><th>&nbsp;</th>
  <th>a</th>
</tr></thead><tbody>
<tr><td>0</td>
  <td>1.5</td></tr><tr><td>1</td><td><img src="data:image/png;base64,x"></td></tr></tbody></table>"""


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"text/plain": "42"}, "42"),
        ({"text/html": "<table>", "text/plain": "   a\n0  1"}, "   a\n0  1"),
        ({"text/html": "<b>x</b> &lt; y<script>z</script>"}, "x < y"),
        ({"text/plain": "<a.Styler at 0x7f>", "text/html": TABLE}, "Scores\n\ta\n0\t1.5\n1\t[picture]"),
        ({"text/html": "<p>" * 3_000_000, "text/plain": "<a.B object at 0x7f>"}, NO_WORDS),
        ({"text/plain": "<a.B object at 0x7f>"}, "<a.B object at 0x7f>"),
        ({"text/html": DRAWING, "text/plain": "<Figure size 9x9>"}, DRAWN),
        ({"text/html": f"<p>Report</p>{DRAWING}"}, "Report\n[picture]"),
        ({"image/svg+xml": "<svg>", "image/png": "iVBO"}, f"[{PICTURE}: image/png by its name, {NONE}]"),
        ({PLOTLY: {"data": [{"type": "bar"}, {"type": "pie"}], "layout": {"title": {"text": "Sales"}}}}, SALES),
        ({PLOTLY: {"data": [5], "layout": 5}}, "[a chart of Plotly's is shown to the person]"),
        ({VEGA: {"mark": {"type": "point"}, "title": "T"}}, "[a chart of Vega's (point) is shown to the person: T]"),
        (
            {"text/plain": "<IPython.core.display.HTML object>", "text/html": "<b>"},
            "[shown to the person: text/plain, text/html]",
        ),
        ({"text/plain": "<IPython.core.display.Markdown object>", "text/markdown": "**42**"}, "**42**"),
        ({"text/plain": "<IPython.core.display.Latex object>", "text/latex": "$x$"}, "$x$"),
        ({"text/latex": "$x$", "text/plain": "x"}, "x"),
        ({"image/bmp": "Qk0=", "text/plain": "<Figure>"}, "[a picture is shown to the person: image/bmp]"),
        ({"image/svg+xml": "<svg>"}, "[a picture is shown to the person: image/svg+xml]"),
        ({"application/json": {"a": 1}, "text/plain": "<IPython.core.display.JSON object>"}, '{"a": 1}'),
        ({}, "[shown to the person: nothing]"),
    ],
)
@pytest.mark.parametrize("kind", ["display_data", "execute_result"])
def test_results_as_text(data: dict[str, Any], text: str, kind: str) -> None:
    assert told(shown(data, kind)) == text


def test_outputs_stand_in_their_order() -> None:
    outputs = [
        stream("one\n"),
        stream("two", "stderr"),
        shown({"text/plain": "3"}),
        stream(" \n"),
        stream("\n\nfour\n"),
    ]
    assert told(*outputs) == "one\ntwo\n3\n\n\nfour"


def test_an_error_keeps_what_came_before() -> None:
    text = told(stream("before\n"), shown({"image/bmp": "i"}), error("\x1b[31mTraceback\x1b[0m", "ZeroDivisionError"))
    assert text == "before\n[a picture is shown to the person: image/bmp]\nTraceback\nZeroDivisionError"


def test_an_error_without_a_traceback_has_its_name() -> None:
    assert told(error()) == "ZeroDivisionError: by zero"


def test_a_long_output_has_its_head_and_the_error_at_its_end() -> None:
    text = shorten(told(stream("first\n" + "word " * 5000), error("last line")), 300)
    assert text.startswith("first\nword ")
    assert text.endswith("word \nlast line")
    assert "characters left out; they are in the notebook" in text
    assert tokens.estimated(text) <= 330


@given(text=st.text(max_size=200), budget=st.integers(1, 60))
def test_head_and_tail_are_within_the_budget(text: str, budget: int) -> None:
    short = shorten(text, budget)
    if tokens.estimated(text) <= budget:
        assert short == text
    else:
        head, _, rest = short.partition("\n[… ")
        tail = rest.partition(" …]\n")[2]
        assert text.startswith(head)
        assert text.endswith(tail)
        assert tokens.estimated(head) + tokens.estimated(tail) <= budget
        assert len(head) + len(tail) < len(text)


def test_nothing_is_nothing() -> None:
    assert told() == told(stream("\n")) == ""
    assert told({"output_type": "unknown"}) == ""


@given(st.text(), st.integers(0, 60))
def test_a_long_text_is_not_counted_to_its_end(text: str, budget: int) -> None:
    assert tokens.exceed(text, budget) == (tokens.estimated(text) > budget)
