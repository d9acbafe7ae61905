"""Skills that are found by what is meant: vectors of a service, and what happens without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_codeact.errors import ModelError
from jupyter_codeact.skills.search import Found, _fused

from .searching import Make, found


class Meanings:
    """Stands for a service: texts about animals are near each other, and so are those about maps."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken: Exception | None = None

    def __call__(self, texts):
        if self.broken:
            raise self.broken
        self.asked += texts
        return [[float("horse" in text or "zebra" in text), float("map" in text), 0.1] for text in texts]


def test_skills_are_found_by_meaning_too_and_their_vectors_are_kept(opened: Make, library: Path) -> None:
    (library / "stripes.py").write_text('"""Count a zebra."""\n')
    meanings = Meanings()
    assert found(opened(), "horse") == []
    assert found(opened(embed=meanings, embeds="m"), "horse")[0] == "stripes"
    assert len(meanings.asked) == 5
    search = opened(embed=meanings, embeds="m")
    assert found(search, "draw a map on a horse")[0] == "maps"
    assert meanings.asked[5:] == ["draw a map on a horse"]
    (library / "stripes.py").write_text('"""Count a camel."""\n')
    found(search, "horse")
    assert [text.split("\n")[:2] for text in meanings.asked[6:]] == [["stripes", "Count a camel."], ["horse"]]
    found(opened(embed=meanings, embeds="another"), "horse")
    assert len(meanings.asked) == 8 + 5


def test_what_both_find_comes_before_what_one_finds_first() -> None:
    a, b, c = (Found(name, name, "", ()) for name in "abc")
    assert [skill.name for skill in _fused([a, b], ["c", "b"], [a, b, c])] == ["b", "a", "c"]


def test_a_service_that_fails_is_said_and_left_alone_for_a_while(opened: Make, monkeypatch) -> None:
    meanings = Meanings()
    meanings.broken = ModelError("The service is gone.")
    search = opened(embed=meanings, embeds="m")
    assert found(search, "draw a map") == ["maps"]
    assert search.problem == "The service is gone."
    meanings.broken = None
    assert found(search, "draw a map") == ["maps"]
    assert (meanings.asked, search.problem) == ([], "The service is gone.")


@pytest.mark.parametrize(
    "answer",
    [lambda texts: [], lambda texts: [[1.0]] * 9, lambda texts: [[1.0] * (at + 1) for at, _ in enumerate(texts)]],
    ids=["none", "too many", "of several lengths"],
)
def test_vectors_that_do_not_fit_are_as_none(opened: Make, answer: Callable[[list[str]], list[list[float]]]) -> None:
    search = opened(embed=answer, embeds="m")
    assert found(search, "draw a map") == ["maps"]
    assert "don't fit" in search.problem
