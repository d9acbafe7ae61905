"""`jupyter codeact skill …`: the words of `%skill`, without a kernel."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pexpect
import pytest
from helpers import PATIENCE_S

from jupyter_codeact.cli.editor import EDITORS
from jupyter_codeact.errors import UsageError
from jupyter_codeact.magics.importing import import_parser
from jupyter_codeact.magics.parser import save_parser

Command = Callable[..., Any]
CELLS = [
    "import math",
    'def area(r):\n    """The area.\n\n    >>> area(0)\n    0.0\n    """\n    return math.pi * r**2',
    "def other():\n    return 1",
]


@pytest.fixture
def notebook(work: Path) -> Path:
    cells = [nbformat.v4.new_code_cell(text, execution_count=n) for n, text in enumerate(CELLS, start=3)]
    path = work / "analysis.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_skill_s_whole_life(command: Command, notebook: Path, work: Path, home: Path) -> None:
    assert "No skills yet" in command("skill", "list").out
    saved = command("skill", "save", "circles", notebook, "--cells", "3-4", "--message", "The first")
    assert (saved.code, saved.err) == (0, "")
    assert "Saved circles" in saved.out
    source = command("skill", "show", "circles").out
    assert "return math.pi * r**2\n" in source
    assert "other" not in source
    assert "circles\tThe area.\t1\tyou\t1 test, passed\t\n" in command("skill", "list").out
    assert "circles.py" in command("skill", "save", "circles", notebook, "--names=area,other").out
    log = command("skill", "log", "circles").out
    assert "circles has 2 versions" in log
    assert "The first (notebook analysis.ipynb, cells 3, 4, checks passed)" in log
    assert "+def other():" in command("skill", "diff", "circles").out
    assert "`jupyter codeact" not in command("skill", "rm", "circles").out
    assert command("skill", "show", "circles").code == 2
    assert command("skill", "rollback", "circles", "1").code == 0
    assert command("skill", "show", "circles").out == source
    assert str(home) in command("skill", "where").out


@pytest.mark.parametrize("kind", ["notebook", "wheel", "skill-folder", "file"])
def test_what_was_exported_is_imported_in_another_library(
    command: Command, notebook: Path, monkeypatch: pytest.MonkeyPatch, sandbox: None, kind: str
) -> None:
    command("skill", "save", "circles", notebook, "--message", "The first")
    source = command("skill", "show", "circles").out
    out = "sent" + suffix(kind)
    sent = command("skill", "export", "circles", "--to", kind, "--out", out).out
    # A skill folder is called as its skill, wherever it goes.
    path = f"{out}/circles" if kind == "skill-folder" else out
    assert "Wrote" in sent
    assert ("It ran in a fresh sandbox" in sent) is (kind == "notebook")
    monkeypatch.setenv("JUPYTER_CODEACT_WORKSPACE", "theirs")
    done = command("skill", "import", path, "--yes", *named(kind))
    assert (done.code, done.err) == (0, "")
    assert "return math.pi * r**2" in done.out
    assert command("skill", "show", "circles").out == source
    # What changes nothing is not asked for.
    again = command("skill", "import", path, *named(kind))
    assert (again.code, again.err) == (0, "")
    assert "It is already like this." in again.out
    log = command("skill", "log", "circles").out
    assert "circles has 1 version" in log
    assert "checks passed" in log
    assert "The first (notebook analysis.ipynb, cells 3, 4, 5, checks passed)" in log


def suffix(kind: str) -> str:
    return {"notebook": ".ipynb", "wheel": ".whl", "file": ".py"}.get(kind, "")


def named(kind: str) -> list[str]:
    """A file has no name but its own."""
    return ["--as", "circles"] if kind == "file" else []


def test_what_fails_in_the_sandbox_is_not_stored_unasked(
    command: Command, work: Path, tmp_path: Path, sandbox: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs in a sandbox of its own: neither this machine nor the working folder sees anything of it."""
    marks = [tmp_path / "mark", work / "mark"]
    opens = "".join(f"\ntry:\n    open({str(mark)!r}, 'w')\nexcept OSError:\n    pass\n" for mark in marks)
    (work / "bad.py").write_text(f"{opens}\ndef f():\n    '''\n    >>> f()\n    2\n    '''\n    return 1\n")
    done = command("skill", "import", "bad.py", "--yes")
    assert done.code == 1
    assert "bad.py, line 2: runs when it is imported" in done.out
    assert "Nothing was stored, since it fails in a sandbox" in done.err
    assert "Expected:" in done.err
    assert "No skills yet" in command("skill", "list").out
    assert [mark for mark in marks if mark.exists()] == []
    forced = command("skill", "import", "bad.py", "--yes", "--force")
    assert (forced.code, "Stored bad" in forced.out) == (0, True)
    assert "checks forced: doctest of bad.f" in command("skill", "log", "bad").out
    monkeypatch.setenv("JUPYTER_CODEACT_SANDBOX", "none")
    command("skill", "import", "bad.py", "--yes", "--as", "twin")
    assert [mark for mark in marks if not mark.exists()] == []


