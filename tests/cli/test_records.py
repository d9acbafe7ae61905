"""`inspect`, `stats`, `replay` and `demo-from`, with trajectories of ours and in SWE-agent's shape."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pexpect
import pytest
import yaml
from helpers import PATIENCE_S

from jupyter_codeact.agent.demonstrations import read_demonstration
from jupyter_codeact.agent.trajectory import read
from jupyter_codeact.models.replay import replay_model

Command = Callable[..., Any]


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A trajectory as SWE-agent 1.1 writes it: its keys, in its shapes, of a run that took three steps."""
    steps = [
        ("I look for the file.", "find_file a.py", "Found 1 match\r\n"),
        ("I run it.", "echo started && cat a.txt", "started\none\n"),
        ("Done.", "submit", "diff --git a/a.py b/a.py"),
    ]
    state = {"open_file": "n/a", "working_dir": "/repo", "diff": ""}
    main = {"agent": "main"}
    mark = {"type": "text", "text": "ISSUE: it fails", "cache_control": {"type": "ephemeral"}}
    history: list[dict[str, Any]] = [
        {"role": "system", "content": "You are", **main, "message_type": "system_prompt"},
        {"role": "user", "content": "Like this.", **main, "is_demo": True, "message_type": "demonstration"},
        {"role": "user", "content": [mark], **main, "message_type": "observation"},
    ]
    trajectory = []
    for number, (thought, action, observation) in enumerate(steps):
        call = {
            "function": {"arguments": json.dumps({"command": action}), "name": "bash"},
            "id": f"toolu_{number}",
            "type": "function",
        }
        query = [{"role": message["role"], "content": message["content"]} for message in history]
        extra: dict[str, Any] = {"query": query, "extra_info": {}}
        made = {"action": action, "observation": observation, "response": thought, "thought": thought}
        trajectory.append({**made, "execution_time": 0.5, "state": state, **extra})
        reply = {"content": thought, "thought": thought, "action": action, **main, "tool_calls": [call]}
        answer = {"content": observation, **main, "tool_call_ids": [call["id"]], "message_type": "observation"}
        history += [
            {"role": "assistant", **reply, "message_type": "action", "thinking_blocks": None},
            {"role": "tool", **answer},
        ]
    stats = {"instance_cost": 0.25, "tokens_sent": 900, "tokens_received": 100, "api_calls": 3}
    info = {
        "swe_agent_hash": "unavailable",
        "swe_agent_version": "1.1.0",
        "swe_rex_version": "1.4.0",
        "swe_rex_hash": "unavailable",
        "submission": "diff --git a/a.py b/a.py",
        "exit_status": "submitted",
        "edited_files30": "",
        "edited_files50": "",
        "edited_files70": "",
        "model_stats": stats,
    }
    config = {
        "env": {"deployment": {"image": "python:3.11", "type": "docker"}, "repo": None, "name": "main"},
        "agent": {"name": "main", "tools": {"bundles": [{"path": "tools/registry"}]}, "model": {"name": "gpt-4o"}},
        "problem_statement": {"text": "it fails", "extra_fields": {}, "type": "text", "id": "one"},
        "output_dir": "DEFAULT",
    }
    document = {"trajectory": trajectory, "history": history, "info": info}
    path = tmp_path / "theirs.traj"
    path.write_text(json.dumps(document | {"replay_config": json.dumps(config), "environment": "main"}, indent=2))
    return path


def step(action: str, tool: str = "run_cell", observation: str = "", **extra: Any) -> dict[str, Any]:
    return {
        "action": action,
        "observation": observation,
        "thought": f"About {action}",
        "response": "",
        "state": {},
        "execution_time": 1.0,
        "query": [],
        "extra_info": extra if "failed" in extra else {"tool": tool, **extra},
    }


