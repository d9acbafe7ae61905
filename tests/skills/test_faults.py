"""What breaks, or comes between, while a skill is written: a full disk, a kill, somebody's hand. Nothing is lost."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dulwich.object_store import DiskObjectStore
from dulwich.refs import DiskRefsContainer as Refs
from helpers import leased

from jupyter_codeact.cli.skill import NotebookFile
from jupyter_codeact.errors import SkillError, SkillFailed
from jupyter_codeact.magics import importing, versions
from jupyter_codeact.session import Session
from jupyter_codeact.settings import Settings
from jupyter_codeact.skills import swapping, writing
from jupyter_codeact.skills.files import read_text
from jupyter_codeact.skills.history import HAND, Note
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.skill import files_of
from jupyter_codeact.skills.transfer.bundle import Bundle

MINE = {"fit.py": "x = 1\n"}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "own").mkdir()
    return Library(tmp_path / "own")


def test_on_a_full_disk_the_old_version_stays(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.write("fit", MINE, Note())

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing, "write_atomically", full)
    with pytest.raises(SkillError, match=r"fit\.py can't be written: .*No space left"):
        library.write("fit", {"fit.py": "x = 2\n"}, Note())
    monkeypatch.undo()
    assert (library.own / "fit.py").read_text() == "x = 1\n"
    assert len(library.log("fit")) == 1


@pytest.mark.parametrize("command", ["rm", "rollback", "import"])
def test_on_a_full_disk_each_command_leaves_the_old_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    session = session_in(tmp_path)
    library = session.skills.library
    for files in ({"fit.py": "x = 0\n"}, MINE):
        library.write("fit", files, Note())
    before = library.log("fit")
    add = DiskObjectStore.add_object

    def full(store: DiskObjectStore, found: Any) -> None:
        if b"fit" in found.as_raw_string() or command == "rm":
            raise OSError(errno.ENOSPC, "No space left on device")
        add(store, found)

    monkeypatch.setattr(DiskObjectStore, "add_object", full)
    bundles = [Bundle("another", {"another.py": "x = 1\n"}), Bundle("fit", {"fit.py": "x = 2\n"})]
    about = {importing.FROM: "elsewhere"}
    run = {
        "rm": lambda: versions.answer(session, "rm", "fit"),
        "rollback": lambda: versions.answer(session, "rollback", "fit 1"),
        "import": lambda: importing.stored(session, bundles, [{}, MINE], library.own, about),
    }
    with pytest.raises(SkillFailed, match=r"fit\.py can't be written: .*No space left.* It is as it was\.") as caught:
        run[command]()
    monkeypatch.undo()
    assert ("Stored before that: another." in str(caught.value)) is (command == "import")
    assert library.log("fit") == before
    assert files_of(library.own, "fit") == MINE
    session.skills.search.index.close()


def session_in(folder: Path) -> Session:
    settings = Settings(folder)
    settings.make_folders()
    return Session(settings, NotebookFile([]))


def test_what_another_program_has_a_lease_on_is_said_and_not_waited_for(library: Library) -> None:
    """And not taken for gone, or for one that nobody writes."""
    library.write("fit", MINE, Note())
    path = library.own / "fit.py"
    reads = [
        lambda: read_text(str(path)),
        lambda: library.get("fit"),
        lambda: files_of(library.own, "fit"),
        lambda: library.write("fit", {"fit.py": "x = 2\n"}, Note()),
    ]
    with leased(path):
        for read in reads:
            with pytest.raises(SkillFailed, match=r"fit\.py is held by another program"):
                read()
        assert swapping.being_written(path)
    assert not swapping.being_written(path)
    assert files_of(library.own, "fit") == MINE


class Broken:
    """A disk that fails once the new files are in place: when the history is told, or also when the old go back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, back: bool) -> None:
        self.swaps, self.back, self.swap = 0, back, swapping.swap
        told = Refs.set_if_equals

        def tell(refs: Refs, name: Any, *rest: Any) -> bool:
            if name.startswith(b"refs/skills/"):
                self.fail()
            return told(refs, name, *rest)

        monkeypatch.setattr(Refs, "set_if_equals", tell)
        monkeypatch.setattr(writing, "swap", self.count)

    def fail(self) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def count(self, *paths: Path) -> None:
        self.swaps += 1
        if self.swaps > 1 and not self.back:
            self.fail()
        self.swap(*paths)