def test_a_name_that_no_test_reaches_is_looked_for_before_it_is_stored(
    command: Command, work: Path, sandbox: None
) -> None:
    """In the sandbox all is well: the function that would fail is never called. Lines are those of what is shown."""
    (work / "fine.py").write_text("def rare():\n    return nowhere\n\n\ndef test_nothing():\n    pass\n")
    done = command("skill", "import", "fine.py", "--yes")
    assert (done.code, "return nowhere" in done.out) == (1, True)
    assert "does not pass its checks (--force stores it): fine.py, line 3: nowhere is not defined" in done.err
    assert "No skills yet" in command("skill", "list").out
    forced = command("skill", "import", "fine.py", "--yes", "--force")
    assert (forced.code, forced.err, "Stored fine" in forced.out) == (0, "", True)
    assert forced.out.count("fine.py, line 3: nowhere is not defined") == 2
    assert "Forced, though fine.py, line 3" in forced.out
    assert "checks forced: fine.py, line 3: nowhere is not defined)" in command("skill", "log", "fine").out


def test_a_file_in_the_working_folder_would_hide_the_skill_and_that_is_said(command: Command, notebook: Path) -> None:
    command("skill", "save", "circles", notebook, "--cells", "3-4")
    assert (
        "While it lies there, import circles takes this file"
        in command("skill", "export", "circles", "--to", "file").out
    )
    assert "1 skill, hidden here: circles" in command("skill", "where").out
    assert "lies there" not in command("skill", "export", "circles", "--to", "file", "--out", "sent.py").out
    assert "none/circles.py" in command("skill", "export", "circles", "--to", "file", "--out", "none/").out


def test_a_notebook_of_a_skill_without_doctests_has_help_that_ran(
    command: Command, work: Path, home: Path, sandbox: None
) -> None:
    own = home / "skills" / "private" / "default"
    (own / "kit").mkdir(parents=True)
    (own / "kit" / "__init__.py").write_text("")
    (own / "kit" / "api.py").write_text("def cube(x):\n    'The third power.'\n    return x**3\n")
    assert "It ran in a fresh sandbox" in command("skill", "export", "kit", "--to", "notebook").out
    example = nbformat.read(work / "kit.ipynb", 4).cells[-1]
    assert example.source == "from kit.api import cube\nhelp(cube)"
    assert "cube(x)\n    The third power." in example.outputs[0].text


