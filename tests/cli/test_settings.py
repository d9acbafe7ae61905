"""Settings of the environment that can't be: one line that names the variable, before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.mark.parametrize("root", ["/proc/nothing", "/dev/null", "~nobody-of-this-name/codeact"])
@pytest.mark.parametrize("name", ["run", "batch", "skill"])
def test_a_data_folder_that_can_t_be_is_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, root: str
) -> None:
    (tmp_path / "p.yaml").write_text("- {id: one, text: go}\n")
    words = {
        "run": ("--text", "go", "--model", "scripted/gp_fit", "--review", "auto"),
        "batch": (tmp_path / "p.yaml", "--model", "scripted/gp_fit", "--out", tmp_path / "out"),
        "skill": ("list",),
    }[name]
    monkeypatch.setenv("JUPYTER_CODEACT_HOME", root)
    done = command(name, *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert f"{root} can't hold skills and runs" in done.err
    assert "Set JUPYTER_CODEACT_HOME to a folder" in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("workspace", ["../other", "a/b", "/tmp", "..", ".hidden", "my project", "a\nb"])
def test_a_workspace_is_a_name_and_no_folder(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch, workspace: str
) -> None:
    monkeypatch.setenv("JUPYTER_CODEACT_WORKSPACE", workspace)
    done = command("skill", "list")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "JUPYTER_CODEACT_WORKSPACE=" in done.err
    assert "names your private skill library" in done.err
    assert not home.exists()


@pytest.mark.parametrize(("workspace", "folder"), [("", "default"), ("a-b_c.1", "a-b_c.1"), ("größe", "größe")])
def test_a_workspace_s_library_has_a_folder_of_its_name(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch, workspace: str, folder: str
) -> None:
    monkeypatch.setenv("JUPYTER_CODEACT_WORKSPACE", workspace)
    assert command("skill", "list").code == 0
    assert (home / "skills" / "private" / folder).is_dir()
