"""Where no sandbox can be had: her own skills can be saved all the same, others' can't."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.cli.skill import NotebookFile
from jupyter_codeact.errors import SandboxUnavailable
from jupyter_codeact.events import MimeBundle, RanCell
from jupyter_codeact.magics import editing, importing, skill
from jupyter_codeact.session import Session
from jupyter_codeact.settings import Settings

MINE = 'def f():\n    "Mine."\n    return 1'


class Cell:
    """One that only keeps what it is shown."""

    can_ask = False

    def __init__(self) -> None:
        self.said: list[str] = []

    def display(self, data: MimeBundle, display_id: str = "", update: bool = False) -> None:
        self.said.append(str(data["text/plain"]))

    def withdraw(self, display_id: str) -> None:
        """What was shown is kept."""

    def become(self, source: str) -> None:
        """Its source is not looked at."""


@pytest.fixture
def cell() -> Any:
    return Cell()


@pytest.fixture
def session(home: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """On a machine without bubblewrap."""
    monkeypatch.chdir(work)
    monkeypatch.setenv("PATH", str(work / "nothing"))
    settings = Settings.from_environment()
    settings.make_folders()
    return Session(settings, NotebookFile([RanCell(1, "a", MINE, ok=True)]))


async def test_a_save_says_what_saves_it_untried(session: Session, cell: Any) -> None:
    with pytest.raises(SandboxUnavailable, match=r"apt install bubblewrap.*Nothing was saved.*`--force` saves it"):
        await skill.answer_line(session, cell, "save mine 1")
    assert session.skills.library.list() == []


async def test_force_saves_it_and_the_version_says_that_nothing_was_tried(session: Session, cell: Any) -> None:
    await skill.answer_line(session, cell, "save mine 1 --force")
    assert "Saved mine" in cell.said[-1]
    assert "Forced, though nothing of it was imported or tested: " in cell.said[-1]
    assert ".." not in cell.said[-1]
    assert "bubblewrap is not installed" in cell.said[-1]
    assert session.skills.library.get("mine").source == f"{MINE}\n"
    (version,) = session.skills.library.log("mine")
    assert version.note.about["Checks"].startswith("forced: nothing of it was imported or tested")


async def test_force_saves_an_edit(session: Session, cell: Any) -> None:
    await editing.edit(session, cell, "mine --force", MINE)
    assert session.skills.library.get("mine").source == f"{MINE}\n"


@pytest.mark.parametrize("force", ["", " --force"])
async def test_what_comes_from_elsewhere_is_not_stored_untried(
    session: Session, cell: Any, work: Path, force: str
) -> None:
    (work / "theirs.py").write_text(MINE)
    with pytest.raises(SandboxUnavailable, match=r"bubblewrap.*Nothing was stored.*--force.*does not do without"):
        await importing.import_(session, cell, f"theirs.py --yes{force}", in_terminal=True)
    assert session.skills.library.list() == []


async def test_a_notebook_leaves_with_what_its_doctests_promise(session: Session, cell: Any, work: Path) -> None:
    (session.skills.library.own / "mine.py").write_text('"""Mine.\n\n>>> 6 * 7\n42\n"""\n')
    await skill.answer_line(session, cell, "export mine --to notebook")
    assert "Nothing in it was run: its outputs are what its doctests promise." in cell.said[-1]
    assert '"text/plain": "42"' in (work / "mine.ipynb").read_text()
