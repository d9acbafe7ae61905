"""No text keeps the guard, or what else reads texts of cells and models, for longer than its length says.

Each reader has texts of 100,000 signs in a process of its own, which takes seconds; steps by the square of that take
minutes.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from helpers import PATIENCE_S

SIGNS = 100_000
READ = """
from jupyter_codeact import words
from jupyter_codeact.agent import displays, fence_reader, pictures, processors, references, submission
from jupyter_codeact.guard import addresses, bundle, charts, css, html, markdown, notes, prompts, replies, tex, widgets

def answer(kind, **content):
    return replies.clean(kind, {{"status": "ok", **content}}, text)

for head in {heads!r}:
    for unit in {units!r}:
        for tail in {tails!r}:
            text = head + unit * ({signs} // len(unit)) + tail
            {reader}
"""
# All that a quantifier could share with the next one, and what begins something that then has no end.
UNITS = [" ", "\t", "\n", "\\", '"', "'", "`", "<", "$", "0", "[", "(", "a", "-", ".", "? ", "<a ", "a[", "https://a@"]
READERS = {
    "address": ("addresses.is_own(text), addresses.has_user(text)", ["", "http://"], ["", "!"]),
    "chart": ("charts.vega({'a': text, 'title': text}), charts.vega({text: text})", ["", "a['", "__"], ["", "'"]),
    "expression": ("charts.vega({'signal': text}), charts.vega({'value': text})", ["", "a['", "__"], ["", "'"]),
    "events": (
        "charts.vega({'on': text}), charts.vega({'data': text}), charts.vega({text: {'signal': '1'}})",
        ["", "a:"],
        ["", "'"],
    ),
    "date": ("charts.vega({'parse': {'a': text}}), charts.vega({'year': text})", ["", "date:'"], ["", "'"]),
    "figure": ("charts.plotly({'a': text, text: text, 'source': text})", ["", "$\\color"], ["", "x$"]),
    "formula": ("tex.formula(text), tex.is_plain(text)", ["$\\color", "$\\bbox[", "$\\begin{array}"], ["", "x$"]),
    "history": ("answer('history_reply', history=[[0, 1, text]])", ["", "%agent"], ["", "!"]),
    "html": ("html.clean(text).page()", ["", "<img ", "<pre><code>"], ["", "x$", '">']),
    "markdown": ("markdown.is_text(text)", ["", "```", "```a"], ["", "!"]),
    "note": ("notes.held_in({'text/plain': text})", ["", "Held back: "], ["", "!"]),
    "payload": (
        "answer('execute_reply', payload=[{'source': 'set_next_input', 'text': text, 'replace': True}])",
        [""],
        ["", "!"],
    ),
    "prompt": ("prompts.clean({'prompt': text})", ["", "\x1b["], ["", "!"]),
    "rows": (
        "charts.vega({'data': {'values': text, 'format': {'type': 'csv'}}})",
        ["", "a,b\n"],
        [""],
    ),
    "sheet": ("css.sheet(text, 's'), css.attribute(text)", ["b:nth-child("], ["x) {color: red}"]),
    "widget": (
        "[widgets.clean_state({key: text}, 'LabelModel') for key in ('value', 'readout_format', '_dom_classes')]",
        ["", "$\\color"],
        ["", "!"],
    ),
    # The model's and the sandbox's, in the trusted process.
    "display": ("displays.text_of(text)", ["", "<p>"], ["", "x"]),
    "picture": ("pictures._IMAGE.findall(text), references._PICTURE.findall(text)", [""], ["!"]),
    "cut": ("processors._LEFT_OUT.search(text)", [""], ["!"]),
    "fence": ("fence_reader._FENCE.match(text)", ["```", "~~~"], ["`"]),
    "patch": ("submission._REPOSITORY.findall(text)", ["diff --git a"], ["\n"]),
    "words": ("words.plain(text)", ["", "```"], ["", "`"]),
}
# Beginnings, over and over, that belong to one reader.
MORE = {
    "picture": ["![", "![picture]("],
    "cut": ["[… 1 characters left out; "],
    "note": ["Held back: "],
    "words": ["```a\n"],
    "patch": [" b/", "\ndiff --git b/"],
    "markdown": ["```  ", "~~~a ", "www.", "www.a ", "http://", "http://a.b/www."],
    "formula": ["\\color ", "\\begin{", "\\bbox["],
    "rows": [",", "\r", '""', '",', "\n,"],
    "sheet": ["b:nth-child( ", "n+"],
}


@pytest.mark.parametrize("name", READERS)
def test_time_grows_with_the_length(name: str) -> None:
    reader, heads, tails = READERS[name]
    units = UNITS + MORE.get(name, [])
    source = READ.format(heads=heads, units=units, tails=tails, signs=SIGNS, reader=reader)
    subprocess.run([sys.executable, "-c", source], check=True, timeout=PATIENCE_S)
