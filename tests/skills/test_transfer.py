"""Skills leave in every form and come back whole: code, docs, tests, and what is remembered of their versions."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient

from jupyter_codeact.errors import SkillError
from jupyter_codeact.skills.checks import problems
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.slicing import module_of
from jupyter_codeact.skills.transfer.bundle import (
    HIGHEST,
    HISTORY,
    Bundle,
    Past,
    bundle_of,
    past_of,
    read_past,
    written_past,
)
from jupyter_codeact.skills.transfer.exports import KINDS, exported
from jupyter_codeact.skills.transfer.imports import found_in
from jupyter_codeact.skills.transfer.placing import place
from jupyter_codeact.skills.transfer.warnings import warnings_of

from .test_slicing_property import START, STATEMENT, results

SOURCE = '''"""Circles of any size.

More on them."""
import math

SCALE = 2


def area(r, scale=SCALE):
    """The area.

    >>> from circles import area
    >>> round(area(1), 2)
    6.28
    >>> print(area(0))
    0.0
    """
    return scale * math.pi * r**2


def test_nothing_has_no_area():
    assert area(0) == 0


# Of no use yet.
def later(): return 1
'''
PACKAGE = {
    "pkg/__init__.py": "",
    "pkg/api.py": """'''What it can do.'''
from .deep.impl import double

TWO = 2


def four():
    '''
    >>> from pkg.api import four
    >>> y = four() + TWO
    >>> y
    6
    '''
    return double(TWO)


def test_four():
    assert four() == 4


async def test_later():
    assert four() == 4
