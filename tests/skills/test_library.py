"""The folder of skills: whole files or none, and names that hide nothing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from jupyter_codeact.errors import SkillError
from jupyter_codeact.files import write_atomically
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.skill import check_name

SOURCE = '''"""Fits curves.

More."""

def fit(x: float, *, n: int = 3) -> float: ...
async def load(): ...
class Model: ...
def _private(): ...
CONSTANT = 1
'''


def saved(library: Library, name: str, source: str) -> Path:
    """A module of the own library, as a save makes it."""
    return library.write(name, {f"{name}.py": source}, Note()).path


@pytest.mark.parametrize("name", ["gp_fit", "_x", "größe", "Fit2", "match"])
def test_names_of_modules(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "can't be a module's name"),
        ("gp-fit", "can't be a module's name"),
        ("2fit", "can't be a module's name"),
        ("a.b", "can't be a module's name"),
        ("../x", "can't be a module's name"),
        ("a/b", "can't be a module's name"),
        ("fit\n", "can't be a module's name"),
        ("class", "can't be a module's name"),
        ("None", "can't be a module's name"),
        ("os", "hide"),
        ("json", "hide"),
        ("_thread", "hide"),
        ("sitecustomize", "hide"),
        ("usercustomize", "hide"),
        ("__main__", "begins with __"),
        ("__init__", "begins with __"),
        ("f" * 201, "longer than 200 bytes"),
        ("\u00fc" * 101, "longer than 200 bytes"),
    ],
)
def test_names_that_no_skill_may_have(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SkillError, match=said):
        saved(Library(tmp_path), name, "x = 1\n")
    assert not list(tmp_path.iterdir())


def test_a_skill_says_what_it_offers(tmp_path: Path) -> None:
    library = Library(tmp_path)
    saved(library, "fit", SOURCE)
    skill = library.get("fit")
    assert (skill.summary, skill.source) == ("Fits curves.", SOURCE)
    assert skill.functions == ["fit(x: float, *, n: int=3) -> float", "load()", "class Model"]


@pytest.mark.parametrize("source", ["", "def (", "x = '\0'", "x = " + "-" * 100_000 + "1"])
def test_a_file_that_is_no_python_is_listed_without_a_summary(source: str, tmp_path: Path) -> None:
    (tmp_path / "fit.py").write_text(source)
    [skill] = Library(tmp_path).list()
    assert (skill.name, skill.summary, skill.functions) == ("fit", "", [])


def test_without_words_of_its_own_a_module_has_its_first_function_s(tmp_path: Path) -> None:
    (tmp_path / "fit.py").write_text("def _no():\n    'Hidden.'\n\ndef f():\n    pass\n\ndef g():\n    'Fits.'\n")
    assert Library(tmp_path).get("fit").summary == "Fits."


def test_a_mark_at_the_start_of_a_file_is_no_error(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    (tmp_path / "fit.py").write_bytes(b"\xef\xbb\xbf" + SOURCE.encode())
    assert Library(tmp_path).get("fit").summary == "Fits curves."


def test_the_first_folder_wins(tmp_path: Path) -> None:
    own, shared = tmp_path / "own", tmp_path / "shared"
    for folder, names in ((own, ["a", "c"]), (shared, ["b", "c"])):
        folder.mkdir()
        for name in names:
            (folder / f"{name}.py").write_text(f"'''{folder.name}'''")
    found = [(skill.name, skill.summary) for skill in Library(own, shared).list()]
    assert found == [("a", "own"), ("b", "shared"), ("c", "own")]


def test_what_is_no_module_is_not_listed(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    (folder / "folder.py").mkdir(parents=True)
    (tmp_path / "there.py").write_text("")
    for name, target in (("gone", folder / "nowhere.py"), ("out", tmp_path / "there.py"), ("round", "round.py")):
        (folder / f"{name}.py").symlink_to(target)
    (folder / "my-skill.py").write_text("")
    (folder / ".saving-x.tmp").write_text("")
    (folder / "latin.py").write_bytes(b"'''\xfc'''")
    assert [skill.name for skill in Library(folder, tmp_path / "missing").list()] == ["latin"]


@pytest.mark.parametrize(
    ("name", "said"), [("gp_fti", "Did you mean gp_fit?"), ("zzz", "`%skill list` shows what there is.")]
)
def test_an_unknown_skill_is_told_the_nearest(name: str, said: str, tmp_path: Path) -> None:
    library = Library(tmp_path)
    saved(library, "gp_fit", "x = 1\n")
    with pytest.raises(SkillError) as caught:
        library.get(name)
    assert str(caught.value) == f"There is no skill called {name}. {said}"


def test_a_file_is_written_as_it_is_and_readable_for_the_sandbox(tmp_path: Path) -> None:
    path = saved(Library(tmp_path), "fit", "x = 'ü'\r\n\ty\n")
    assert path.read_bytes() == "x = 'ü'\r\n\ty\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_module_called_api_is_no_package(tmp_path: Path) -> None:
    saved(Library(tmp_path), "api", "x = 1\n")
    (tmp_path / "other.py").write_text("y = 1\n")
    skill = Library(tmp_path).get("api")
    assert (skill.module, skill.folder, skill.texts) == ("api", tmp_path, {"api.py": "x = 1\n"})


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "fit.py"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new" * 100_000 + "\ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_replace_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "fit.py"
    path.mkdir()
    with pytest.raises(OSError, match=r"fit\.py"):
        write_atomically(path, "new")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("source", ["x = '\ud800'", "x = 1"])
def test_what_cannot_be_saved_is_a_skill_error(source: str, tmp_path: Path) -> None:
    (tmp_path / "fit.py").mkdir()
    with pytest.raises(SkillError, match=r"fit\.py can't be written"):
        saved(Library(tmp_path), "fit", source)