def test_a_module_that_never_ends_is_not_waited_for(sandbox: None, home: Path) -> None:
    import asyncio

    from jupyter_codeact.headless.trial import tried_elsewhere
    from jupyter_codeact.settings import Settings

    files = {"slow.py": "while True: pass\n"}
    said = asyncio.run(tried_elsewhere(files, Settings.from_environment(), 2))
    assert said == ["import slow takes longer than 2 s, and was ended."]
    wrong = {
        "p/__init__.py": "from . import q",
        "p/q.py": "import nowhere",
        "t.py": "def test_x():\n    assert 0, 'so'",
    }
    (found,) = asyncio.run(tried_elsewhere(wrong, Settings.from_environment()))
    assert "ModuleNotFoundError: No module named 'nowhere'" in found
    del wrong["p/__init__.py"], wrong["p/q.py"]
    (found,) = asyncio.run(tried_elsewhere(wrong, Settings.from_environment()))
    assert "test_x: AssertionError: so" in found


@pytest.mark.parametrize(("answer", "stored"), [("y", True), ("n", False), ("", False)])
def test_a_person_is_asked(work: Path, home: Path, sandbox: None, answer: str, stored: bool) -> None:
    (work / "mine.py").write_text("x = 2**3\n")
    arguments = ["-m", "jupyter_codeact", "skill", "import", "mine.py"]
    terminal = pexpect.spawn(sys.executable, arguments, cwd=str(work), encoding="utf-8", timeout=PATIENCE_S)
    terminal.expect_exact("Store this? [y]es, [n]o: ")
    assert "x = 2**3" in re.sub("\x1b\\[[0-9;]*m", "", terminal.before)
    assert not [*home.rglob("mine.py")]
    terminal.sendline(answer)
    terminal.expect("Stored .*mine" if stored else "Nothing was stored")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert bool([*home.rglob("mine.py")]) == stored


def test_what_an_own_skill_hides_is_not_said_to_be_imported(command: Command, work: Path, sandbox: None) -> None:
    for name in ("mine", "other"):
        (work / f"{name}.py").write_text("x = 1\n")
    said = command("skill", "import", "mine.py", "--yes").out
    assert said.endswith("Stored mine: import mine works from now on in every notebook with this kernel.\n")
    said = command("skill", "import", ".", "--shared", "--yes").out
    assert "Stored mine, other: import other works from now on" in said
    assert "Your own mine comes before it: import mine goes on with that one." in said


def test_where_nobody_can_be_asked_nothing_is_stored(command: Command, work: Path) -> None:
    (work / "mine.py").write_text("x = 2**3\n")
    done = command("skill", "import", "mine.py")
    assert (done.code, "x = 2**3" in done.out) == (2, True)
    assert "nobody can be asked here" in done.err
    assert "No skills yet" in command("skill", "list").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["show", "nope"], 2, "`jupyter codeact skill list` shows what there is."),
        (["fly"], 2, "`jupyter codeact skill fly` does not exist."),
        (["log"], 2, "`jupyter codeact skill log` needs a name. `jupyter codeact skill list` shows what there is."),
        (["rm", "a", "b"], 2, "`jupyter codeact skill rm` is written wrongly: 'b' is one word too many."),
        (["log", "a", "--frob"], 2, "'--frob' is no option here, but --shared and --own are."),
        (["diff", "a", "--own", "--shared"], 2, "it is either --shared or --own"),
        (["export", "x"], 2, "the following arguments are required: --to"),
        (["export", "x", "--to", "tar"], 2, "invalid choice: 'tar'"),
        (["export", "nope", "--to", "wheel"], 2, "no skill called nope"),
        (["import", "nowhere.py"], 2, "nowhere.py can't be read: No such file or directory."),
        (["import", "analysis.ipynb", "--as", "os", "--yes"], 2, "Python's own"),
        (["import", "analysis.ipynb", "--cells", "9"], 2, "9 names no cell"),
        (["save", "x", "nowhere.ipynb"], 2, "can't be read"),
        (["save", "x", "analysis.ipynb", "--cells", "9"], 2, "9 names no cell"),
        (["save", "os", "analysis.ipynb"], 2, "Python's own"),
        (["save", "x"], 2, "required: notebook"),
    ],
)
def test_errors_are_one_line(command: Command, notebook: Path, words: list[str], code: int, said: str) -> None:
    done = command("skill", *words)
    assert (done.code, done.err.count("\n")) == (code, 1)
    assert said in done.err
    assert "%skill" not in done.err


