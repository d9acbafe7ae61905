"""Diffs in what our cells show have colours, and are nothing but text whatever they hold."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from jupyter_codeact.kernel.colours import coloured
from jupyter_codeact.words import fenced

MADE = re.compile(r"</?pre>|<span style=\"background-color: rgba\([\d., ]+\)\">|</span>")
LINES = st.lists(st.text(alphabet="-+ <>/&$\\`*_[]()@#ab\"'", max_size=12), min_size=1, max_size=6)


def shown(markdown: str) -> str:
    return str(coloured({"text/markdown": markdown})["text/markdown"])


def test_what_goes_and_what_comes_are_told_apart() -> None:
    text = shown("Changed:\n\n```diff\n@@ -1 +1 @@\n-old\n+new\n same\n```\n\nIt *works*.")
    old, new = re.findall(r"<span style=\"(.*?)\">(?:-old|\+new)</span>", text)
    assert old != new
    assert text.startswith("Changed:\n\n<pre>@@ -1 +1 @@\n")
    assert text.endswith("\n same\n</pre>\n\nIt *works*.")


@given(LINES)
def test_a_diff_is_text_whatever_stands_in_it(lines: list[str]) -> None:
    diff = "\n".join(lines)
    block = shown(fenced(diff, "diff"))
    assert MarkdownIt().render(block).strip() == block
    assert html.unescape(MADE.sub("", block)) == f"{diff}\n"
    assert not re.search(r"[$\\]", block)


def test_other_fences_and_diffs_within_them_stay_as_they_are() -> None:
    text = "```python\n-x\n```\n\n````text\n```diff\n-x\n```\n````"
    assert shown(text) == text


def test_a_diff_that_is_still_being_written_stays_as_it_is() -> None:
    assert shown("```diff\n-x") == "```diff\n-x"


def test_what_is_no_markdown_stays_as_it_is() -> None:
    data = {"text/plain": "```diff\n-x\n```"}
    assert coloured(dict(data)) == data
