"""Which cells `%skill save` takes."""

from __future__ import annotations

import pytest

from jupyter_codeact.errors import SkillError, SkillFailed
from jupyter_codeact.events import RanCell
from jupyter_codeact.skills.itself import Into
from jupyter_codeact.skills.selection import chosen, module_from


def cell(count: int, cell_id: str = "", ok: bool = True) -> RanCell:
    return RanCell(count, cell_id, f"x = {count}", ok)


RAN = [
    cell(1, "a"),
    cell(2, "b"),
    cell(3, "c", ok=False),
    cell(4, "c"),
    cell(5, "a"),
    cell(6),
    cell(7),
    cell(8, "d", ok=False),
    cell(12, "e"),
]


@pytest.mark.parametrize(
    ("words", "last", "counts"),
    [
        (["1"], (), [1]),
        (["2-4"], (), [2, 4]),
        (["4", "2"], (), [2, 4]),
        (["2-4", "4-6"], (), [2, 4, 5, 6]),
        (["1-5"], (), [2, 4, 5]),
        (["6-7"], (), [6, 7]),
        (["a"], (), [5]),
        (["e", "a"], (), [5, 12]),
        (["1", "a"], (), [5]),
        (["last"], ("b", "e"), [2, 12]),
        (["last", "6"], ("c",), [4, 6]),
        (["last"], ("c", "d"), [4]),
        (["10-20"], (), [12]),
    ],
)
def test_cells_by_count_id_or_last(words: list[str], last: tuple[str, ...], counts: list[int]) -> None:
    assert [found.count for found in chosen(RAN, words, last)] == counts


@pytest.mark.parametrize(
    ("ran", "words", "last", "said"),
    [
        (RAN[:4], ["3"], (), "3 names no cell that ran without an error. Cells that did: 1 `x = 1`, 2 `x = 2`, 4"),
        (RAN, ["5-4"], (), "5-4 names no cell"),
        (RAN, ["1", "99"], (), "99 names no cell"),
        (RAN, ["d"], (), "d names no cell"),
        (RAN, ["3-"], (), "3- names no cell"),
        (RAN, ["-3"], (), "-3 names no cell"),
        (RAN, [""], (), "names no cell"),
        (RAN, ["last"], (), "The agent's last run has no cell"),
        (RAN, ["last"], ("d",), "The agent's last run has no cell"),
        ([], ["1"], (), "1 names no cell that ran without an error (no cell has run yet)."),
    ],
)
def test_a_word_that_names_no_cell(ran: list[RanCell], words: list[str], last: tuple[str, ...], said: str) -> None:
    with pytest.raises(SkillError) as caught:
        list(chosen(ran, words, last))
    assert said in str(caught.value)


def test_an_error_lists_the_newest_cells_by_number_and_first_line() -> None:
    """After `jupyter execute` the file shows other numbers than the kernel's."""
    ran = [RanCell(count, "", f"\ndef f{count}(x):\n    return {count}", True) for count in range(1, 21)]
    with pytest.raises(SkillError) as caught:
        list(chosen([*ran, cell(21, ok=False)], ["21"], ()))
    assert "The newest that did: 13 `def f13(x):`, 14 `def f14(x):`," in str(caught.value)
    assert str(caught.value).endswith(", 20 `def f20(x):`.")


def test_a_name_that_a_later_cell_sets_is_not_taken_for_a_star_s() -> None:
    """What an earlier one set, the star may have set anew: that is seen where the skill is tried."""
    sources = ["e = 1\nold = 2", "from math import *", "K = 1\npi = 3", "def f(): return floor(e) + K + old + pi"]
    ran = [RanCell(n, "", source, True) for n, source in enumerate(sources, start=1)]
    chosen_ones = [ran[1], ran[3]]
    said = "^this needs K, which cell 3 defines; this needs pi, which cell 3 defines: name that cell too"
    with pytest.raises(SkillFailed, match=said):
        module_from(ran, chosen_ones, ["f"], Into("t"))
    assert "K" in module_from(ran, chosen_ones, ["f"], Into("t"), lenient=True)
    assert "old" in module_from(ran, [*chosen_ones, ran[2]], ["f"], Into("t"))
