"""A sandbox has the working folder that it was opened for: its name may be swapped between a look and the mount."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import PATIENCE_S, environment

from jupyter_codeact.errors import SandboxDied, SandboxUnavailable
from jupyter_codeact.files import Identity
from jupyter_codeact.headless.kernel import SandboxKernel
from jupyter_codeact.headless.trial import fresh_of
from jupyter_codeact.notebook.running import finish
from jupyter_codeact.sandbox import links, mounts, repository
from jupyter_codeact.sandbox.launch import Sandbox, open_sandbox
from jupyter_codeact.sandbox.paths import make_missing
from jupyter_codeact.settings import Settings

from .rooms import answering, room, started

LOOK = "__import__('os').listdir('.')"
SAID = "is no longer the folder that it was when this began"


@pytest.fixture
def hers(tmp_path: Path) -> Path:
    folder = tmp_path / "hers"
    folder.mkdir()
    (folder / "secret.txt").write_text("canary")
    return folder


@pytest.fixture
def swapped(tmp_path: Path, hers: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """`swapped(work)`: a link to hers takes its place when a sandbox is opened, between a look at it and the mount.

    That is when bubblewrap is asked for its options.
    """

    real = shutil.which("bwrap")

    def arrange(work: Path) -> None:
        # What a program's options are is remembered.
        program = Path(tempfile.mkdtemp(dir=tmp_path), "bwrap")
        swap = f"mv '{work}' '{work}-before' && ln -s '{hers}' '{work}'"
        program.write_text(f'#!/bin/sh\n[ "$1" != --help ] || [ -L \'{work}\' ] || {{ {swap}; }}\nexec {real} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    return arrange


@pytest.fixture
def before_mounting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, str], None]:
    """`before_mounting(work, script)`: what is done in the folder once, when bubblewrap begins to mount."""
    real = shutil.which("bwrap")

    def arrange(work: Path, script: str) -> None:
        program = Path(tempfile.mkdtemp(dir=tmp_path), "bwrap")
        done = program.with_name("done")
        once = f"[ \"$1\" = --help ] || [ -e '{done}' ] || {{ touch '{done}'; (cd '{work}' && {script}) || exit 1; }}"
        program.write_text(f'#!/bin/sh\n{once}\nexec {real} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    return arrange


@pytest.fixture
def before_starting() -> Callable[[Callable[[], None]], None]:
    """`before_starting(act)`: what is done once, when all is chosen and the first process of a sandbox is to start."""
    waiting: list[Callable[[], None]] = []

    def hear(event: str, given: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen" and waiting and "--seccomp" in given[1]:
            waiting.pop()()

    sys.addaudithook(hear)
    return waiting.append


def opener(work: Path, known: Identity | None) -> Callable[[], Sandbox]:
    return lambda: open_sandbox("bubblewrap", sys.executable, str(work), known=known)


def swap(work: Path, target: Path) -> None:
    work.rename(f"{work}-before")
    work.symlink_to(target)


def put_back(work: Path) -> None:
    work.unlink()
    Path(f"{work}-before").rename(work)


async def test_one_whose_folder_is_swapped_while_it_starts_is_asked_nothing(
    work: Path, hers: Path, swapped: Callable[[Path], None]
) -> None:
    known = Identity.of(work)
    swapped(work)
    with pytest.raises(SandboxUnavailable, match=f"{work} {SAID}"):
        async with SandboxKernel(opener(work, known)):
            pass
    put_back(work)
    swapped(work)
    async with SandboxKernel(opener(work, None)) as kernel:
        assert "secret.txt" in await kernel.evaluate(LOOK), "the danger is real"


@pytest.mark.parametrize("meanwhile", [True, False])
async def test_nor_is_one_that_follows_another(
    work: Path, hers: Path, swapped: Callable[[Path], None], meanwhile: bool
) -> None:
    """Its folder is swapped before it starts, or while it does."""
    async with SandboxKernel(opener(work, Identity.of(work))) as kernel:
        assert await kernel.evaluate(LOOK) == "[]"
        if meanwhile:
            swapped(work)
        else:
            swap(work, hers)
        await kernel.run("import os; os._exit(1)").ended
        with pytest.raises(SandboxDied, match=f"no other one could be opened. {work} {SAID}"):
            await kernel.evaluate(LOOK)
        assert SAID in str((await finish(kernel, kernel.run("print(1)"), PATIENCE_S)).outputs)
        with pytest.raises(SandboxUnavailable, match=SAID):
            await kernel.restart()


def test_a_notebooks_kernel_says_so_and_runs_nothing(
    work: Path, home: Path, hers: Path, swapped: Callable[[Path], None]
) -> None:
    """Its folder is its own current one, whatever is called so."""
    (work / "nb").mkdir()
    swapped(work / "nb")
    with started(work / "nb") as kernel:
        printed, said = kernel.run("print(open('secret.txt').read())")
    assert (printed, f"{work / 'nb'} {SAID}" in said) == ("", True)


@pytest.mark.parametrize("known", [True, False])
async def test_in_her_home_it_is_seen_as_well(work: Path, monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    """Which is shown as another folder, with what it holds."""
    monkeypatch.setenv("HOME", str(work))
    (work / "shown").touch()
    async with SandboxKernel(opener(work, Identity.of(work) if known else None)) as kernel:
        assert await kernel.evaluate(LOOK) == "['shown']"


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder two steps below the root, as root's run folders are: one link leads on from either."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        Path(folder, "secret.txt").write_text("canary")
        Path(folder, "work").mkdir()
        yield Path(folder, "work")


@pytest.mark.parametrize("back", ["true", "rm a && mv z a"])
def test_a_part_of_it_that_is_swapped_leads_nowhere(
    near: Path, before_mounting: Callable[[Path, str], None], back: str
) -> None:
    """What covers a part leaves the folders above as they are, which are mounted so that nobody moves them."""
    settings = near / "a" / "settings"
    settings.mkdir(parents=True)
    before_mounting(near, f"mv a z && ln -s ../../..{near.parent} a")
    with answering("bubblewrap", near, hidden=(str(settings),)) as cells:
        assert cells("print(open('../secret.txt').read())") == "canary", "the danger is real"
        subprocess.run(back, shell=True, cwd=near, check=True)
        with pytest.raises(SandboxUnavailable, match=SAID):
            cells.sandbox.check_place()


@pytest.mark.parametrize(
    ("swap", "back", "seen"),
    [
        ("mv a z && ln -s b a", "true", "z"),
        ("mv a z && ln -s b a", "rm a && mv z a", "a"),
        ("mv a z && mv b a", "true", "z"),
        ("mv a z && mv b a", "mv a b && mv z a", "a"),
        ("mv a z && ln -s b a", "rm a && mv b a", "z"),
    ],
)
def test_what_is_covered_is_seen_by_no_swap(
    work: Path, before_mounting: Callable[[Path, str], None], swap: str, back: str, seen: str
) -> None:
    """A cover on a folder of the cell's, which is called as hers was; or is again, when somebody looks."""
    for name in ("a", "b"):
        (work / name / "settings").mkdir(parents=True)
    (work / "a" / "settings" / "key").write_text("canary")
    before_mounting(work, swap)
    with answering("bubblewrap", work, hidden=(str(work / "a" / "settings"),)) as cells:
        subprocess.run(back, shell=True, cwd=work, check=True)
        assert cells(f"print(open('{seen}/settings/key').read())") == "canary", "the danger is real"
        with pytest.raises(SandboxUnavailable, match=f"{work}/.* {SAID}"):
            cells.sandbox.check_place()


