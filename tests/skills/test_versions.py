"""Every save is a version: nothing that was there is lost, whoever writes, by whatever way, and whatever breaks."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dulwich.repo import Repo
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_codeact.errors import SkillConflict, SkillError
from jupyter_codeact.skills import library as library_module
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
    assert library.log("fit")[0].removed


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


def test_on_a_full_disk_the_old_version_stays(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.write("fit", MINE, Note())

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(library_module, "write_atomically", full)
    with pytest.raises(SkillError, match=r"fit\.py can't be written: .*No space left"):
        library.write("fit", {"fit.py": "x = 2\n"}, Note())
    monkeypatch.undo()
    assert (library.own / "fit.py").read_text() == "x = 1\n"
    assert len(library.log("fit")) == 1


FULL = """
import os, sys
from pathlib import Path
from jupyter_codeact.errors import SkillError
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.library import Library
disk = Path(sys.argv[1])
(disk / "own").mkdir()
library, filler, path = Library(disk / "own", disk / "shared"), disk / "filler", disk / "own" / "fit.py"
is_plain = sys.argv[2] == "plain"

def write(text):
    path.write_text(text) if is_plain else library.write("fit", {"fit.py": text}, Note())

here = ["x = 'old'\\n"]
write(here[0])
lost = refused = 0
for room in range(30):
    # All of the disk but so many blocks.
    with filler.open("wb") as file:
        found = os.statvfs(disk)
        os.posix_fallocate(file.fileno(), 0, (found.f_bavail - room) * found.f_frsize)
    text = f"x = {room}\\n" + os.urandom(5000).hex() + "\\n"
    try:
        write(text)
        here.append(text)
    except (SkillError, OSError) as error:
        refused += "No space left" in str(error)
        lost += path.read_text() != here[-1]
    filler.unlink()
    if not is_plain:
        versions = reversed(library.log("fit"))
        assert [library.history(library.own).content(v)["fit.py"] for v in versions] == here
    write(here[-1])
print(lost, refused, len(here), [p.name for p in (disk / "own").iterdir()])
"""


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(("how", "is_lost"), [("library", False), ("plain", True)])
def test_a_disk_that_is_full_at_any_block_of_a_save_loses_nothing(tmp_path: Path, how: str, is_lost: bool) -> None:
    """A real one, small and in memory. A plain write to it takes the old text away first."""
    small = ["bwrap", "--dev-bind", "/", "/", "--size", "1000000", "--tmpfs", str(tmp_path), "--die-with-parent"]
    command = [*small, sys.executable, "-c", FULL, str(tmp_path), how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lost, refused, saved, files = done.stdout.split(maxsplit=3)
    assert (int(lost) > 0) is is_lost
    assert int(refused) > 1
    assert int(saved) > 10
    assert files == "['fit.py']\n"


KILLED = """
import itertools, os, signal, sys
from pathlib import Path
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.library import Library
folder, is_plain = Path(sys.argv[1]), sys.argv[2] == "plain"
library, path = Library(folder / "own", folder / "shared"), folder / "own" / "fit.py"
STEPS = "open mkstemp write flush fsync chmod replace rename link unlink close __exit__ flock".split()

def write(text):
    path.write_text(text) if is_plain else library.write("fit", {"fit.py": text}, Note())

def die(step):
    def count(frame, event, arg):
        nonlocal step
        step -= event == "c_return" and arg.__name__ in STEPS
        if step < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.setprofile(count)

here, halves = ["x = 'old'\\n"], 0
write(here[0])
for step in itertools.count():
    text = f"x = {step}\\n" * 9
    child = os.fork()
    if not child:
        die(step)
        write(text)
        sys.setprofile(None)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    found = path.read_text()
    halves += found not in (here[-1], text)
    here += [text] * (found == text)
    if not is_plain:
        newest = library.log("fit")[0]
        assert library.history(library.own).content(newest)["fit.py"] == here[-1]
    if not status:
        break
    write(here[-1])
if not is_plain:
    versions = reversed(library.log("fit"))
    assert [library.history(library.own).content(v)["fit.py"] for v in versions] == here
print(step, halves)
"""


@pytest.mark.parametrize(("how", "is_half"), [("library", False), ("plain", True)])
def test_a_writer_that_is_killed_after_any_step_leaves_a_whole_version(
    library: Library, how: str, is_half: bool
) -> None:
    """After each call that does something to a file. A plain write leaves an empty one after its first."""
    command = [sys.executable, "-c", KILLED, str(library.own.parent), how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps, halves = map(int, done.stdout.split())
    assert steps > (2 if is_half else 20)
    assert bool(halves) is is_half


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


SAVE = """
import sys
from pathlib import Path
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.library import Library
folder, who, count = sys.argv[1:]
library = Library(Path(folder, "own"), Path(folder, "shared"))
print(flush=True)
for number in range(int(count)):
    library.write("fit", {"fit.py": f"x = '{who} {number}'\\n"}, Note(who))
    print(number, flush=True)
"""


def saving(library: Library, who: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SAVE, str(library.own.parent), who, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_eight_writers_at_once_lose_nothing(library: Library) -> None:
    writers = [saving(library, f"writer {n}", 100) for n in range(8)]
    for writer in writers:
        with writer:
            writer.communicate()
    assert [writer.returncode for writer in writers] == [0] * 8
    expected = sorted(f"x = 'writer {n} {number}'\n" for n in range(8) for number in range(100))
    assert sorted(texts(library)) == expected
    assert (library.own / "fit.py").read_text() == texts(library)[-1]


@settings(max_examples=10)
@given(saves=st.integers(0, 6), more=st.floats(0, 1))
def test_a_writer_that_is_killed_leaves_a_whole_version(
    tmp_path_factory: pytest.TempPathFactory, saves: int, more: float
) -> None:
    """After so many saves, and a part of the next one: what was said to be saved is there, and no half of another."""
    folder = tmp_path_factory.mktemp("library")
    for name in ("own", "shared"):
        (folder / name).mkdir()
    library = Library(folder / "own", folder / "shared")
    writer = saving(library, "she", 10_000)
    assert writer.stdout is not None
    with writer, writer.stdout:
        for _ in range(saves + 1):
            writer.stdout.readline()
        # Somewhere in the next save: spinning, since a sleep would end between two of them.
        for _ in range(int(more * 200_000)):
            pass
        os.kill(writer.pid, signal.SIGKILL)
    path = library.own / "fit.py"
    said = {f"x = 'she {number}'\n" for number in range(saves)}
    if path.exists():
        assert path.read_text().startswith("x = 'she ")
        library.write("fit", {"fit.py": "x = 'after'\n"}, Note())
        assert said < {*texts(library)}
        assert texts(library)[-1] == "x = 'after'\n"
    else:
        assert not said