""",
    "pkg/deep/__init__.py": "# No end of a line",
    "pkg/deep/impl.py": "def double(x):\n    return 2 * x\n\n\ndef test_double():\n    assert double(1) == 2\n\n\n",
}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    for name in ("own", "shared"):
        (tmp_path / name).mkdir()
    library = Library(tmp_path / "own", tmp_path / "shared")
    library.write("circles", {"circles.py": SOURCE + "# first"}, Note("you", "First: a <b>", {"Cells": "1, 2"}))
    library.write("circles", {"circles.py": SOURCE}, Note("agent", "Then | this", {"Run": "1f", "Prompt": "do it"}))
    library.write("pkg", {"pkg.py": "x = 1\n"}, Note("you", "A module", {"Cells": "3"}))
    library.write("pkg", PACKAGE, Note("agent", "A package"))
    return library


def sent(library: Library, name: str, kind: str, work: Path, **options: Any) -> Path:
    return place(*exported(bundle_of(library, name), kind), options.pop("out", ""), work, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_a_round_trip_keeps_every_byte_and_all_notes(library: Library, work: Path, kind: str) -> None:
    path = sent(library, "circles", kind, work)
    (found,) = found_in(str(path), work)
    assert found.name == "circles"
    assert found.files == {"circles.py": SOURCE}
    assert [(p.number, p.note.by, p.note.message) for p in found.past] == [
        (2, "agent", "Then | this"),
        (1, "you", "First: a (b)"),
    ]
    assert found.past[0].note.about == {"Run": "1f", "Prompt": "do it"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "source", ["", "x = 1", "x = 1\r\ny = 2\r\n", "def test_a(): pass\n\n\n\nx = 'ü\x0c'\n\n\n", "\n"]
)
def test_odd_ends_of_lines_come_back(library: Library, work: Path, kind: str, source: str) -> None:
    library.write("odd", {"odd.py": source}, Note())
    assert found_in(str(sent(library, "odd", kind, work)), work)[0].files == {"odd.py": source}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mark_at_the_start_is_no_part_of_what_travels(library: Library, work: Path, kind: str) -> None:
    source = "def f(x):\n    return x\n"
    (library.own / "marked.py").write_bytes(b"\xef\xbb\xbf" + source.encode())
    assert found_in(str(sent(library, "marked", kind, work)), work)[0].files == {"marked.py": source}


@pytest.mark.parametrize("name", ["fit.py", "fit.ipynb", "folder"])
def test_a_mark_at_the_start_of_what_comes_in_is_no_part_of_it(work: Path, name: str) -> None:
    source = "def f(x):\n    return x\n"
    texts = {
        "fit.py": source,
        "fit.ipynb": nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])),
    }
    (work / "folder").mkdir()
    for path, text in {**texts, "folder/fit.py": source}.items():
        (work / path).write_text(text, "utf-8-sig")
    (found,) = found_in(name, work)
    assert found.files == {"fit.py": source}
    assert problems(found.files) == warnings_of(found) == []


@pytest.mark.parametrize("kind", ["notebook", "wheel", "skill-folder"])
def test_a_package_travels_whole(library: Library, work: Path, kind: str) -> None:
    path = sent(library, "pkg", kind, work)
    (found,) = found_in(str(path), work)
    assert found.files == PACKAGE
    assert [(p.number, p.note) for p in found.past] == [
        (2, Note("agent", "A package")),
        (1, Note("you", "A module", {"Cells": "3"})),
    ]
    (renamed,) = found_in(str(path), work, rename="kit")
    assert [*renamed.files] == [f"kit{file[3:]}" for file in PACKAGE]


def test_a_package_is_too_much_for_one_file(library: Library) -> None:
    with pytest.raises(SkillError, match="a package of several files, and a file holds one"):
        exported(bundle_of(library, "pkg"), "file")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_python_does_not_leave(library: Library, kind: str) -> None:
    (library.own / "broken.py").write_text("def f(:\n")
    with pytest.raises(SkillError, match=r"broken\.py can't be read as Python"):
        exported(bundle_of(library, "broken"), kind)


def test_a_package_s_notebook_runs_in_any_kernel(library: Library, work: Path) -> None:
    """In a folder where there is no such package."""
    notebook = nbformat.read(sent(library, "pkg", "notebook", work), 4)
    nbformat.validate(notebook)
    (work / "theirs").mkdir()
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(work / "theirs")}}).execute()
    example, tests, deeper = notebook.cells[-3:]
    assert example.source == "from pkg.api import TWO\nfrom pkg.api import four\ny = four() + TWO\ny"
    assert example.outputs[0].data["text/plain"] == "6"
    assert tests.source == "from pkg.api import test_four, test_later\ntest_four()\nawait test_later()"
    assert deeper.source == "from pkg.deep.impl import test_double\ntest_double()"
    assert (work / "theirs" / "pkg" / "deep" / "impl.py").read_text() == PACKAGE["pkg/deep/impl.py"].rstrip() + "\n"


@pytest.mark.parametrize("kind", KINDS)
def test_notes_are_kept_over_several_stations(library: Library, work: Path, kind: str) -> None:
    (found,) = found_in(str(sent(library, "circles", kind, work)), work)
    library.write("rings", {"rings.py": SOURCE}, Note("you", "Imported", {HISTORY: written_past(found.past)}))
    past = [*past_of(library.log("rings"))]
    assert [p.note.message for p in past] == ["Imported", "Then | this", "First: a (b)"]
    assert HISTORY not in past[0].note.about
    (again,) = found_in(str(sent(library, "rings", kind, work)), work)
    assert [*again.past] == past
    assert [p.number for p in past] == [3, 2, 1]
    odd = [Past(1, "2026", Note("a <b>", "c\\n <d>", {"Key: <": "é"}))]
    library.write("odd", {"odd.py": ""}, Note("you", "Imported", {HISTORY: written_past(odd)}))
    assert [*past_of(library.log("odd"))][1:] == odd


@pytest.mark.parametrize("kind", KINDS)
def test_a_wheel_s_version_rises_over_several_stations(library: Library, work: Path, kind: str) -> None:
    """pip keeps the higher one: what goes to a colleague and comes back changed must not have a lower one."""
    name, versions = "circles", []
    for station in ("rings", "circles", "rings", "circles"):
        file, _ = exported(bundle_of(library, name), "wheel")
        versions.append(int(file.split("-")[1]))
        (found,) = found_in(str(sent(library, name, kind, work, force=True)), work)
        note = Note("you", "Imported", {HISTORY: written_past(found.past)})
        name = station
        library.write(name, {f"{name}.py": SOURCE + f"# {len(versions)}\n"}, note)
    assert versions == [2, 3, 4, 5]


def test_the_notebook_says_what_any_kernel_says(library: Library, work: Path) -> None:
    notebook = nbformat.read(sent(library, "circles", "notebook", work), 4)
    nbformat.validate(notebook)
    wanted = [[dict(o) for o in cell.get("outputs", [])] for cell in notebook.cells]
    assert [o.get("text") or o["data"]["text/plain"] for outputs in wanted for o in outputs] == ["6.28", "0.0\n"]
    assert notebook.cells[0].source == "# circles\n\nCircles of any size.\n\nMore on them."
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(work)}}).execute()
    for cell, outputs in zip(notebook.cells, wanted, strict=True):
        shown = [dict(o, execution_count=None) if "execution_count" in o else dict(o) for o in cell.get("outputs", [])]
        assert shown == outputs
    assert notebook.cells[-1].source == "test_nothing_has_no_area()"


def test_pip_installs_the_wheel(library: Library, work: Path) -> None:
    """With the names that the specification has, and a RECORD that pip agrees with."""
    sent(library, "circles", "wheel", work)
    sent(library, "pkg", "wheel", work)
    wheels = sorted(path.name for path in work.iterdir())
    assert wheels == ["circles-2-py3-none-any.whl", "pkg-2-py3-none-any.whl"]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", "site", *wheels]
    subprocess.run(pip, cwd=work, check=True, capture_output=True)
    code = "import importlib.metadata as m, circles, pkg.api; d = m.distribution('circles'); print(circles.area(0), "
    code += "pkg.api.four(), d.version, d.metadata['Summary'], "
    code += "'Then | this (run 1f, prompt do it)' in d.metadata['Description'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=work / "site", capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "0.0 4 2 Circles of any size. True"
    with zipfile.ZipFile(work / wheels[0]) as wheel:
        record = wheel.read("circles-2.dist-info/RECORD").decode()
        assert {line.split(",")[0] for line in record.splitlines()} == {*wheel.namelist()}
        digest = base64.urlsafe_b64encode(hashlib.sha256(SOURCE.encode()).digest()).decode().rstrip("=")
        assert f"circles.py,sha256={digest},{len(SOURCE)}\n" in record


@pytest.mark.parametrize("kind", ["wheel", "skill-folder"])
def test_nothing_of_an_own_export_is_left_out(library: Library, work: Path, kind: str) -> None:
    library.write("circles", {"circles.py": SOURCE}, Note())
    (found,) = found_in(str(sent(library, "circles", kind, work)), work)
    assert found.left_out == []


def test_what_a_skill_folder_has_beside_its_code_is_named(library: Library, work: Path) -> None:
    folder = sent(library, "circles", "skill-folder", work)
    (folder / "scripts/SKILL.md").write_text("another")
    for n in range(10):
        (folder / f"references/{n}.md").write_text("text")
    (found,) = found_in(str(folder), work)
    named = ", ".join(f"references/{n}.md" for n in range(10))
    assert warnings_of(found)[-1] == f"Files that are no sources are left out: {named} and 1 more."
    assert found.left_out[-1] == "scripts/SKILL.md"


def test_a_skill_folder_follows_its_specification(library: Library, work: Path) -> None:
    library.write(
        "Gp_Fit2",
        {"Gp_Fit2.py": '"""Colon: and # hash\n\n---\nrest."""\n\n\ndef f(): pass\ndef test_f(): pass\n'},
        Note(),
    )
    folder = sent(library, "Gp_Fit2", "skill-folder", work)
    text = (folder / "SKILL.md").read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["name"] == folder.name == "gp-fit2"
    assert front["description"] == "Colon: and # hash Use it when Python code needs f."
    assert "\nfrom Gp_Fit2 import f\n" in text
    assert all(isinstance(value, str) for pair in front["metadata"].items() for value in pair)
    assert {path.name for path in folder.iterdir()} == {"SKILL.md", "scripts", "references"}
    assert found_in(str(folder), work)[0].name == "Gp_Fit2"
    long = "".join(f"def {'f' * 70}{n}(): pass\n" for n in range(20))
    library.write("long", {"long.py": f'"""{"word " * 400}"""\n{long}'}, Note())
    text = (sent(library, "long", "skill-folder", work) / "SKILL.md").read_text()
    assert len(yaml.safe_load(text.split("---\n")[1])["description"]) == 1024