@pytest.mark.parametrize("back", [True, False])
def test_what_a_failed_save_says_of_the_skill_is_so(
    library: Library, monkeypatch: pytest.MonkeyPatch, back: bool
) -> None:
    old = {"fit/__init__.py": "", "fit/api.py": "x = 1\n"}
    new = old | {"fit/api.py": "x = 2\n"}
    library.write("fit", old, Note())
    broken = Broken(monkeypatch, back=back)
    with pytest.raises(SkillError, match="Input/output error") as caught:
        library.write("fit", new, Note())
    assert broken.swaps == 2
    assert files_of(library.own, "fit") == (old if back else new)
    assert str(caught.value).endswith("It is as it was.") is back
    assert ("It may not be as it was" in str(caught.value)) is not back
    monkeypatch.undo()
    assert library.log("fit")[0].note.by == ("you" if back else HAND)
    # What failed is not under way any more.
    (library.own / "fit" / "api.py").write_text("x = 2\n")
    assert library.log("fit")[0].note.by == HAND


PACKED = """
import os, sys
from pathlib import Path
from jupyter_codeact.skills import swapping
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.skill import files_of
folder, how = Path(sys.argv[1]), sys.argv[2]
own = folder / "own"
own.mkdir(exist_ok=True)
library = Library(own)
if how in ("rm", "rollback", "import"):
    from jupyter_codeact.cli.skill import NotebookFile
    from jupyter_codeact.magics import importing, versions
    from jupyter_codeact.session import Session
    from jupyter_codeact.settings import Settings
    from jupyter_codeact.skills.transfer.bundle import Bundle
    settings = Settings(folder / "home")
    settings.make_folders()
    session = Session(settings, NotebookFile([]))
    library = session.skills.library
    own = library.own
if how == "renames":
    swapping._rename = lambda *_: False

def version(number, text):
    if how == "module" or how == "changing" and number % 2:
        return {"fit.py": text}
    if how == "rm" and number % 2:
        return {}
    names = ["__init__", "api", f"deep{number % 2}/part"]
    return {f"fit/{name}.py": text for name in sorted(names)}

def imported(files):
    bundles = [Bundle("another", {"another.py": "x = 1\\n"}), Bundle("fit", files)]
    before = [files_of(own, bundle.name) for bundle in bundles]
    importing.stored(session, bundles, before, own, {importing.FROM: "elsewhere"})

def command(files):
    if how == "import":
        imported(files)
    elif how in ("rm", "rollback"):
        versions.answer(session, how, "fit" if how == "rm" else "fit 1")
    else:
        write(files)

def write(files):
    if how != "plain":
        library.write("fit", files, Note())
        return
    for path, text in files.items():
        (own / path).parent.mkdir(parents=True, exist_ok=True)
        (own / path).write_text(text)
    for path in files_of(own, "fit").keys() - files.keys():
        (own / path).unlink()

def found():
    return dict(files_of(own, "fit"))

def saved():
    return [library.history(own).content(version) for version in reversed(library.log("fit"))]

here = [version(0, "x = 'old'\\n")]
if how == "rollback":
    here = [version(1, "x = 'older'\\n"), *here]
for files in here:
    write(files)
"""
FULL = """
from jupyter_codeact.errors import SkillError
filler, mixed, refused, low = folder / "filler", 0, 0, 0

def fill(room):
    # All of the disk but so many blocks.
    found = os.statvfs(folder)
    if found.f_bavail > room:
        size = filler.stat().st_size
        with filler.open("ab") as file:
            os.posix_fallocate(file.fileno(), size, (found.f_bavail - room) * found.f_frsize)

def take(frame, event, arg):
    # What comes free while something is saved is somebody else's at once.
    global low
    if event != "c_return" or arg.__name__ not in ("write", "replace", "rename", "unlink", "rmdir"):
        return
    low = min(low, os.statvfs(folder).f_bavail)
    fill(low)

if how == "package":
    (own / "fit" / "hers.csv").write_text("1, 2\\n")
for room in range(40):
    filler.touch()
    fill(room)
    low = room
    sys.setprofile(take)
    files = version(room, f"x = {room}\\n" + os.urandom(5000).hex() + "\\n")
    try:
        write(files)
        here.append(files)
    except (SkillError, OSError) as error:
        refused += "No space left" in str(error)
        assert how == "plain" or str(error).endswith("It is as it was."), error
        mixed += found() != here[-1]
    sys.setprofile(None)
    filler.unlink()
    if how != "plain":
        assert saved() == here
    write(here[-1])
assert how != "package" or (own / "fit" / "hers.csv").read_text() == "1, 2\\n"
print(mixed, refused, len(here), [path.name for path in own.iterdir()])
"""


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("how", ["module", "package", "changing", "plain"])
def test_a_disk_that_is_full_at_any_block_of_a_save_loses_nothing(tmp_path: Path, how: str) -> None:
    """A real one, small and in memory. Plain writes to it leave files of two versions, or empty ones."""
    small = ["bwrap", "--dev-bind", "/", "/", "--size", "2000000", "--tmpfs", str(tmp_path), "--die-with-parent"]
    command = [*small, sys.executable, "-c", PACKED + FULL, str(tmp_path), how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    mixed, refused, kept, files = done.stdout.split(maxsplit=3)
    assert (int(mixed) > 0) is (how == "plain")
    assert int(refused) > 1
    assert int(kept) > 10
    assert files in ("['fit']\n", "['fit.py']\n")


STEPPED = """
import itertools, shutil, signal
STEPS = "open mkstemp write flush chmod replace rename link symlink unlink mkdir rmdir __exit__".split()
OURS, WHERE = ("_exchange", "_move"), ("codeact", "filelock", "shutil", "<string>")

def after(step, act):
    # Once so many calls have done something to files.
    def count(frame, event, arg):
        nonlocal step
        code = frame.f_code
        if any(part in code.co_filename for part in WHERE):
            step -= event == "c_return" and arg.__name__ in STEPS or event == "return" and code.co_name in OURS
        if step < 0:
            sys.setprofile(None)
            act()
    sys.setprofile(count)

# What holds after a power cut is not looked at here, and takes its time.
for config in folder.rglob("history/*/config"):
    config.write_text(config.read_text().replace("fsyncObjectFiles = true", "fsyncObjectFiles = false"))
before = shutil.copytree(folder, f"{folder}-before", symlinks=True)
"""
KILLED = """
mixed, WHERE = 0, [""] if how in ("module", "plain") else WHERE
for step in itertools.count():
    files = here[0] if how == "rollback" else version(1, f"x = {step}\\n" * 9)
    child = os.fork()
    if not child:
        after(step, lambda: os.kill(os.getpid(), signal.SIGKILL))
        command(files)
        sys.setprofile(None)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if how == "renames":
        # Between two renames of a folder there is none: the next look puts it back.
        library.log("fit")
    now = found()
    mixed += now not in (here[-1], files)
    if how != "plain":
        assert saved() == ([*here, files] if now == files else here)
        write(here[-1])
        # It is what it was: no part of it was made by hand.
        assert {version.note.by for version in library.log("fit")} == {"you"}, step
        assert {path.name for path in own.iterdir()} - {"another.py"} == {min(here[0]).split("/")[0]}
        assert files_of(own, "another") in ({}, {"another.py": "x = 1\\n"})
    if not status:
        break
    shutil.rmtree(folder)
    shutil.copytree(before, folder)
print(step, mixed)
"""


@pytest.mark.parametrize("how", ["module", "package", "changing", "renames", "plain", "rm", "rollback", "import"])
def test_a_writer_that_is_killed_after_any_step_leaves_a_whole_version(library: Library, how: str) -> None:
    """After each call that does something to files; those below ours are gone through once.

    Plain writes leave empty files, and files of two versions.
    """
    command = [sys.executable, "-c", PACKED + STEPPED + KILLED, str(library.own.parent), how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps, mixed = map(int, done.stdout.split())
    assert steps > (5 if how == "plain" else 20)
    assert bool(mixed) is (how == "plain")


EDITED = """
from jupyter_codeact.errors import SkillConflict
from jupyter_codeact.skills import writing
if how == "unlooked":
    writing._is_changed = lambda *_: False
if how == "unheard":
    writing.being_written = lambda _: False
path, lost, conflicts, WHERE = own / min(here[0]), 0, 0, ("codeact", "filelock")

def edit():
    global file
    if way == "moved":
        (folder / "hers").write_text(hers)
        file = os.replace(folder / "hers", path)
        return
    file = path.open("w")
    if way == "written":
        end()

def end():
    if file:
        file.write(hers)
        file.close()

for step in itertools.count():
    for way in ("written", "begun", "moved"):
        file, hers = here, f"x = 'hers {way} {step}'\\n"
        after(step, edit)
        try:
            write(version(2, f"x = {step}\\n"))
        except SkillConflict as conflict:
            conflicts += 1
            assert way == "begun" or "+" + hers.strip() in conflict.diff
        sys.setprofile(None)
        if file is here or (lost and how.startswith("un")):
            break
        if way == "begun":
            end()
        lost += not any(hers in files.values() for files in saved())
        shutil.rmtree(folder)
        shutil.copytree(before, folder)
    else:
        continue
    break
print(step, conflicts, lost)
"""


@pytest.mark.parametrize("how", ["module", "package", "unlooked", "unheard"])
def test_what_is_edited_by_hand_at_any_step_of_a_save_is_kept(library: Library, how: str) -> None:
    """In place, at once or with its end after the save, or by a rename. Where nobody looks, it is lost."""
    command = [sys.executable, "-c", PACKED + STEPPED + EDITED, str(library.own.parent), how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps, conflicts, lost = map(int, done.stdout.split())
    is_guarded = not how.startswith("un")
    assert (steps > 10, conflicts > 10, lost == 0) == (is_guarded,) * 3