async def test_a_swapped_part_is_seen_before_anything_is_asked(
    work: Path, before_mounting: Callable[[Path, str], None]
) -> None:
    for name in ("a", "b"):
        (work / name / "settings").mkdir(parents=True)
    before_mounting(work, "mv a z && mv b a")
    hidden = (str(work / "a" / "settings"),)
    with pytest.raises(SandboxUnavailable, match=f"{work}/a {SAID}"):
        async with SandboxKernel(
            lambda: open_sandbox("bubblewrap", sys.executable, str(work), hidden=hidden, known=Identity.of(work))
        ):
            pass


@pytest.mark.parametrize("back", ["true", "rm folder && mv before folder"])
def test_nor_does_what_lies_elsewhere(
    tmp_path: Path, work: Path, hers: Path, before_mounting: Callable[[Path, str], None], back: str
) -> None:
    """A project, or a library: cells of another folder's kernel may swap it."""
    other = tmp_path / "other"
    (other / "folder").mkdir(parents=True)
    python, _ = environment(tmp_path / "env", other / "folder")
    for of_room in ({"python": python}, {"libraries": (str(other / "folder"),)}):
        before_mounting(other, f"rm -rf before; mv folder before && ln -s {hers} folder")
        with answering("bubblewrap", work, **of_room) as cells:
            subprocess.run(back, shell=True, cwd=other, check=True)
            assert cells(f"print(open('{other}/folder/secret.txt').read())") == "canary", "the danger is real"
            with pytest.raises(SandboxUnavailable, match=f"{other}/folder {SAID}"):
                cells.sandbox.check_place()
        if back == "true":
            subprocess.run("rm folder && mv before folder", shell=True, cwd=other, check=True)


