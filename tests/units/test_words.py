"""How numbers are said, and what is wrong with a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from jupyter_codeact import words
from jupyter_codeact.errors import CodeActError
from jupyter_codeact.events import Usage


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 tokens"), (1, "1 token"), (999, "999 tokens"), (1000, "1.0k tokens"), (1249, "1.2k tokens")],
)
def test_tokens(count: int, said: str) -> None:
    assert words.tokens(count) == said


@pytest.mark.parametrize(
    ("usd", "said"), [(None, "cost unknown"), (0.0, "$0.000"), (0.0041, "$0.004"), (12.3456, "$12.346")]
)
def test_money(usd: float | None, said: str) -> None:
    assert words.money(usd) == said


@pytest.mark.parametrize(
    ("time_s", "said"),
    [(0.2, "0 s"), (3.4, "3 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (3601, "60 min 1 s")],
)
def test_seconds(time_s: float, said: str) -> None:
    assert words.seconds(time_s) == said


def test_every_way_in_which_a_run_may_end_has_words_of_its_own() -> None:
    classes, found = [CodeActError], {"submitted", "exit_stopped"}
    while classes:
        found.add(classes[-1].exit_status)
        classes += classes.pop().__subclasses__()
    assert words.ENDINGS.keys() == found
    assert len({*words.ENDINGS.values()}) == len(found)
    assert not any("exit" in words.ended(status) or "_" in words.ended(status) for status in found)
    assert words.ended("submitted (exit_steps)") == "the limit of steps, with what was done"
    assert words.ended("somebody's own") == "somebody's own"


@pytest.mark.parametrize(("count", "said"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps")])
def test_plural(count: int, said: str) -> None:
    assert words.plural(count, "step") == said


@pytest.mark.parametrize(
    ("used", "said"),
    [
        (Usage(), "0 tokens · $0.000"),
        (Usage(12_000, 300, 9_800, 0.0312, 4), "12.3k tokens (9.8k cached) · $0.031"),
        (Usage(100, 50, 80, None, 1), "150 tokens (80 cached) · cost unknown"),
    ],
)
def test_usage(used: Usage, said: str) -> None:
    assert words.usage(used) == said


def test_usage_adds_up_and_an_unknown_price_stays_unknown() -> None:
    known, unknown = Usage(1, 2, 3, 0.5, 1), Usage(10, 20, 30, None, 1)
    assert known + known == Usage(2, 4, 6, 1.0, 2)
    assert (known + unknown).cost is None


def test_code_with_a_fence_in_it_can_not_end_its_own_block() -> None:
    source = 'print("""\n```\nhidden\n""")'
    first, *_, last = words.fenced(source, "python").split("\n")
    assert (first, last) == ("````python", "````")


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (Path("/nowhere/at/all").read_text, "No such file or directory"),
        (b"\xff".decode, "it is no text in UTF-8"),
        (lambda: json.loads("{\n,"), "it is no JSON, from line 2, column 1 on"),
        (lambda: {}["history"], "it has no 'history'"),
        (lambda: len(7), "its parts are not what they should be"),
        (lambda: yaml.safe_load("a: ["), "it is no YAML, line 1, column 5: expected the node content, but found"),
        (lambda: float("much\ntoo much"), "could not convert string to float: 'much\\ntoo much'"),
    ],
)
def test_a_reason_is_a_line_without_what_python_calls_it(fails: Callable[[], object], said: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        fails()
    assert words.reason(caught.value).startswith(said)
    assert "\n" not in words.reason(caught.value)
