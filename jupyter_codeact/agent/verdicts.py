"""What a reviewer's words say: a score, or which attempt it chose."""

from __future__ import annotations

import re

# What may stand around a number: Markdown's marks, quotes, brackets, the end of a sentence.
_MARKS = r"[\s*_`\"'().,;!]*"
_NUMBER = r"(?P<number>[-+]?[\d.]+)(?P<of>\s*%|\s*/\s*1(?:\.0*)?(?![\d.]))?"
_SCORE = re.compile(rf"(?<![a-z])score[\s*_`]*[:=][\s*_`\"'(]*{_NUMBER}(?P<rest>\S*)", re.IGNORECASE)
# A last line that has nothing else.
_ALONE = re.compile(rf"[\s*_`\"'(]*{_NUMBER}(?P<rest>{_MARKS})", re.IGNORECASE)
_CHOICE = re.compile(r"(?<![a-z])choice[\s*_`]*[:=][^\w-]*(?:attempt|number)?[^\w-]*(\d{1,9})", re.IGNORECASE)


def score_in(text: str) -> float | None:
    """The last score in the reviewer's words: ``SCORE: 0.7``, ``70%``, ``0.7/1``; None where it is not from 0 to 1."""
    found = _ALONE.fullmatch((text.strip().splitlines() or [""])[-1])
    for labelled in _SCORE.finditer(text):
        found = labelled
    if found is None or not re.fullmatch(_MARKS, found["rest"]):
        return None
    try:
        score = float(found["number"].rstrip("."))
    except ValueError:
        return None
    score = score / 100 if (found["of"] or "").endswith("%") else score
    return score if 0 <= score <= 1 else None


def choice_in(text: str) -> int | None:
    """The number of the attempt that was chosen last; None where none was."""
    found = _CHOICE.findall(text)
    return int(found[-1]) if found else None
