"""Lines that tell nothing new, as the first and the last of them: the same line again, and states of a progress bar.

A bar is known by a shape that no table and no chart of hers has: the one that tqdm, pip, rich or Keras draws, with its
clock, and with the same label and total as in the line before, which was not at its end. All other lines are data: the
last states of many bars, too, since each may have the loss of an epoch in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Lines alike are told once they are more than this.
ALIKE = 4
_NUMBER = r"\d+(?:\.\d+)?"
_CLOCK = r"(?:\d+:)?\d+:\d\d"
_SHARE = rf"(?P<done>{_NUMBER})(?:/(?P<total>{_NUMBER}) \w+ .*\beta |% +)"
_BARS = (
    # tqdm: "train:  3%|▎         | 3/100 [00:01<00:32, 3.0it/s]".
    re.compile(
        rf"(?P<label>.*?)(?P<done>\d{{1,3}})%\|[^|]*\| *[\d.]+\w*/(?P<total>[\d.]+\w*) \[{_CLOCK}<(?:{_CLOCK}|\?), .*\]"
    ),
    # Keras, while it is at it: " 32/313 [==>...........................] - ETA: 5s - loss: 2.3".
    re.compile(r"(?P<label> *)(?P<done>\d+)/(?P<total>\d+) \[=*>?\.*\] - ETA: .*"),
    # pip: "   ━━━━━━━━━━━━━━━━ 1.2/3.4 MB 5.6 MB/s eta 0:00:01"; rich: "Fitting ━━━━━━━━╸━━━━━━━ 40% 0:00:03".
    re.compile(rf"(?P<label>.*?)[━╸╺]{{8,}} +{_SHARE}(?:{_CLOCK}|-:--:--) *"),
)
# What a line has that is one of these, and the longest.
_SIGNS = ("%|", "- ETA: ", "━━━━")
_LONGEST = 500
_Bar = tuple[str, str, float]


def fold(text: str, where: str) -> str:
    """With each run of more than ALIKE such lines as its first, its last, and how many more there were, and where."""
    made: list[str] = []
    for what, run in _runs(text.split("\n")):
        alike = len(run) > ALIKE and run[0].strip()
        made += [run[0], f"[… {len(run) - 2} {what}; {where} …]", run[-1]] if alike else run
    return "\n".join(made)


def _runs(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The lines in their order, those that follow from each other together, with what they are."""
    run, bar, what = lines[:1], _bar(lines[0]), ""
    for line in lines[1:]:
        before, bar = bar, _bar(line)
        goes_on = _goes_on(before, bar)
        same = "states of this progress bar" if goes_on else "more of the same line" if line == run[-1] else ""
        if same and what in ("", same):
            run.append(line)
            what = same
        else:
            yield what, run
            run, what = [line], ""
    yield what, run


def _goes_on(before: _Bar | None, after: _Bar | None) -> bool:
    return (
        before is not None and after is not None and before[:2] == after[:2] and before[2] < 1 and before[2] <= after[2]
    )


def _bar(line: str) -> _Bar | None:
    """Label, total, and the share that is done, of a line that is a state of a bar."""
    if len(line) > _LONGEST or not any(sign in line for sign in _SIGNS):
        return None
    found = next(filter(None, (bar.fullmatch(line) for bar in _BARS)), None)
    if found is None:
        return None
    total = found["total"] or ""
    whole = 100.0 if "%" in line[found.end("done") :][:1] else float(total) or 1.0
    return found["label"].strip(), total, float(found["done"]) / whole
