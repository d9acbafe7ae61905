"""What the sandbox's git is told of her own settings."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_codeact.sandbox import gitconfig

TEXTS = st.text(st.characters(exclude_characters="\0\r", exclude_categories=("Cs",)), max_size=20)


@given(TEXTS.filter(lambda name: name and "\n" not in name), TEXTS)
@settings(max_examples=40)
def test_git_reads_what_was_written(tmp_path_factory: pytest.TempPathFactory, name: str, value: str) -> None:
    file = tmp_path_factory.mktemp("git") / "config"
    key = f"filter.{name}.clean"
    file.write_text(gitconfig.written([(key, value)]), encoding="utf-8")
    command = ["git", "config", "--file", file, "--list", "--null"]
    assert subprocess.run(command, capture_output=True, check=True).stdout.decode() == f"{key}\n{value}\0"


@pytest.fixture
def hers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "global"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "ignore").write_text("from the default place\n")
    return tmp_path


def test_only_what_concerns_files_is_taken(hers: Path, tmp_path: Path) -> None:
    told = "[user]\nemail = her@example.org\n[alias]\nx = !echo\n[core]\nautocrlf = input\neditor = vi\n"
    (hers / "global").write_text(told + '[filter "lfs"]\nrequired\nclean = git-lfs clean -- %f\n')
    files = gitconfig.files(str(tmp_path / "work"))
    assert not any(word in files["gitconfig"] for word in ("her@", "echo", "vi"))
    assert all(word in files["gitconfig"] for word in ('autocrlf = "input"', 'clean = "git-lfs clean -- %f"'))
    assert files["gitignore"] == "from the default place\n"


def test_what_a_cell_may_have_written_leads_to_no_file_of_hers(hers: Path, tmp_path: Path) -> None:
    """A file of hers that a setting in the working folder names would be shown in the sandbox."""
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "secret").write_text("sk-secret\n")
    (work / "settings").write_text(f"[core]\nexcludesFile = {tmp_path}/secret\n")
    (hers / "global").write_text(f"[include]\npath = {work}/settings\n")
    assert "sk-secret" not in str(gitconfig.files(str(work)))
    assert "sk-secret" in str(gitconfig.files(str(tmp_path / "elsewhere")))
    os.symlink(tmp_path / "secret", work / "ignored")
    (hers / "global").write_text(f"[core]\nexcludesFile = {work}/ignored\n")
    assert "sk-secret" not in str(gitconfig.files(str(work)))


def test_a_pipe_that_hers_include_holds_up_no_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    os.mkfifo(tmp_path / "work" / "settings")
    (tmp_path / "global").write_text(f"[core]\n\teol = lf\n[include]\n\tpath = {tmp_path}/work/settings\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "global"))
    monkeypatch.setattr(gitconfig, "GIT_S", 0.2)
    files = gitconfig.files(str(tmp_path / "work"))
    assert "checkstat" in files["gitconfig"]
    assert "eol" not in files["gitconfig"]
