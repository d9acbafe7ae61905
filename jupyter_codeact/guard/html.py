"""HTML without anything that acts, loads or leaves its place.

nh3 sanitises. `<style>` blocks, which it can only drop, are taken out before, rewritten by ``css.py`` from what is
known to be harmless, and put in front of what nh3 returns. What is found to be a style block here decides nothing
about safety: everything that nh3 sees passes through nh3, everything else through ``css.py``.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from . import addresses, blocks, css, svg, tex
from .names import PREFIX, own_classes, own_id, words

LIMIT = 8_000_000
DEPTH = 250
# Other threads wait while an expression is searched for: so it is done in pieces, each with a little of the next.
PIECE, OVERLAP = 100_000, 2_000
# The parser behind nh3 takes a time that grows with their square: 0.7 s for as many as this.
REFERENCES = 200_000
ROUNDS = 5
# Whatever the styles say, nothing is painted outside this box.
BOX = "contain:content;overflow:auto"
_BOXED = re.compile(rf'(?:<style>(.*?)</style>)?<div class="{PREFIX}scope-[0-9a-f]+" style="{BOX}">', re.DOTALL)
_BOX_END = "</div>"
# As nh3 writes tags: values in double quotes, and no other < anywhere but in them. In code nobody typesets.
_REST = r'(?:\s[^<>"]*(?:"[^"]*"[^<>"]*)*)?>'
_TAG_OR_TEXT = re.compile(
    rf"(<pre{_REST}[^<]*(?:</?(?:code|span){_REST}[^<]*)*</pre>|<code>[^<]*</code>|</?\w+{_REST})|[^<]+|<"
)
_INVISIBLE = re.compile(r"<(?!(?:img|video|audio)\b[^<>]*\ssrc=|(?:hr|meter|progress)\b)[^<>]*>")
_PICTURE = re.compile(r"\s*data:image/(?:png|jpe?g|gif|webp|avif|bmp|x-icon|svg\+xml)[;,]", re.IGNORECASE | re.ASCII)
_MEDIUM = re.compile(r"\s*data:(?:video|audio)/[\w.+-]+[;,]", re.IGNORECASE | re.ASCII)
_LINK = re.compile(r"\s*(?:https?://|mailto:)", re.IGNORECASE | re.ASCII)
_URLS = {"href": _LINK, "src": _PICTURE}
# Of a file beside the notebook, too.
_OUTSIDE = r"[^<>]*\ssrc\s*=\s*[\"']?(?!data:)[\w/.]"
_ACTIVE = {
    "a script": re.compile(r"<script\b|(?:java|vb)script:", re.IGNORECASE),
    "a frame": re.compile(r"<(?:iframe|frame|object|embed|portal|fencedframe)\b", re.IGNORECASE),
    "a form": re.compile(r"<(?:form|input|button|select|textarea)\b", re.IGNORECASE),
    "a handler": re.compile(r"<[^<>]*[\s/\"']on\w+\s*=", re.IGNORECASE),
    "a formula in MathML": re.compile(r"<math\b", re.IGNORECASE),
    "a page header": re.compile(r"<(?:meta|link|base)\b", re.IGNORECASE),
    "a picture that is not in the output itself": re.compile(rf"<img\b{_OUTSIDE}", re.IGNORECASE),
    "a video or sound that is not in the output itself": re.compile(
        rf"<(?:video|audio|source)\b{_OUTSIDE}", re.IGNORECASE
    ),
}

TAGS = words(
    """
    a abbr audio b bdi blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption
    figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd label li mark meter ol p pre progress q rp rt ruby s
    samp section small source span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var
    video
    """
)
# Elements that are not known, and what loads: where nothing else is left to see, that is what it was.
_LOST = re.compile(
    rf"<(?!(?:{'|'.join(sorted(TAGS))}|html|head|body)[\s/>])[a-z]|\ssrc(?:set)?\s*=|url\(", re.IGNORECASE
)
_NOT_SHOWN = "HTML that is not shown here"
_GONE = words("script style title template noscript iframe textarea select math svg xmp noembed noframes")
_MEDIA = {"controls", "loop", "autoplay", "muted", "width", "height", "src"}
_CELL = {"colspan", "rowspan", "scope", "align", "valign", "width", "height", "bgcolor", "nowrap"}
ATTRIBUTES = {
    "*": {"class", "id", "style", "title", "dir", "lang", "align", "role"},
    "a": {"href"},
    "audio": _MEDIA,
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "details": {"open"},
    "font": {"color", "size", "face"},
    "img": {"src", "alt", "width", "height"},
    "li": {"value"},
    "meter": {"value", "min", "max", "low", "high", "optimum"},
    "ol": {"start", "type", "reversed"},
    "progress": {"value", "max"},
    "source": {"src", "type"},
    "table": {"border", "cellpadding", "cellspacing", "width", "bgcolor"},
    "td": _CELL,
    "th": _CELL,
    "video": _MEDIA,
}


@dataclass(frozen=True)
class Cleaned:
    """Harmless content: elements, the rules that go with them, and the names of what was held back."""

    body: str
    styles: tuple[str, ...] = ()
    held: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is no text, picture or the like in it: what is left may be boxes that a style draws."""
        return not _INVISIBLE.sub("", self.body).strip()

    def page(self, tail: str = "") -> str:
        """As HTML, with ``tail`` below. Where there are styles they are bound to a box that nothing leaves."""
        body = self.body + tail
        scope = f"{PREFIX}scope-{hashlib.sha256(body.encode()).hexdigest()[:10]}"
        rules = css.sheet("\n".join(self.styles), scope) if self.styles else ""
        if not rules and ' style="' not in body:
            return body
        block = f"<style>{rules}</style>" if rules else ""
        return f'{block}<div class="{scope}" style="{BOX}">{body}</div>'


