"""What Markdown stays Markdown, though front ends write parts of it into attributes as they stand."""

from __future__ import annotations

import pytest

from jupyter_codeact.guard import markdown, replies

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
