"""Skills in a kernel: saved from cells, imported at once, reloaded after a change, seen by every later kernel."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from helpers import PATIENCE_S, history, shown, until_shown
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
Opened = Callable[..., Any]
DEFINE = "import math\n\nSCALE = 2\n\n\ndef area(r):\n    '''Area of a circle.'''\n    return SCALE * math.pi * r**2"

MINE = "def f():\n    'Mine.'\n    return 1"


def own(home: Path) -> Path:
    return home / "skills" / "private" / "default"


async def test_save_makes_a_module_of_what_the_names_need(opened: Opened, home: Path) -> None:
    cells = [DEFINE, "junk = [1, 2]", "%skill save circles 1-2 --names area", "import circles\ncircles.area(1)"]
    async with opened(*cells, "%skill list", "%skill show circles", "%skill where") as document:
        await document.run_cells()
        save, use, listed, show, where = document.nb.cells[2:]
    source = (own(home) / "circles.py").read_text()
    assert "SCALE = 2" in source
    assert "import math" in source
    assert "junk" not in source
    assert "import circles" in shown(save)
    assert shown(use).startswith("6.28")
    assert "| circles | Area of a circle. | 1 | you | no tests |  |" in shown(listed)
    assert "def area(r):" in shown(show)
    assert str(own(home)) in shown(where)


async def test_how_far_the_checks_are_leaves_no_output_behind(opened: Opened) -> None:
    """Where several lines stand in the cell, what those above have shown stays."""
    said = ["%skill save circles 1", "%%skill edit circles --version 1\n" + DEFINE.replace("2", "3")]
    said += ["%skill export circles --to notebook", "%skill save one 1\n%skill save two 1"]
    async with opened(DEFINE, *said) as document:
        await document.run_cells()
        cells = [[output.data["text/plain"] for output in cell.outputs] for cell in document.nb.cells[1:]]
    for shown_in_cell, begin in zip(cells, ("Saved circles", "Saved circles", "Wrote /"), strict=False):
        (text,) = shown_in_cell
        assert text.startswith(begin)
    assert "Saved one" in cells[-1][0]
    assert "Saved two" in cells[-1][-1]


async def test_what_a_front_end_runs_for_itself_is_no_cell(opened: Opened) -> None:
    async with opened("1", "%skill save hidden 1-9") as document:
        one, save = document.nb.cells
        await document.run_cell(one)
        content = {"code": "def hidden(): pass", "silent": True, "store_history": False}
        document.post(document.client.session.msg("execute_request", content))
        await document.run_cell(save)
        assert "no function and no class" in shown(save)


async def test_a_saved_skill_is_imported_in_a_later_kernel(opened: Opened) -> None:
    async with opened(DEFINE, "%skill save circles 1") as document:
        await document.run_cells()
    async with opened("from circles import area\narea(0)") as document:
        await document.run_cells()
        assert shown(document.nb.cells[0]) == "0.0"


async def test_a_changed_skill_is_reloaded_and_imported_names_follow(opened: Opened, home: Path) -> None:
    cells = ["def f(n=1):\n    return n", "%skill save mine 1", "from mine import f as g\ng()"]
    async with opened(*cells, "def f(n=15):\n    return n", "%skill save mine last 4", "g()") as document:
        for cell in document.nb.cells[:4]:
            await document.run_cell(cell)
        document.nb.cells[4].source = "%skill save mine 4"
        await document.run_cell(document.nb.cells[4])
        await document.run_cell(document.nb.cells[5])
        assert shown(document.nb.cells[2]) == "1"
        assert shown(document.nb.cells[5]) == "15"


async def test_the_agents_accepted_cells_are_saved_by_default(opened: Opened, script: Any, home: Path) -> None:
    script({"code": "def twice(x):\n    return 2 * x"}, {"text": "ok"})
    save = ["%skill save doubling", "%skill log doubling", "%skill show doubling"]
    async with opened("def mine():\n    return 1", "%%agent\ngo", *save) as document:
        await document.run_cells()
        *_, log, show = document.nb.cells
    # With what it was made of: the run, its model, its prompt.
    (run,) = [path.name for path in (home / "runs").iterdir()]
    for cell in (log, show):
        assert f"run {run}, model scripted/script, prompt go" in shown(cell)
    source = (own(home) / "doubling.py").read_text()
    assert "def twice" in source
    assert "def mine" not in source


async def test_a_file_that_was_exported_here_is_named_where_it_hides_the_skill(opened: Opened) -> None:
    lines = ["%skill save mine 1", "%skill export mine --to file", "%skill save mine 1", "%skill zzz"]
    async with opened(MINE, *lines) as document:
        for cell in document.nb.cells:
            await document.run_cell(cell)
        *_, save, unknown = [shown(cell) for cell in document.nb.cells]
    assert "mine.py in the working folder hides it, as `%skill export --to file` does: move it, or" in save
    assert "import, edit." in unknown


REFUSED = [
    ("%skill save os 1", "Python's own"),
    ("%skill save 2x 1", "can't be a module's name"),
    ("%skill save ../x 1", "can't be a module's name"),
    ("%skill save x 9", "names no cell"),
    ("%skill save x last", "The agent's last run has no cell"),
    ("%skill save x 1 --names nope", "nope is not defined in these cells; they define: area"),
    ("%skill show nope", "no skill called nope"),
    ("%skill save x 2", "no function and no class"),
]


async def test_a_save_that_can_not_be_says_why_and_saves_nothing(opened: Opened, home: Path) -> None:
    lines = [line for line, _ in REFUSED]
    async with opened(DEFINE, "1 + 1", *lines) as document:
        for cell in document.nb.cells:
            await document.run_cell(cell)
        said = [shown(cell) for cell in document.nb.cells[2:]]
    assert [text for text, (_, words) in zip(said, REFUSED, strict=True) if words not in text] == []
    assert list(own(home).iterdir()) == []


async def test_the_agents_editor_creates_changes_and_undoes(opened: Opened, script: Any, home: Path) -> None:
    text = '"""Fit."""\n\n\ndef fit(n_restarts=10):\n    "Fit."\n    return n_restarts\n'
    script(
        {"edit": {"command": "create", "path": "skill:fit.py", "file_text": text}},
        {"code": "from fit import fit\nfit()"},
        {"edit": {"command": "str_replace", "path": "skill:fit.py", "old_str": "=10", "new_str": "=15"}},
        {"code": "fit()"},
        {"edit": {"command": "view", "path": "skill:fit.py"}},
        {"edit": {"command": "undo", "path": "skill:fit.py"}},
        {"edit": {"command": "create", "path": "skill:../escape.py", "file_text": "x = 1"}},
        {"text": "ok"},
    )
    async with opened("%%agent --review auto\ngo") as document:
        await document.run_cells()
        agent, before, after = document.nb.cells
        assert (shown(before), shown(after)) == ("10", "15")
        assert "+def fit(n_restarts=15):" in shown(agent)
    assert (own(home) / "fit.py").read_text() == text
    assert not (own(home).parent / "escape.py").exists()
    told = [str(message["content"]) for message in history(home) if message["role"] == "tool"]
    assert "   4  def fit(n_restarts=15):" in told[4]
    assert "not a file of the library" in told[6]


async def test_skills_given_by_name_come_with_their_source(opened: Opened, script: Any, home: Path) -> None:
    script({"text": "ok"})
    async with opened(DEFINE, "%skill save circles 1", "%%agent --skills circles\ngo") as document:
        await document.run_cells()
        assert "skills offered: circles" in shown(document.nb.cells[2])
    prompt = history(home)[1]["content"]
    assert "def area(r):" in prompt
    assert prompt.endswith("go")


async def test_versions_are_listed_compared_and_brought_back(opened: Opened, home: Path) -> None:
    save = "%skill save mine 1 --message 'to begin with'"
    lines = [save, "import mine\nmine.f()", "%skill rollback mine 1", "mine.f()", "%skill rm mine", "%skill log mine"]
    async with opened(MINE, *lines) as document:
        first, saved, use, back, again, gone, log = document.nb.cells
        await document.run_cell(first)
        await document.run_cell(saved)
        (own(home) / "mine.py").write_text(MINE.replace("1", "2") + "\n")
        for cell in (use, back, again, gone, log):
            assert await document.run_cell(cell) == "ok"
    assert (shown(use), shown(again)) == ("2", "1")
    assert "-    return 2\n+    return 1" in shown(back)
    assert "brings it back" in shown(gone)
    rows = [row.split(" | ") for row in shown(log).splitlines() if row.startswith("| ")]
    assert [(row[0].strip("| "), row[2]) for row in rows[1:]] == [
        ("4", "you"),
        ("3", "you"),
        ("2", "by hand"),
        ("1", "you"),
    ]
    assert "to begin with (cells 1, checks passed)" in rows[-1][3]
    assert not (own(home) / "mine.py").exists()


async def test_a_skill_is_edited_in_a_cell(opened: Opened, home: Path) -> None:
    async with opened(MINE, "%skill save mine 1", "%%skill edit mine") as document:
        *before, edit = document.nb.cells
        for cell in (*before, edit):
            assert await document.run_cell(cell) == "ok"
        assert edit.source == f"%%skill edit mine --version 1\n{MINE}"
        edit.source = edit.source.replace("return 1", "return 'hers'")
        assert await document.run_cell(edit) == "ok"
        assert "-    return 1\n+    return 'hers'" in shown(edit)
        assert edit.source == "%%skill edit mine --version 2\n" + MINE.replace("1", "'hers'")
        (own(home) / "mine.py").write_text("def f():\n    return 'theirs'\n")
        edit.source = edit.source.replace("hers", "late")
        assert await document.run_cell(edit) == "error"
        assert "changed by somebody else" in shown(edit)
        assert "+    return 'theirs'" in shown(edit)
        assert "'late'" in edit.source
    assert (own(home) / "mine.py").read_text() == "def f():\n    return 'theirs'\n"


async def test_a_skill_that_an_edit_makes_is_called_new(opened: Opened, home: Path) -> None:
    async with opened(MINE, "%skill save mine 1", f"%%skill edit mind\n{MINE}", "%%skill edit mine\nx = 1") as document:
        await document.run_cells()
        *_, typo, known = document.nb.cells
    assert "mind is new: nothing of mine was changed." in shown(typo).replace("**", "")
    assert "%skill rm mind takes it away." in shown(typo)
    assert "is new" not in shown(known)


async def test_what_the_agent_edits_is_a_version_that_says_so(opened: Opened, script: Any, home: Path) -> None:
    edit = {"command": "create", "path": "skill:mine.py", "file_text": "x = 1\n"}
    script({"edit": edit}, {"text": "Done."})
    async with opened("%%agent\nmake it", "%skill log mine") as document:
        await document.run_cells()
    assert "| agent |" in shown(document.nb.cells[-1])
    assert "prompt make it" in shown(document.nb.cells[-1])


async def test_a_library_of_others_is_imported_from_and_not_written(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "theirs_fit.py").write_text("def fit():\n    return 'theirs'\n")
    monkeypatch.setenv("JUPYTER_CODEACT_SKILLS", str(tmp_path / "theirs"))
    async with opened("import theirs_fit\ntheirs_fit.fit()", "%skill list", "%skill rm theirs_fit") as document:
        await document.run_cells()
    use, listed, remove = document.nb.cells
    assert "| theirs_fit |" in shown(listed)
    assert shown(use) == "'theirs'"
    assert "only read here" in shown(remove)


async def test_a_skill_is_imported_wherever_our_data_folder_lies(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colon parts the folders of many a variable, and may stand in a folder's name."""
    monkeypatch.setenv("JUPYTER_CODEACT_HOME", str(tmp_path / "a:b"))
    async with opened(MINE, "%skill save of_colon 1", "import of_colon\nof_colon.f()") as document:
        await document.run_cells()
    assert shown(document.nb.cells[-1]) == "1"


