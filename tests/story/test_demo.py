"""The main job: one agent develops a skill, another one uses it in a new notebook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from helpers import PATIENCE_S, shown
from servers import ModelServer, Reply, ToolCall

pytestmark = [
    pytest.mark.usefixtures("sandbox"),
    pytest.mark.demo,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ROOT = Path(__file__).resolve().parent.parent.parent


def demo(out: Path, *options: str, **variables: str) -> str:
    """Run it as a person does; returns what was on the screen."""
    command = [sys.executable, "-P", "-m", "jupyter_codeact", "demo", "--out", str(out), *options]
    environment = dict(os.environ) | {"COLUMNS": "200"} | variables
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=3 * PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check(out: Path) -> None:
    """Everything that the demo leaves behind."""
    one, two = (nbformat.read(out / name, as_version=4) for name in ("1-develop.ipynb", "2-reuse.ipynb"))
    written = [cell for nb in (one, two) for cell in nb.cells if "jupyter_codeact" in cell.metadata]
    assert len(written) >= 6
    assert all(cell.metadata.jupyter_codeact.status == "accepted" for cell in written)
    assert "from gp_fit import" in two.cells[2].source
    assert any("restarts: 15" in shown(cell) for cell in one.cells if cell.cell_type == "code")
    skill = (out / "codeact/skills/private/default/gp_fit.py").read_text()
    assert "def gp_fit(" in skill
    assert "def plot_pred(" in skill
    assert "n_restarts: int = 15" in skill
    pictures = sorted((out / "plots").glob("*.png"))
    assert len(pictures) == 3
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)
    assert len(list(out.glob("codeact/runs/*/*.traj"))) == 5


def test_the_demo_with_scripted_replies(tmp_path: Path) -> None:
    screen = demo(tmp_path)
    assert "The model is scripted" in screen
    assert "Every step passed" in screen
    assert "jupyter lab" in screen
    check(tmp_path)


def test_the_demo_with_a_model_over_http(tmp_path: Path, model_server: ModelServer) -> None:
    for name in ("gp_fit", "gp_reuse"):
        model_server.add(*map(reply, yaml.safe_load((ROOT / "examples" / f"{name}.yaml").read_text())["replies"]))
    service = {"JUPYTER_CODEACT_API_BASE": model_server.anthropic_base, "ANTHROPIC_API_KEY": "sk-test"}
    screen = demo(tmp_path, "--model", "anthropic/claude-sonnet-4-5", **service)
    assert "for real" in screen
    assert model_server.remaining == 0
    check(tmp_path)


def reply(entry: dict[str, Any]) -> Reply:
    calls = []
    if "code" in entry:
        calls = [ToolCall("run_cell", {"code": entry["code"]})]
    elif "edit" in entry:
        calls = [ToolCall("edit_file", entry["edit"])]
    return Reply(text=str(entry.get("text", "")), tool_calls=calls, chunk_size=40)


def test_a_demo_whose_model_does_the_wrong_thing_fails(tmp_path: Path, model_server: ModelServer) -> None:
    model_server.add(*[Reply(text="I would rather not.")] * 5)
    service = {"JUPYTER_CODEACT_API_BASE": model_server.anthropic_base, "ANTHROPIC_API_KEY": "sk-test"}
    with pytest.raises(AssertionError, match="failed"):
        demo(tmp_path, "--model", "anthropic/claude-sonnet-4-5", **service)