@pytest.mark.parametrize("back", ["true", "rm home && mv home-before home"])
def test_nor_does_a_kept_home(
    tmp_path: Path, work: Path, hers: Path, before_starting: Callable[[Callable[[], None]], None], back: str
) -> None:
    """Where homes are kept in a folder in which another environment's kernel works."""
    homes = tmp_path / "other" / "homes"
    with room("bubblewrap", work, homes_folder=str(homes)) as cells:
        assert cells("import os; print(os.path.exists(os.path.expanduser('~/secret.txt')))") == "False"
    (kept,) = homes.iterdir()
    # Before root lends it, which is before bubblewrap begins.
    before_starting(lambda: swap(kept / "home", hers))
    with answering("bubblewrap", work, homes_folder=str(homes)) as cells:
        subprocess.run(back, shell=True, cwd=kept, check=True)
        attack = "import os; print(open(os.path.expanduser('~/secret.txt')).read())"
        assert cells(attack) == "canary", "the danger is real"
        with pytest.raises(SandboxUnavailable, match=SAID):
            cells.sandbox.check_place()


@pytest.mark.parametrize("systems", [True, False])
@pytest.mark.parametrize("of_room", ["python", "libraries"])
def test_what_was_led_to_is_opened_by_no_link(
    tmp_path: Path,
    work: Path,
    hers: Path,
    swapped: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    *,
    systems: bool,
    of_room: str,
) -> None:
    """It is swapped once it was found to be behind no link of a cell's, and before it is looked at to be compared.

    Projects lie in /usr/src in containers, and others may work there.
    """
    other = tmp_path / "other"
    (other / "folder").mkdir(parents=True)
    if systems:
        monkeypatch.setattr(mounts, "_SYSTEMS", (str(other),))
    python, _ = environment(tmp_path / "env", other / "folder")
    options: dict[str, Any] = {"python": python} if of_room == "python" else {"libraries": (str(other / "folder"),)}
    swapped(other / "folder")
    with (
        pytest.raises(SandboxUnavailable, match=f"{other}/folder {SAID}"),
        room("bubblewrap", work, **options) as cells,
    ):
        pytest.fail(cells(f"print(open('{other}/folder/secret.txt').read())"))


@pytest.mark.parametrize("systems", [True, False])
def test_what_is_there_only_once_it_is_mounted_is_not_what_was_asked_for(
    tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch, systems: bool
) -> None:
    """A home that is away for the moment of the look would else be compared with nothing."""
    if systems:
        monkeypatch.setattr(mounts, "_SYSTEMS", (str(tmp_path),))
    led = links.led([str(tmp_path / "home")])
    options = ["--tmpfs", "/home/sandbox", "--bind-try", str(tmp_path / "home"), "/home/sandbox"]
    asked = mounts.asked_by(options, str(work), {}, led)
    assert [mount.option for mount in asked.mounts] == ["--tmpfs"]
    (tmp_path / "home").mkdir()
    asked = mounts.asked_by(options, str(work), {}, led)
    assert asked.parts == {"/home/sandbox": Identity.of(tmp_path / "home")}
    (tmp_path / "home").rename(tmp_path / "before")
    (tmp_path / "home").symlink_to(tmp_path)
    with pytest.raises(mounts.PartGone, match=f"{tmp_path}/home"):
        mounts.asked_by(options, str(work), {}, led)