@pytest.mark.parametrize(
    "words",
    [
        *(["help"], [], ["log", "--help"], ["save", "--help"], ["export", "-h"], ["import", "--help"]),
        *(["show", "--help"], ["show", "-h"], ["list", "--help"]),
    ],
)
def test_help_teaches_the_command_itself(command: Command, words: list[str]) -> None:
    done = command("skill", *words)
    assert (done.code, done.err) == (0, "")
    assert f"jupyter codeact skill {words[0] if words[1:] else 'save'}" in done.out
    assert "%skill" not in done.out
    assert "this notebook" not in done.out


def test_a_folder_of_skills_that_is_not_there_is_named(
    command: Command, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_CODEACT_SKILLS", f"{tmp_path / 'nowhere'}{os.pathsep}{tmp_path}")
    said = command("skill", "where").out
    assert f"{tmp_path / 'nowhere'} of JUPYTER_CODEACT_SKILLS is no folder that is there" in said
    assert f"{tmp_path}, only read here" in said


def test_save_has_the_options_of_the_magic(command: Command, work: Path) -> None:
    magic, here = (save_parser(of_a_file=of_a_file).format_help() for of_a_file in (False, True))
    assert {*re.findall(r"--[a-z]+", magic)} <= {*re.findall(r"--[a-z]+", here)}
    cells = [nbformat.v4.new_code_cell("y = x + 1", execution_count=5)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), work / "plain.ipynb")
    saved = command("skill", "save", "steps", "plain.ipynb", "--cells", "5", "--wrap", "step(x) -> y", "--timeout", "9")
    assert (saved.code, saved.err) == (0, "")
    assert "def step(x" in command("skill", "show", "steps").out


def test_answers_speak_of_a_terminal(command: Command, notebook: Path) -> None:
    assert "skill save NAME analysis.ipynb --cells 3-5 stores" in command("skill", "list").out
    assert "--yes, -y" in command("skill", "import", "--help").out
    assert "write `--yes`" in command("skill", "import", "analysis.ipynb", "--as", "x").err
    done = command("skill", "import", "analysis.ipynb", "--as", "circles", "--yes")
    assert "import circles works from now on in every notebook with this kernel" in done.out


def test_a_cell_can_not_agree_for_the_person() -> None:
    with pytest.raises(UsageError, match="--yes"):
        import_parser().read("tools.py --yes")


