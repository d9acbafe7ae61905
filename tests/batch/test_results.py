"""What counts as done, and what is written down of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_codeact.batch.results import is_final, read_result, write_result
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
    write_result(tmp_path, result, "what")
    assert read_result(tmp_path) == (result, "what")
    for text in ("{", "[]", '{"id": "x", "colour": 1}'):
        (tmp_path / "result.json").write_text(text)
        assert read_result(tmp_path) is None
    assert read_result(tmp_path / "none") is None