USED = {
    "instance_cost": 0.02,
    "cost_known": True,
    "tokens_sent": 900,
    "tokens_received": 100,
    "tokens_cached": 800,
    "api_calls": 1,
}


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A trajectory of ours: two cells, one that was rejected, one that could not be read, an end at a limit."""
    messages = [
        {"role": "system", "content": "You work", "agent": "main"},
        {"role": "user", "content": "Variables: none\n\nCount.", "agent": "main"},
        {"role": "assistant", "content": "About 1", "agent": "main", "tool_calls": []},
    ]
    document = {
        "trajectory": [
            step("x = 1\nprint(x)", observation="1", model_stats=USED),
            step("unlink()", observation="rejected: no", rejected=True),
            step("(", failed="Unreadable"),
            step("x + \x1b]0;title\x071", observation="red \x1b[31mtext\x1b[0m \x1b]52;c;AAAA\x07 end"),
        ],
        "history": messages,
        "info": {"exit_status": "exit_cost", "error": "Stopped", "model_stats": {"cost_known": False}},
        "replay_config": {"agent": {"tools": {}}, "problem_statement": {"text": "Count."}, "env": {}},
        "environment": "notebook",
    }
    path = tmp_path / "ours.traj"
    path.write_text(json.dumps(document))
    return path


# ---- inspect


def test_without_a_terminal_all_of_it_is_printed(command: Command, theirs: Path) -> None:
    done = command("inspect", theirs)
    assert done.code == 0
    for text in ("ISSUE", "You are"):
        assert text not in done.out
    for text in ("Step 1 of 3 · shell", "I look for the file.", "find_file a.py", "started", "1.0k tokens · $0.250"):
        assert text in done.out


@pytest.mark.parametrize("chosen", [True, False])
def test_of_several_attempts_one_is_read_and_named(
    command: Command, theirs: Path, tmp_path: Path, chosen: bool
) -> None:
    """SWE-agent writes the attempts alone until it has chosen one."""
    document = json.loads(theirs.read_text())
    one, two = ({**document, "trajectory": [{**step, "thought": n} for step in document["trajectory"]]} for n in "12")
    best = {**one, "info": {**one["info"], "best_attempt_idx": 0}} if chosen else {}
    theirs.write_text(json.dumps({"attempts": [one, two], **best}))
    which = "attempt 1 of 2, which was chosen" if chosen else "attempt 2 of 2, the last: none was chosen"
    looked = command("inspect", theirs)
    assert re.search(rf"^attempts +{which}$", looked.out, re.MULTILINE)
    assert f"\n{1 if chosen else 2}\n" in looked.out
    figures = command("stats", theirs)
    assert figures.err == f"{theirs}: {which}.\n"
    assert f"{theirs}\tdone\t3\t3" in figures.out
    replayed = command("replay", theirs, "--validate-only")
    assert f"{theirs}: {which}.\n" in replayed.out
    assert "3 steps, 1 cell" in replayed.out
    assert yaml.safe_load(command("demo-from", theirs).out)["history"]
    assert read_demonstration(theirs, tmp_path / "work")
    assert replay_model(theirs.name, theirs.parent).name == f"replay/{theirs.name}"


def test_escape_sequences_of_a_run_do_not_act(command: Command, ours: Path) -> None:
    out = command("inspect", ours, "--print").out
    assert "Step 1 of 3 · run_cell · 1 s · 1.0k tokens (800 cached) · $0.020\n" in out
    assert "a limit of cost, tokens or calls (exit_cost)\n" in out
    assert "Step 2 of 3 · run_cell · 1 s\n" in out
    assert "\x1b]" not in out
    assert "\x07" not in out
    assert r"x + \x1b]0;title\x071" in out
    assert "not counted: Unreadable" in out
    assert "rejected" in out


def test_walking_through_it(command: Command, ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"n\np\np\n/PRINT\ng 3\ng 9\n?\nh\nq\n")
    monkeypatch.setenv("PAGER", "cat")
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        done = command("inspect", ours)
    os.close(keyboard)
    assert done.code == 0
    assert re.findall(r"Step (\d) of 3 · run_cell", done.out) == ["1", "2", "1", "1", "3"]
    assert "This is the first step." in done.out
    assert "There is no further step." in done.out
    assert "/text search" in done.out


def test_the_pager_is_given_text_alone(ours: Path, tmp_path: Path) -> None:
    """Plain `less` shows an escape sequence as it is written."""
    variables = {**os.environ, "TERM": "xterm-256color", "PAGER": f"cat > {tmp_path / 'paged'}"}
    arguments = ["-P", "-m", "jupyter_codeact", "inspect", str(ours)]
    terminal = pexpect.spawn(sys.executable, arguments, env=variables, encoding="utf-8", timeout=PATIENCE_S)
    for answer in ("h", "q"):
        terminal.expect_exact("? for help > ")
        terminal.sendline(answer)
    terminal.expect(pexpect.EOF)
    terminal.close()
    paged = (tmp_path / "paged").read_text()
    assert "system:\nYou work" in paged
    assert "\x1b" not in paged


def test_a_trajectory_as_a_notebook(command: Command, ours: Path, theirs: Path, tmp_path: Path) -> None:
    assert command("inspect", ours, "--notebook", tmp_path / "a.ipynb").code == 0
    nb = nbformat.read(tmp_path / "a.ipynb", as_version=4)
    nbformat.validate(nb)
    assert nb.cells[0].source == "Count."
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    assert [cell.metadata.jupyter_codeact.status for cell in code] == ["accepted", "rejected", "accepted"]
    assert (code[0].source, code[0].outputs[0].text) == ("x = 1\nprint(x)", "1\n")
    assert command("inspect", theirs, "--notebook", tmp_path / "b.ipynb").code == 0
    cells = nbformat.read(tmp_path / "b.ipynb", as_version=4).cells
    assert [cell.source for cell in cells if cell.cell_type == "code"][1] == "%%bash\necho started && cat a.txt"


@pytest.mark.parametrize(
    "text",
    [
        *(None, "{}", "[", '{"trajectory": [1], "history": []}', '{"trajectory": 1}'),
        '{"trajectory": [], "history": [], "info": [1]}',
        *('{"attempts": [1]}', '{"attempts": [{}]}', '{"attempts": 1}', '{"attempts": []}'),
        '{"trajectory": [], "history": [], "info": {"model_stats": [1]}}',
        '{"trajectory": [], "history": [], "info": {"model_stats": {"api_calls": "x"}}}',
        '{"trajectory": [], "history": [{"content": "x"}]}',
        '{"trajectory": [], "history": [{"role": "assistant", "content": "", "tool_calls": [{}]}]}',
    ],
)
@pytest.mark.parametrize("name", ["inspect", "replay", "demo-from"])
def test_what_is_no_trajectory_is_said_in_a_line(command: Command, tmp_path: Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / "x.traj").write_text(text)
    done = command(name, tmp_path / "x.traj")
    assert done.code == 2
    assert "is no trajectory" in done.err
    assert done.err.count("\n") == 1
    assert "Error" not in done.err


# ---- stats


def test_figures_of_files_and_folders(command: Command, ours: Path, theirs: Path) -> None:
    done = command("stats", ours.parent)
    assert done.code == 0
    rows = {line.split()[0].rpartition("/")[2]: line.split("\t") for line in done.out.splitlines() if line.strip()}
    assert rows["ours.traj"][1:4] == ["a limit of cost, tokens or calls", "3", "0"]
    assert rows["theirs.traj"][1:4] == ["done", "3", "3"]
    assert "2 runs · 6 steps · 3 calls · 1.0k tokens · at least $0.250 · 6 s of actions" in done.out
    (ours.parent / "broken.traj").write_text("{")
    done = command("stats", ours.parent)
    assert done.code == 1
    assert "broken.traj is no trajectory" in done.err
    assert "2 runs" in done.out
    assert "There are no trajectories" in command("stats", ours.parent / "work").err
    assert "There is no" in command("stats", "nowhere").err


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", "null"])
def test_a_number_that_is_none_is_not_known(command: Command, ours: Path, value: str) -> None:
    text = ours.read_text().replace('"execution_time": 1.0', f'"execution_time": {value}')
    text = text.replace('"cost_known": false', f'"tokens_sent": {value}, "instance_cost": {value}')
    ours.write_text(text)
    assert text.count(value) >= 6
    assert "1 run · 3 steps · 0 calls · 0 tokens · $0.000 · 0 s" in command("stats", ours).out
    assert "Step 1 of 3" in command("inspect", ours).out


def test_a_cost_that_nobody_wrote_down_is_not_known(command: Command, ours: Path) -> None:
    document = json.loads(ours.read_text())
    del document["info"]["model_stats"]
    ours.write_text(json.dumps(document))
    assert "cost unknown" in command("inspect", ours).out
    (row,) = [line for line in command("stats", ours).out.splitlines() if line.startswith(str(ours))]
    assert row.split("\t")[5] == "cost unknown"


def test_a_folder_s_runs_are_counted_once(command: Command, ours: Path, theirs: Path, tmp_path: Path) -> None:
    """Not those that a run found in its workspace, nor attempts beside the one that was chosen."""
    for place in ("run/task", "run/work/old", "run/attempt-1/task", "run/attempt-2/task"):
        path = tmp_path / "out" / f"{place}.traj"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(theirs.read_text())
    out = command("stats", tmp_path / "out").out
    assert out.splitlines()[1].startswith(f"{tmp_path / 'out' / 'run' / 'task.traj'}\tdone\t3\t3\t1.0k\t")
    assert "done\t1\t100%" in out


# ---- demo-from


def test_a_demonstration_is_one(command: Command, theirs: Path, ours: Path, tmp_path: Path) -> None:
    from jupyter_codeact.agent import TemplateConfig
    from jupyter_codeact.agent.demonstrations import demonstration_messages
    from jupyter_codeact.agent.templates import Templates

    done = command("demo-from", theirs, "-o", tmp_path / "demo.yaml")
    assert (done.code, done.out) == (0, f"Wrote {tmp_path / 'demo.yaml'}.\n")
    templates = Templates(TemplateConfig(demonstrations=(tmp_path / "demo.yaml",), put_demos_in_history=True))
    said = [(message["role"], message["content"]) for message in demonstration_messages(templates, "main")]
    assert said[0] == ("user", "it fails")
    assert said[3][0] == "assistant"
    assert "echo started" in said[3][1]
    assert "You are" not in str(said)
    printed = yaml.safe_load(command("demo-from", ours).out)
    assert printed["history"][0] == {"role": "user", "content": "Count."}


# ---- replay


def test_validate_only_names_what_can_not_be_replayed(command: Command, theirs: Path, ours: Path, home: Path) -> None:
    done = command("replay", theirs, "--validate-only")
    assert done.code == 1
    assert "Step 1: `find_file` is a command of SWE-agent's own." in done.out
    assert "3 steps, 1 cell: not all can be replayed." in done.out
    done = command("replay", ours, "--validate-only")
    assert done.code == 1
    assert "Step 3: " in done.out
    assert not home.exists()


def test_a_trajectory_of_swe_agent_without_steps_has_none_of_our_configuration(command: Command, theirs: Path) -> None:
    """Its run ended before the first step: that nothing tells whose it is was taken for ours."""
    document = json.loads(theirs.read_text())
    theirs.write_text(json.dumps(document | {"trajectory": [], "history": []}))
    done = command("replay", theirs, "--validate-only")
    assert (done.code, done.err) == (0, "")
    assert "0 steps, 0 cells: it can be replayed." in done.out


@pytest.mark.usefixtures("sandbox")
def test_a_replay_runs_the_same_cells(command: Command, replies: Command, checkout: Path, tmp_path: Path) -> None:
    """An edit of a file, a cell that fails, shell commands, and the answer; the workspace itself is not touched."""
    model = replies(
        {"text": "I add.", "code": "x = open('a.txt').read()\nx"},
        {"edit": {"command": "create", "path": "b.txt", "file_text": "made\n"}},
        {"code": "1/0"},
        {"code": "!cat b.txt"},
        {"submit": "All done."},
    )
    flags = ("--review", "auto", "--model", model)
    assert command("run", "--text", "go", *flags, "--out", tmp_path / "first").code == 0
    (checkout / "b.txt").unlink()
    traj = tmp_path / "first" / "task.traj"
    done = command("replay", traj, "--workspace", checkout, "--out", os.path.relpath(tmp_path / "again"))
    assert done.code == 0, done.out + done.err
    assert done.out.endswith("The same 3 cells ran.\n")
    assert re.search(r"^Done · 5 steps · no model was asked · \d+ s$", done.out, re.MULTILINE)
    first, again = (read(tmp_path / name / "task.traj") for name in ("first", "again"))
    for key in ("action", "thought"):
        assert [s[key] for s in first["trajectory"]] == [s[key] for s in again["trajectory"]]
    assert [s["observation"] for s in again["trajectory"]][3].strip() == "made"
    notebooks = (nbformat.read(tmp_path / name / "task.ipynb", as_version=4) for name in ("first", "again"))
    cells = [[cell.source for cell in nb.cells] for nb in notebooks]
    assert cells[0] == cells[1]
    assert not (checkout / "b.txt").exists()


@pytest.mark.usefixtures("sandbox")
def test_edits_that_a_replay_could_not_make_are_counted(
    command: Command, replies: Command, checkout: Path, tmp_path: Path
) -> None:
    """Not one that failed in the run as well."""
    change = {"command": "str_replace", "path": "a.txt", "old_str": "one", "new_str": "two"}
    model = replies({"edit": change}, {"edit": change}, {"edit": {"command": "view", "path": "."}}, {"submit": "Done."})
    flags = ("--review", "auto", "--model", model)
    assert command("run", "--text", "go", *flags, "--out", tmp_path / "first").code == 0
    done = command("replay", tmp_path / "first" / "task.traj", "--out", tmp_path / "again")
    assert "2 of 3 edits could not be made. The folder was empty at first: `--workspace DIR` names" in done.out
    subprocess.run(["git", "checkout", "-q", "a.txt"], cwd=checkout, check=True)
    done = command("replay", tmp_path / "first" / "task.traj", "--out", tmp_path / "again", "--workspace", checkout)
    assert "could not be made" not in done.out
    (checkout / "a.txt").write_text("three\n")
    done = command("replay", tmp_path / "first" / "task.traj", "--out", tmp_path / "again", "--workspace", checkout)
    assert "1 of 3 edits could not be made.\n" in done.out


@pytest.mark.usefixtures("sandbox")
def test_shell_commands_of_swe_agent_run_and_its_own_commands_are_named(
    command: Command, theirs: Path, checkout: Path, tmp_path: Path
) -> None:
    done = command("replay", theirs, "--workspace", checkout, "--out", tmp_path / "again")
    assert done.code == 0, done.out + done.err
    assert "`find_file` is a command of SWE-agent's own" in done.out
    assert "The same 1 cell ran. 1 of 2 actions ran; 1 was left out." in done.out
    nb = nbformat.read(tmp_path / "again" / "theirs.ipynb", as_version=4)
    (cell,) = [cell for cell in nb.cells if cell.cell_type == "code"]
    assert cell.source == "%%bash\necho started && cat a.txt"
    assert cell.outputs[0].text == "started\none\n"


@pytest.mark.usefixtures("sandbox")
def test_a_replay_has_a_copy_of_the_library_and_of_nothing_else(
    command: Command, replies: Command, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link out of the library is no skill; libraries that are only read are not copied; nothing follows old links."""
    library, others = home / "skills" / "private" / "default", tmp_path / "others"
    for folder in (library, others, tmp_path / "elsewhere"):
        folder.mkdir(parents=True)
    (library / "own.py").write_text("x = 1\n")
    (library / "again.py").symlink_to("own.py")
    (library / "secret.py").symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_text("canary = 1\n")
    (others / "theirs.py").write_text("y = 2\n")
    monkeypatch.setenv("JUPYTER_CODEACT_SKILLS", str(others))
    look = "import own, again, theirs, importlib.util\nimportlib.util.find_spec('secret')"
    model = replies({"code": look}, {"submit": "Done."})
    out = tmp_path / "again"
    out.mkdir()
    for name in ("codeact", "task.traj", "task.ipynb"):
        (out / name).symlink_to(tmp_path / "elsewhere" / name)
    (tmp_path / "elsewhere" / "codeact").mkdir()
    assert command("run", "--text", "go", "--review", "auto", "--model", model, "--out", tmp_path / "out").code == 0
    done = command("replay", tmp_path / "out" / "task.traj", "--out", out)
    assert done.code == 0, done.err
    assert "Error" not in read(out / "task.traj")["trajectory"][0]["observation"]
    assert "secret" not in read(out / "task.traj")["trajectory"][0]["observation"]
    assert [path.name for path in (tmp_path / "elsewhere").rglob("*")] == ["codeact"]
    # Where the library can't be copied, it is said as a person says it.
    os.mkfifo(library / "pipe.py")
    failed = command("replay", tmp_path / "out" / "task.traj", "--out", out)
    assert failed.code == 2
    assert "The skill library can't be copied to " in failed.err
    assert "is a named pipe" in failed.err