VOLUME = """def other():
    '''other: nobody has described it yet.'''


def volume(r):
    '''The volume
    of a ball.

    r: in metres.
    '''
    return 4 / 3 * 3.14159 * r**3
"""


@pytest.mark.parametrize(
    "files",
    [{"vol.py": VOLUME}, {"vol/__init__.py": "", "vol/api.py": "from .i import volume, other", "vol/i.py": VOLUME}],
)
def test_a_skill_that_says_nothing_leaves_with_what_its_function_says(
    library: Library, work: Path, files: dict[str, str]
) -> None:
    library.write("vol", files, Note())
    text = (sent(library, "vol", "skill-folder", work) / "SKILL.md").read_text()
    description = yaml.safe_load(text.split("---\n")[1])["description"]
    assert description.startswith("The volume of a ball. Use it when Python code needs ")
    assert {*description.rpartition("needs ")[2].removesuffix(".").split(", ")} == {"other", "volume"}
    with zipfile.ZipFile(sent(library, "vol", "wheel", work)) as wheel:
        assert "\nSummary: The volume of a ball.\n" in wheel.read("vol-1.dist-info/METADATA").decode()
    doc = nbformat.read(sent(library, "vol", "notebook", work), 4).cells[0].source
    assert doc.startswith("# vol\n\nThe volume\nof a ball.")
    assert "metres" not in doc


