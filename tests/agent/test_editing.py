"""The agent's editor on the working folder, by the functions that run in the sandbox."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.agent.editing import FileEditor
from jupyter_codeact.agent.history import STOPPED
from jupyter_codeact.agent.tools import ToolHandler
from jupyter_codeact.errors import EditError, SandboxError
from jupyter_codeact.events import RanCell, Rejected
from jupyter_codeact.inside import functions
from jupyter_codeact.skills.checks import Tried
from jupyter_codeact.skills.editor import LibraryEditor
from jupyter_codeact.skills.index import Index
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.search import Search
from jupyter_codeact.skills.skill import Files
from jupyter_codeact.skills.tool import SkillTool

from .twins import ANSWER, ScriptedCells, agent_of, run, scripted, told, valid

FUNCTIONS = {"read_text": functions.read_text, "write_text": functions.write_text}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_bytes(b"x = 1\r\ny = 2\r\n")
    (folder / "notes.txt").write_text("\tone\n\ttwo")
    (folder / ".hidden").write_text("x")
    return folder


class Hands:
    """An editor, and the folder it works in."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.editor = FileEditor(None)
        self.env = ScriptedCells(**FUNCTIONS)

    async def do(self, command: str, path: str, **arguments: Any) -> str:
        change = await self.editor.edit({"command": command, "path": path, **arguments}, self.env, str(self.work))
        return change if isinstance(change, str) else await change.apply()


@pytest.fixture
def hands(work: Path) -> Hands:
    return Hands(work)


async def test_files_and_folders_are_viewed(hands: Hands) -> None:
    assert await hands.do("view", "src/a.py") == "   1  x = 1\n   2  y = 2"
    assert await hands.do("view", f"{hands.work}/notes.txt") == "   1  \tone\n   2  \ttwo"
    assert (await hands.do("view", ".")).splitlines() == ["notes.txt", "src/", "src/a.py"]


async def test_tabs_and_line_ends_are_kept(hands: Hands) -> None:
    said = await hands.do("str_replace", "src/a.py", old_str="x = 1\n", new_str="x = 10\nz = 3\n")
    assert said.startswith("Change src/a.py: done.\n")
    assert (hands.work / "src" / "a.py").read_bytes() == b"x = 10\r\nz = 3\r\ny = 2\r\n"
    await hands.do("insert", "notes.txt", insert_line=2, new_str="\tthree")
    assert (hands.work / "notes.txt").read_text() == "\tone\n\ttwo\n\tthree\n"


async def test_a_file_is_created_with_its_folder_and_undo_removes_it(hands: Hands) -> None:
    assert "Create new/b.py: done." in await hands.do("create", "new/b.py", file_text="b = 1\n")
    assert (hands.work / "new" / "b.py").read_text() == "b = 1\n"
    assert "Remove new/b.py: done." in await hands.do("undo", "new/b.py")
    assert not (hands.work / "new" / "b.py").exists()
    with pytest.raises(EditError, match=r"no edit of new/b\.py to undo"):
        await hands.do("undo", "new/b.py")


async def test_rights_and_links_stay(hands: Hands) -> None:
    script = hands.work / "notes.txt"
    script.chmod(0o755)
    (hands.work / "link.txt").symlink_to("notes.txt")
    await hands.do("create", "link.txt", file_text="new\n")
    assert script.read_text() == "new\n"
    assert stat.S_IMODE(os.stat(script).st_mode) == 0o755
    assert (hands.work / "link.txt").is_symlink()
    assert sorted(path.name for path in hands.work.iterdir()) == [".hidden", "link.txt", "notes.txt", "src"]


@pytest.mark.parametrize(
    ("command", "path", "arguments", "said"),
    [
        ("view", "nothing.py", {}, "There is no nothing.py. View '.'"),
        ("view", "../outside.txt", {}, "lies outside of the working folder"),
        ("create", "/etc/x", {"file_text": "x"}, "lies outside of the working folder"),
        ("create", "out/x", {"file_text": "x"}, "lies outside of the working folder"),
        ("create", "src", {"file_text": "x"}, "is a folder"),
        ("create", "src/a.py", {"file_text": "x ="}, "would not compile, line 1"),
        ("create", "b.txt", {}, "create needs file_text"),
        ("str_replace", "src/a.py", {"old_str": "q", "new_str": ""}, "occurs 0 times"),
        ("insert", "src/a.py", {"insert_line": 9, "new_str": "x"}, "from 0 to 2"),
        ("rename", "src/a.py", {}, "no command 'rename'"),
        ("undo", "src/a.py", {}, "no edit of src/a.py to undo"),
        ("view", "binary", {}, "can't be read"),
        ("view", "huge", {}, "is larger than 2 MB"),
        ("view", "skill:x.py", {}, "There is no skill library here"),
    ],
)
async def test_what_is_impossible_is_told(  # noqa: PLR0917  # fixtures and a table
    hands: Hands, tmp_path: Path, command: str, path: str, arguments: dict[str, Any], said: str
) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    (hands.work / "out").symlink_to(tmp_path)
    (hands.work / "binary").write_bytes(b"\xff\xfe\x00")
    (hands.work / "huge").write_bytes(b"x" * (2**21 + 1))
    with pytest.raises(EditError, match=said):
        await hands.do(command, path, **arguments)