def clean(text: str) -> Cleaned:
    """``text`` as HTML of our kind. What went through once comes through unchanged."""
    # A lone half of a surrogate pair is no text that nh3, or the wire, could carry.
    text = text.encode(errors="replace").decode()
    if name := _too_much(text):
        return Cleaned("", held=(name,))
    held = tuple(name for name, found in _ACTIVE.items() if _has(found, text))
    boxed = _BOXED.match(text) if text.endswith(_BOX_END) else None
    styles, text = ([boxed[1] or ""], text[boxed.end() : -len(_BOX_END)]) if boxed else ([], text)

    def take(block: str) -> str:
        styles.append(block.partition(">")[2].rpartition("<")[0])
        return ""

    # Scripts first, for their `a<b` looks like a tag to whoever counts levels.
    text = blocks.replace(blocks.replace(text, "script", lambda _: ""), "style", take)
    text = svg.pictures(text)
    if name := _too_much(text) or (f"HTML of more than {DEPTH} levels" if blocks.is_deeper(text, DEPTH) else ""):
        return Cleaned("", held=(name,))
    cleaned = Cleaned(_stable(text, styled=True), tuple(filter(None, styles)), held)
    is_lost = not held and cleaned.is_empty and _has(_LOST, text)
    return replace(cleaned, held=(_NOT_SHOWN,)) if is_lost else cleaned


def _too_much(text: str) -> str:
    """What is said of a text that would take too long; "" for all others."""
    if len(text) > LIMIT:
        return f"HTML of {len(text) // 1_000_000} MB"
    return f"HTML of more than {REFERENCES:,} character references" if text.count("&") > REFERENCES else ""


def _has(found: re.Pattern[str], text: str) -> bool:
    return any(found.search(text, start, start + PIECE + OVERLAP) for start in range(0, len(text), PIECE))


def unstyled(text: str) -> Cleaned:
    """The same for HTML that has no use for styles: what Markdown and widgets hold."""
    cleaned = clean(text)
    return Cleaned(_stable(cleaned.body, styled=False), held=cleaned.held)


def _stable(text: str, styled: bool) -> str:
    """Sanitised until it stays as it is: what a parser makes of badly nested tags may nest otherwise when read anew."""
    for _ in range(ROUNDS):
        again = _typeset(_cleaner(styled).clean(text))
        if again == text:
            return text
        text = again
    return text


def _typeset(text: str) -> str:
    """With formulas that only typeset. A formula has no end at a tag's; so each text between tags is looked at."""
    if not _has(tex.BEGIN, text):
        return text
    # But it goes on behind a line's break.
    harmless = tex.flat if tex.is_deep(text) else tex.formula
    return _TAG_OR_TEXT.sub(lambda part: part[1] or harmless(part[0]), text)


def _filter(tag: str, name: str, value: str) -> str | None:
    match name:
        case "class":
            return own_classes(value) or None
        case "id":
            return own_id(value)
        case "style":
            return css.attribute(value) or None
        case "src" if tag != "img":
            return value if _MEDIUM.match(value) else None
        case "href" | "src":
            astray = addresses.is_own(value) or addresses.has_user(value)
            return value if _URLS[name].match(value) and not astray else None
        case _:
            return value


@lru_cache(maxsize=2)
def _cleaner(styled: bool) -> Any:
    import nh3

    # What stands in no box of its own may have colours behind words (a diff's), and nothing that moves them.
    plain = {**ATTRIBUTES, "*": {"title", "dir", "lang", "align"}, "span": {"style"}}
    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags=set(_GONE),
        attributes=ATTRIBUTES if styled else plain,
        attribute_filter=_filter,
        filter_style_properties=None if styled else {"background-color"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto", "data"},
    )
