"""Other people's front ends, as programs: `jupyter console`, `jupyter run`, papermill."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pexpect
import pytest
from helpers import PATIENCE_S, shown
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.usefixtures("sandbox", "home")
PROGRAMS = Path(sys.executable).parent
# What draws the prompt stands between its characters.
ESCAPES = r"(\x1b\[[\d;?]*\w)*"


class Console:
    """`jupyter console` on a terminal."""

    def __init__(self, terminal: Any) -> None:
        self.terminal = terminal

    def prompt(self, count: int) -> None:
        self.terminal.expect(rf"In \[{ESCAPES}{count}{ESCAPES}\]")

    def types(self, *lines: str, until: str) -> None:
        """Each line when the one before it has been taken."""
        for line in lines[:-1]:
            self.terminal.send(f"{line}\r")
            self.terminal.expect(r"\.\.\.: ")
        self.terminal.send(f"{lines[-1]}\r")
        self.terminal.expect(until)


@contextmanager
def console(work: Path) -> Iterator[Console]:
    drawn = {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "PROMPT_TOOLKIT_COLOR_DEPTH": "DEPTH_1_BIT"}
    environment = os.environ | drawn
    program = [str(PROGRAMS / "jupyter-console"), "--kernel", "codeact"]
    terminal = pexpect.spawn(program[0], program[1:], env=environment, cwd=work, encoding="utf-8", timeout=PATIENCE_S)
    try:
        yield Console(terminal)
    finally:
        terminal.close(force=True)


def test_a_console_runs_cells_magics_and_the_agent_and_stops_at_ctrl_c(script: Callable[..., None], work: Path) -> None:
    script({"text": "I look.", "code": "print('it', 'ran')"}, {"text": "The answer is 42."})
    with console(work) as her:
        her.prompt(1)
        her.types("6 * 7", until=rf"Out\[{ESCAPES}1{ESCAPES}\]: {ESCAPES}42")
        her.prompt(2)
        her.types("%agent status", until="scripted/script")
        her.prompt(3)
        her.types("import time; print('sleep', 'ing'); time.sleep(600)", until="sleep ing")
        her.terminal.sendintr()
        her.terminal.expect("KeyboardInterrupt")
        her.prompt(4)
        her.types("%%agent", "go", "", "", until=r"Run this\? \[y\]es")
        her.types("y", until="it ran")
        her.terminal.expect("The answer is 42.")
        her.prompt(5)
        her.types("exit", until=pexpect.EOF)


def test_a_script_is_run_and_its_error_is_a_failure(work: Path) -> None:
    def run(code: str, *files: str) -> subprocess.CompletedProcess[str]:
        command = [PROGRAMS / "jupyter-run", "--kernel", "codeact", *files]
        return subprocess.run(command, input=code, cwd=work, capture_output=True, text=True, check=False)

    assert run("print(6 * 7)").stdout == "42\n"
    assert run("1 / 0").returncode != 0
    (work / "script.py").write_text("print('from', 'a file')")
    assert run("", "script.py").stdout == "from a file\n"


def test_papermill_hands_in_parameters_logs_and_stops_at_an_error(script: Callable[..., None], work: Path) -> None:
    script({"text": "I double it.", "code": "twice = 2 * n\nprint('twice', twice)"}, {"text": "Done."})
    sources = ["n = 1", "%%agent --review auto\ngo", "print('kept', twice)\n1 / 0", "print('never')"]
    nb = new_notebook(cells=list(map(new_code_cell, sources)))
    nb.cells[0].metadata["tags"] = ["parameters"]
    nb.metadata.kernelspec = {"name": "codeact", "display_name": "Python 3 (CodeAct)", "language": "python"}
    nbformat.write(nb, work / "in.ipynb")
    command = [PROGRAMS / "papermill", "in.ipynb", "out.ipynb", "-k", "codeact", "-p", "n", "21", "--log-output"]
    ended = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert re.search(r"^kept 42$", ended.stderr, re.MULTILINE)
    cells = [cell for cell in nbformat.read(work / "out.ipynb", as_version=4).cells if cell.cell_type == "code"]
    *_, agent, failed, never = cells
    assert "I double it." in shown(agent)
    assert "twice 42" in shown(agent)
    assert shown(failed) == "kept 42\n\nZeroDivisionError: division by zero"
    assert (never.execution_count, never.outputs) == (None, [])
