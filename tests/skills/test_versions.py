"""Every save is a version: nothing that was there is lost, whoever writes, by whatever way, and whatever breaks."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from dulwich.repo import Repo

from jupyter_codeact.errors import SkillConflict, SkillError
from jupyter_codeact.skills.history import HAND, Note
from jupyter_codeact.skills.index import Index
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.search import Search

MINE = {"fit.py": "x = 1\n"}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    for name in ("own", "shared"):
        (tmp_path / name).mkdir()
    return Library(tmp_path / "own", tmp_path / "shared")


def texts(library: Library, name: str = "fit") -> list[str]:
    """What each version held, the oldest first."""
    history = library.history(library.folder_of(name))
    return ["".join(history.content(version).values()) for version in reversed(library.log(name))]


def test_each_save_is_a_version_that_says_who_and_why(library: Library) -> None:
    library.write("fit", MINE, Note("you", "First", {"Cells": "1, 2"}))
    saved = library.write("fit", {"fit.py": "x = 2\n"}, Note("agent", "Better"))
    assert (saved.version.number, saved.before and saved.before.number) == (2, 1)
    newest, first = library.log("fit")
    assert newest.note[:2] == ("agent", "Better")
    assert first.note == Note("you", "First", {"Cells": "1, 2"})
    assert texts(library) == ["x = 1\n", "x = 2\n"]
    assert (library.own / "fit.py").read_text() == "x = 2\n"


def test_what_is_the_same_is_no_version(library: Library) -> None:
    library.write("fit", MINE, Note())
    saved = library.write("fit", MINE, Note())
    assert saved.version == saved.before
    assert len(library.log("fit")) == 1


def test_a_change_by_hand_is_a_version(library: Library) -> None:
    library.write("fit", MINE, Note())
    (library.own / "fit.py").write_text("x = 'hers'\n")
    library.write("fit", {"fit.py": "x = 3\n"}, Note())
    assert texts(library) == ["x = 1\n", "x = 'hers'\n", "x = 3\n"]
    assert library.log("fit")[1].note.by == HAND
    (library.own / "fit.py").unlink()
    gone, *_, changed, _ = library.log("fit")
    assert (gone.removed, gone.note[:2]) == (True, (HAND, "Removed by hand"))
    assert changed.note[:2] == (HAND, "Changed by hand")


def test_a_module_that_was_put_there_by_hand_has_a_past_too(library: Library) -> None:
    (library.own / "fit.py").write_bytes("x = 'ü'\r\n".encode("latin-1"))
    assert texts(library) == ["x = '\udcfc'\r\n"]
    library.write("fit", MINE, Note())
    library.write("fit", library.history(library.own).files("fit", 1), Note())
    assert (library.own / "fit.py").read_bytes() == b"x = '\xfc'\r\n"


def test_who_has_seen_something_else_overwrites_nothing(library: Library) -> None:
    library.write("fit", MINE, Note())
    library.write("fit", {"fit.py": "x = 'theirs'\n"}, Note(), base=MINE)
    with pytest.raises(SkillConflict) as caught:
        library.write("fit", {"fit.py": "x = 'mine'\n"}, Note(), base=MINE)
    assert "-x = 1\n+x = 'theirs'" in caught.value.diff
    assert (library.own / "fit.py").read_text() == "x = 'theirs'\n"


def test_a_diff_of_several_files_names_each(library: Library) -> None:
    files = {"geo/__init__.py": "", "geo/api.py": "x = 1\n", "geo/impl.py": "y = 1\n"}
    library.write("geo", files, Note())
    theirs = {**files, "geo/api.py": "x = 2\n", "geo/impl.py": "y = 2\n"}
    library.write("geo", theirs, Note(), base=files)
    with pytest.raises(SkillConflict) as caught:
        library.write("geo", {}, Note(), base=files)
    api, impl = (f"@@ -1 +1 @@\n-{name} = 1\n+{name} = 2" for name in "xy")
    assert caught.value.diff == f"geo/api.py\n{api}\ngeo/impl.py\n{impl}"


def test_a_skill_that_was_removed_comes_back(library: Library) -> None:
    library.write("fit", MINE, Note())
    assert library.write("fit", {}, Note()).version.removed
    assert not library.list()
    library.write("fit", library.history(library.own).files("fit", 1), Note())
    assert [skill.name for skill in library.list()] == ["fit"]


def test_a_package_shows_its_api_and_keeps_all_its_files(library: Library) -> None:
    package = {"geo/__init__.py": "", "geo/api.py": "def area(r):\n    '''Area.'''\n", "geo/impl.py": "PI = 3\n"}
    library.write("geo", package, Note())
    skill = library.get("geo")
    assert (skill.module, skill.functions, skill.path) == ("geo.api", ["area(r)"], library.own / "geo" / "api.py")
    library.write("geo", {"geo.py": "PI = 4\n"}, Note())
    assert (library.get("geo").module, library.get("geo").source) == ("geo", "PI = 4\n")
    assert dict(library.history(library.own).files("geo", 1)) == package


def test_the_shared_library_has_a_history_of_its_own(library: Library) -> None:
    library.write("fit", MINE, Note("you", "mine"))
    library.write("fit", MINE, Note("you", "everybody's"), folder=library.shared)
    assert library.folder_of("fit") == library.own
    library.write("fit", {}, Note())
    assert [v.note.message for v in library.history(library.shared).log("fit")] == ["everybody's"]
    assert library.get("fit").path.parent == library.shared


@pytest.mark.parametrize("number", [0, 3])
def test_a_version_that_there_is_not_is_one_line(library: Library, number: int) -> None:
    library.write("fit", MINE, Note())
    with pytest.raises(SkillError, match="versions 1 to 1"):
        library.history(library.own).files("fit", number)


def test_a_write_opens_its_repository_once(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening it takes longer than what is done in it."""
    library.write("fit", MINE, Note())
    opened, whole = [], Repo.__init__

    def counted(self: Repo, *given: Any, **named: Any) -> None:
        opened.append(given)
        whole(self, *given, **named)

    monkeypatch.setattr(Repo, "__init__", counted)
    library.write("fit", {"fit.py": "x = 2\n"}, Note())
    assert len(opened) == 1
    assert library.history(library.own).newest("fit") is not None
    assert len(opened) == 2