async def test_a_file_that_did_not_compile_may_be_mended_in_steps(hands: Hands) -> None:
    (hands.work / "broken.py").write_text("x = (\ny = [\n")
    await hands.do("str_replace", "broken.py", old_str="(", new_str="1")
    assert (hands.work / "broken.py").read_text() == "x = 1\ny = [\n"


@pytest.mark.parametrize("command", ["undo", "str_replace"])
async def test_what_somebody_else_changed_is_not_overwritten(hands: Hands, command: str) -> None:
    arguments = {"command": "str_replace", "path": "notes.txt", "old_str": "one", "new_str": "1"}
    change = await hands.editor.edit(arguments, hands.env, str(hands.work))
    assert not isinstance(change, str)
    if command == "undo":
        await change.apply()
    (hands.work / "notes.txt").write_text("hers")
    with pytest.raises(EditError, match="was changed by somebody else"):
        await (hands.do("undo", "notes.txt") if command == "undo" else change.apply())
    assert (hands.work / "notes.txt").read_text() == "hers"


@pytest.mark.parametrize("answer", [None, 1, [], {"text": 5}])
async def test_an_answer_that_makes_no_sense_is_an_error_of_the_edit(work: Path, answer: Any) -> None:
    editor, env = FileEditor(None), ScriptedCells(read_text=lambda **_: answer)
    try:
        await editor.edit({"command": "view", "path": "a"}, env, str(work))
    except EditError:
        return
    assert answer == {"text": 5}


@pytest.mark.parametrize("refusal", [None, Rejected("not there")])
async def test_a_change_is_shown_and_may_be_refused(work: Path, refusal: Rejected | None) -> None:
    state = {"working_dir": str(work), "variables": []}
    cells = ScriptedCells(refusals=[refusal], state=state, **FUNCTIONS)
    edit = {"command": "create", "path": "src/a.py", "file_text": "x = 9\n"}
    agent = agent_of(scripted({"edit": edit}, ANSWER))
    await run(agent, cells)
    [(_, diff, summary)] = cells.confirmed
    assert summary == "Change src/a.py"
    assert "+x = 9" in diff
    assert ((work / "src" / "a.py").read_text() == "x = 9\n") is (refusal is None)
    assert ("not there" in told(agent)[0]) is (refusal is not None)
    assert agent.info.get("edited_files", []) == ([] if refusal else ["src/a.py"])


async def test_a_sandbox_that_does_not_answer_is_told() -> None:
    cells = ScriptedCells(read_text=SandboxError("The sandbox does not answer."))
    agent = agent_of(scripted({"edit": {"command": "view", "path": "a"}}, ANSWER))
    await run(agent, cells)
    assert told(agent) == [agent.templates.marked("The sandbox does not answer.")]
    assert agent.info["exit_status"] == "submitted"


@pytest.mark.parametrize("stops", [False, True])
async def test_an_edit_of_a_skill_stands_whatever_becomes_of_its_checks(tmp_path: Path, stops: bool) -> None:
    waiting = asyncio.Event()

    async def trial(name: str, files: Files, tell: Callable[[str], None]) -> Tried:
        waiting.set()
        if stops:
            await asyncio.Event().wait()
        return Tried((f"{name} is no good",))

    library = Library(tmp_path / "own")
    library.own.mkdir()
    create = {"command": "create", "path": "skill:fit.py", "file_text": "x = 1\n"}
    agent = agent_of(scripted({"edit": create}, ANSWER))
    agent.tools = ToolHandler(agent.tools.config, library=LibraryEditor(library, trial), transform=str)
    running = asyncio.ensure_future(run(agent))
    await waiting.wait()
    if stops:
        running.cancel()
    await asyncio.wait({running})
    assert running.cancelled() is stops
    assert (library.own / "fit.py").read_text() == "x = 1\n"
    (said,) = told(agent)[:1]
    assert said.startswith(f"<output {agent.templates.mark}>\nCreate fit.py: done.")
    assert ("Its checks were stopped." in said) is stops
    assert ("Checks failed, mend this:\n- fit is no good" in said) is not stops


async def test_a_stop_ends_the_checks_of_a_save_and_nothing_is_stored(tmp_path: Path) -> None:
    waiting = asyncio.Event()

    async def trial(name: str, files: Files, tell: Callable[[str], None]) -> Tried:
        waiting.set()
        await asyncio.Event().wait()
        return Tried()

    library = Library(tmp_path / "own")
    library.own.mkdir()
    ran = [RanCell(1, "id1", "def twice(x):\n    return 2 * x", True)]
    skills = SkillTool(library, Search(Index(None), []), lambda: (ran, ()), trial=trial)
    save = {"name": "skills", "arguments": {"command": "save", "name": "doubling", "what": "twice"}}
    agent = agent_of(scripted({"calls": [save]}, ANSWER))
    agent.tools = ToolHandler(agent.tools.config, library=LibraryEditor(library), skills=skills, transform=str)
    cells = ScriptedCells()
    running = asyncio.ensure_future(run(agent, cells))
    await waiting.wait()
    assert [summary for _, _, summary in cells.confirmed] == ["Create doubling.py"]
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert [*library.own.iterdir()] == []
    assert agent.info["exit_status"] == "exit_stopped"
    assert valid(agent.history)
    assert told(agent) == [STOPPED]
