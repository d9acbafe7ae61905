"""`%skill log`, `diff`, `rollback` and `rm` where several libraries have a skill of the same name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Self

import pytest

from jupyter_codeact.cli.skill import NotebookFile
from jupyter_codeact.errors import SkillError, UsageError
from jupyter_codeact.magics.versions import answer
from jupyter_codeact.session import Session
from jupyter_codeact.settings import Settings
from jupyter_codeact.skills import history
from jupyter_codeact.skills.history import Note


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "read.py").write_text("x = 'read'\n")
    (theirs / "fit.py").write_text("x = 'theirs'\n")
    settings = Settings(tmp_path / "home", other_skills=(str(theirs),))
    settings.make_folders()
    made = Session(settings, NotebookFile([]))
    yield made
    made.skills.search.index.close()


def source(session: Session) -> str:
    return session.skills.library.get("fit").source


def test_what_was_removed_comes_back_where_it_was(session: Session) -> None:
    """Though another library's skill of that name is imported meanwhile."""
    library = session.skills.library
    for text in ("x = 'shared 1'\n", "x = 'shared 2'\n"):
        library.write("fit", {"fit.py": text}, Note(), folder=library.shared)
    library.write("fit", {"fit.py": "x = 'own'\n"}, Note())
    said = answer(session, "rm", "fit")
    assert "`%skill rollback fit 1`" in said
    assert said.endswith("`import fit` takes the one in the shared library from now on.")
    assert source(session) == "x = 'shared 2'\n"
    assert "`%skill rm fit` takes that back" in answer(session, "rollback", "fit 1")
    assert source(session) == "x = 'own'\n"
    assert (library.shared / "fit.py").read_text() == "x = 'shared 2'\n"


def test_the_shared_one_is_removed_where_that_is_said_alone(session: Session) -> None:
    library = session.skills.library
    library.write("fit", {"fit.py": "x = 'shared'\n"}, Note(), folder=library.shared)
    library.write("fit", {"fit.py": "x = 'own'\n"}, Note())
    assert "Removed **fit** from your own library. `%skill rollback fit 1`" in answer(session, "rm", "fit")
    with pytest.raises(SkillError, match="shared by all workspaces: `%skill rm fit --shared` removes that one"):
        answer(session, "rm", "fit")
    said = answer(session, "rm", "fit --shared")
    assert said.endswith(f"`import fit` takes the one in {library.folders[2]} from now on.")
    assert "Removed **fit** from the shared library. `%skill rollback fit 1 --shared` brings it back." in said
    with pytest.raises(SkillError, match=r"removed already. `%skill log fit --shared`"):
        answer(session, "rm", "fit --shared")
    # Both are gone: without a word it is the one that was removed last.
    assert "`%skill rm fit --shared` takes that back" in answer(session, "rollback", "fit 1")
    assert source(session) == "x = 'shared'\n"
    assert "**fit** has 3 versions" in answer(session, "log", "fit --shared")
    assert "**fit** has 2 versions" in answer(session, "log", "fit --own")
    answer(session, "rollback", "fit 1 --own")
    assert source(session) == "x = 'own'\n"
    assert "x = 'shared'" in answer(session, "diff", "fit 0 1 --shared")
    assert "`import fit`" not in answer(session, "rm", "fit --shared")
    assert source(session) == "x = 'own'\n"
    assert not (library.shared / "fit.py").exists()


@pytest.mark.parametrize("flag", ["--shared", "--own"])
def test_a_library_that_never_had_it_says_so(session: Session, flag: str) -> None:
    with pytest.raises(SkillError, match="There is no skill called read in"):
        answer(session, "rm", f"read {flag}")
    with pytest.raises(UsageError, match="written wrongly"):
        answer(session, "rm", "read --shared --own")


def test_the_facts_of_a_version_are_read_as_a_list(session: Session) -> None:
    """None is told twice, and none ends the sentence."""
    about = {"From": "x.py", "Prompt": "Add two numbers.", "Checks": "passed"}
    session.skills.library.write("fit", {"fit.py": "x = 1\n"}, Note("you", "Imported from x.py", about))
    assert "| Imported from x.py (prompt Add two numbers, checks passed) |" in answer(session, "log", "fit")


class Frozen(datetime):
    """A clock that stands still: versions of one second, or of a clock that was set back."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(1_800_000_000, tz)


def test_what_was_changed_since_is_what_is_meant(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the clock says."""
    monkeypatch.setattr(history, "datetime", Frozen)
    library = session.skills.library
    library.write("fit", {"fit.py": "x = 'own'\n"}, Note())
    library.write("fit", {}, Note())
    for text in ("x = 'shared 1'\n", "x = 'shared 2'\n"):
        library.write("fit", {"fit.py": text}, Note(), folder=library.shared)
    answer(session, "rollback", "fit 1")
    assert source(session) == "x = 'shared 1'\n"
    for last in (library.own, library.shared, library.own):
        for folder in (library.own, library.shared):
            library.write("fit", {"fit.py": "x = 1\n"}, Note(), folder=folder)
        for folder in sorted((library.own, library.shared), key=lambda folder: folder == last):
            library.write("fit", {}, Note(), folder=folder)
        assert library.undone_in("fit") == last
    assert "Turn" not in answer(session, "log", "fit --own")


def test_it_comes_back_before_one_that_is_only_read(session: Session) -> None:
    session.skills.library.write("fit", {"fit.py": "x = 'own'\n"}, Note())
    theirs = session.skills.library.folders[2]
    assert answer(session, "rm", "fit").endswith(f"`import fit` takes the one in {theirs} from now on.")
    assert source(session) == "x = 'theirs'\n"
    answer(session, "rollback", "fit 1")
    assert source(session) == "x = 'own'\n"


@pytest.mark.parametrize("words", ["log read", "diff read", "rollback read 1", "rm read"])
def test_of_what_is_only_read_no_versions_are_kept(session: Session, words: str) -> None:
    with pytest.raises(SkillError, match=r"read lies in .*theirs, which is only read here"):
        answer(session, *words.split(maxsplit=1))


def test_a_rollback_to_no_version_says_which_there_are(session: Session) -> None:
    library = session.skills.library
    for number in range(3):
        library.write("fit", {"fit.py": f"x = {number}\n"}, Note(message=f"for {number}"))
    with pytest.raises(UsageError) as caught:
        answer(session, "rollback", "fit")
    assert "such as `%skill rollback fit 2`. There are 2 (20" in str(caught.value)
    assert re.search(r"you: for 1\), 1 \(.*, you: for 0\)\.$", str(caught.value))
    answer(session, "rm", "fit")
    with pytest.raises(UsageError, match="`%skill rollback fit 3`"):
        answer(session, "rollback", "fit")
    library.write("one", {"one.py": "x = 1\n"}, Note())
    with pytest.raises(UsageError, match="one has one version"):
        answer(session, "rollback", "one")
    for number in range(9):
        library.write("one", {"one.py": f"x = {number}\n"}, Note())
    with pytest.raises(UsageError, match=r"no words\); `%skill log one` shows all\.$"):
        answer(session, "rollback", "one")
