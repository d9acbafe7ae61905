"""`jupyter codeact run`: one problem, from its statement to the files that it leaves."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import pty
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from helpers import PATIENCE_S, examples, gone
from servers import ModelServer, Reply, ToolCall

from jupyter_codeact.agent.trajectory import read
from jupyter_codeact.sandbox.usage import descendants

pytestmark = pytest.mark.usefixtures("sandbox")
Command = Callable[..., Any]


def test_the_script_of_the_document_runs(command: Command, work: Path, tmp_path: Path) -> None:
    (work / "second.yaml").write_text(examples("scripted.md")[1])
    given = ["--model", "scripted/second", "--text", "Add two numbers.", "--review", "auto", "--out", tmp_path / "out"]
    done = command("run", *given)
    assert done.code == 0, done.err
    assert "It is 42." in done.out


def sources(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def test_a_task_leaves_notebook_patch_and_trajectory(
    command: Command, replies: Command, checkout: Path, tmp_path: Path
) -> None:
    (tmp_path / "task.md").write_text("Write *two* into a.txt.")
    model = replies(
        {"text": "I look.", "code": "!ls -a\nimport os; print(os.path.exists('results/secret'))"},
        {"code": "1/0"},
        {"text": "I write.", "code": "open('a.txt', 'w').write('two\\n')"},
        {"submit": "It says **two** now."},
    )
    out = checkout / "results"
    out.mkdir()
    (out / "secret").write_text("not for the sandbox")
    done = command("run", "--file", tmp_path / "task.md", "--model", model, "--review", "auto", "--out", out)
    assert done.code == 0, done.err
    for words in ("I look.", "Step 3", "ZeroDivisionError", "It says **two** now.", "Done · 4 steps", "False"):
        assert words in done.out
    assert sources(out / "task.ipynb") == [
        "Write *two* into a.txt.",
        "I look.",
        "!ls -a\nimport os; print(os.path.exists('results/secret'))",
        "1/0",
        "I write.",
        "open('a.txt', 'w').write('two\\n')",
        "It says **two** now.",
    ]
    nbformat.validate(nbformat.read(out / "task.ipynb", as_version=4))
    assert "-one\n+two\n" in (out / "task.patch").read_text()
    trajectory = read(out / "task.traj")
    assert trajectory["info"]["exit_status"] == "submitted"
    assert trajectory["replay_config"]["problem_statement"]["text"] == "Write *two* into a.txt."
    assert stat.S_IMODE((out / "task.traj").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "case",
    [
        ("part", "open('a.txt', 'w').write('two')", "the repository begins above the workspace"),
        (".", "!git init -q inner", "adding files failed"),
        (".", "open('a.txt', 'w').write('one\\n')", ""),
    ],
)
def test_where_there_is_no_patch_the_result_says_why(
    command: Command, replies: Command, checkout: Path, tmp_path: Path, case: tuple[str, str, str]
) -> None:
    """Where nothing was changed there is nothing to say."""
    workspace, code, said = case
    (checkout / "part").mkdir()
    flags = ("--model", replies({"code": code}, {"submit": "Done."}), "--review", "auto", "--out", tmp_path / "out")
    done = command("run", "--text", "go", "--workspace", checkout / workspace, *flags)
    assert done.code == 0, done.err
    assert not (tmp_path / "out" / "task.patch").exists()
    lines = [line for line in done.out.splitlines() if "No patch" in line]
    assert len(lines) == bool(said)
    assert said in "".join(lines)


def test_words_alone_are_shown_with_what_ends_a_run(command: Command, replies: Command, tmp_path: Path) -> None:
    model = replies({"text": "It is **42**."}, {"submit": "It is 42."})
    done = command("run", "--text", "go", "--model", model, "--review", "auto", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    said = done.out.index("It is **42**.")
    assert "words alone, and a run from a terminal ends with `submit`" in done.out[said:]
    assert "could not be read" not in done.out
    assert "It is **42**." in sources(tmp_path / "out" / "task.ipynb")
    model = replies(*[{"text": f"Words {n}."} for n in range(3)])
    done = command("run", "--text", "go", "--model", model, "--review", "auto", "--out", tmp_path / "out")
    assert done.code == 1
    assert all(f"Words {n}." in done.out for n in range(3))
    assert "in words alone 3 times in a row: a run from a terminal ends with `submit`." in done.out


def test_a_script_at_its_end_is_no_service_s_fault(command: Command, replies: Command, tmp_path: Path) -> None:
    model = replies({"code": "1"})
    done = command("run", "--text", "go", "--model", model, "--review", "auto", "--out", tmp_path / "out")
    assert done.code == 1
    assert "Not done: the script had no more replies" in done.out
    assert "has no more replies: it had 1 reply." in done.out
    assert "service" not in done.out


def test_what_a_patch_lacks_is_said(command: Command, replies: Command, checkout: Path, tmp_path: Path) -> None:
    """The files of a repository that the agent made: git takes its commit alone."""
    git = "git -c user.name=t -c user.email=t@example.org"
    code = f"!git init -q 'in ner' && cd 'in ner' && echo 1 > b.txt && {git} add b.txt && {git} commit -qm first"
    flags = ("--model", replies({"code": code}, {"submit": "Done."}), "--review", "auto", "--out", tmp_path / "out")
    done = command("run", "--text", "go", "--workspace", checkout, *flags)
    assert done.code == 0, done.err
    assert "+Subproject commit" in (tmp_path / "out" / "task.patch").read_text()
    assert "  Not in the patch: the files of in ner, a repository of its own.\n" in done.out


GLOBAL = """\
[core]
    excludesFile = {folder}/ignored
    attributesFile = {folder}/attributes
