"""Markdown: as it is where it can't be more than text, else rendered here and sanitised as HTML.

To clean Markdown as Markdown one would have to know what each front end's parser makes of it. So what might hold
HTML, a link, a picture, a diagram or a formula that is more leaves as HTML, which has one meaning, and so does a diff,
for its colours; everything else stays Markdown, and so do links so plain that all parsers read them alike.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from . import addresses, diffs, html, tex

# markdown-it reads about a megabyte a second.
LIMIT = 300_000
# A quote is one, an item of a list two. The parser leaves out what lies deeper, and may take what follows for that.
LEVELS = 100
# Of brackets, in a text of links. Each level is read to the text's end, from each bracket: what is deeper is no link.
LABELS = 10
_MAYBE_MORE = re.compile(r"<[A-Za-z/!?]|\]\s*[(\[:]|&[#\w]")
_WORDS = re.compile(r"mermaid|(?:java|vb)script", re.IGNORECASE)
# A link that leads to this address or, to whoever finds none there, is text: words, a host that is no number, and no
# sign with which Markdown, a formula or an attribute begins or ends. In angle brackets no `=` either: whoever takes
# them for a tag finds no handler in it.
_SITE = r"https?://(?:[A-Za-z0-9-]++\.)+[A-Za-z]{2,}+"
_PATH = r"A-Za-z0-9_.~%?#+,:;/-"
_LINK = re.compile(rf"(?<![^\s(*_|])(?:(\[[\w ,.'-]++)\]\({_SITE}(?:/[{_PATH}=]*+)?\)|<{_SITE}(?:/[{_PATH}]*+)?>)")
# Front ends make a link of it, or of a part of it: one ends where emphasis does, another begins behind what is no host.
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<]*", re.IGNORECASE | re.ASCII)
# So each beginning counts, with all that may belong to its host.
_BEGINNING = r"(?:https?://[/\\]*|www\.)"
_HOST = re.compile(rf"{_BEGINNING}(?:(?!{_BEGINNING})[^/?#])*", re.IGNORECASE | re.ASCII)
# As much of that as is a host's whoever reads it.
_PLAIN = re.compile(rf"{_BEGINNING}(?:[A-Za-z0-9.-]|[^\x00-\x7f])*", re.IGNORECASE)
# JupyterLab writes the word behind a fence into an attribute as it stands: more than a language's name is none.
_FENCE = re.compile(r"(?:(?<!`)`{3,}+|(?<!~)~{3,}+)(?![ \t]*+[\w+.#-]*+[ \t]*+$)", re.MULTILINE)
_DIFF = re.compile(r"^[> ]*+(?:`{3,}|~{3,})[ \t]*+diff\b", re.MULTILINE)
# It takes formulas out, and puts them back into whatever its parser made, attributes too: they could end one.
_FORMULA = re.compile(r"\$|\\[(\[]|\\begin", re.IGNORECASE)
# A formula has an end near its beginning, or a text of beginnings alone would be read again from each of them.
_MATH = re.compile(
    r"\$\$.{1,1500}?\$\$|\$(?!\s)(?:[^$\\\n]|\\.){1,1500}?(?<!\s)\$(?!\d)|\\\\\(.{1,1500}?\\\\\)"
    r"|\\\\\[.{1,1500}?\\\\\]|\\begin\{(\w{1,30}\*?)\}.{1,1500}?\\end\{\1\}",
    re.DOTALL,
)

_TASK = re.compile(r"\A\[([ xX])\](?= +\S)")


def is_text(source: str) -> bool:
    """Whether no parser could find HTML, a picture, a diagram, a formula that is more or a link that may mislead in it.

    Nor a diff.
    """
    # What a plain link leaves behind is what others could begin with: its bracket and its words.
    if _MAYBE_MORE.search(_LINK.sub(r"\1", source)) or _WORDS.search(source):
        return False
    if _FENCE.search(source) or _DIFF.search(source) or not tex.is_plain(source):
        return False
    if '"' in source and _FORMULA.search(source):
        return False
    return not any(_leads_astray(found.group()) for found in _ADDRESS.finditer(source))


def _leads_astray(address: str) -> bool:
    """Or may do so once a formula, which may hold spaces, is put back into it."""
    return _FORMULA.search(address) is not None or any(map(_is_astray, _HOST.findall(address)))


def _is_astray(host: str) -> bool:
    """A name may stand before an @. A backslash ends a host, or is written as an escape, and then ends none."""
    if "@" in host or "\\" in host:
        return True
    return any(map(_is_own, {host, *_PLAIN.findall(host)}))


def _is_own(host: str) -> bool:
    return addresses.is_own(host if "://" in host else f"http://{host}")


def rendered(source: str) -> html.Cleaned:
    """As HTML."""
    if len(source) > LIMIT:
        return html.Cleaned("", held=(f"Markdown of {len(source) // 1000} kB",))
    parser = _parser()
    env: dict[str, Any] = {}
    tokens = parser.parse(source.encode(errors="replace").decode(), env)
    if max((token.level for token in tokens), default=0) >= LEVELS - 1:
        return html.Cleaned("", held=(f"Markdown of more than {LEVELS} levels",))
    return html.unstyled(parser.renderer.render(tokens, parser.options, env))


@lru_cache(maxsize=1)
def _parser() -> Any:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore, inline

    def made(levels: int) -> MarkdownIt:
        parser = MarkdownIt("commonmark", {"highlight": diffs.highlighted, "maxNesting": levels})
        parser.enable(["table", "strikethrough"])
        parser.inline.ruler.before("escape", "math", _formula)
        parser.core.ruler.after("block", "tasks", _tasks)
        return parser

    parser, labels = made(LEVELS), made(LABELS)
    parser.core.ruler.at("inline", lambda state: inline(StateCore(state.src, labels, state.env, state.tokens)))
    return parser


def _tasks(state: Any) -> None:
    """The boxes of a list of tasks as signs: inputs are forms."""
    for item, paragraph, text in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if (item.type, paragraph.type) == ("list_item_open", "paragraph_open"):
            text.content = _TASK.sub(lambda box: "☐" if box[1] == " " else "☑", text.content)


def _formula(state: Any, silent: bool) -> bool:
    """A formula is text, whatever Markdown would make of its underscores and backslashes."""
    if state.src[state.pos] not in "$\\":
        return False
    found = _MATH.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("text", "", 0).content = _unescaped(found.group())
    state.pos = found.end()
    return True


def _unescaped(formula: str) -> str:
    r"""``\\(x\\)`` is how ``\(x\)`` is written in Markdown."""
    return formula[1:-3] + formula[-2:] if formula.startswith("\\\\") else formula
