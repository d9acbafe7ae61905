"""The sandbox's home: kept for kernels of the same folder and environment, and nobody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import environment, wheel

from jupyter_codeact.sandbox import idmap
from jupyter_codeact.sandbox.homes import open_home, tidy

from .rooms import AS_ROOT, Cells, room

WRITE = "import os; open(os.path.expanduser('~/.settings'), 'w').write('mine')"
READ = "import os; print(os.path.exists(os.path.expanduser('~/.settings')))"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("homes"))


@pytest.fixture(scope="module")
def first(kept: str, base: Path) -> Iterator[Cells]:
    """In the folder that `base` has for it."""
    with room("bubblewrap", base / "work", homes_folder=kept) as cells:
        yield cells


def test_it_is_there_for_the_next_kernel_of_the_folder_alone(first: Cells, kept: str, base: Path) -> None:
    (base / "other").mkdir()
    python, _ = environment(base / "env")
    first(WRITE)
    # While the first one runs, and in turn.
    for folder, runs, found in (
        ("work", sys.executable, "True"),
        ("other", sys.executable, "False"),
        ("work", python, "False"),
    ):
        with room("bubblewrap", base / folder, runs, homes_folder=kept) as cells:
            assert cells(READ) == found
            assert cells.attempt(f"print(os.listdir({kept!r}))") == "ENOENT"
    (written,) = Path(kept).glob("*/home/.settings")
    assert (written.stat().st_uid, written.stat().st_gid) == (os.geteuid(), os.getegid())
    assert not Path("~/.settings").expanduser().exists()


def test_without_a_place_for_it_a_home_lasts_as_long_as_its_kernel(base: Path) -> None:
    (base / "file").write_text("")
    for place in (None, str(base / "file" / "homes")):
        with room("bubblewrap", base / "work", homes_folder=place) as cells:
            assert cells(READ) == "False"
            cells(WRITE)


def test_a_wheel_is_installed_and_found_at_once_however_pip_is_called(first: Cells, base: Path) -> None:
    for version in ("1.0", "2.0"):
        wheel(base / "work", "thing", f"version = {version!r}", version)
    first("try:\n    import thing\nexcept ImportError:\n    pass")
    said = first("%pip install ./thing-1.0-py3-none-any.whl")
    assert "Successfully installed" in said
    assert "you may need to restart" in said
    assert first("import thing; print(thing.version)") == "1.0"
    # A user's home is the sandbox's anyway.
    assert "Successfully installed" in first("!python -m pip install --user ./thing-2.0-py3-none-any.whl")
    show = "!python -c 'import thing; print(thing.version)'"
    assert first(show) == "2.0"
    first("!pip uninstall --yes thing")
    assert "No module named 'thing'" in first(show)


def test_another_version_of_what_the_environment_has_goes_into_the_home(kept: str, base: Path) -> None:
    python, packages = environment(base / "third")
    old, new = wheel(base, "shared", "v = 1"), wheel(base / "work", "shared", "v = 2", "2.0")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(old), str(packages)], check=True)
    for install in (True, False):
        with room("bubblewrap", base / "work", python, homes_folder=kept) as cells:
            said = cells(f"%pip install ./{new.name}") if install else ""
            assert not install or ("outside environment" in said and "Successfully installed shared-2.0" in said)
            assert cells("import shared; print(shared.v)") == "2"
    assert (packages / "shared.py").read_text() == "v = 1"


def test_pip_says_why_there_is_nothing_to_install_and_what_to_do(first: Cells, base: Path) -> None:
    said = first("%pip install requestz")
    assert "The sandbox has no network" in said
    assert f"{sys.executable} -m pip install requestz" in said
    assert "Retrying" not in said
    assert "without a restart" in said
    assert "you may need to restart" not in said
    (base / "work" / "built").mkdir()
    # What it is built with would have to come from elsewhere, whichever pip this is.
    (base / "work" / "built" / "pyproject.toml").write_text('[build-system]\nrequires = ["setuptools"]\n')
    for wish in ("install ./built", "install https://example.invalid/thing-1.0-py3-none-any.whl"):
        assert "The sandbox has no network" in first(f"%pip {wish}")
    # A failure of another kind is pip's own to explain.
    (base / "work" / "old-1.0-cp27-cp27m-win32.whl").write_text("")
    for wish in ("install ./old-1.0-cp27-cp27m-win32.whl", "uninstall --yes nothing-of-this-name"):
        assert "network" not in first(f"%pip {wish}")


@pytest.mark.skipif(not AS_ROOT, reason="only root lends folders")
def test_a_home_that_cannot_be_lent_is_done_without(tmp_path: Path) -> None:
    """As on an overlay, say: the working folder may well be on another disk."""
    (tmp_path / "work").mkdir()
    for name in ("work-seen", "home-seen"):
        (tmp_path / name).mkdir()
    pairs = [str(tmp_path / "work"), str(tmp_path / "work-seen"), "/proc/self", str(tmp_path / "home-seen")]
    command = [sys.executable, "-I", "-S", idmap.__file__, "60706", *pairs, "--", "ls", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert found == ["work", "work-seen"]


def test_a_home_is_of_the_folder_whatever_its_name_is(tmp_path: Path) -> None:
    """A carriage return, or bytes that are no text, are parts of a name as others are."""
    for name in ("one\rtwo", "one\r\ntwo\n", os.fsdecode(b"bytes\xff")):
        (tmp_path / name).mkdir()
        opened = open_home(str(tmp_path / "homes"), "python", str(tmp_path / name))
        assert opened is not None
        opened.close()
        tidy(str(tmp_path / "homes"))
        assert Path(opened.path).is_dir()
        (tmp_path / name).rmdir()
        tidy(str(tmp_path / "homes"))
        assert not Path(opened.path).exists()


def test_tidying_takes_what_nobody_uses_and_follows_no_link(tmp_path: Path) -> None:
    place, hers = tmp_path / "homes", tmp_path / "hers"
    made = {}
    for number, name in enumerate(("oldest", "used", "newer", "gone")):
        (tmp_path / name).mkdir()
        made[name] = opened = open_home(str(place), "python", str(tmp_path / name))
        assert opened is not None
        Path(opened.path, "data").write_bytes(b"x" * 2**20)
        os.utime(Path(opened.path).parent, (number, number))
        if name != "used":
            opened.close()
    (tmp_path / "gone").rmdir()
    hers.mkdir()
    (hers / "precious").write_bytes(b"x" * 2**22)
    Path(made["oldest"].path, "link").symlink_to(hers)

    def left() -> set[str]:
        return {name for name, opened in made.items() if Path(opened.path).exists()}

    tidy(str(place), budget=2**24)
    assert left() == {"oldest", "used", "newer"}
    tidy(str(place), budget=2**20 + 2**19)
    assert left() == {"used", "newer"}
    made["used"].close()
    tidy(str(place), budget=0)
    assert left() == set()
    assert not list(place.iterdir())
    assert (hers / "precious").exists()
