"""Bubblewrap takes 9000 words: a folder for which it would need more is shown with less, or refused by us."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_codeact.errors import SandboxUnavailable
from jupyter_codeact.files import Identity
from jupyter_codeact.sandbox import repository
from jupyter_codeact.sandbox.launch import open_sandbox
from jupyter_codeact.sandbox.paths import MOST_ENTRIES

from .rooms import room


def submodules(work: Path, *paths: str) -> None:
    """A repository with so many, as its index has them."""
    entries = "".join(f"160000 {'1' * 40} 0\t{path}\n" for path in paths)
    subprocess.run(["git", "init", "-q", str(work)], check=True)
    subprocess.run(["git", "-C", str(work), "update-index", "--index-info"], input=entries.encode(), check=True)


def test_of_a_home_with_very_many_entries_its_folders_are_shown_first(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(work))
    for number in range(3100):
        (work / f"file-{number}").touch()
    (work / "project").mkdir()
    with room("bubblewrap", work) as cells:
        found, written = cells("import os; print(len(os.listdir('.')), open('project/new', 'w').write('x'))").split()
    assert (int(found), written) == (MOST_ENTRIES, "1")


def test_submodules_that_lie_deep_are_kept_with_the_folders_above_them(work: Path) -> None:
    submodules(work, *(f"ext/a{n}/b{n}/c{n}/d{n}/e{n}/s{n}" for n in range(500)))
    with room("bubblewrap", work) as cells:
        for kept in ("a7/b7/c7/d7/e7/s7/.git", "a7/b7/new", ".git"):
            assert cells.attempt(f"os.mkdir('ext/{kept}')") == ("EROFS" if kept != ".git" else "")
        assert cells.attempt("os.mkdir('ext/a7/new')") == ""
        assert cells.attempt("os.rename('ext/a7', 'ext/moved')") == "EBUSY"
        assert cells.attempt("open('.git/config', 'w')") == "EROFS"


def test_as_many_in_one_folder_are_kept_by_themselves(work: Path) -> None:
    paths = [f"ext/s{number}" for number in range(499)]
    submodules(work, *paths)
    for path in paths:
        submodules(work / path)
    kept = {str(work / path / ".git") for path in paths} | {str(work / ".git")}
    assert set(repository.kept(str(work))) == kept


def test_of_more_than_can_be_covered_we_say_so(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(work))
    for number in range(1600):
        (work / f".settings-{number}").mkdir()
    with pytest.raises(SandboxUnavailable, match=r"than bubblewrap can mount \(it would be told \d+ words of 9000\)"):
        open_sandbox("bubblewrap", sys.executable, str(work), known=Identity.of(work))
    for number in range(1400, 1600):
        os.rmdir(work / f".settings-{number}")
    with room("bubblewrap", work) as cells:
        assert cells("print(1)") == "1"