# ---- what is looked at before anything is written


FAILING = """def twice(x):
    '''
    >>> twice(2)
    5
    '''
    return SCALE * x

def test_twice():
    assert twice(1) == 2
"""


async def test_a_doctest_that_fails_saves_nothing_unless_it_is_forced(opened: Opened, home: Path) -> None:
    path = "path = '/home/her/data.csv'\ndef load(p=path): return p"
    save = ["%skill save two 2", "%skill save two 1 2", "%skill save two 1 2 --force", "%skill log two"]
    async with opened("SCALE = 2", FAILING, path, *save, "%skill save paths 3") as document:
        for cell in document.nb.cells:
            await document.run_cell(cell)
        *_, undefined, refused, forced, log, paths = document.nb.cells
    assert "needs SCALE, which cell 1 defines: name that cell too" in shown(undefined)
    assert "doctest of two.twice" in shown(refused)
    assert "  Expected:\n      5\n  Got:\n      4\n" in shown(refused)
    assert "Nothing was saved" in shown(refused)
    assert "Forced, though doctest of two.twice" in shown(forced)
    assert "checks forced: doctest of two.twice" in shown(log)
    assert len([row for row in shown(log).splitlines() if "| you |" in row]) == 1
    assert (own(home) / "two.py").exists()
    assert "Look at paths.py, line 1: a path of this machine" in shown(paths)
    assert "imported in a fresh sandbox" in shown(paths)


