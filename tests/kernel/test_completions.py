"""What the sandbox offers where she presses Tab: words for her line, and never a cell of ours."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_codeact.kernel.border import Border
from jupyter_codeact.kernel.comms import Comms
from jupyter_codeact.kernel.wire import DELIMITER, build


@pytest.fixture
def border() -> Border:
    return Border(Comms(), "proxy")


def completed(border: Border, code: str, cursor: int | None, **answer: Any) -> dict[str, Any]:
    asked = build("complete_request", {"code": code, "cursor_pos": cursor}, "page")
    border.requests.add(asked, "shell")
    content = {"status": "ok", "metadata": {}, **answer}
    reply = build("complete_reply", content, "sandbox", asked.parts[0])
    passed = border.replied([DELIMITER, b"", *reply.parts], "shell")
    assert passed is not None
    return passed.content


@pytest.mark.parametrize(
    ("code", "matches", "kept"),
    [
        ("x = 1\nim", ["import", "%%agent --review auto\nimport the data", "%agent", "a\rb"], ["import"]),
        ("%a", ["%agent", "%%agent", "%alias", "%%agent --review auto do"], ["%agent", "%%agent", "%alias"]),
        ("!", ["!%skill save", "!ls"], ["!ls"]),
    ],
)
def test_a_completion_writes_no_cell_of_ours(border: Border, code: str, matches: list[str], kept: list[str]) -> None:
    end = len(code)
    start = code.rindex("\n") + 1 if "\n" in code else 0
    place = {"cursor_start": start, "cursor_end": end}
    assert completed(border, code, end, matches=matches, **place)["matches"] == kept
    items = [{"start": start, "end": end, "text": match, "type": "x", "signature": ""} for match in matches]
    for named in (matches, ["as good as any"] * len(matches)):
        typed = {"_jupyter_types_experimental": items}
        answer = completed(border, code, end, matches=named, metadata=typed, **place)
        assert [item["text"] for item in answer["metadata"]["_jupyter_types_experimental"]] == kept
        assert len(answer["matches"]) == len(kept)


@pytest.mark.parametrize(
    ("line", "start", "match", "passes"),
    [
        (("%a", ""), 2, "gent trust outputs", False),
        (("%a", ""), 1, "agent trust outputs", False),
        (("%a", ""), 2, "gent", False),
        (("%a", ""), 0, "%agent", True),
        (("%%sk", ""), 0, "%%skill", True),
        (("%agent", ""), 6, " trust outputs", False),
        (("?%skil", ""), 6, "l rm fit", False),
        (("%a trust outputs", ""), 0, "%agent", False),
        (("%", "gent trust outputs"), 1, "a", False),
        (("x = 1\n%", "gent trust outputs\ny"), 7, "a", False),
        (("'\U0001f600\U0001f600'\n%a", ""), 7, "gent trust outputs", False),
        (("x %a", ""), 4, "gents", True),
        (("x = %agen", ""), 9, "tic", True),
        (("# %agent\nim", "\n# %agent"), 9, "import", True),
    ],
)
def test_nor_does_what_it_makes_of_her_line(
    border: Border, line: tuple[str, str], start: int, match: str, passes: bool
) -> None:
    before, behind = line
    end = 2 if before == "%a trust outputs" else len(before)
    item = {"start": 0, "end": 0, "text": match}
    for metadata in ({}, {"_jupyter_types_experimental": [item]}):
        place = {"cursor_start": start, "cursor_end": end, "metadata": metadata}
        answer = completed(border, before + behind, len(before), matches=[match], **place)
        assert bool(answer["matches"]) is passes


def test_it_is_no_longer_than_a_name_may_be(border: Border) -> None:
    """A page makes its list as wide as the longest of them."""
    matches = ["a" * 1000, "a" * 1001]
    items = [{"start": 0, "end": 1, "text": match, "type": "t" * 9000, "signature": "s" * 9000} for match in matches]
    place = {"cursor_start": 0, "cursor_end": 1, "metadata": {"_jupyter_types_experimental": items}}
    answer = completed(border, "a", 1, matches=matches, **place)
    assert answer["matches"] == matches[:1]
    [item] = answer["metadata"]["_jupyter_types_experimental"]
    assert item["text"] == matches[0]
    assert item["type"] == "t" * 80
    assert item["signature"] == "s" * 2000


PLACES = [(6, 8, True), (8, 8, True), (0, 8, False), (5, 8, False), (6, 9, False)]


@pytest.mark.parametrize(("start", "end", "fits"), PLACES)
def test_a_completion_stands_in_the_line_before_her_cursor(border: Border, start: int, end: int, fits: bool) -> None:
    answer = completed(border, "x = 1\nimport", 8, matches=["import"], cursor_start=start, cursor_end=end)
    assert (answer["status"] == "ok") is fits
