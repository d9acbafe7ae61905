"""A reader of HTML that shares nothing with the guard: Python's own tokenizer, and lists of what may be there."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_TAGS = """
    a abbr audio b bdi blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption
    figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd label li mark meter ol p pre progress q rp rt ruby s
    samp section small source span strike strong style sub summary sup table tbody td tfoot th thead time tr tt u ul
    var video
    """
TAGS = set(_TAGS.split())
LOADING = re.compile(r"url|@|expression|image-set|import|behavior|-moz-binding|\\", re.IGNORECASE)


class Reader(HTMLParser):
    """Collects what should not be there."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_style = tag == "style"
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.in_style = False

    def handle_data(self, data: str) -> None:
        if self.in_style:
            self._style(data)

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(f"<!{decl}")

    def handle_pi(self, data: str) -> None:
        self.wrong.append(f"<?{data}")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        is_own = all(part.startswith("out-") or part == "dataframe" for part in value.split())
        match name:
            case "href":
                good = value.lstrip().lower().startswith(("http://", "https://", "mailto:"))
            case "src":
                good = value.lstrip().lower().startswith(("data:image/", "data:video/", "data:audio/"))
            case "class" | "id":
                good = is_own
            case "style":
                self._style(value)
                good = True
            case "target":
                good = tag == "a" and value == "_blank"
            case _:
                good = not name.startswith(("on", "data-", "xmlns", "form", "srcdoc", "srcset", "action"))
        if not good:
            self.wrong.append(f"<{tag} {name}={value!r}>")

    def _style(self, text: str) -> None:
        found = LOADING.search(re.sub(r'"[^"]*"|\.[\w-]+|#[\w-]+', "", text))
        if found or "fixed" in text.replace("-", " ").split() or "absolute" in text.split():
            self.wrong.append(f"style: {text}")


def active(html: str) -> list[str]:
    """Everything in ``html`` that acts, loads, or takes a name of the page's."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.wrong
