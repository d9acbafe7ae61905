"""What a version remembers of the checks of an agent's edit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_codeact.skills.checks import Tried
from jupyter_codeact.skills.editor import LibraryEditor
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.skill import Files


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "own").mkdir()
    return Library(tmp_path / "own")


class Trial:
    """A trial that finds what it is told, or never ends."""

    def __init__(self, *failures: str, ends: bool = True) -> None:
        self.failures, self.ends = failures, ends
        self.begun = asyncio.Event()

    async def __call__(self, name: str, files: Files, tell: Callable[[str], None]) -> Tried:
        tell(f"importing {name}")
        self.begun.set()
        if not self.ends:
            await asyncio.Event().wait()
        return Tried(self.failures)


@pytest.mark.parametrize(
    ("trial", "text", "said"),
    [
        (Trial(), "x = 1\n", "passed"),
        (Trial("test_f: no"), "x = 1\n", "failed: test_f: no"),
        (Trial(), "x = y\n", "failed: fit.py, line 1: y is not defined"),
        (Trial(ends=False), "x = 1\n", "stopped"),
    ],
)
async def test_a_version_remembers_what_the_checks_of_the_edit_said(
    library: Library, trial: Trial, text: str, said: str
) -> None:
    heard: list[str] = []
    editor = LibraryEditor(library, trial)
    edit = editor.plan({"command": "create", "path": "fit.py", "file_text": text})
    edit.apply()
    checks = asyncio.ensure_future(edit.checks(heard.append))
    if not trial.ends:
        await trial.begun.wait()
        checks.cancel()
    await asyncio.wait([checks])
    (version,) = library.log("fit")
    assert (version.number, version.note.about["Checks"]) == (1, said)
    assert heard == (["importing fit"] if "defined" not in said else [])


async def test_what_is_to_be_looked_at_is_told_to_both_and_counted(library: Library, tmp_path: Path) -> None:
    """As it is of a save."""
    (tmp_path / "local.py").write_text("k = 1\n")
    editor = LibraryEditor(library, Trial(), tmp_path)
    here = "fit.py, line 1: imports `local` from this folder: it works here alone"
    prints = "fit.py, line 2: print(…) runs at each import"
    for text, said, remembered in (
        ("import local\n", f"Create fit.py. Look at {here}", "1 warning"),
        ("import local\nprint(1)\n", f"Change fit.py. Look at {prints}. Look at {here}", "2 warnings"),
        ("x = 1\n", "Change fit.py", "passed"),
    ):
        edit = editor.plan({"command": "create", "path": "fit.py", "file_text": text})
        assert edit.summary == said
        assert edit.apply().startswith(f"{said}: done.\n")
        await edit.checks()
        assert library.log("fit")[0].note.about["Checks"] == remembered
    assert editor.plan({"command": "undo", "path": "fit.py"}).summary.endswith(here)


async def test_the_checks_of_an_edit_are_no_later_version_s(library: Library) -> None:
    editor = LibraryEditor(library, Trial())
    edit = editor.plan({"command": "create", "path": "fit.py", "file_text": "x = 1\n"})
    edit.apply()
    (library.own / "fit.py").write_text("x = 'hers'\n")
    library.log("fit")
    await edit.checks()
    assert ["Checks" in version.note.about for version in library.log("fit")] == [False, False]
