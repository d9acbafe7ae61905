"""Which links lead to the person's own machine, where her server is."""

from __future__ import annotations

import pytest

from jupyter_codeact.guard import bundle, html
from jupyter_codeact.guard.addresses import is_own

OWN = [
    "http://127.0.0.1:8888/logout", "https://127.0.0.1", "http://localhost:8888/", "HTTP://LocalHost", "http://a.b.localhost/",
    "http://[::1]:8888/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[0:0:0:0:0:0:0:1]", "http://[::ffff:7f00:1]/",
    "http://0.0.0.0:8888", "http://0/", "http://127.1", "http://127.0.1/", "http://2130706433/", "http://0x7f.1/",
    "http://0x7f000001", "http://017700000001/", "http://0177.0.0.1", "http://127.255.255.254/", "http://0x/",
    "http://127.0.0.1./", "http://localhost./", "http://localhost../", "http:127.0.0.1", "http:/127.0.0.1", "http:\\\\127.0.0.1\\",
    "http:////127.0.0.1", "http://user:word@127.0.0.1:1/", "http://a@b@localhost",
    "http://%6cocalhost/", "http://%31%32%37.1", "http://１２７.0.0.1/", "http://127。0。0。1/", "http://loc\xadalhost/",
    "http://ⓛocalhost/", "http://lo\ncal\thost/", " \x01http://localhost/", "http://local\u200bhost?x", "http://localhost#x",
    # Not seen, and newer than some Pythons' Unicode.
    "http://localh\u3164ost/", "http://l%ef%be%a0ocalhost/", "http://\U0001ccf127.0.0.1/", "http://\U0001cce1ocalhost/",
]  # fmt: skip
OTHERS = [
    "https://x.y/?a=1&b", "http://localhost.x.y/", "http://notlocalhost/", "http://x.y/localhost", "http://x.y?u=@127.0.0.1",
    "http://x.y/@127.0.0.1", "http://x.y#@localhost", "http://128.0.0.1", "http://1.2.3.4", "http://[2001:db8::1]/", "http://[x/",
    "http://127.0.0.1.x.y/", "http://12.7.0.0.1/", "mailto:a@localhost", "http://", "http://münchen.de/", "http://例え.テスト/", "http://हिन्दी.भारत/", "http://09/",
]  # fmt: skip


@pytest.mark.parametrize("address", OWN)
def test_a_link_to_her_own_machine_leads_nowhere(address: str) -> None:
    assert is_own(address)
    assert "href" not in html.clean(f'<a href="{address}">x</a>').body
    assert "href" not in str(bundle.clean({"text/markdown": f"[x](<{address}>)"}))


@pytest.mark.parametrize("address", OTHERS)
def test_others_lead_where_they_say(address: str) -> None:
    assert not is_own(address)


@pytest.mark.parametrize("address", ["https://example.org@x.y/", "http:/\\a:b@x.y", " ht\ntp://a@b@x.y", "HTTPS:a@x.y"])
def test_a_link_with_a_name_before_its_host_leads_nowhere(address: str) -> None:
    assert "href" not in html.clean(f'<a href="{address}">x</a>').body
    assert "href" in html.clean('<a href="https://x.y/@her?a@b#@">x</a> <a href="mailto:her@x.y">x</a>').body


@pytest.mark.parametrize("address", ["http\N{LATIN SMALL LETTER LONG S}://../../logout", "ma\u0131lto:../../logout"])
def test_a_letter_that_is_another_one_s_case_makes_no_scheme(address: str) -> None:
    """To a browser it is a path of the page's own server."""
    assert "href" not in html.clean(f'<a href="{address}">x</a>').body


def test_markdown_in_which_a_front_end_would_find_such_a_link_leaves_without() -> None:
    assert "text/markdown" not in bundle.clean({"text/markdown": "see http://127.0.0.1:8888/logout"})
    assert "text/markdown" in bundle.clean({"text/markdown": "see http://x.y/logout"})


# ruff: noqa: E501 RUF001 tables, and digits of other alphabets