def test_nothing_that_is_there_is_replaced_unasked(library: Library, work: Path) -> None:
    for kind, name in (("file", "circles.py"), ("skill-folder", "circles")):
        sent(library, "circles", kind, work)
        with pytest.raises(SkillError, match="is there already"):
            sent(library, "circles", kind, work)
        there = work / name / "SKILL.md" if kind == "skill-folder" else work / name
        there.write_text("mine")
        sent(library, "circles", kind, work, force=True)
        assert there.read_text() != "mine"
    assert sorted(path.name for path in work.iterdir()) == ["circles", "circles.py"]


def test_an_export_goes_where_it_is_told(library: Library, work: Path) -> None:
    (work / "there").mkdir()
    assert sent(library, "circles", "file", work, out="there") == work / "there" / "circles.py"
    assert sent(library, "circles", "file", work, out="there/mine.py").is_file()
    with pytest.raises(SkillError, match="can't be written"):
        sent(library, "circles", "file", work, out="nowhere/mine.py")
    # What pip is to install has a wheel's name.
    wheel, _ = exported(bundle_of(library, "circles"), "wheel")
    for out in ("dist", "dist", "new/v1.2/", "there"):
        assert sent(library, "circles", "wheel", work, out=out, force=True) == work / out / wheel
    assert sent(library, "circles", "notebook", work, out="books") == work / "books" / "circles.ipynb"
    (work / "link").symlink_to(work.parent)
    with pytest.raises(SkillError, match="can't be made: a link of the working folder is not followed"):
        sent(library, "circles", "wheel", work, out="link/dist")
    # Her home may be a link to it.
    (work.parent / "home").symlink_to(work)
    with pytest.raises(SkillError, match="can't be made: a link of the working folder is not followed"):
        sent(library, "circles", "wheel", work, out=str(work.parent / "home/link/dist"))
    assert not (work.parent / "dist").exists()
    with pytest.raises(SkillError, match=r"mine\.py is no folder"):
        sent(library, "circles", "wheel", work, out="there/mine.py", force=True)