def test_the_files_of_a_replay_are_not_emptied_for_it(command: Command, ours: Path, tmp_path: Path) -> None:
    document = json.loads(ours.read_text())
    ours.write_text(json.dumps(document | {"trajectory": []}))
    kept = tmp_path / "again" / "work" / "kept"
    kept.parent.mkdir(parents=True)
    kept.touch()
    done = command("replay", ours, "--workspace", kept.parent, "--out", tmp_path / "again")
    assert done.code == 2
    assert "which is made anew: choose another `--out`" in done.err
    assert kept.exists()


def test_names_of_files_do_not_act_on_the_terminal(command: Command, ours: Path) -> None:
    odd = ours.with_name("odd\x1b[2J.traj")
    odd.write_text("{")
    for words in (("stats", ours.parent), ("inspect", odd), ("demo-from", odd)):
        done = command(*words)
        assert "odd\\x1b[2J.traj is no trajectory" in done.err
        assert "\x1b" not in done.err + done.out
    ours.rename(odd)
    for words in (("inspect", odd, "--notebook", f"{odd}.ipynb"), ("demo-from", odd, "-o", f"{odd}.yaml")):
        assert f"Wrote {odd}".replace("\x1b", "\\x1b") in command(*words).out
    printed = command("demo-from", odd).out
    assert "\x1b" not in printed
    assert yaml.safe_load(printed)["history"]
