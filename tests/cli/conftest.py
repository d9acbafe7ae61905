"""What commands work on: a model's replies, and a git checkout."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def replies(tmp_path: Path) -> Callable[..., str]:
    """The name of a scripted model that gives these replies."""

    def write(*given: dict[str, Any], name: str = "replies", delay_s: float = 0.0) -> str:
        path = tmp_path / f"{name}.yaml"
        path.write_text(json.dumps({"replies": given, "delay_s": delay_s}))
        return f"scripted/{path}"

    return write


@pytest.fixture
def checkout(work: Path) -> Path:
    """The working folder as a git checkout with one commit."""
    (work / "a.txt").write_text("one\n")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments], cwd=work, check=True)
    return work
