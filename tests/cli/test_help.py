"""Help, exit codes, and what a command does not import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

Command = Callable[..., Any]
NAMES = ("demo", "run", "batch", "replay", "inspect", "stats", "demo-from", "skill")


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from jupyter_codeact.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print([name for name in ('litellm', 'rich', 'zmq', 'pydantic', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *shown, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    assert [name for name in NAMES if name not in [line.split()[0] for line in shown if line.split()]] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_command_teaches_with_an_example(command: Command, name: str) -> None:
    done = command(name, "--help")
    assert done.code == 0
    assert f"example:\n  jupyter codeact {name} " in done.out
    assert "--debug" in done.out


@pytest.mark.parametrize("arguments", [[], ["fly"], ["stats"], ["batch", "p.yaml"], ["run", "--text", "x", "--fast"]])
def test_wrong_use_is_exit_code_2(command: Command, arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.code == 2
    assert "jupyter codeact" in done.err
