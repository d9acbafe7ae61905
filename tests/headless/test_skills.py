"""The skill library in runs without a front end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_codeact.agent import TextProblem
from jupyter_codeact.agent.config import AgentConfig
from jupyter_codeact.agent.trajectory import read
from jupyter_codeact.headless.cells import NOBODY, Reviewer, SandboxHolds, YesToAll
from jupyter_codeact.headless.solve import Job, solve
from jupyter_codeact.parts import ModelConfig
from jupyter_codeact.settings import Settings

pytestmark = pytest.mark.usefixtures("sandbox")
REPLIES = [
    {"code": "def twice(x):\n    '''Twice.'''\n    return 2 * x"},
    {"calls": [{"name": "skills", "arguments": {"command": "save", "name": "doubling", "what": "twice"}}]},
    {"edit": {"command": "create", "path": "skill:mine.py", "file_text": "x = 1\n"}},
    {"calls": [{"name": "skills", "arguments": {"command": "search", "name": "twice"}}]},
    {"text": "Done."},
]


@pytest.mark.parametrize("reviewer", [SandboxHolds(), YesToAll()], ids=["nobody reviews", "all is let"])
async def test_where_nobody_reviews_the_library_stays_as_it_is(
    reviewer: Reviewer, home: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By either tool. The twin shows that the same replies would change it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "replies.yaml").write_text(json.dumps({"replies": REPLIES}))
    settings = Settings(home)
    config = AgentConfig(model=ModelConfig(name="scripted/replies"))
    result = await solve(Job(TextProblem("go", "go"), config, work, tmp_path / "out"), settings, reviewer=reviewer)
    messages = read(Path(result.files["trajectory"]))["history"]
    _, saved, created, found = [str(message["content"]) for message in messages if message["role"] == "tool"]
    names = sorted(path.name for path in settings.private_skills.glob("*.py"))
    if isinstance(reviewer, YesToAll):
        assert names == ["doubling.py", "mine.py"]
        assert "Checked: imported in a fresh sandbox" in saved
        assert "twice(x): Twice." in found
    else:
        assert names == []
        assert NOBODY in saved
        assert NOBODY in created
        assert "No skill fits these words." in found