def test_a_pipe_is_given_columns_and_code(command: Command, notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    command("skill", "save", "circles", notebook, "--cells", "3-4")
    assert command("skill", "list").out.splitlines() == [
        "skill\twhat it does\tversion\tby\ttests\tlast used by an agent",
        "circles\tThe area.\t1\tyou\t1 test, passed\t",
    ]
    shown = command("skill", "diff", "circles").out.splitlines()
    assert shown[:5] == ["circles, version 1:", "", "circles.py", "@@ -0,0 +1,10 @@", "+import math"]
    assert "```" not in shown


def test_a_terminal_is_shown_what_hides(command: Command, work: Path) -> None:
    (work / "mine.py").write_text("x = 1  # \x1b[2J\u202e\n")
    out = command("skill", "import", "mine.py").out
    assert "\x1b" not in out
    assert "\\x1b[2J\\u202e" in out


def test_a_notebook_of_the_sandbox_s_making(command: Command, work: Path) -> None:
    for text in ("", "[]", json.dumps({"cells": [1]})):
        (work / "a.ipynb").write_text(text)
        assert command("skill", "save", "x", "a.ipynb").code == 2
    (work / "a.ipynb").unlink()
    os.symlink("/etc/passwd", work / "a.ipynb")
    assert "can't be read" in command("skill", "save", "x", "a.ipynb").err


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`editor(code)` makes the person's editor a program that does this with the ``text`` it is given."""

    def become(code: str) -> None:
        program = tmp_path / "editor.py"
        program.write_text(
            "import pathlib, subprocess, sys\npath = pathlib.Path(sys.argv[1])\ntext = path.read_text()\n"
            f"{code}\npath.write_text(text)\n"
        )
        monkeypatch.setenv("VISUAL", f"{sys.executable} {program}")

    return become


def test_a_skill_is_edited_in_her_editor(
    command: Command, notebook: Path, editor: Callable[[str], None], sandbox: None
) -> None:
    command("skill", "save", "circles", notebook, "--cells", "3-4")
    editor("text = text.replace('math.pi', '3.2')")
    done = command("skill", "edit", "circles", "--message", "Roughly")
    assert (done.code, done.err) == (0, "")
    assert "version 2" in done.out
    assert "return 3.2 * r**2" in command("skill", "show", "circles").out
    assert "Roughly" in command("skill", "log", "circles").out
    editor("pass")
    assert "Nothing of circles was changed." in command("skill", "edit", "circles").out
    editor("text = 'def half(x):\\n    return x / 2\\n'")
    assert "halves is new" in command("skill", "edit", "halves").out


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("text = text.replace('math.pi', 'pi')", "pi is not defined"),
        ("text += 'x = 1'; path.write_text(text); sys.exit(3)", "ended with 3: nothing was saved"),
        ("text += 'x = 1'; subprocess.run([*{command}, 'rm', 'circles'], check=True)", "was changed by somebody else"),
        (
            "text += 'x = 1'; subprocess.run([*{command}, 'save', 'circles', 'analysis.ipynb', '--cells=5'])",
            "was changed by somebody else meanwhile",
        ),
    ],
)
@pytest.mark.usefixtures("sandbox")
def test_what_she_wrote_is_not_lost(
    command: Command, notebook: Path, editor: Callable[[str], None], does: str, said: str
) -> None:
    command("skill", "save", "circles", notebook, "--cells", "3-4")
    editor(does.replace("{command}", repr([sys.executable, "-m", "jupyter_codeact", "skill"])))
    failed = command("skill", "edit", "circles")
    assert failed.code == 1
    assert said in failed.err
    kept = Path(failed.err.strip().split("What you wrote is in ")[1].rstrip("."))
    assert kept.read_text() != ""
    assert "x = 1" in kept.read_text() or "return pi" in kept.read_text()
    kept.unlink()
    kept.parent.rmdir()


def test_what_is_no_utf_8_is_not_opened(command: Command, editor: Callable[[str], None], home: Path) -> None:
    own = home / "skills" / "private" / "default"
    own.mkdir(parents=True)
    (own / "latin.py").write_bytes(there := b"# -*- coding: latin-1 -*-\nx = '\xa3'\n")
    editor("text += 'y = 1'")
    failed = command("skill", "edit", "latin", "--force")
    assert (failed.code, failed.out) == (2, "")
    assert "'latin.py' is no UTF-8, and can't be shown as it is." in failed.err
    assert (own / "latin.py").read_bytes() == there


def test_without_an_editor_it_is_said_how_to_name_one(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    # One that wants a terminal would wait for ever.
    if any(map(shutil.which, EDITORS)):
        assert "An editor needs a terminal" in command("skill", "edit", "circles").err
    monkeypatch.setenv("EDITOR", "no-such-editor")
    assert "There is no editor no-such-editor: set EDITOR" in command("skill", "edit", "circles").err
    monkeypatch.delenv("EDITOR")
    monkeypatch.setenv("PATH", "/nowhere")
    assert "export EDITOR=nano" in command("skill", "edit", "circles").err
