r"""TeX that only typesets.

Front ends typeset formulas in Markdown, LaTeX, HTML and labels with MathJax, whose language is open: commands make
links, give elements attributes, styles and ids, load packages and define more commands. Its Safe extension, which
JupyterLab has on, lets ``java<TAB>script:`` through. So what is known to typeset passes, by name: ``tex.txt`` is
written by ``scripts/tex-names``. Of any other control word the backslash becomes a sign that only looks like one: the
formula shows it as it was written.

A few of the known ones take options, and are held to options of a known shape.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

SHOWN = "\N{SET MINUS}"
# All that a formula may begin with: references need no dollars round them.
BEGIN = re.compile(r"\$|\\(?:[(\[]|begin|(?:eq)?ref)")
# Browsers leave them out of a script's address, and MathJax's filter does not. Nothing that people write has any.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")
_TOKEN = re.compile(r"\\(?:([A-Za-z]+)|.)", re.DOTALL)
# Whatever backslashes stand before it.
_WORD = re.compile(r"\\([A-Za-z]+)")
# Followed by a tag, which may be taken out, or by what a template puts something in the place of.
_OPEN = re.compile(r"\\[A-Za-z]*+(?=%?\Z|%\{|</?[a-z])")
# The format of a date does so, too, whatever follows: it leaves a letter that it does not know as it is, and nothing of
# a directive without one. A template may have a format.
_DATE = re.compile(r"\\[A-Za-z]*+(?=%)")
_WITH_FORMAT = re.compile(r"%\{[^}|]*\|")

# Fractions in fractions take a browser's page a second at 50 levels, and its process ends at 100.
DEEPEST = 40
_NESTING = re.compile(r"\\(?:(begin|left)|(end|right))(?![A-Za-z])|\\.|([{])|([}])|([%\n])", re.DOTALL)
_FLAT = str.maketrans({"\\": SHOWN, "{": "\N{MEDIUM LEFT CURLY BRACKET ORNAMENT}"})
# Possessive, as all that two parts of a pattern could share: what takes a square of its length is an attack.
_SPACE = r"[ \t\r\n]*+"
_COLOR = rf"{_SPACE}\{{[\w#., -]*\}}"
_MODEL = rf"{_SPACE}(?:\[[A-Za-z]*\])?"
_ONE_COLOR = re.compile(_MODEL + _COLOR)
_NO_OPTION = re.compile(rf"{_SPACE}[{{0-9A-Za-z]")
_SHAPES = {
    # A colour and a padding; its third is a style.
    "bbox": re.compile(rf"{_SPACE}(?:\[[\w#., ]*\])?{_SPACE}\{{"),
    "enclose": re.compile(rf"{_SPACE}\{{[\w ,-]*\}}{_SPACE}[{{0-9A-Za-z]"),
    "fcolorbox": re.compile(_MODEL + _COLOR + _COLOR),
} | dict.fromkeys(("cancel", "bcancel", "xcancel", "cancelto"), _NO_OPTION)
_SHAPES |= dict.fromkeys(("color", "textcolor", "colorbox", "cellcolor", "rowcolor", "columncolor"), _ONE_COLOR)
_ENVIRONMENT = re.compile(rf"{_SPACE}\{{([A-Za-z]+\*?)\}}")
# MathJax 4 puts what a column's description holds before each of its cells.
_COLUMNS = re.compile(rf"{_SPACE}(?:\[[tcb]\])?{_SPACE}\{{(?:[lcr|: ]|@\{{\}})*\}}")
_WITH_COLUMNS = frozenset({"array", "subarray"})


def plain(text: str) -> str:
    """The same text, in which no formula does more than typeset."""
    return formula(text) if BEGIN.search(text) else text


def piece(text: str, *, is_format: bool = False) -> str:
    """The same where texts are put together, one after the other or by a template: each may be a piece of a formula.

    So none ends with a word that the next one could go on with. ``is_format``: it may be a date's.
    """
    if "\\" not in text:
        return plain(text)
    if is_format or _WITH_FORMAT.search(text):
        text = _DATE.sub(_written, text)
    return formula(_OPEN.sub(_written, text))


def _written(word: re.Match[str]) -> str:
    return SHOWN + word[0][1:]


def formula(text: str) -> str:
    """The same for what is a formula, whatever it begins with."""
    if _CONTROL.search(text):
        return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text).replace("\\", SHOWN)
    if is_deep(text):
        return flat(text)
    return _TOKEN.sub(lambda token: token[0] if _typesets(token) else SHOWN + token[0][1:], text)


def is_plain(text: str) -> bool:
    """Whether that would change nothing even where somebody takes the text's backslashes in twos."""
    if not BEGIN.search(text):
        return True
    return not _CONTROL.search(text) and not is_deep(text) and all(map(_typesets, _WORD.finditer(text)))


def is_deep(text: str) -> bool:
    """Whether a formula in it could be nested so deep that a page ends of it.

    Behind a percent sign may stand a comment, or text: so each is taken for the end of its line, too.
    """
    if sum(map(text.count, ("{", "\\begin", "\\left"))) <= DEEPEST:
        return False
    depth = commented = 0
    for begins, ends, opens, closes, breaks in _NESTING.findall(text):
        if begins or opens:
            depth += 1
        elif ends or closes:
            depth = max(depth - 1, 0)
        elif breaks == "%":
            commented = max(commented, depth)
        elif breaks:
            depth, commented = max(depth, commented), 0
        if depth > DEEPEST:
            return True
    return False


def flat(text: str) -> str:
    """The same text, in which no formula has a part: it is shown as it was written."""
    return text.translate(_FLAT)


def _typesets(token: re.Match[str]) -> bool:
    """Whether MathJax makes nothing but signs of a control word; and of a control sign, of which none does more."""
    name = token[1]
    if name is None:
        return True
    if name in ("begin", "end"):
        return _is_environment(token.string, token.end(), name == "begin")
    shape = _SHAPES.get(name)
    return name in _names()["macro"] and (shape is None or shape.match(token.string, token.end()) is not None)


def _is_environment(text: str, start: int, begins: bool) -> bool:
    named = _ENVIRONMENT.match(text, start)
    if named is None or named[1] not in _names()["environment"]:
        return False
    return not begins or named[1] not in _WITH_COLUMNS or _COLUMNS.match(text, named.end()) is not None


@lru_cache(maxsize=1)
def _names() -> dict[str, frozenset[str]]:
    lines = (line.split() for line in Path(__file__).with_name("tex.txt").read_text(encoding="ascii").splitlines())
    return {kind: frozenset(names) for kind, *names in lines}
