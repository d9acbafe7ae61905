"""Help, exit codes, and what a command does not import."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.batch.problems import read_problems
from jupyter_codeact.cli import parser

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


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_are_understood(command: Command, name: str) -> None:
    shown = command(name, "--help").out.partition("example:\n")[2].replace("\\\n", " ")
    examples = [shlex.split(line)[2:] for line in shown.splitlines() if line.startswith("  jupyter codeact ")]
    assert {words[0] for words in examples} == {name}
    for words in examples:
        parser().parse_args(words)


def test_the_problems_of_the_example_are_a_batch(command: Command, work: Path) -> None:
    shown = command("batch", "--help").out.partition("  problems.yaml:\n")[2]
    (work / "problems.yaml").write_text(shown)
    assert [entry.id for entry in read_problems(work / "problems.yaml")] == ["mean", "plot", "crash"]


def test_help_is_as_wide_as_the_terminal_and_whole_in_a_pipe(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    piped = command("run", "--help").out
    assert re.search(
        r"^  --base-url URL +the model's service, where it is not the provider's own$", piped, re.MULTILINE
    )
    assert re.search(r"^  --timeout SECONDS .+ \(30\)$", command("skill", "save", "--help").out, re.MULTILINE)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    shown = command("run", "--help").out
    assert max(map(len, shown.partition("example:")[0].splitlines()[1:])) <= 60
    of_import = command("skill", "import", "--help").out
    assert max(map(len, of_import.partition("Examples:")[0].splitlines())) <= 60
    assert "".join(shown.split()) == "".join(piped.split())


def test_help_says_how_the_sandbox_comes_by_packages(command: Command) -> None:
    for name in ("run", "batch"):
        assert "`pip install pytest`" in command(name, "--help").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["runn"], "Did you mean `jupyter codeact run`?"),
        (["--hlep"], "Did you mean --help?"),
        (["run", "--txt", "x"], "Did you mean --text?"),
        (["batch", "p.yaml", "--worker=3"], "Did you mean --workers?"),
        (["run", "--text", "x", "--review", "atuo"], "did you mean auto?"),
        (["stats", "--debgu", "x"], "Did you mean --debug?"),
        (["inspect", "a", "b"], "jupyter codeact inspect: 'b' is one word too many."),
        (["skill", "--debgu", "list"], "Did you mean --debug?"),
        (["skill", "lst"], "Did you mean `jupyter codeact skill list`?"),
        (["skill", "list", "--shared"], "'--shared' means nothing behind it"),
        (["skill", "import", "x", "--yse"], "Did you mean --yes?"),
        (["run", "--text", "x", "--cost-limit", "0"], "'0' is not a number above 0"),
        (["run", "--text", "x", "--temperature", "hot"], "'hot' is not a number of at least 0"),
    ],
)
def test_what_is_misspelt_is_named_with_what_was_meant(command: Command, arguments: list[str], said: str) -> None:
    done = command(*arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert said in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--text", "go", "--workspace", "nowhere", "--model", "anthropic/x"],
        ["run", "--file", "none.md", "--model", "anthropic/x"],
        ["run", "--text", "go", "--model", "anthropic/x"],
        ["batch", "none.yaml", "--out", "out", "--model", "anthropic/x"],
    ],
)
def test_what_was_given_is_looked_at_before_the_model_is_imported(arguments: list[str], tmp_path: Path) -> None:
    """The third is right, but for there being no terminal to ask in."""
    code = "import sys; from jupyter_codeact.cli import main; print(main(sys.argv[1:]), 'litellm' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        check=False,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr.count("\n")) == ("2 False\n", 1)


def test_what_nobody_thought_of_is_a_line_too(command: Command, work: Path) -> None:
    (work / "deep.traj").write_text("[" * 100_000)
    done = command("inspect", "deep.traj")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "`--debug` shows where" in done.err
    with pytest.raises(RecursionError):
        command("inspect", "deep.traj", "--debug")
    done = command("demo", "--out", "deep.traj")
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("deep.traj: File exists.\n")


def test_the_demo_looks_first_at_what_every_step_needs(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    done = command("demo", "--model", "foo/bar", "--out", "demo")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "foo/bar is no model that litellm knows: write its provider before its name" in done.err
    monkeypatch.setitem(sys.modules, "sklearn", None)
    done = command("demo", "--out", "demo")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "The demo needs sklearn: `pip install" in done.err


def test_a_library_s_log_is_not_shown() -> None:
    code = (
        "import logging; from jupyter_codeact.cli import main\n"
        "try: main(['--version'])\n"
        "finally: logging.getLogger('dulwich.repo').warning('a line')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [[], ["fly"], ["stats"], ["batch", "p.yaml"], ["run", "--text", "x", "--fast"]])
def test_wrong_use_is_exit_code_2(command: Command, arguments: list[str]) -> None:
    done = command(*arguments)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith("jupyter codeact")
