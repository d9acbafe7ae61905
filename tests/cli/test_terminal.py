"""Commands in a real terminal: what is seen while they work, and what Ctrl-C leaves."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest
from helpers import PATIENCE_S, gone

Command = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("sandbox", "home")
# Has no end as long as the file is there.
WAITS = "import os, time\nif os.path.exists('wait'):\n    time.sleep(100)"


def in_terminal(folder: Path, *arguments: object) -> pexpect.spawn[str]:
    variables = {**os.environ, "TERM": "xterm-256color"}
    words = ["-P", "-m", "jupyter_codeact", *map(str, arguments)]
    return pexpect.spawn(
        sys.executable,
        words,
        cwd=str(folder),
        env=variables,
        encoding="utf-8",
        timeout=PATIENCE_S,
        dimensions=(40, 120),
    )


def stopped(terminal: pexpect.spawn[str]) -> str:
    """What is shown after Ctrl-C, to the command's end, which must be that of a stop."""
    terminal.sendintr()
    said = ended(terminal, 130)
    assert terminal.pid is not None
    assert gone([terminal.pid])
    return said


def ended(terminal: pexpect.spawn[str], code: int) -> str:
    """What is shown to the command's end, which has this exit code."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == code, terminal.before
    return str(terminal.before)


def test_a_batch_shows_what_is_being_done_and_goes_on_after_ctrl_c(
    command: Command, replies: Command, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "wait").touch()
    model = replies({"code": WAITS}, {"submit": "Done."})
    entries = [{"id": "quick", "text": "go"}, {"id": "slow", "text": "go", "workspace": "project"}]
    (tmp_path / "problems.yaml").write_text(json.dumps(entries))
    flags = ("batch", "problems.yaml", "--workers", 1, "--out", "out", "--model", model)
    terminal = in_terminal(tmp_path, *flags)
    # A line of what has ended stays above the table, which is drawn again below it.
    terminal.expect(r"quick\S* · \S*done")
    terminal.expect("problem.+now.+steps.+tokens.+cost.+time")
    terminal.expect("slow.+Running code")
    terminal.expect("1 of 2")
    said = stopped(terminal)
    assert "The same command goes on from here: what is done is not done again." in said
    assert "Traceback" not in said
    (project / "wait").unlink()
    terminal = in_terminal(tmp_path, *flags)
    assert "2 problems, 1 of them done before" in ended(terminal, 0)


def test_a_replay_that_is_stopped_says_where_it_is_and_begins_anew(
    command: Command, replies: Command, tmp_path: Path
) -> None:
    model = replies({"code": "print('first')"}, {"code": WAITS}, {"submit": "Done."})
    assert command("run", "--text", "go", "--review", "auto", "--model", model, "--out", tmp_path / "run").code == 0
    project = tmp_path / "project"
    project.mkdir()
    (project / "wait").touch()
    flags = ("replay", tmp_path / "run" / "task.traj", "--workspace", project, "--out", tmp_path / "again")
    terminal = in_terminal(tmp_path, *flags)
    terminal.expect("first")
    terminal.expect("(?i)step 2")
    said = stopped(terminal)
    assert f"What was replayed so far is in {tmp_path / 'again'}." in " ".join(said.split())
    assert (tmp_path / "again" / "task.traj").exists()
    (project / "wait").unlink()
    terminal = in_terminal(tmp_path, *flags)
    assert "The same 2 cells ran." in ended(terminal, 0)


def test_a_demo_that_is_stopped_says_what_there_is(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    terminal = in_terminal(tmp_path, "demo", "--out", "shown")
    terminal.expect("(?i)gaussian")
    said = stopped(terminal)
    assert "The notebooks so far are in" in said
    assert "the same command begins anew" in " ".join(said.split())
    assert "Traceback" not in said


def test_ctrl_c_at_the_question_for_a_skill_stores_nothing(command: Command, tmp_path: Path) -> None:
    (tmp_path / "fine.py").write_text('def f():\n    """F."""\n')
    terminal = in_terminal(tmp_path, "skill", "import", "fine.py")
    terminal.expect(r"Store this\?.*: ")
    assert "Stopped." in stopped(terminal)
    assert "No skills yet" in command("skill", "list").out