@pytest.mark.parametrize("out", ["", "mine", "mine/", "there", "there/mine", "there/circles"])
def test_a_skill_folder_is_called_what_it_says_wherever_it_goes(library: Library, work: Path, out: str) -> None:
    (work / "there").mkdir()
    for force in (False, True):
        folder = sent(library, "circles", "skill-folder", work, out=out, force=force)
        text = (folder / "SKILL.md").read_text()
        assert folder.name == yaml.safe_load(text.split("---\n")[1])["name"] == "circles"
        assert folder == work / out if out.endswith("circles") else folder.parent == work / out
    assert len([*work.rglob("SKILL.md")]) == 1


def test_functions_of_chosen_cells_of_any_notebook(work: Path) -> None:
    sources = ["import math", "def area(r): return math.pi * r**2", "def other(): return 1", "1/0"]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), work / "my_fits.ipynb")
    (found,) = found_in("my_fits.ipynb", work, names=["area"])
    assert (found.name, "other" in found.files["my_fits.py"]) == ("my_fits", False)
    (found,) = found_in("my_fits.ipynb", work, rename="fits", choose=lambda ran: [c for c in ran if c.count == 3])
    assert found.files == {"fits.py": "def other(): return 1\n"}
    with pytest.raises(SkillError, match="area needs math, which cell 1 defines: name that cell too"):
        found_in("my_fits.ipynb", work, choose=lambda ran: [c for c in ran if c.count == 2])


@pytest.mark.parametrize("name", ["circles", "pkg"])
def test_what_a_colleague_added_to_a_skill_notebook_is_named(library: Library, work: Path, name: str) -> None:
    path = sent(library, name, "notebook", work)
    notebook = nbformat.read(path, 4)
    assert not [line for line in warnings_of(found_in(str(path), work)[0]) if "left out" in line]
    shown = next(cell for cell in notebook.cells if cell.metadata.get("jupyter_codeact", {}).get("example"))
    shown.source += "\ndef inside(): return 1"
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in ("def extra(n):\n    return n", " ", "x = `1`")]
    nbformat.write(notebook, path)
    (found,) = found_in(str(path), work)
    left = "`def inside(): return 1`, `def extra(n):`, `x = '1'`"
    assert warnings_of(found)[-1] == (
        f"Cells that are no part of the skill are left out: {left}. `--names` takes functions from all cells."
    )
    assert "extra" not in "".join(found.files.values())
    notebook.cells.pop()
    nbformat.write(notebook, path)
    (found,) = found_in(str(path), work, names=["extra"])
    assert "def extra(n):" in found.files[found.main]


def test_a_repository_is_fetched_and_a_folder_of_it(work: Path) -> None:
    (work / "repo" / "src" / "tools").mkdir(parents=True)
    for path in ("a.py", "src/b.py", "src/tools/__init__.py", "src/tools/more.py", "src/notes.txt", "setup.py"):
        (work / "repo" / path).write_text("x = 1\n" if path.endswith(".py") else "text")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *arguments], cwd=work / "repo", check=True)
    address = f"file://{work}/repo"
    found = found_in(address, work)
    assert [bundle.name for bundle in found] == ["b", "tools"]
    assert found[1].files == {"tools/__init__.py": "x = 1\n", "tools/more.py": "x = 1\n"}
    assert found[0].left_out == ["src/notes.txt"]
    assert [bundle.name for bundle in found_in(f"{address}#src", work, names=["b"], rename="c")] == ["c"]
    with pytest.raises(SkillError, match="There is no nope in it; there are: b, tools"):
        found_in(address, work, names=["nope"])
    for path in (f"{address}#src/tools", f"{address}#src/tools/", "repo/src/tools"):
        (package,) = found_in(path, work)
        assert (package.name, package.files) == ("tools", found[1].files)