def found_by(library: Library, text: str) -> list[str]:
    with contextlib.closing(Index(None)) as index:
        return [skill.name for skill in Search(index, library.folders, notes=library.notes).find(text)]


def test_a_skill_is_found_by_the_words_that_it_was_made_on(library: Library) -> None:
    """By those of all its versions, in either library, and of its prompts in all notebooks."""
    library.write(
        "fit", MINE, Note("agent", "Smoother", {"Prompt": "thickness of the glacier", "Notebook": "ice.ipynb"})
    )
    library.write("pack", {"pack/__init__.py": "", "pack/api.py": "y = 1\n"}, Note("you", "For Zermatt"))
    library.write("geo", {"geo.py": "z = 1\n"}, Note("you", "For Zermatt"), folder=library.shared)
    (library.own / "fit.py").write_text("x = 'by hand'\n")
    (library.own / "bare.py").write_text("x = 1\n")
    library.log("fit")
    for words in ("glaciers", "smoother", "ice"):
        assert found_by(library, words) == ["fit"]
    assert sorted(found_by(library, "Zermatt")) == ["geo", "pack.api"]


def test_without_its_history_a_skill_is_found_by_its_source(library: Library) -> None:
    library.write("fit", MINE, Note("you", "For the glacier"))
    folder = library.history(library.own).folder
    for path in folder.glob("objects/??/*"):
        path.chmod(0o600)
        path.write_bytes(b"no object")
    assert found_by(library, "glacier") == []
    assert found_by(library, "fit") == ["fit"]
    shutil.rmtree(folder)
    assert found_by(library, "fit") == ["fit"]
    assert not folder.exists()
