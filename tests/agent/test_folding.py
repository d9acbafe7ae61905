"""Which lines are folded: none that is data."""

from __future__ import annotations

import pytest

from jupyter_codeact.agent.folding import fold

STEPS = range(0, 101, 5)
BARS = {
    "tqdm": [f"fit: {n:3}%|{'█' * (n // 10):10}| {n}/100 [00:{n // 5:02}<00:02,  7.10it/s]" for n in STEPS],
    "tqdm, scaled": [f"{n:3}%|{'#' * (n // 10)}5 | {n * 10}k/1.00M [1:00:01<?, 7.1MB/s, loss=0.{n}]" for n in STEPS],
    "pip": [f"   {'━' * 20}╸{'━' * 19} {n / 10:.1f}/10.0 MB 5.6 MB/s eta 0:00:01" for n in STEPS],
    "rich": [f"Fitting... {'━' * 20}╸{'━' * 19} {n:3}% -:--:--" for n in STEPS],
    "Keras": [f"{n:3}/100 [{'=' * (n // 5)}>{'.' * 20}] - ETA: {n}s - loss: 2.3" for n in STEPS],
}
DATA = {
    "Markdown": ["| model | share |", "|---|---|", *(f"| m{n} | {n * 3.5:.1f}% |" for n in range(12))],
    "Markdown, one name": [f"| m | {n * 3.5:.1f}% |" for n in range(12)],
    "bars": [f"{k} {'█' * v} {v}" for k, v in {"a": 9, "b": 12, "c": 17, "d": 20, "e": 28, "f": 30}.items()],
    "bars of one name": [f"x {'█' * v} {v}" for v in range(6, 20)],
    "bars of brackets": [f"{n:2} [{'=' * n:10}]" for n in range(3, 9)],
    "shares with bars": [f"bin {n} {10 * n:3}% |{'█' * n:10}|" for n in range(10)],
    "rates": [f"batch {b}: {1000 // b}it/s" for b in (1, 2, 4, 8, 16, 32)],
    "rising rates": [f"n={10**n}: {n * 3.1:.1f} it/s" for n in range(1, 8)],
    "machines": [f"GPU {n} | 4{n}% | 7{n}C |" for n in range(8)],
    "a grid": ["[" + " ".join(".#-="[(r + c) % 4] for c in range(8)) + "]" for r in range(8)],
    "numbers": [f"{n} {n * n}" for n in range(20)],
    "a loss that falls": [f"epoch {n}/20 loss 0.{n}" for n in range(20)],
    "epochs of tqdm": [f"100%|{'█' * 10}| 10/10 [00:05<00:00, 2.00it/s, loss=0.{n}]" for n in range(9)],
    "folds of tqdm": [f"fold {n}: {n * 9:2}%|███       | {n}/99 [00:05<00:01, 2.00it/s]" for n in range(9)],
    "tqdm's of several lengths": [f"{n:2}%|███       | {n}/{n * 50 + 1} [00:05<00:01, 2.00it/s]" for n in range(9)],
    "epochs of Keras": [f"313/313 [{'=' * 30}] - 1s 2ms/step - loss: 0.{n}" for n in range(9)],
    "epochs of Keras 3": [f"313/313 {'━' * 20} 1s 2ms/step - loss: 0.{n}" for n in range(9)],
    "headings of rich": ["┏━━━━━━━━━━┓", *(f"┃ {n}% ┃ 0:0{n} ┃" for n in range(9)), "┗━━━━━━━━━━┛"],
    "empty lines": [""] * 9,
    "the same line, a few times": ["a"] * 4,
}


@pytest.mark.parametrize("lines", DATA.values(), ids=DATA)
def test_data_is_not_folded(lines: list[str]) -> None:
    assert fold("\n".join(lines), "x") == "\n".join(lines)


@pytest.mark.parametrize("lines", BARS.values(), ids=BARS)
def test_states_of_a_bar_are_folded_and_it_is_said_where_they_are(lines: list[str]) -> None:
    folded = fold("\n".join(["before", *lines, "after"]), "look there")
    assert folded.split("\n") == [
        "before",
        lines[0],
        "[… 19 states of this progress bar; look there …]",
        lines[-1],
        "after",
    ]


def test_each_bar_is_folded_for_itself() -> None:
    lines = [*BARS["tqdm"], *BARS["tqdm"], *BARS["rich"]]
    assert fold("\n".join(lines), "x").count("19 states of this progress bar") == 3


def test_the_same_line_is_told_once_more_and_counted() -> None:
    assert fold("a\n" * 9 + "b", "x") == "a\n[… 7 more of the same line; x …]\na\nb"


def test_a_line_that_is_made_to_take_long_does_not() -> None:
    """A second for each million of these, if they were all tried as the beginning of a bar."""
    text = "━" * 5_000_000 + " %| - ETA: "
    assert fold(text, "x") == text
