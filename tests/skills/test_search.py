"""The search for skills: what fits comes first, whatever is asked, and whatever has happened to the index."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import PATIENCE_S
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.errors import SkillError
from jupyter_codeact.skills import database
from jupyter_codeact.skills.index import Index
from jupyter_codeact.skills.search import Search

from .searching import GP, KIT, PLOT, Make, found

# ---- what is found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("fit a Gaussian process to these samples", "gp_fit"),
        ("fitting GAUSSIANS", "gp_fit"),
        ("cholesky", "gp_fit"),
        ("reading csv", "tables"),
        ("please draw it on the mäp", "maps"),
    ],
)
def test_what_fits_comes_first(opened: Make, text: str, name: str) -> None:
    assert found(opened(), text)[0] == name


@pytest.mark.parametrize("text", ["", "the of and", "zebra", "%&!"])
def test_where_nothing_fits_nothing_is_found(opened: Make, text: str) -> None:
    assert found(opened(), text) == []


def test_what_fits_far_less_than_the_best_is_left_out(opened: Make, library: Path) -> None:
    for number in range(9):
        (library / f"other_{number}.py").write_text('"""Something else."""')
    (library / "weak.py").write_text('"""Count what there is.\n\nNo matter whether these are samples or not."""')
    search = opened()
    assert sorted(found(search, "samples")) == ["gp_fit", "weak"]
    assert found(search, "fit a Gaussian process to samples") == ["gp_fit"]


# A library grows by these, again and again: every second one is about the same thing.
GROWN = {
    "gp_plot": "Plot a fitted Gaussian process with its confidence band.",
    "describe": "Mean, spread and count of samples.",
    "gp_draw": "Draw from a Gaussian process.",
    "csv_tools": "Read and write tables of comma separated values.",
    "gp_predict": "Predict with a fitted Gaussian process at new points.",
    "maps": "Draw maps.",
    "gp_kernels": "Kernels for a Gaussian process.",
    "cleaning": "Drop missing rows of a frame.",
}


@pytest.mark.parametrize("kinds", [[*GROWN], [name for name in GROWN if name.startswith("gp_")]], ids=["half", "all"])
def test_what_fits_best_comes_first_however_many_are_of_its_kind(tmp_path: Path, kinds: list[str]) -> None:
    """FTS5 by itself gives nothing for a word that half of the skills have."""
    (tmp_path / "gp_fit.py").write_text('def gp_fit(x, y):\n    """Fit a Gaussian process with an RBF kernel."""\n')
    with contextlib.closing(Index(None)) as index:
        search, first = Search(index, [tmp_path]), {}
        for size in range(1, 61):
            first[size] = found(search, "fit a Gaussian process to these samples")[:1]
            kind = kinds[size % len(kinds) - 1]
            (tmp_path / f"{kind}_{size}.py").write_text(f'def {kind}(x):\n    """{GROWN[kind]}"""\n')
    assert {size: names for size, names in first.items() if names != ["gp_fit"]} == {}


def test_it_says_why(opened: Make) -> None:
    search = opened()
    (skill,) = search.find("csv rows and files")
    why = search.why(skill, "csv rows and files")
    assert why == "csv, rows in its functions; files, rows in its docstrings"


def test_what_is_in_scope_decides_between_those_that_fit(opened: Make, library: Path) -> None:
    for kind in ("spectrum", "forest"):
        (library / f"draw_{kind}.py").write_text(f'"""Draw it.\n\nTakes a {kind}."""\n')
    search = opened()
    assert found(search, "draw it", scope=["forest DataFrame"])[0] == "draw_forest"
    assert found(search, "draw it", scope=["x", "spectrum ndarray"])[0] == "draw_spectrum"
    assert found(search, "", scope=["spectrum ndarray"]) == []


def test_of_equal_skills_the_one_that_did_well_comes_first_and_then_the_newer(opened: Make, library: Path) -> None:
    for name, age_s in {"aged": 10**8, "fresh": 0}.items():
        path = library / f"{name}.py"
        path.write_text('"""Resample a series."""\n')
        os.utime(path, (path.stat().st_mtime - age_s,) * 2)
    search = opened()
    assert found(search, "resample") == ["fresh", "aged"]
    for _ in range(3):
        search.index.used("aged", ok=True)
        search.index.used("fresh", ok=False)
    assert found(search, "resample") == ["aged", "fresh"]
    uses = search.index.uses()
    assert (uses["aged"].good, uses["aged"].bad, uses["fresh"].good, uses["fresh"].bad) == (3, 0, 0, 3)


def test_notes_are_searched(opened: Make) -> None:
    asked: list[list[str]] = []

    def notes(modules):
        asked.append(sorted(module.name for module in modules))
        return {module.path: "Made for the glacier survey." for module in modules if module.name == "maps"}

    assert found(opened(notes=notes), "glaciers") == ["maps"]
    search = opened(notes=notes)
    (search.folders[0] / "tables.py").write_text('"""Read."""')
    (skill,) = search.find("glaciers")
    assert search.why(skill, "glaciers") == "glacier in its notes"
    assert asked == [["gp_fit", "maps", "tables"], ["tables"]]


def test_the_first_folder_that_has_a_name_wins(opened: Make, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "maps.py").write_text('"""Draw a treasure."""\n')
    (shared / "only.py").write_text('"""Dig the treasure out."""\n')
    assert found(opened(shared), "treasure") == ["only"]
    # Another workspace, with the same index and without the library.
    assert sorted(found(Search(opened().index, [shared]), "treasure")) == ["maps", "only"]
    assert found(opened(), "treasure") == []


def test_of_a_package_its_api_is_found(opened: Make, library: Path) -> None:
    for package, files in {"split": ("__init__", "api", "impl"), "whole": ("__init__",)}.items():
        (library / package).mkdir()
        for file in files:
            (library / package / f"{file}.py").write_text(f'"""The zebra of {file}."""\n')
    assert sorted(found(opened(), "zebra")) == ["split.api", "whole"]


def test_a_package_is_found_by_what_its_api_imports(opened: Make, library: Path) -> None:
    (library / "kit").mkdir()
    for path, source in KIT.items():
        (library / path).write_text(source)
    os.mkfifo(library / "kit" / "pipe.py")
    search = opened()
    for words in ("moraine", "glacier samples", "secret"):
        assert found(search, words)[0] == "kit.api"
    (skill,) = search.find("moraine")
    assert (skill.summary, skill.functions[0][0]) == ("Fit a glacier to samples.", "fits(x, y=1)")
    assert search.why(skill, "moraine") == "moraine in its docstrings"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    """One search for all the texts that hypothesis thinks of."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "gp_fit.py").write_text(GP)
    search = Search(Index(None), [folder])
    yield search
    search.index.close()