def test_a_wheel_of_somebody_else(library: Library, work: Path) -> None:
    """With no notes of ours, and with data that no library holds."""
    with zipfile.ZipFile(work / "them-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("them/__init__.py", "from .deep.er.x import x\n")
        wheel.writestr("them/deep/er/x.py", "x = 1\n")
        wheel.writestr("them/data.csv", "1,2")
        wheel.writestr("them/data.json", "{}")
        for part in ("METADATA", "LICENSE"):
            wheel.writestr(f"them-1.dist-info/{part}", "Name: them\n")
    (found,) = found_in("them-1-py3-none-any.whl", work)
    assert [*found.files] == ["them/__init__.py", "them/deep/er/x.py"]
    library.write("them", found.files, Note())
    assert (library.own / "them/deep/er/x.py").read_text() == "x = 1\n"
    assert (
        "Files that are no sources are left out: them/data.csv, them-1.dist-info/LICENSE, them/data.json."
        in warnings_of(found)
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os\n", ["line 1: imports os"]),
        ("from urllib.request import urlopen\n", ["line 1: imports urllib.request"]),
        ("def f(x):\n    return eval(x)\n", ["line 2: calls eval"]),
        ("x = 1\nprint(x)\n", ["line 2: runs when it is imported: `print(x)`"]),
        ("x = open('a')\n", ["line 1: runs when it is imported"]),
        ("x = 1  # \u202eneddih\n", ["line 1: hidden or reordering characters: 'x = 1  # \\u202eneddih'"]),
        ('"""Doc."""\nimport math\nX = [1, 2]\n\n\ndef f():\n    return math.pi\n', []),
    ],
)
def test_what_to_look_at_is_named(source: str, words: list[str]) -> None:
    found = warnings_of(Bundle("m", {"m.py": source}))
    assert len(found) == len(words)
    assert all(word in line for word, line in zip(words, found, strict=True))


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
@example([[1, "2026", "a\nb", "m", {"k: \n": 1}]])
@example([[10**20, "2026", "a", "m", {}]])
def test_notes_from_elsewhere_may_be_anything(given_: Any) -> None:
    for past in read_past(json.dumps(given_)):
        assert past.number <= HIGHEST
        assert "\n" not in "".join([past.when, past.note.by, past.note.message, *past.note.about])
    assert read_past("[" * 100_000) == []


WORKER = (
    "import importlib, io, contextlib, json, sys\n"
    "found = {}\n"
    "for place in sys.argv[1:]:\n"
    "    sys.path[:] = [place, *sys.path]\n"
    "    for name in 'fgh':\n"
    "        sys.modules.pop('made', None)\n"
    "        importlib.invalidate_caches()\n"
    "        with contextlib.redirect_stdout(io.StringIO()):\n"
    "            module = importlib.import_module('made')\n"
    "            try:\n"
    "                found[f'{place} {name}'] = getattr(module, name)()\n"
    "            except (AttributeError, RecursionError) as error:\n"
    "                found[f'{place} {name}'] = type(error).__name__\n"
    "        assert module.__file__.startswith(place)\n"
    "    sys.path[:] = sys.path[1:]\n"
    "print(json.dumps([*found.values()]))\n"
)


@settings(max_examples=12)
@given(statements=st.lists(STATEMENT, min_size=2, max_size=8))
def test_functions_that_travelled_return_what_they_did(statements: list[str]) -> None:
    """Random cells, saved as a module, exported and imported by each way, and imported in another Python."""
    cells = [*START, *statements]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        source = Library(work / "from", work / "shared")
        source.own.mkdir()
        source.write("made", {"made.py": module_of(cells, ["f", "g", "h"])}, Note("you", "Random"))
        places = []
        for kind in KINDS:
            target = Library(work / kind / "own", work / kind / "shared")
            target.own.mkdir(parents=True)
            (found,) = found_in(str(sent(source, "made", kind, work)), work)
            target.write(found.name, found.files, Note())
            places.append(str(target.own))
        # A wheel can be imported from as it is.
        places.append(str(work / "made-1-py3-none-any.whl"))
        done = subprocess.run([sys.executable, "-c", WORKER, *places], capture_output=True, text=True, check=True)
    expected = results("\n".join(cells))
    assert ast.literal_eval(done.stdout) == [expected[name] for _ in places for name in "fgh"]
