"""What Markdown stays Markdown, though front ends write parts of it into attributes as they stand."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import mistune
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from jupyter_codeact.guard import addresses, markdown, replies

BREAKS_OUT = [
    '~~~py" onload="x\n1\n~~~',
    '```py" onload="x\n1\n```',
    "> - ```py x=1\n>   1\n>   ```",
    "1. ~~~ a'b\n   ~~~",
    'see http://example.com/$" onload="x" y="$ now',
    'www.example.com/$$" onload="x" y="$$',
    'ftp://x.invalid/\\\\(" onload="x" y="\\\\)',
    'http://example.com/\\begin{matrix}" onload="x" y="\\end{matrix}',
    '```py$" onload="x" y="$\n1',
    "www.localhost:8888/logout",
    "http://a$b c$@localhost:8888/logout",
    "http://$b c$localhost/logout",
    "http://a\\\\(b c\\\\)@localhost/",
    "www.a@localhost",
    "https://example.org@elsewhere.example/",
    f"http://{'a' * 320}@127.0.0.1:8888/logout",
    f"http://{'a' * 320}:b@localhost/",
    "www._http://127.0.0.1:8888/logout",
    "https://_http://127.0.0.1:8888/logout",
    "www.!http://127.0.0.1:8888/logout",
    "**x**www.*http://127.0.0.1:8888/logout",
    "https://example.org/?http://localhost:8888/logout",
    "http://http:///127.0.0.1/logout",
    "http://a\\@127.0.0.1:8888/logout",
    "http://a\x1c@127.0.0.1:8888/logout",
    "http://a\x85@127.0.0.1:8888/logout",
    "**http://127.0.0.1**.example.org",
    "_http://localhost_.example.org",
    "http://localhost,",
    "http://\N{CIRCLED LATIN SMALL LETTER L}ocalhost!",
    "**http://\N{CIRCLED LATIN SMALL LETTER L}ocalhost**.example.org",
    "![x](https://example.org/a.png)",
    '[x](https://example.org "a title")',
    "[x](/logout)",
    "[x](https://localhost/logout)",
    "[x](https://a.localhost/logout)",
    "[x](https://127.0.0.1/logout)",
    "[x](https://2130706433/logout)",
    "[x](https://a@localhost.example/)",
    "[x](https://example.org/www.localhost/)",
    "[x](https://example.org/?a=1&copy=2)",
    "[x](https://example.org/$)$",
    "[x](https://example.org/@@0@@) $y$",
    "[x](https://example.org/\\)/logout)",
    "[x](https://example.org)(/logout)\n\n[x]: /logout",
    "[[x](https://example.org)](/logout)",
    "[x] [y](https://example.org)",
    "[x][y](https://example.org)",
    "\\[x](https://example.org)",
    "[x\ny](https://example.org)",
    "[`x](https://example.org)`](/logout)",
    "[x](java\tscript:y)",
    "<https://example.org/x onclick=y>",
    "<https://example.org/onclick=y>",
    "<<https://example.org>b>",
    "&<https://example.org>",
]


@pytest.mark.parametrize("source", BREAKS_OUT)
def test_what_could_end_an_attribute_leaves_as_html(source: str) -> None:
    assert not markdown.is_text(source)


@pytest.mark.parametrize("source", BREAKS_OUT)
def test_nor_does_it_stay_in_a_reply(source: str) -> None:
    """Help, a variable in the debugger, an expression's value, the pager: pages show them as they do outputs."""
    shown = {"data": {"text/markdown": source}, "metadata": {}}
    helped = replies.clean("inspect_reply", {"status": "ok", "found": True, **shown}, None)
    debugged = replies.clean("debug_reply", {"type": "response", "body": shown}, None)["body"]
    content = {"user_expressions": {"x": {"status": "ok", **shown}}, "payload": [{"source": "page", **shown}]}
    replied = replies.clean("execute_reply", {"status": "ok", **content}, "x")
    for cleaned in (helped, debugged, replied["user_expressions"]["x"], *replied["payload"]):
        assert "text/markdown" not in cleaned["data"]