async def test_statements_are_saved_as_a_function(opened: Opened, home: Path) -> None:
    cells = ["x, y = [1, 2, 3], [2, 4, 6]", "import math\nn = 2\nslope = sum(y) / sum(x) * math.sqrt(n * n)"]
    save = '%skill save line 2 --wrap "fit(x, y, n=1) -> slope"'
    async with opened(*cells, save, "import line\nline.fit([1], [3]), line.fit(x, y, 2) == slope") as document:
        await document.run_cells()
    assert shown(document.nb.cells[-1]) == "(3.0, True)"
    assert 'fit: nobody has described it yet."""' in (own(home) / "line.py").read_text()


async def test_a_skill_notebook_has_a_call_of_hers_that_ran(opened: Opened, work: Path) -> None:
    """Unless it does not run without her files: then it has help."""
    (work / "n.txt").write_text("3")
    cells = ["def cube(x):\n    return x**3", "%skill save cubes 1", "n = 1 + 1\ncube(n)"]
    export = "%skill export cubes --to notebook --force"
    hers = "m = int(open('n.txt').read())\ncube(m)"
    async with opened(*cells, export, hers, export) as document:
        for cell in document.nb.cells[:4]:
            assert await document.run_cell(cell) == "ok"
        assert "Its example is from your cell 3" in shown(document.nb.cells[3])
        example = nbformat.read(work / "cubes.ipynb", 4).cells[-1]
        assert (example.source, example.outputs[0].data["text/plain"]) == ("n = 1 + 1\ncube(n)", "8")
        for cell in document.nb.cells[4:]:
            assert await document.run_cell(cell) == "ok"
        assert "Its example" not in shown(document.nb.cells[-1])
        assert "It ran in a fresh sandbox" in shown(document.nb.cells[-1])
        example = nbformat.read(work / "cubes.ipynb", 4).cells[-1]
        assert example.source == "help(cube)"
        assert "nobody has described it yet" in example.outputs[0].text


