"""What counts as done, and what is written down of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_codeact.batch.results import forget, is_final, read_result, write_result
from jupyter_codeact.headless.solve import Result


@pytest.mark.parametrize(
    ("exit_status", "final"),
    [
        ("submitted", True),
        ("submitted (exit_cost)", True),
        ("exit_forfeit", True),
        ("exit_format", True),
        ("exit_api", False),
        ("submitted (exit_api)", False),
        ("submitted (exit_environment_error)", False),
        ("exit_stopped", False),
        ("submitted (exit_stopped)", False),
        ("exit_error", False),
    ],
)
def test_what_the_service_or_the_machine_did_is_tried_again(exit_status: str, final: bool) -> None:
    assert is_final(Result("x", exit_status)) is final


def test_a_result_is_read_back_and_a_broken_one_is_none(tmp_path: Path) -> None:
    result = Result("x", "submitted", answer="Done.", cost_usd=0.5, files={"patch": "x.patch"})
    (tmp_path / "x").mkdir()
    write_result(tmp_path, "x", result, "what")
    assert read_result(tmp_path, "x") == (result, "what")
    for text in ("{", "[]", '{"id": "x", "colour": 1}'):
        (tmp_path / "x" / "result.json").write_text(text)
        assert read_result(tmp_path, "x") is None
    assert read_result(tmp_path, "none") is None


@pytest.mark.parametrize(
    "forged",
    [
        {"cost_usd": -1000},
        {"cost_usd": float("nan")},
        {"cost_usd": float("inf")},
        {"cost_usd": "x"},
        {"cost_usd": None},
        {"cost_usd": 10**400},
        {"tokens_sent": 0.5},
        {"api_calls": -1},
        {"cost_known": "no"},
        {"answer": ["x"]},
        {"files": ["x.patch"]},
        {"files": {"patch": 1}},
    ],
)
def test_a_result_that_no_batch_wrote_counts_nothing(tmp_path: Path, forged: dict[str, object]) -> None:
    """A cell may have written it: the limit of all together is not its to move."""
    (tmp_path / "x").mkdir()
    write_result(tmp_path, "x", Result("x", "submitted", cost_usd=1), "what")
    assert read_result(tmp_path, "x") == (Result("x", "submitted", cost_usd=1), "what")
    path = tmp_path / "x" / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | forged))
    assert read_result(tmp_path, "x") is None


def test_a_result_nested_without_end_is_none(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "result.json").write_text("[" * 100_000)
    assert read_result(tmp_path, "x") is None


def test_a_link_among_the_results_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    hers, out = tmp_path / "hers", tmp_path / "out"
    hers.mkdir()
    out.mkdir()
    (out / "x").symlink_to(hers)
    with pytest.raises(OSError, match="Not a directory"):
        write_result(out, "x", Result("x", "submitted"), "what")
    assert not any(hers.iterdir())
    write_result(tmp_path, "hers", Result("x", "submitted"), "what")
    assert read_result(out, "x") is None
    with pytest.raises(OSError, match="Not a directory"):
        forget(out, "x")
    assert [path.name for path in hers.iterdir()] == ["result.json"]