@given(text=st.text(st.characters()) | st.text(alphabet='"*^:(){}+-\0\udc80 ORNEARandfit', max_size=100))
def test_any_text_can_be_asked(asked: Search, text: str) -> None:
    for skill in asked.find(text, scope=[text]):
        assert asked.why(skill, text) != "near in meaning"


def test_a_long_text_is_asked_by_its_most_telling_words(opened: Make, library: Path) -> None:
    words = [f"common{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)]
    for number in range(40):
        start = number * 3 % 60
        (library / f"other_{number}.py").write_text(f'"""{" ".join(words[start : start + 3])}"""')
    search = opened()
    text = f"{' '.join(words)} {' '.join(f'unheard{word}' for word in words)}. Please fit a Gaussian to them."
    (skill,) = [skill for skill in search.find(text, most=50) if skill.name == "gp_fit"]
    assert "gaussian in its docstrings" in search.why(skill, text)
    # Nobody has most of these words.
    assert found(search, text.removeprefix(" ".join(words))) == ["gp_fit"]
    assert found(search, "gaussian " + "word " * 100_000) == ["gp_fit"]


# ---- how it stays up to date


def test_what_is_added_changed_and_removed_is_seen_at_once(opened: Make, library: Path) -> None:
    search = opened()
    assert found(search, "zebra") == []
    (library / "stripes.py").write_text('"""Count a zebra."""')
    assert found(search, "zebra") == ["stripes"]
    time_ns = (library / "stripes.py").stat().st_mtime_ns
    (library / "stripes.py").write_text('"""Count a camel."""')
    os.utime(library / "stripes.py", ns=(time_ns + 1, time_ns + 1))
    assert (found(search, "zebra"), found(search, "camel")) == ([], ["stripes"])
    (library / "other.tmp").write_text('"""Count a zebra."""')
    os.utime(library / "other.tmp", ns=(time_ns + 1, time_ns + 1))
    os.replace(library / "other.tmp", library / "stripes.py")
    assert (found(search, "zebra"), found(search, "camel")) == (["stripes"], [])
    (library / "stripes.py").unlink()
    assert found(search, "zebra") == []
    assert search.index.database.execute("SELECT count(*) FROM modules").fetchone() == (3,)


def test_only_what_changed_is_read_again(opened: Make, library: Path, file: Path) -> None:
    found(opened(), "maps")
    # A change that leaves no trace is not seen; so nothing else is read again either.
    found_before = (library / "maps.py").stat()
    (library / "maps.py").write_text(PLOT.replace("map", "zoo"))
    os.utime(library / "maps.py", ns=(found_before.st_atime_ns, found_before.st_mtime_ns))
    (library / "tables.py").write_text('"""Read a zoo."""')
    assert found(opened(), "zoo") == ["tables"]


def test_a_second_search_sees_what_the_first_took_in(opened: Make, library: Path) -> None:
    first, second = opened(), opened()
    assert found(second, "zebra") == found(first, "zebra") == found(second, "zebra") == []
    (library / "stripes.py").write_text('"""Count a zebra."""')
    assert found(first, "zebra") == ["stripes"]
    written = second.index.database.total_changes
    assert found(second, "zebra") == ["stripes"]
    assert second.index.database.total_changes == written
    (count,) = second.index.database.execute("SELECT count(*) FROM modules").fetchone()
    assert count == 4


def test_what_is_no_plain_file_is_left_alone(opened: Make, library: Path) -> None:
    os.mkfifo(library / "pipe.py")
    (library / "gone.py").symlink_to(library / "nowhere.py")
    (library.parent / "zoo.py").write_text('"""A zebra."""')
    (library / "out.py").symlink_to(library.parent / "zoo.py")
    (library / "not-a-name.py").write_text('"""A zebra."""')
    assert found(opened(), "zebra") == []
    assert opened().find("maps")


# ---- what may happen to the file


def test_only_the_person_can_read_the_index(opened: Make, file: Path) -> None:
    found(opened(), "maps")
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["text", "middle", "table", "cut"])
def test_a_damaged_index_is_made_anew(opened: Make, file: Path, damage: str) -> None:
    first = opened()
    found(first, "maps")
    first.index.close()
    whole = file.read_bytes()
    if damage == "table":
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("DROP TABLE texts")
    else:
        bytes_of = {
            "text": b"no database at all" * 1000,
            "middle": whole[:4096] + os.urandom(len(whole) - 4096),
            "cut": whole[: len(whole) // 2],
        }
        file.write_bytes(bytes_of[damage])
    second = opened()
    assert found(second, "draw a map") == ["maps"]
    assert second.index.database.execute("PRAGMA database_list").fetchone()[2] == str(file)


def test_an_index_of_another_version_is_made_anew_and_uses_are_kept(opened: Make, file: Path) -> None:
    first = opened()
    found(first, "maps")
    first.index.used("maps", ok=True)
    first.index.database.execute("DELETE FROM texts")
    first.index.database.execute(f"PRAGMA user_version = {database.VERSION + 1}")
    first.index.close()
    second = opened()
    assert found(second, "draw a map") == ["maps"]
    assert second.index.uses()["maps"].good == 1


def test_where_it_can_not_be_written_it_is_kept_in_memory(opened: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.sqlite").mkdir()
    for path in (tmp_path / "file" / "index.sqlite", tmp_path / "folder.sqlite", None):
        assert found(opened(path=path), "draw a map") == ["maps"]


def test_a_full_disk_leaves_the_search_in_memory(opened: Make, library: Path) -> None:
    search = opened()
    found(search, "maps")
    (pages,) = search.index.database.execute("PRAGMA page_count").fetchone()
    search.index.database.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(50):
        (library / f"zebra_{number}.py").write_text(f'"""{"A zebra of many words. " * 100}"""')
    assert found(search, "zebra")
    assert search.index.database.execute("PRAGMA database_list").fetchone()[2] == ""


def test_while_others_write_the_index_is_used_as_it_is(opened: Make, library: Path, monkeypatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.01)
    search, other = opened(), opened()
    found(search, "maps")
    other.index.database.execute("BEGIN IMMEDIATE")
    (library / "stripes.py").write_text('"""Count a zebra."""')
    search.index.used("maps", ok=True)
    assert (found(search, "maps"), found(search, "zebra")) == (["maps"], [])
    other.index.database.rollback()
    assert found(search, "zebra") == ["stripes"]


def test_a_search_that_is_impossible_says_so(opened: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_SCHEMA", "CREATE VIRTUAL TABLE texts USING fts99 (name)")
    with pytest.raises(SkillError, match="no such module: fts99"):
        opened().find("maps")


WORKER = """
import sys
from pathlib import Path
from jupyter_codeact.skills import database
from jupyter_codeact.skills.index import Index
from jupyter_codeact.skills.search import Search

# A prompt does not wait longer for other writers, and finds what there was; here each has to have its turn.
database.BUSY_S = 60
number, file, folder = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
search = Search(Index(file), [folder])
for round in range(20):
    (folder / f"made_{number}_{round}.py").write_text(f'"Word{number}x{round} of the zebra."')
    (found,) = search.find(f"word{number}x{round}", most=1)
    assert found.name == f"made_{number}_{round}", found
    search.index.used("zebra", ok=True)
print(len(search.names))
"""


def test_several_processes_use_one_index_at_once(opened: Make, library: Path, file: Path) -> None:
    commands = [[sys.executable, "-c", WORKER, str(number), file, library] for number in range(3)]
    workers = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) for command in commands]
    assert [worker.communicate(timeout=PATIENCE_S)[1] for worker in workers] == [b""] * 3
    search = opened()
    assert len(search.find("zebra", most=100)) == 60
    assert search.index.uses()["zebra"].good == 60
    (count,) = search.index.database.execute("SELECT count(*) FROM texts WHERE rowid > 0").fetchone()
    assert count == 63