async def test_stop_ends_the_checks_and_nothing_is_saved(opened: Opened, home: Path) -> None:
    endless = "import time\nx = time.sleep(1000) if __name__ == 'endless' else 1\ndef f(): return x"
    async with opened(endless, "%skill save endless 1", "1 + 1") as document:
        define, save, after = document.nb.cells
        await document.run_cell(define)
        running = asyncio.ensure_future(document.run_cell(save))
        await until_shown(document, "importing endless")
        await document.km.interrupt_kernel()
        assert await running == "error"
        assert await document.run_cell(after) == "ok"
    assert list(own(home).iterdir()) == []


async def test_the_agent_is_told_what_the_checks_of_its_edit_say(opened: Opened, script: Any, home: Path) -> None:
    broken = "def f():\n    return scale\n\n\ndef test_f():\n    assert f() == 1\n"
    mend = {"command": "str_replace", "path": "skill:mine.py", "old_str": "return scale", "new_str": "return 2"}
    script(
        {"edit": {"command": "create", "path": "skill:mine.py", "file_text": broken}},
        {"edit": mend},
        {"edit": mend | {"old_str": "return 2", "new_str": "return 1"}},
        {"edit": mend | {"old_str": "return 1", "new_str": "return 1"}},
        {"edit": mend},
        {"text": "ok"},
    )
    async with opened("%%agent --review auto\ngo", "%skill log mine", "%skill list") as document:
        await document.run_cells()
        seen, log, listed = map(shown, document.nb.cells)
    told = [str(message["content"]) for message in history(home) if message["role"] == "tool"]
    assert "mine.py, line 3: scale is not defined" in told[0]
    assert "test_f: AssertionError (mine.py, line 7)" in told[1]
    assert "Checks passed: imported in a fresh sandbox, 1 test passed" in told[2]
    assert "nothing was done" in told[3]
    assert "return 1" in (own(home) / "mine.py").read_text()
    # The versions remember it.
    rows = log.splitlines()[-3:]
    for row, said in zip(rows, ("passed", "failed: test_f: ", "failed: mine.py, line 3: scale"), strict=True):
        assert f"checks {said}" in row
    assert "| 1 test, passed |" in listed
    # She is told of what failed, too, and what changed nothing is no change.
    assert "- mine.py, line 3: scale is not defined" in seen
    assert "The agent could not str_replace skill:mine.py: old_str occurs 0 times" in seen
    assert "3 changes to skills" in seen