[filter "strip"]
    clean = sed /patient/d
[filter "elsewhere"]
    clean = {folder}/program
"""
CHANGES = """\
for name in ("a.txt", "eda.nb", "x.bin", "own.cfg"):
    print("new", file=open(name, "a"))
print(*open(".env"))
!git status --short
"""


def test_her_own_settings_of_git_hold_for_the_patch(
    command: Command, replies: Command, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they keep out of her repositories is in no patch: ignored files, outputs that a filter strips."""
    (tmp_path / "ignored").write_text(".env\n")
    (tmp_path / "attributes").write_text("*.nb filter=strip\n*.bin filter=elsewhere\n")
    (tmp_path / "program").write_text("#!/bin/sh\nsed /patient/d\n")
    (tmp_path / "program").chmod(0o755)
    (tmp_path / "global").write_text(GLOBAL.format(folder=tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "global"))
    (checkout / ".env").write_text("AWS_SECRET=1\n")
    for name in ("eda.nb", "same.nb", "x.bin", "same.bin"):
        (checkout / name).write_text("1\npatient 4711\n2\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    # The repository's own settings may have filters, too, and don't say that they are required.
    (checkout / ".git" / "info" / "attributes").write_text("*.cfg filter=own\n")
    subprocess.run(["git", "config", "filter.own.clean", tmp_path / "program"], cwd=checkout, check=True)
    (checkout / "own.cfg").write_text("patient 4711\n")
    subprocess.run([*git, "add", "."], cwd=checkout, check=True)
    subprocess.run([*git, "commit", "-qm", "second"], cwd=checkout, check=True)
    model = replies({"code": CHANGES}, {"submit": "Done."})
    flags = ("--model", model, "--review", "auto", "--out", tmp_path / "out")
    done = command("run", "--text", "go", "--workspace", checkout, *flags)
    assert done.code == 0, done.err
    assert "AWS_SECRET" in done.out
    patch = (tmp_path / "out" / "task.patch").read_text()
    assert re.findall(r"^diff --git a/(.*) b/", patch, re.MULTILINE) == ["a.txt", "eda.nb"]
    assert "patient" not in patch
    for name in ("elsewhere", "own"):
        assert f"changes of the files that git filters by {name}, whose program the sandbox does not have" in done.out
    subprocess.run(["git", "stash", "-q"], cwd=checkout, check=True)
    subprocess.run(["git", "apply", tmp_path / "out" / "task.patch"], cwd=checkout, check=True)
    assert (checkout / "a.txt").read_text() == "one\nnew\n"


def test_a_step_has_one_number_wherever_it_is_shown(
    command: Command, replies: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe, what is shown is not wrapped or filled up, either."""
    monkeypatch.setenv("COLUMNS", "60")
    model = replies(
        {"text": "I look.", "code": "print('x' * 200)"},
        {"text": "I edit.", "edit": {"command": "create", "path": "b.txt", "file_text": "made\n"}},
        {"code": "("},
        {"code": "1/0"},
        {"submit": "It is *so*."},
    )
    done = command("run", "--text", "go", "--model", model, "--review", "auto", "--out", tmp_path / "out")
    assert [line for line in done.out.splitlines() if line.startswith("Step ")] == [
        *("Step 1 · run_cell", "Step 2 · create b.txt", "Step 3 · run_cell", "Step 4 · submit")
    ]
    assert "Done · 4 steps" in done.out
    assert f"    {'x' * 200}\n" in done.out
    assert "It is *so*.\n" in done.out
    assert [line for line in done.out.splitlines() if line.endswith(" ")] == []
    code = [cell for cell in nbformat.read(tmp_path / "out" / "task.ipynb", as_version=4).cells if "outputs" in cell]
    assert [cell.metadata.jupyter_codeact.step for cell in code] == [1, 3]
    seen = command("inspect", tmp_path / "out" / "task.traj").out
    assert re.findall(r"^(?:Step|A try at step) .*?(?= · )", seen, re.MULTILINE) == [
        *("Step 1 of 4", "Step 2 of 4", "A try at step 3", "Step 3 of 4", "Step 4 of 4")
    ]
    assert "\nsteps       4\n" in seen


def test_the_agent_is_given_the_skills_that_are_named(
    command: Command, replies: Command, work: Path, home: Path, tmp_path: Path
) -> None:
    library = home / "skills" / "private" / "default"
    library.mkdir(parents=True)
    (library / "circles.py").write_text('def area(r):\n    """The area of a circle."""\n    return 3 * r * r\n')
    flags = ("--text", "the area of a circle", "--model", replies({"submit": "Done."}), "--review", "auto")
    known = {}
    for skills in ("circles,json.decoder", "", "none"):
        out = tmp_path / f"out-{skills[:4]}"
        assert command("run", *flags, "--out", out, "--skills", skills).code == 0
        known[skills] = str(read(out / "task.traj")["history"])
    assert "return 3 * r * r" in known["circles,json.decoder"]
    assert "class JSONDecoder" in known["circles,json.decoder"]
    assert "return 3 * r * r" not in known[""]
    assert "The area of a circle." in known[""]
    assert "The area of a circle." not in known["none"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [\n", "agent.yaml can't be read: it is no YAML, line 2, column 1: "),
        ("a: \x07", "agent.yaml can't be read: "),
        ("[]", "holds no mapping"),
        ("\udcff", "it is no text in UTF-8"),
    ],
)
def test_a_configuration_that_is_none_is_a_line(command: Command, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "agent.yaml").write_bytes(text.encode(errors="surrogateescape"))
    done = command("run", "--text", "go", "--config", tmp_path / "agent.yaml")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err


def test_a_setting_that_can_not_be_is_told_with_those_that_can(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = ("run", "--text", "go", "--model", "scripted/gp_fit")
    monkeypatch.setenv("JUPYTER_CODEACT_REVIEW", "atuo")
    done = command(*flags)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "JUPYTER_CODEACT_REVIEW can't be 'atuo'. ask: you run each cell. auto: the agent does." in done.err
    monkeypatch.delenv("JUPYTER_CODEACT_REVIEW")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "jupyter_codeact_config.py").write_text("c.Agent.max_steps = 'many'")
    done = command(*flags)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "c.Agent.max_steps can't be what it is set to. Actions in one run." in done.err


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("c.Agent.modle = 'x'", "sets c.Agent.modle, which means nothing. Did you mean c.Agent.model?"),
        ("c.Agent.zzz = 1", "sets c.Agent.zzz, which means nothing. There are api_base, "),
        ("c.Agnet.model = 'x'", "sets c.Agnet, which means nothing. Did you mean c.Agent?"),
    ],
)
def test_a_key_of_the_configuration_that_means_nothing_is_one_line_with_the_file(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    file = tmp_path / "jupyter_codeact_config.py"
    file.write_text(f"c.ServerApp.port = 8888\nc.Agent.fallbacks.append('scripted/gp_fit')\n{source}\n")
    done = command("run", "--text", "go", "--model", "scripted/gp_fit")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"{file} {said}" in done.err


HOOK = """
from pathlib import Path
from jupyter_codeact.agent import AbstractAgentHook

class Noting(AbstractAgentHook):
    def on_action_executed(self, *, step):
        with Path({path!r}).open("a") as file:
            file.write(step.action)
"""


@pytest.mark.parametrize("where", ["one agent", "of attempts", "for all"])
def test_hooks_of_a_configuration_run_outside_the_sandbox_and_only_from_hers(
    command: Command, replies: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Code in a sandbox may write in any folder but Jupyter's own: what it wrote there would run outside."""
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    monkeypatch.syspath_prepend(tmp_path / "lib")
    for folder in ("jupyter", "lib"):
        (tmp_path / folder).mkdir()
    noted = tmp_path / "noted"
    # Modules stay imported.
    module = f"hooks_{where.replace(' ', '_')}"
    (tmp_path / "lib" / f"{module}.py").write_text(HOOK.format(path=str(noted)))
    model, hooks = {"name": replies({"code": "6 * 7"}, {"submit": "Done."})}, [f"{module}:Noting"]
    config: dict[str, Any] = {"model": model, "hooks": hooks}
    if where == "of attempts":
        judge = {"model": {"name": replies({"text": "SCORE: 1"}, name="judge")}}
        config = {"agents": [config], "attempts": 1, "review": judge}
    elif where == "for all":
        (tmp_path / "jupyter" / "jupyter_codeact_config.py").write_text(f"c.Agent.hooks = {hooks!r}")
        config = {"model": model}
    hers, other = tmp_path / "jupyter" / "agent.yaml", Path("agent.yaml").absolute()
    hers.write_text(json.dumps(config))
    other.write_text(hers.read_text())
    (tmp_path / "jupyter" / "link.yaml").symlink_to(other)
    flags = ("run", "--text", "go", "--review", "auto", "--out", tmp_path / "out", "--config")
    if where != "for all":
        for path in ("agent.yaml", other, tmp_path / "jupyter" / "link.yaml"):
            done = command(*flags, path)
            assert (done.code, done.err.count("\n")) == (2, 1)
            assert "sets hooks, and lies where code in a sandbox may write" in done.err
        assert not noted.exists()
    assert command(*flags, hers).code == 0
    assert noted.read_text().startswith("6 * 7{")


@pytest.mark.parametrize("key", ["api_base", "options", "judge"])
def test_no_file_in_the_folder_sends_her_key_elsewhere(
    command: Command, model_server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Code in a sandbox can have written it. In a folder of Jupyter's own it is hers, and does what it says."""
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hers")
    (tmp_path / "jupyter").mkdir()
    address = {"api_base": model_server.openai_base}
    model: dict[str, Any] = {"name": "openai/gpt-4o", **({"options": address} if key == "options" else address)}
    config: dict[str, Any] = {"model": model}
    if key == "judge":
        config = {"agents": [{"model": {"name": "scripted/none"}}], "attempts": 1, "review": config}
    hers, other = tmp_path / "jupyter" / "agent.yaml", Path("agent.yaml")
    for path in (hers, other):
        path.write_text(json.dumps(config))
    flags = ("run", "--text", "go", "--review", "auto", "--out", tmp_path / "out", "--config")
    done = command(*flags, other)
    assert (done.code, done.err.count("\n")) == (2, 1)
    named = "model.options" if key == "options" else "model.api_base"
    assert f"agent.yaml sets {named}, and lies where code in a sandbox may write" in done.err
    assert model_server.requests == []
    if key != "judge":
        model_server.add(Reply(text="no code"))
        # In a process of its own: litellm keeps clients, and what it knows of addresses, for as long as one lives.
        words = ["-P", "-m", "jupyter_codeact", *map(str, flags), str(hers), "--call-limit", "1"]
        ran = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert model_server.requests, ran
        assert model_server.requests[0].headers["authorization"] == "Bearer sk-hers"


@pytest.mark.parametrize("several", [False, True])
def test_no_file_in_the_folder_sends_hers_to_the_model(
    command: Command, replies: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, several: bool
) -> None:
    """Code in a sandbox can have written it. What lies beside it may be sent."""
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    (tmp_path / "jupyter").mkdir()
    history = [{"role": "user", "content": "of hers"}]
    demo = tmp_path / "private" / "demo.yaml"
    demo.parent.mkdir()
    for path in (demo, Path("demo.yaml")):
        path.write_text(json.dumps({"history": history}))
    model = {"name": replies({"submit": "Done."})}
    flags = ("run", "--text", "go", "--review", "auto", "--out", tmp_path / "out", "--config")

    def run(named: str, config: Path) -> Any:
        agent: dict[str, Any] = {"model": model, "templates": {"demonstrations": [named]}}
        judge = {"model": {"name": replies({"text": "SCORE: 1"}, name="judge")}}
        config.write_text(json.dumps({"agents": [agent], "attempts": 1, "review": judge} if several else agent))
        return command(*flags, config)

    for named in (str(demo), os.path.relpath(demo)):
        done = run(named, Path("agent.yaml"))
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert f"agent.yaml sends {named} to the model, which lies elsewhere" in done.err
        assert not (tmp_path / "out").exists()
    for named, config in (("demo.yaml", Path("agent.yaml")), (str(demo), tmp_path / "jupyter" / "agent.yaml")):
        assert run(named, config).code == 0
        assert "of hers" in (tmp_path / "out" / "task.traj").read_text()


SWAPPING = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
with open("agent.yaml", "w") as file:
    file.write({text!r} + "# x\\n" * 300_000)
os.symlink({hers!r}, "link")
watch = libc.inotify_init()
libc.inotify_add_watch(watch, b"agent.yaml", 0x20)  # IN_OPEN
open("ready", "w").close()
os.read(watch, 4096)
os.replace("link", "agent.yaml")
"""


def test_what_was_read_is_what_is_asked_whose_it_is(
    command: Command, model_server: ModelServer, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code in a sandbox swaps the file for a link to hers while it is read: her key must not go to its address."""
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hers")
    hers = tmp_path / "jupyter" / "agent.yaml"
    hers.parent.mkdir()
    hers.write_text("model: {name: openai/gpt-4o}")
    model_server.add(Reply(text="no code"))
    text = f"model: {{name: openai/gpt-4o, api_base: {model_server.openai_base!r}}}\n"
    source = SWAPPING.format(text=text, hers=str(hers))
    with subprocess.Popen([sys.executable, "-P", "-c", source], cwd=work) as cell:
        while not (work / "ready").exists():
            assert cell.poll() is None
        flags = ("--review", "auto", "--call-limit", "1", "--out", tmp_path / "out", "--config", "agent.yaml")
        done = command("run", "--text", "go", *flags)
        cell.kill()
    assert done.code == 2
    assert "agent.yaml sets model.api_base, and lies where code in a sandbox may write" in done.err
    assert model_server.requests == []
    assert (work / "agent.yaml").is_symlink()


def test_a_configuration_that_became_a_link_is_not_read(
    command: Command, replies: Command, work: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "agent.yaml"
    elsewhere.write_text(json.dumps({"model": {"name": replies({"submit": "Done."})}}))
    (work / "agent.yaml").symlink_to(elsewhere)
    flags = ("--text", "go", "--review", "auto", "--out", tmp_path / "out", "--config")
    done = command("run", *flags, "agent.yaml")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "agent.yaml can't be read: it is no plain file of this folder" in done.err
    # A link where no cell writes is her wish.
    (tmp_path / "link.yaml").symlink_to(elsewhere)
    assert command("run", *flags, tmp_path / "link.yaml").code == 0


def in_a_terminal(arguments: list[object], answers: list[str], work: Path, **variables: str) -> tuple[int, str]:
    """Run a command in a terminal, with an answer to each of its questions; its exit code and what was shown."""
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "jupyter_codeact", *map(str, arguments)],
        cwd=work,
        env={**os.environ, "TERM": "dumb", "COLUMNS": "100", **variables},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    shown, asked = "", 0
    # The end of a terminal is an error.
    with contextlib.suppress(OSError):
        while data := os.read(keyboard, 65536):
            shown += data.decode()
            while answers and len(re.findall(r"\[s\]top: |empty\): ", shown)) > asked:
                asked += 1
                os.write(keyboard, answers.pop(0).encode())
    os.close(keyboard)
    return process.wait(timeout=PATIENCE_S), shown


def test_review_in_the_terminal(replies: Command, work: Path, home: Path, tmp_path: Path) -> None:
    """Yes, an edit, a rejection with a reason, and stop: nothing runs that was not let, nor seen before."""
    names = ("yes", "plain", "no", "never", "stop")
    model = replies(*[{"code": f"open('{name}', 'w').write('')"} for name in names])
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i s/plain/changed/ $1\n")
    editor.chmod(0o755)
    # The second yes is typed ahead: it is no answer to a question that was not asked yet.
    answers = ["y\ny\n", "what?\n", "e\n", "y\n", "n not that\n", "n\n", "nor this\n", "s\n"]
    flags = ["--text", "go", "--model", model, "--out", tmp_path / "out"]
    code, shown = in_a_terminal(["run", *flags], answers, work, VISUAL=str(editor))
    assert code == 130, shown
    assert not answers
    assert "Rejected: not that" in shown
    assert "Rejected: nor this" in shown
    assert sorted(path.name for path in work.iterdir()) == ["changed", "yes"]
    document = read(tmp_path / "out" / "task.traj")
    assert document["info"]["exit_status"] == "submitted (exit_stopped)"
    assert "not that" in str(document["history"])
    assert "nor this" in str(document["history"])


def test_without_a_terminal_nothing_runs_unasked(command: Command, replies: Command) -> None:
    done = command("run", "--text", "go", "--model", replies({"code": "1"}))
    assert (done.code, done.out) == (2, "")
    assert "--review auto" in done.err


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_action_and_hands_in_what_was_done(
    replies: Command, checkout: Path, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    """Ctrl-C, and what `timeout` and schedulers send."""
    source = "open('a.txt', 'w').write('two\\n')"
    model = replies({"code": source}, {"code": "open('began', 'w').close()\nimport time; time.sleep(100)"})
    # A pipe: who opens it waits for the other end.
    os.mkfifo(checkout / "began")
    arguments = ["run", "--text", "go", "--model", model, "--review", "auto", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "jupyter_codeact", *arguments],
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    (checkout / "began").read_text()
    inside = [*descendants(process.pid)]
    process.send_signal(sent)
    _out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert inside
    assert gone(inside)
    assert err.startswith(f"\nStopped. What was done so far is in {tmp_path / 'out'}: task.ipynb, task.patch,")
    assert f"`jupyter codeact inspect {tmp_path / 'out' / 'task.traj'}`" in err
    document = read(tmp_path / "out" / "task.traj")
    assert document["info"]["exit_status"] == "submitted (exit_stopped)"
    assert document["info"]["cells"] == [source]
    assert len(document["trajectory"]) == 2
    assert "-one\n+two\n" in (tmp_path / "out" / "task.patch").read_text()


@pytest.fixture
def github() -> Iterator[Any]:
    """GitHub with one issue; ``tokens`` are those it was asked with."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.tokens.append(self.headers.get("Authorization"))
            found = self.path == "/repos/a/b/issues/7"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"title": "Count", "body": "How many?"} if found else {}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.tokens = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_issue_of_github_and_a_run_that_is_not_done(
    command: Command, replies: Command, github: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{github.server_port}")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp-test")
    model = replies({"code": "1"}, {"code": "2"}, {"code": "3"})
    (tmp_path / "agent.yaml").write_text(json.dumps({"model": {"name": model}, "limits": {"max_steps": 9}}))
    flags = ("--config", tmp_path / "agent.yaml", "--review", "auto", "--max-steps", 2)
    done = command("run", "--issue", "https://github.com/a/b/issues/7", *flags, "--out", tmp_path / "out")
    assert done.code == 1
    assert "Not done: the limit of steps, with what was done" in done.out
    assert done.out.count("Stopped after 2 steps; `--max-steps N` allows more.") == 1
    assert github.tokens == ["Bearer ghp-test"]
    assert sources(tmp_path / "out" / "a__b-i7.ipynb")[0] == "Count\n\nHow many?"
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    unreached = command("run", "--issue", "https://github.com/a/b/issues/7", *flags)
    assert (unreached.code, unreached.err.count("\n")) == (1, 1)
    assert unreached.err.endswith(": give its text instead, with `--text` or `--file`.\n")
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{github.server_port}")
    missing = command("run", "--issue", "https://github.com/a/b/issues/8", *flags)
    assert missing.code == 2
    assert "GitHub answered 404" in missing.err
    assert missing.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--text", "go"], 2, "No model is set up: write `--model"),
        (["--text", "go", "--model", "scripted/none"], 2, "There is no script"),
        (
            ["--text", "go", "--model", "anthropic/claude-sonnet-4-5"],
            2,
            "needs ANTHROPIC_API_KEY in the environment; `--m",
        ),
        (["--text", "go", "--model", "human"], 2, "it needs `run` with `--review ask`"),
        (["--text", "go", "--model", "scripted/gp_fit", "--workspace", "nowhere"], 2, "There is no folder nowhere"),
        (["--text", "go", "--model", "scripted/gp_fit", "--out", "."], 2, "is the workspace itself"),
        (["--text", "go", "--config", "none.yaml"], 2, "none.yaml can't be read"),
        (["--issue", "https://example.org/1", "--model", "scripted/gp_fit"], 2, "is no issue on GitHub"),
        (["--file", "none.md", "--model", "scripted/gp_fit"], 2, "can't be read"),
        (["--text", "go", "--file", "a"], 2, "not allowed with"),
        (["--text", "go", "--max-steps", "0"], 2, "'0' is not a whole number of at least 1"),
        (["--text", " "], 2, "The problem is empty"),
        (["--txt", "go"], 2, "Did you mean --text?"),
        (["--text", "go", "--review", "atuo"], 2, "did you mean auto?"),
        (["--text", "go", "--skills", "nope", "--model", "scripted/gp_fit"], 2, "There is no skill called nope"),
        ([], 2, "is required"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(command: Command, arguments: list[str], code: int, said: str) -> None:
    done = command("run", *arguments, "--review", "auto")
    assert done.code == code
    assert said in done.err
    assert (done.out, done.err.count("\n")) == ("", 1)
    assert "JupyterLab" not in done.err
    assert "Traceback" not in done.err


def test_a_name_that_is_a_link_out_of_the_folder_is_said(command: Command, work: Path, tmp_path: Path) -> None:
    """A cell may have put it there; where she is not, it is hers."""
    for name in ("task.md", "project"):
        (work / name).symlink_to(tmp_path / name)
    (tmp_path / "project").mkdir()
    (tmp_path / "task.md").write_text("Write.")
    done = command("run", "--file", "task.md", "--workspace", "project")
    assert done.err.splitlines()[:2] == [f"{name} is a link to {tmp_path / name}" for name in ("project", "task.md")]
    assert "is a link to" not in command("run", "--file", tmp_path / "task.md", "--workspace", work).err


@pytest.mark.parametrize(
    "words",
    [
        *(("run", "--model", "human", "--file"), ("run", "--text", "go", "--config"), ("batch", "--out", "out")),
        *(("inspect",), ("replay",), ("demo-from",), ("stats",), ("stats", ".")),
    ],
)
def test_a_fifo_is_no_file_and_is_not_waited_for(command: Command, work: Path, words: tuple[str, ...]) -> None:
    """Code in a sandbox can make one in the folder."""

    def waited(*_: object) -> None:
        raise TimeoutError("it is waited for")

    for name in ("pipe.traj", "results.jsonl"):
        os.mkfifo(work / name)
    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(20)
    try:
        done = command(*words, *(() if words[-1] == "." else ("pipe.traj",)))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert done.code == 2
    assert "pipe.traj " in done.err
    assert "it is no file" in done.err


def test_a_task_comes_out_of_a_shell_s_pipe(work: Path, home: Path, replies: Command, tmp_path: Path) -> None:
    command = f"{sys.executable} -P -m jupyter_codeact run --review auto --out {tmp_path / 'out'}"
    flags = f"--model {replies({'submit': 'Done.'})} --file <(echo Write.)"
    done = subprocess.run(
        ["bash", "-c", f"{command} {flags}"], cwd=work, capture_output=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done
    (traj,) = (tmp_path / "out").glob("*.traj")
    assert read(traj)["replay_config"]["problem_statement"]["text"] == "Write.\n"


def test_a_demonstration_in_the_workspace_that_became_a_link_is_not_read(
    command: Command, replies: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workspace need not be the folder that the command is started in."""
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret.yaml").write_text("history: [{role: user, content: canary}]")
    (project / "demo.yaml").symlink_to(tmp_path / "secret.yaml")
    config = {"model": {"name": replies({"submit": "Done."})}, "templates": {"demonstrations": ["project/demo.yaml"]}}
    (tmp_path / "agent.yaml").write_text(json.dumps(config))
    monkeypatch.chdir(tmp_path)
    flags = ("run", "--text", "go", "--config", "agent.yaml", "--review", "auto")
    done = command(*flags, "--workspace", "project")
    assert done.code == 2
    assert "demo.yaml is no demonstration: " in done.err
    assert command(*flags, "--workspace", "work").code == 0


def test_texts_of_a_folder_take_the_place_of_the_configurations(
    command: Command, replies: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "system.j2").write_text("Act in {{ work }}.")
    # Beside the configuration, wherever the command is started.
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "instance.j2").write_text("Task: {{ problem_statement }}")
    own = {"system_template": "Not this.", "folder": "beside"}
    (tmp_path / "agent.yaml").write_text(json.dumps({"templates": own}))
    flags = ("--config", tmp_path / "agent.yaml", "--templates", folder, "--out", tmp_path / "out")
    model = replies({"submit": "Done."})
    assert command("run", "--text", "Go.", "--review", "auto", "--model", model, *flags).code == 0
    first, second = read(tmp_path / "out" / "task.traj")["history"][:2]
    assert first["content"].startswith("Act in /")
    assert second["content"] == "Task: Go."
    (folder / "sistem.j2").touch()
    wrong = command("run", "--text", "Go.", "--model", model, *flags)
    assert wrong.code == 2
    assert "has sistem; templates are called" in wrong.err


def test_debug_shows_the_traceback_and_what_is_logged(
    command: Command, replies: Command, caplog: pytest.LogCaptureFixture
) -> None:
    from jupyter_codeact.errors import ConfigError

    flags = ("run", "--text", "go", "--review", "auto", "--model", replies({"submit": "Done."}), "--debug")
    assert command(*flags).code == 0
    assert "The run ended: submitted" in caplog.text
    with pytest.raises(ConfigError):
        command("run", "--text", "go", "--review", "auto", "--debug")


def test_what_an_output_widget_clears_is_its_own(command: Command, replies: Command, tmp_path: Path) -> None:
    pytest.importorskip("ipywidgets")
    code = (
        "print('accuracy 0.93')\nimport ipywidgets\nfrom IPython.display import clear_output\n"
        "with ipywidgets.Output():\n    clear_output(); print('inner')"
    )
    flags = ("--model", replies({"code": code}, {"submit": "ok"}), "--review", "auto", "--out", tmp_path / "out")
    done = command("run", "--text", "go", *flags)
    assert done.code == 0, done.err
    [*_, cell, _] = nbformat.read(tmp_path / "out" / "task.ipynb", as_version=4).cells
    assert [output.text for output in cell.outputs] == ["accuracy 0.93\ninner\n"]


SHOWS = """\
%config InlineBackend.figure_formats = ['svg']
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.show()
from IPython.display import HTML, JSON
display(HTML('<table><tr><td>height</td><td>42 cm</td></tr></table>'), JSON({'deep': [1]}))
"""


def test_what_is_shown_without_a_text_reaches_the_model(
    work: Path, home: Path, tmp_path: Path, model_server: ModelServer
) -> None:
    """Of a drawing, a path: past the guard, which makes a picture in HTML of it. In a process of its own, as above."""
    pytest.importorskip("matplotlib")
    look = "print(open('/tmp/agent-outputs/task-1-1.svg').read()[:5])"
    for call in (ToolCall("run_cell", {"code": SHOWS}), ToolCall("run_cell", {"code": look})):
        model_server.add(Reply(tool_calls=[call]))
    model_server.add(Reply(tool_calls=[ToolCall("submit", {"answer": "x"})]))
    flags = ("--model", "openai/gpt-4o", "--base-url", model_server.openai_base, "--review", "auto")
    words = [sys.executable, "-P", "-m", "jupyter_codeact", "run", "--text", "go", "--out", str(tmp_path / "out")]
    ran = subprocess.run([*words, *flags], cwd=work, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert ran.returncode == 0, ran
    shown, read_back = (request.json["messages"][-1]["content"] for request in model_server.requests[1:])
    assert "image/svg+xml; you don't see it; code can read it in /tmp/agent-outputs/task-1-1.svg]" in shown
    assert "height\t42 cm" in shown
    assert '{"deep": [1]}' in shown
    assert "<?xml" in read_back
