"""The agent in a program of somebody's own: the code of its page runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_codeact.agent.trajectory import read

DOCS = Path(__file__).resolve().parents[2] / "docs"


def shown(page: str, language: str) -> str:
    """The first block of a page in that language."""
    found = re.search(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.usefixtures("sandbox", "home")
def test_the_page_of_the_agent_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "first.yaml").write_text(shown("scripted.md", "yaml"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path)
    exec(compile(shown("agent.md", "python"), "agent.md", "exec"), {})
    out = capsys.readouterr().out
    assert "print(a + b)\n-> 42\n" in out
    assert out.endswith("submitted It is **42**, and stands in `sums.txt`.\n")
    assert (tmp_path / "project" / "sums.txt").read_text() == "19 + 23 = 42\n"
    assert len(read(tmp_path / "results" / "sum.traj")["trajectory"]) == 3
