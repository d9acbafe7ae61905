"""What `%skill list` and `%skill show` say of skills of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_codeact.cli.skill import NotebookFile
from jupyter_codeact.magics.listing import NEWEST, listed, show, where
from jupyter_codeact.session import Session
from jupyter_codeact.settings import Settings
from jupyter_codeact.skills.history import Note

PACKAGE = {
    "geo/__init__.py": "",
    "geo/api.py": '"""Areas."""\n\n\ndef area(r):\n    """Of a circle.\n\n    >>> area(0)\n    0\n    """\n',
    "geo/impl.py": "def test_one(): ...\n\n\nasync def test_two(): ...\n",
}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    settings = Settings(tmp_path)
    settings.make_folders()
    made = Session(settings, NotebookFile([]))
    yield made
    made.skills.search.index.close()


def rows(session: Session) -> list[list[str]]:
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in listed(session, "").splitlines()[2:]]


def test_each_kind_of_skill_has_its_row(session: Session) -> None:
    library = session.skills.library
    assert listed(session, "").startswith("No skills yet.")
    library.write("geo", PACKAGE, Note("agent", "Made", {"Checks": "1 warning"}), folder=library.shared)
    library.write("odd", {"odd.py": "def test_it(): assert 0\n"}, Note("you", "", {"Checks": "forced: test_it"}))
    library.write("odd", {"odd.py": "def test_it(): assert 1\n"}, Note("agent", "Mended"))
    (library.own / "mine.py").write_text('"""Mine | ours."""\n')
    session.skills.search.index.used("geo.api", True, "fit.ipynb")
    *two, last = rows(session)
    assert last == ["**odd**", "", "2", "agent", "1 test", ""]
    assert two[0][:5] == ["**geo**", "Areas.", "1", "agent", "3 tests, passed"]
    assert two[0][5].endswith(" in fit.ipynb")
    assert "| **mine** | Mine \\| ours. |  | by hand | no tests |  |" in listed(session, "")
    library.write("odd", {"odd.py": "def test_it(): assert 0\n"}, Note("you", "", {"Checks": "forced: test_it"}))
    assert rows(session)[2][2:5] == ["3", "you", "1 test, forced"]


def test_of_a_package_what_its_api_imports_is_shown(session: Session) -> None:
    impl = "def area(r):\n    '''Of a circle.'''\n"
    files = {"geo/__init__.py": "", "geo/api.py": "from .impl import area\n", "geo/impl.py": impl}
    session.skills.library.write("geo", files, Note())
    assert rows(session)[0][:2] == ["**geo**", "Of a circle."]
    assert "\n\nOf a circle.\n\n- `area(r)`: Of a circle.\n\n" in show(session, "geo")


def test_one_is_shown_with_what_it_offers_its_newest_versions_and_its_uses(session: Session) -> None:
    library = session.skills.library
    for number in range(NEWEST + 2):
        library.write(
            "fit", {"fit.py": f"def fit(x):\n    '''Fit it.'''\n    return {number}\n"}, Note("you", f"N{number}")
        )
    for place in ("a.ipynb", "b.ipynb", ""):
        session.skills.search.index.used("fit", True, place)
    text = show(session, "fit")
    assert text.startswith(f"**fit** · version {NEWEST + 2} · no tests · `{library.own / 'fit.py'}`\n\nFit it.")
    assert "- `fit(x)`: Fit it." in text
    assert "```python\ndef fit(x):" in text
    assert "| N2 |" in text
    assert "| N1 |" not in text
    assert f"`%skill log fit` shows all {NEWEST + 2} versions." in text
    places = text.splitlines()[-1].removeprefix("Used by agents: ").split("; ")
    assert [place.partition(" ")[2] for place in places] == ["", "in b.ipynb", "in a.ipynb."]


def test_what_others_keep_is_shown_without_a_history(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "fit.py").write_text("x = 1\n")
    settings = Settings(tmp_path / "home", other_skills=(str(tmp_path / "theirs"),))
    settings.make_folders()
    session = Session(settings, NotebookFile([]))
    text = show(session, "fit")
    assert "version" not in text
    assert text.endswith("No agent has used it yet.")
    assert not [*settings.histories.glob("*/HEAD")]
    session.skills.search.index.close()


def test_where_says_the_order_and_what_is_hidden_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work" / "b").mkdir(parents=True)
    (tmp_path / "theirs").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    settings = Settings(tmp_path / "home", workspace="mine", other_skills=(str(tmp_path / "theirs"),))
    settings.make_folders()
    for folder, names in {
        settings.private_skills: "abd",
        settings.shared_skills: "bc",
        tmp_path / "theirs": "ace",
    }.items():
        for name in names:
            (folder / f"{name}.py").write_text("")
    (tmp_path / "work" / "d.py").write_text("")
    session = Session(settings, NotebookFile([]))
    assert where(session, "").splitlines()[2:] == [
        f"1. `{tmp_path / 'work'}`, the working folder, and then installed packages: modules there are no skills",
        f"2. `{settings.private_skills}`, yours: `%skill save` writes here; 3 skills, hidden here: d",
        f"3. `{settings.shared_skills}`, shared by all workspaces: `--shared` writes here; 2 skills, hidden here: b",
        f"4. `{tmp_path / 'theirs'}`, only read here; 3 skills, hidden here: a, c",
    ]
    (tmp_path / "work" / "b" / "__init__.py").write_text("")
    assert "hidden here: b, d" in where(session, "")
    assert "JUPYTER_CODEACT_SKILLS" not in where(session, "")
    own = settings.private_skills
    (own / "kit").mkdir()
    (own / "kit" / "__init__.py").write_text("")
    (own / "in.py").symlink_to("a.py")
    for link, target in {
        "a.py": "c.py",
        "e.py": "theirs/e.py",
        "kit/impl.py": "theirs/a.py",
        "tools": "work/b",
    }.items():
        (own / link).unlink(missing_ok=True)
        (own / link).symlink_to(tmp_path / target)
    assert where(session, "").splitlines()[-1] == (
        f"Links out of their folder are no skills: `{own}/a.py`, `{own}/e.py`, `{own}/in.py`, `{own}/kit/impl.py`, "
        f"`{own}/tools`. Name the folder of a checkout in `JUPYTER_CODEACT_SKILLS`: skills are read from there."
    )
    session.skills.search.index.close()
