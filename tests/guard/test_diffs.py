"""A diff in Markdown leaves as HTML with colours, and is nothing but text whatever it holds."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.guard import bundle
from jupyter_codeact.words import fenced

MADE = re.compile(r"</?code>|<span style=\"background-color:rgba\([\d., ]+\)\">|</span>")
LINES = st.lists(st.text(alphabet="-+ <>/&$\\`*_[]()@#ab\"'", max_size=12), min_size=1, max_size=6).filter(
    lambda lines: any(map(str.strip, lines))
)


def shown(markdown: str) -> str:
    return str(bundle.clean({"text/markdown": markdown})["text/html"])


def test_what_goes_and_what_comes_are_told_apart() -> None:
    text = shown("Changed:\n\n```diff\n@@ -1 +1 @@\n-old\n+new\n same\n```\n\nIt *works*.")
    old, new = re.findall(r"<span style=\"(.*?)\">(?:-old|\+new)</span>", text)
    assert old != new
    assert "<p>Changed:</p>\n<pre><code>@@ -1 +1 @@\n" in text
    assert "\n same\n</code></pre>\n<p>It <em>works</em>.</p>" in text


@given(LINES)
def test_a_diff_is_text_whatever_stands_in_it(lines: list[str]) -> None:
    text = shown(fenced("\n".join(lines), "diff"))
    found = re.search(r"<pre>(.*)</pre>", text, re.DOTALL)
    assert found is not None
    inner = MADE.sub("", found[1])
    assert "<" not in inner
    assert html.unescape(inner) == "\n".join(lines) + "\n"


def test_colours_are_no_way_around_the_guard() -> None:
    """What stands beside a diff is HTML as well, so that no formula can carry a quote of a colour's elsewhere."""
    text = shown("see http://elsewhere.example/x$a\n```diff\n+ onmouseover=fetch(1) y=\n```\nb$ here")
    assert "<p>see http://elsewhere.example/x$a</p>" in text
    text = shown('<span style="background-color:red;position:fixed;margin:-9px">x</span>\n\n```diff\n```')
    assert '<span style="background-color:red">x</span>' in text


def test_other_code_and_diffs_within_it_stay_as_they_are() -> None:
    data = {"text/markdown": "```python\n-x\n```\n\n````text\n``` diff-like\n-x\n```\n````"}
    assert "rgba" not in str(bundle.clean(data))