async def test_where_a_skill_is_tried_it_is_seen_as_well(
    tmp_path: Path, work: Path, hers: Path, before_mounting: Callable[[Path, str], None]
) -> None:
    """In a folder that was made for it."""
    (tmp_path / "other" / "folder").mkdir(parents=True)
    settings = Settings.from_environment({"JUPYTER_CODEACT_HOME": str(tmp_path / "home")})
    settings = settings._replace(other_skills=(str(tmp_path / "other" / "folder"),))
    before_mounting(tmp_path / "other", f"mv folder before && ln -s {hers} folder")
    with pytest.raises(SandboxUnavailable, match=SAID):
        async with SandboxKernel(fresh_of(settings, str(work))):
            pass


@pytest.mark.parametrize("name", ["a b", "tab\tand\rline\nend", "back\\slash\\040#", "ümlaut", "-- --bind"])
def test_a_folder_of_any_name_has_what_it_was_opened_for(tmp_path: Path, name: str) -> None:
    work, link = tmp_path / name, tmp_path / "link"
    (work / name / "settings").mkdir(parents=True)
    (work / "file").touch()
    link.symlink_to(work)
    for named in (work, link):
        hidden = (str(work / name / "settings"), str(named / "file"))
        with room("bubblewrap", named, hidden=hidden, libraries=(str(named / name),)) as cells:
            assert cells("import os; print(os.listdir('.') != [], os.path.getsize('file'))") == "True 0"


def test_a_library_that_is_named_by_a_link_in_another_one_is_seen_there(work: Path, tmp_path: Path) -> None:
    """The link is shown, and a mount in its place would be where it leads."""
    library = tmp_path / "library"
    (library / "vendor" / "team").mkdir(parents=True)
    (library / "vendor" / "team" / "theirs.py").write_text("x = 'found'\n")
    (library / "team").symlink_to("vendor/team")
    for named in ((library, library / "team"), (library / "team", library)):
        with room("bubblewrap", work, libraries=tuple(map(str, named))) as cells:
            assert cells("import theirs; print(theirs.x)") == "found"


def test_one_among_the_systems_folders_is_compared_as_any(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Projects lie in /usr/src in containers."""
    (work / "part").mkdir()
    options = [word for place in (work, work / "part") for word in ("--bind", str(place), str(place))]
    monkeypatch.setattr(mounts, "_SYSTEMS", (str(work.parent),))
    asked = mounts.asked_by(options, str(work), {}, links.led(()))
    assert asked.parts == {str(place): Identity.of(place) for place in (work, work / "part")}
    assert asked.is_for(Identity.of(work))
    assert not asked._replace(parts={}).is_for(Identity.of(work))


def test_a_folder_that_cannot_be_looked_at_is_named(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a name is a folder in one moment and a link in the next."""

    def look(*_: Any) -> list[str]:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(repository, "kept", look)
    with pytest.raises(SandboxUnavailable, match=r"can't be looked at.*Invalid argument"):
        open_sandbox("bubblewrap", sys.executable, str(work), known=Identity.of(work))


def test_what_is_missing_is_not_made_through_a_link(work: Path, hers: Path) -> None:
    """Neither the folders of settings that are to be covered, nor those of submodules."""
    swaps = iter(range(2))
    made: list[str] = []

    def swap_above(event: str, given: tuple[Any, ...]) -> None:
        """Once for each, when the folder below is about to be made."""
        if event == "os.mkdir" and str(given[0]).endswith("new") and len(made) < armed:
            made.append(str(given[0]))
            swap(work / f"a{next(swaps)}", hers)

    armed = 0
    sys.addaudithook(swap_above)
    for number in range(2):
        (work / f"a{number}").mkdir()
    armed = 1
    make_missing(str(work), [str(work / "a0" / "new")], [])
    armed = 2
    subprocess.run(["git", "init", "-q", str(work)], check=True)
    entry = f"160000,{'1' * 40},a1/new"
    subprocess.run(["git", "-C", str(work), "update-index", "--add", "--cacheinfo", entry], check=True)
    repository.kept(str(work))
    assert len(made) == 2
    assert os.listdir(hers) == ["secret.txt"]
