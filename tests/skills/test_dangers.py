"""The twins of what ``test_hostile.py`` sees refused: what becomes of the same archives where nobody looks."""

from __future__ import annotations

import ast
import errno
import importlib.machinery
import io
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from jupyter_codeact.errors import SkillError
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.transfer import entries, imports
from jupyter_codeact.skills.transfer.imports import found_in

from .test_hostile import GOOD, archive, refused, special

LONG = "f" * 300


def unpacked(data: bytes, folder: Path) -> Path:
    """As a few lines do it, with links and pipes as `unzip` makes them."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        for info in file.infolist():
            target, content = folder / info.orig_filename, file.read(info)
            target.parent.mkdir(parents=True, exist_ok=True)
            match stat.S_IFMT(info.external_attr >> 16):
                case stat.S_IFLNK:
                    target.symlink_to(content.decode())
                case stat.S_IFIFO:
                    os.mkfifo(target)
                case _:
                    target.write_bytes(content)
    return folder


def python(code: str, folder: Path, *options: str) -> str:
    """What a Python prints that looks for modules in a folder first."""
    environment = dict(os.environ) | {"PYTHONPATH": str(folder)}
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", ["../evil.py", "fit/../../evil.py", "{tmp}/evil.py"])
def test_it_would_be_written_outside(work: Path, tmp_path: Path, name: str) -> None:
    name = name.replace("{tmp}", str(tmp_path))
    assert "leads out of its own folder" in refused(work, ("fit/__init__.py", GOOD), (name, GOOD))
    unpacked((work / "a.zip").read_bytes(), work)
    assert (tmp_path / "evil.py").read_text() == GOOD


def test_our_own_library_would_write_it_outside(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(work, ("fit/__init__.py", GOOD), ("fit/../../evil.py", GOOD))
    monkeypatch.setattr(entries, "check_path", lambda _path: None)
    with pytest.raises(SkillError, match="can't be imported by that name"):
        found_in("a.zip", work)
    monkeypatch.setattr(imports, "_check", lambda _bundle: None)
    (bundle,) = found_in("a.zip", work)
    own = tmp_path / "library" / "own"
    own.mkdir(parents=True)
    Library(own).write("fit", bundle.files, Note())
    assert (own / "evil.py").read_text() == GOOD


@pytest.mark.parametrize(("name", "place"), [("..\\evil.py", "..\\evil.py"), ("D:/evil.py", "D:\\evil.py")])
def test_it_would_be_written_outside_on_windows(work: Path, name: str, place: str) -> None:
    """The same archive is one name here and a path there."""
    assert "has characters" in refused(work, (name, GOOD))
    here, there = PurePosixPath("library") / name, PureWindowsPath("C:/library") / name
    assert here.parts == ("library", *PurePosixPath(name).parts)
    assert str(there).endswith(place)
    assert ".." in there.parts or there.drive == "D:"


def test_one_name_would_hide_the_other_where_case_does_not_count(work: Path) -> None:
    both = [("fit.py", GOOD), ("Fit.py", "evil = 1\n")]
    assert "differ in case only" in refused(work, *both)
    # As a file system does that folds names.
    assert {name.casefold(): text for name, text in both} == {"fit.py": "evil = 1\n"}


def test_what_is_encrypted_is_an_error_of_another_kind(work: Path) -> None:
    data = bytearray(archive(("fit.py", GOOD)))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    with zipfile.ZipFile(io.BytesIO(data)) as file, pytest.raises(RuntimeError) as caught:
        file.read("fit.py")
    assert not isinstance(caught.value, zipfile.BadZipFile)


def test_a_link_would_show_what_it_leads_to(work: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("KEY = 'hers'\n")
    entry = (special("fit.py", stat.S_IFLNK | 0o777), str(tmp_path / "secret.py"))
    assert "a link or a device" in refused(work, entry)
    assert (unpacked(archive(entry), work) / "fit.py").read_text() == "KEY = 'hers'\n"


def test_a_device_would_have_no_end(work: Path) -> None:
    entry = (special("fit.py", stat.S_IFLNK | 0o777), "/dev/zero")
    assert "a link or a device" in refused(work, entry)
    with (unpacked(archive(entry), work) / "fit.py").open("rb") as file:
        assert [len(file.read(10**7)) for _ in range(3)] == [10**7] * 3


def test_a_pipe_would_be_waited_for(work: Path) -> None:
    entry = (special("fit.py", stat.S_IFIFO | 0o600), "")
    assert "a link or a device" in refused(work, entry)
    unpacked(archive(entry), work)
    # Somebody who opens it for writing learns that nobody reads; a reader would wait for such a one.
    with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):
        os.open(work / "fit.py", os.O_WRONLY | os.O_NONBLOCK)


def test_a_bomb_would_fill_the_memory(work: Path) -> None:
    """One of a great ratio, and one of many entries."""
    assert "more than 4 MB" in refused(work, ("fit.py", b"#" * 20_000_000))
    assert (work / "a.zip").stat().st_size < 40_000
    assert len(zipfile.ZipFile(work / "a.zip").read("fit.py")) == 20_000_000
    assert "more than 2000 files" in refused(work, *((f"m{n}.csv", "") for n in range(2001)))
    assert (work / "a.zip").stat().st_size < 300_000
    assert len(zipfile.ZipFile(work / "a.zip").namelist()) == 2001


@pytest.mark.parametrize("name", ["random", "json", "turtle"])
def test_a_name_of_python_s_own_would_hide_it(work: Path, name: str) -> None:
    assert "Python's own" in refused(work, (f"{name}.py", GOOD))
    assert python(f"import {name}; print({name}.x)", unpacked((work / "a.zip").read_bytes(), work)) == "1\n"


def test_a_module_that_every_python_imports_would_run_unasked(work: Path) -> None:
    entry = ("usercustomize.py", "print('evil')\n")
    assert "Python's own" in refused(work, entry)
    assert "evil" in python("import usercustomize", unpacked(archive(entry), work))
    (work / "usercustomize.py").rename(work / "sitecustomize.py")
    assert python("", work) == "evil\n"


def test_a_compiled_module_would_be_imported_instead(work: Path) -> None:
    both = [("fit.py", GOOD), ("fit.abi3.so", b"\x7fELF")]
    assert "is compiled" in refused(work, *both)
    found = importlib.machinery.PathFinder.find_spec("fit", [str(unpacked(archive(*both), work))])
    assert found is not None
    assert found.origin == str(work / "fit.abi3.so")


@pytest.mark.parametrize("name", ["class", "None", "fit.", "fit .", "2fit", "my-fit"])
def test_what_has_no_name_could_be_stored_and_not_imported(work: Path, name: str) -> None:
    """Windows takes `fit.` and `fit .` for `fit`, besides."""
    assert "can't be a module's name" in refused(work, (f"{name}/__init__.py", GOOD))
    assert (unpacked((work / "a.zip").read_bytes(), work) / name / "__init__.py").is_file()
    with pytest.raises(SyntaxError):
        compile(f"import {name} as skill", "cell", "exec")


def test_letters_would_be_read_as_others(work: Path) -> None:
    assert "Python reads as others" in refused(work, ("\uff46it.py", GOOD))
    (node,) = ast.parse("import \uff46it").body
    assert isinstance(node, ast.Import)
    assert node.names[0].name == "fit"


def test_a_name_would_be_shown_cut_off(work: Path) -> None:
    """At its NUL: what is shown and what is stored would be two files."""
    data = archive(("fit.pyXevil", GOOD)).replace(b"fit.pyXevil", b"fit.py\0evil")
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert (file.infolist()[0].filename, file.infolist()[0].orig_filename) == ("fit.py", "fit.py\0evil")


@pytest.mark.parametrize("name", [f"{LONG}.py", f"{LONG}/__init__.py", f"fit/{LONG}.py"])
def test_a_very_long_name_would_end_in_an_error_of_the_system(work: Path, name: str) -> None:
    assert "longer than" in refused(work, ("fit/__init__.py", GOOD), (name, GOOD))
    with pytest.raises(OSError, match=os.strerror(errno.ENAMETOOLONG)):
        unpacked((work / "a.zip").read_bytes(), work)