def test_what_comes_from_elsewhere_is_shown_and_asked_for(sandbox: None, home: Path, work: Path) -> None:
    """Nobody to ask, a no, a yes; then it is there at once, and leaves again as it came."""
    source = '"""Powers."""\n\n\ndef cube(x):\n    return x**3\n'
    (work / "powers.py").write_text(source)
    manager, client = start_new_kernel(kernel_name="codeact", cwd=str(work))

    def run(code: str, answer: str = "") -> str:
        outputs: list[Any] = []

        def ask(message: Any) -> None:
            assert message["content"]["prompt"] == "Store this? [y]es, [n]o: "
            client.input(answer)

        hooks = {"stdin_hook": ask, "output_hook": outputs.append}
        client.execute_interactive(code, allow_stdin=bool(answer), timeout=PATIENCE_S, **hooks)
        return "\n".join(
            str(o["content"]) for o in outputs if o["msg_type"] in ("display_data", "error", "execute_result")
        )

    try:
        nobody = run("%skill import powers.py")
        assert "return x**3" in nobody
        assert "cube: nobody has described it yet." in nobody
        assert "nobody can be asked here" in nobody
        agreed = run("%skill import powers.py --yes", "y")
        assert "`--yes` is for a terminal" in agreed
        assert "return x**3" not in agreed
        assert "Nothing was stored" in run("%skill import powers.py", "n")
        assert not (own(home) / "powers.py").exists()
        assert "Stored **mine**" in run("%skill import powers.py --as mine", "y")
        stored = source.replace("    return", '    """cube: nobody has described it yet."""\n    return')
        assert (own(home) / "mine.py").read_text() == stored
        assert "27" in run("import mine; mine.cube(3)")
        assert "'text/plain': 'mine" in run("%skill show mine")
        assert "x**3" in run("%skill show mine").partition("text/plain")[2]
        assert "Wrote" in run("%skill export mine --to notebook")
        assert "Imported from powers.py (checks passed)" in run("%skill log mine")
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    assert "def cube(x)" in (work / "mine.ipynb").read_text()


async def test_where_the_working_folder_is_gone_every_answer_is_a_sentence(
    opened: Opened, home: Path, work: Path
) -> None:
    own(home).mkdir(parents=True)
    (own(home) / "fit.py").write_text(MINE)
    ours = ["%skill list", "%agent status", "%%agent --model scripted/gp_fit\nFit.", "%skill export fit --to file"]
    async with opened(*ours) as document:
        os.rmdir(work)
        await document.run_cells()
        said = [shown(cell) for cell in document.nb.cells]
    assert not [text for text in said if "defect" in text]
    assert "| fit | Mine." in said[0]
    assert f"{work} (deleted)" in said[1]
    assert said[2]
    assert "fit.py can't be written: No such file or directory" in said[-1]