@pytest.mark.parametrize(
    "source",
    [
        "```python\nprint('a', \"b\")\n```",
        "~~~ c++ \nx\n~~~\n\n```\nplain\n```",
        "````f#\n```\n````",
        "The sum is $x^2$, and it's fine.",
        'He said "yes", see https://example.com/a.',
        "It costs $5, write to her@example.org, see https://example.com/@her.",
        "(https://www.example.com), https://web.archive.org/web/2020/https://example.org/a_b; www.example.org!",
        f"http://münchen.example:8080/{'a' * 400}?b=c*d~e#f|g",
        "[paper](https://arxiv.org)",
        "- [A paper, 2nd ed.](https://arxiv.org/abs/1706): about *it*\n- [data](https://a.example/x_y?id=3#z), $x$",
        "See <https://example.org/a-b> (or [Größe](http://example.org/%20)).\n\n| [a](https://a.example) |\n|---|",
    ],
)
def test_ordinary_markdown_stays(source: str) -> None:
    assert markdown.is_text(source)


def test_what_is_nested_is_whole_or_named() -> None:
    """markdown-it leaves out what lies too deep, and what follows it, without a word."""
    link = "\n\n[link](https://example.org)"
    whole = markdown.rendered("\n".join("  " * level + f"- level{level}" for level in range(40)) + link)
    assert "level39" in whole.body
    assert ">link</a>" in whole.body
    assert "quoted" in markdown.rendered("> " * 80 + "quoted" + link).body
    for deep in ("> " * 200 + "quoted", "\n".join("  " * level + "- x" for level in range(200))):
        assert markdown.rendered(deep + link).held == ("Markdown of more than 100 levels",)
    # Brackets, too, but these end nothing.
    assert ">[[[[[[[[a]]]]]]]]</a>" in markdown.rendered("[[[[[[[[[a]]]]]]]]](https://example.org)").body
    assert "<p>" + "[" * 40 + "a</p>" in markdown.rendered("[" * 40 + "a" + link).body
    assert ">link</a>" in markdown.rendered("[" * 40 + "a" + link).body


PIECES = [
    "[", "]", "(", ")", "<", ">", "!", "\\", "`", "```", "$", "*", "_", "~~", "|", "\n", "\n\n", "    ", "- ", "> ",
    ":", "x", " ", "[x]", "(/logout)", "/logout", "<b>", "&amp;", '"', "@", "=", "[x]: /logout", "[ ] ", "javascript:",
    "www.", "localhost", "https://example.org", "[x](https://example.org)", "<https://example.org/a>",
    "[a b](https://example.org/a_b~c?d=e#f)", "[x](http://localhost/)",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


class Links(HTMLParser):
    """What a page would have of it: where its links lead, and all elements that are no plain text's."""

    def __init__(self) -> None:
        super().__init__()
        self.led: list[str] = []
        self.others: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.led += [value or "" for name, value in attrs if name == "href"]
            self.others += [name for name, _ in attrs if name != "href"]
        elif not re.fullmatch(
            "p|em|strong|code|pre|ul|ol|li|blockquote|h[1-6]|hr|br|s|del|table|t[rhd]|thead|tbody", tag
        ):
            self.others.append(tag)


def seen(page: str) -> Links:
    links = Links()
    links.feed(page)
    return links


@settings(max_examples=1500)
@given(TEXTS)
def test_whoever_reads_markdown_that_stays_finds_no_link_but_plain_ones(source: str) -> None:
    """Nor HTML, nor a picture, in two parsers that have nothing in common, with HTML on."""
    if not markdown.is_text(source):
        return
    pages = (
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(source),
        str(
            mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "url", "footnotes", "math"])(
                source
            )
        ),
    )
    for links in map(seen, pages):
        assert [tag for tag in links.others if tag not in ("div", "span", "class")] == []
        for address in links.led:
            assert address.startswith(("http://", "https://"))
            assert not addresses.is_own(address)
            assert not addresses.has_user(address)


def test_the_boxes_of_tasks_stay_boxes() -> None:
    body = markdown.rendered("- [ ] to <b>do</b>\n- [x] done\n- [X]  also\n- [x]\n- [y] no\n\n[ ] no list").body
    for line in ("<li>☐ to <b>do</b></li>", "<li>☑ done</li>", "<li>[x]</li>", "<li>[y] no</li>", "<p>[ ] no list</p>"):
        assert line in body
    assert "☑  also" in body or "☑ also" in body
