"""`jupyter codeact batch`: many problems, and what is done is not done again."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import PATIENCE_S
from servers import Failure, ModelServer, Reply, ToolCall

from jupyter_codeact.agent.trajectory import read
from jupyter_codeact.batch.problems import Entry
from jupyter_codeact.batch.results import write_result
from jupyter_codeact.headless.solve import Result

Command = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("sandbox")


def results(out: Path) -> dict[str, dict[str, Any]]:
    lines = (out / "results.jsonl").read_text().splitlines()
    found = {row["id"]: row for row in map(json.loads, lines)}
    with (out / "results.csv").open(newline="") as file:
        assert {row["id"]: row["exit_status"] for row in csv.DictReader(file)} == {
            name: row["exit_status"] for name, row in found.items()
        }
    return found


def ends(shown: str, table: int) -> dict[str, str]:
    """How problems ended, and how many, of a table that was printed."""
    rows = shown.split("how it ended\t")[table + 1].splitlines()[1:]
    return {row.split("\t")[0]: row.split("\t")[1] for row in rows if "\t" in row}


def problems(work: Path, *entries: dict[str, Any]) -> Path:
    path = work / "problems.yaml"
    path.write_text(json.dumps(entries))
    return path


def test_a_result_belongs_to_what_was_asked(command: Command, replies: Command, tmp_path: Path) -> None:
    """Where problems have no ids their places in the file may change, and where they have, their texts."""
    flags = ("--out", tmp_path / "out", "--model", replies({"submit": "Done."}), "--skills", "none")
    lists = [
        ["Add two numbers.", "Add two numbers.", {"id": "mean", "text": "It should be 0."}],
        ["Quite another one.", "Add two numbers.", "Add two numbers.", {"id": "mean", "text": "It should be nan."}],
    ]
    shown = []
    for entries in lists:
        (tmp_path / "problems.json").write_text(json.dumps(entries))
        shown.append(command("batch", tmp_path / "problems.json", *flags).out)
    assert "3 problems, 0 of them done before" in shown[0]
    assert "4 problems, 2 of them done before" in shown[1]
    (again,) = (line for line in shown[1].splitlines() if "done again, since it was changed" in line)
    assert again.startswith("mean")
    asked = {read(path)["replay_config"]["problem_statement"]["text"] for path in tmp_path.rglob("*.traj")}
    assert asked == {"Quite another one.", "Add two numbers.", "It should be nan."}
    names = sorted(re.sub(r"-[0-9a-f]{6}", "", name) for name in results(tmp_path / "out"))
    assert names == ["add-two-numbers", "add-two-numbers-2", "mean", "quite-another-one"]


def test_one_failure_stops_nobody_and_the_next_time_only_that_is_done(
    command: Command, replies: Command, checkout: Path, tmp_path: Path
) -> None:
    model = replies({"code": "from pathlib import Path\nPath('a.txt').write_text('two\\n')"}, {"submit": "Written."})
    file = problems(
        tmp_path,
        {"id": "missing", "file": "later.md"},
        {"id": "empty", "text": "Write into a.txt."},
        {"id": "checkout", "text": "The same.", "workspace": str(checkout)},
        {"id": "part", "text": "The same.", "workspace": str(checkout / "part")},
    )
    out = checkout / "out"
    (checkout / "part").mkdir()
    flags = (file, "--workers", 2, "--out", out, "--model", model, "--skills", "json.decoder")
    first = command("batch", *flags)
    assert first.code == 1
    assert "missing · an error" in first.out
    assert "later.md can't be read" in first.out
    found = results(out)
    assert {name: row["error"] for name, row in found.items()} | {"missing": ""} == dict.fromkeys(found, "")
    assert {name: row["exit_status"] for name, row in found.items()} == {
        "missing": "exit_error",
        "empty": "submitted",
        "checkout": "submitted",
        "part": "submitted",
    }
    # The results lie in the checkout, and are no part of it.
    assert [name for name, row in found.items() if row["no_patch"]] == ["part"]
    assert "no patch: the repository begins above the workspace" in first.out
    assert "+two" in Path(found["checkout"]["files"]["patch"]).read_text()
    assert (checkout / "a.txt").read_text() == "one\n"
    assert not (out / "checkout" / "work" / "out").exists()
    assert [p.name for p in (out / "empty" / "work").iterdir()] == ["a.txt"]
    assert ends(command("stats", out).out, 1) == ends(first.out, 0) == {"done": "3", "an error": "1"}
    before = read(out / "empty" / "empty.traj")
    assert "class JSONDecoder" in str(before["history"])
    (tmp_path / "later.md").write_text("Write as well.")
    second = command("batch", *flags)
    assert second.code == 0, second.out
    assert "4 problems, 3 of them done before" in second.out
    assert {row["exit_status"] for row in results(out).values()} == {"submitted"}
    assert read(out / "empty" / "empty.traj") == before
    assert read(out / "missing" / "missing.traj")["replay_config"]["problem_statement"]["text"] == "Write as well."


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_key_that_is_refused_stops_all_with_one_line(
    command: Command, model_server: ModelServer, tmp_path: Path
) -> None:
    act = ToolCall("run_cell", {"code": "open('made.txt', 'w').close()"})
    model_server.add(Reply("I write.", tool_calls=[act]), Failure(401, "It has expired."))
    file = problems(tmp_path, *({"id": name, "text": "go"} for name in ("one", "two", "three")))
    service = ("--model", "openai/gpt-4o", "--api-key", "sk-test", "--base-url", model_server.openai_base)
    done = command("batch", file, "--workers", 1, "--out", tmp_path / "out", *service)
    assert done.code == 2
    assert done.err.startswith("jupyter codeact batch: The service refused the key for openai/gpt-4o: ")
    assert done.err.count("\n") == 1
    assert ends(done.out, 0) == {
        "not begun": "2",
        "the model's service refused or failed, with what was done": "1",
    }
    assert len(model_server.requests) == 2
    left = read(tmp_path / "out" / "one" / "one.traj")
    assert left["info"]["exit_status"] == "submitted (exit_api)"
    assert [step["extra_info"].get("failed") for step in left["trajectory"]] == [None, "KeyRefused"]
    # It is tried again once the key is mended.
    model_server.add(*[Reply("", tool_calls=[ToolCall("submit", {"answer": "Done."})])] * 3)
    assert command("batch", file, "--workers", 1, "--out", tmp_path / "out", *service).code == 0


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_what_is_done_and_the_next_time_goes_on(
    command: Command, replies: Command, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "wait").touch()
    waits = "import os, time\nwhile os.path.exists('wait'):\n    time.sleep(0.1)"
    model = replies({"code": waits}, {"submit": "Waited."})
    file = problems(tmp_path, {"id": "quick", "text": "go"}, {"id": "slow", "text": "go", "workspace": "slow"})
    flags = ["batch", str(file), "--workers", "1", "--out", str(tmp_path / "out"), "--model", model]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "jupyter_codeact", *flags],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("quick · done")
    process.send_signal(sent)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert err.startswith("\nStopped. The same command goes on from here")
    assert {name.partition(",")[0] for name in ends(out, 0)} == {"done", "stopped by you"}
    assert list(results(tmp_path / "out")) == ["quick"]
    (slow / "wait").unlink()
    again = command(*flags)
    assert again.code == 0
    assert "quick ·" not in again.out
    assert {row["exit_status"] for row in results(tmp_path / "out").values()} == {"submitted"}


def test_the_limit_of_all_counts_what_was_spent_before(command: Command, replies: Command, tmp_path: Path) -> None:
    file = problems(tmp_path, {"id": "done", "text": "go"}, {"id": "next", "text": "go"})
    (tmp_path / "out" / "done").mkdir(parents=True)
    write_result(tmp_path / "out", "done", Result("done", "submitted", cost_usd=2.5), Entry(text="go").asked)
    flags = ("--out", tmp_path / "out", "--model", replies({"submit": "Done."}))
    done = command("batch", file, *flags, "--total-cost-limit", 2)
    assert done.code == 1
    assert "not begun" in done.out
    assert list(results(tmp_path / "out")) == ["done"]


def test_what_is_done_is_done_again_with_redo_alone(command: Command, replies: Command, tmp_path: Path) -> None:
    """It begins with what the workspace is now, and leaves nothing of the last time."""
    (tmp_path / "project").mkdir()
    file = problems(tmp_path, {"id": "one", "text": "go", "workspace": "project"})
    folder = tmp_path / "out" / "one"
    flags = ("batch", file, "--out", tmp_path / "out", "--model", replies({"submit": "Old."}))
    assert command(*flags).code == 0
    (folder / "work" / "old").touch()
    replies({"submit": "New."})
    for more, answer in ((), "Old."), (("--redo",), "New."), ((), "New."):
        assert command(*flags, *more).code == 0
        assert results(tmp_path / "out")["one"]["answer"] == answer
        assert (folder / "work" / "old").exists() is (answer == "Old.")
    assert json.loads((folder / "result.json").read_text())["answer"] == "New."
    (tmp_path / "project").rmdir()
    # What is done needs no workspace; without one nothing begins, and nothing is taken away.
    assert command(*flags).code == 0
    redone = command(*flags, "--redo")
    said = f"There is no folder {tmp_path / 'project'}, which the problem one names as its workspace."
    assert (redone.code, redone.out, redone.err) == (2, "", f"jupyter codeact batch: {said}\n")
    assert json.loads((folder / "result.json").read_text())["answer"] == "New."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "has no problems"),
        ("a: [", "can't be read"),
        ("- {text: a, file: b}", "problem 1: it needs one of `text`, `file` and `issue`"),
        ("- {text: a}\n- {tex: b}", "problem 2: tex is no key"),
        ("- {text: a, id: x}\n- {text: b, id: x}", "two problems with the id 'x'"),
        ("- {text: a, id: ../x}", "can't name a folder"),
        ("- {text: a, id: x}\n- {text: b, id: x-}", "problem 2: the id 'x-' can't name a folder"),
        ("- {text: a, id: results.jsonl}", "is the name of the summary"),
        ("- 7", "problem 1"),
        ("- {text: ' '}", "problem 1: its text is empty"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_in_a_line(command: Command, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "problems.yaml").write_text(text)
    done = command("batch", tmp_path / "problems.yaml", "--out", tmp_path / "out", "--model", "scripted/gp_fit")
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_an_issue_without_a_connection_says_what_to_write(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the file: the command has no flag for a text."""
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    file = problems(tmp_path, {"id": "crash", "issue": "https://github.com/a/b/issues/7"})
    done = command("batch", file, "--out", tmp_path / "out", "--model", "scripted/gp_fit")
    assert done.code == 1
    assert f"and so no issue: give its text instead, as `text` or `file` in {file}." in done.out


def test_results_that_can_not_go_into_a_file_are_said_in_a_line(command: Command, work: Path) -> None:
    (work / "taken").write_text("x")
    entries = problems(work, {"id": "a", "text": "Go."})
    for out in ("taken", "taken/more"):
        done = command("batch", entries, "--out", out, "--model", "scripted/none")
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"jupyter codeact batch: {out} can't be made: ")
        assert done.err.count("\n") == 1


def test_a_person_can_not_be_the_model_of_a_batch(command: Command, tmp_path: Path) -> None:
    done = command("batch", problems(tmp_path, {"text": "go"}), "--out", tmp_path / "out", "--model", "human")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "it needs `run`" in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("link", ["mean", "mean/work"])
def test_a_link_among_the_results_leads_no_deletion_elsewhere(
    command: Command, replies: Command, tmp_path: Path, link: str
) -> None:
    """A cell in the folder above may have put it there. The folder that she names may be a link itself."""
    kept = tmp_path / "elsewhere" / "work" / "kept"
    kept.parent.mkdir(parents=True)
    kept.touch()
    target = kept.parent if link.endswith("work") else kept.parents[1]
    (tmp_path / "real").mkdir()
    out = tmp_path / "results"
    out.symlink_to(tmp_path / "real")
    (out / link).parent.mkdir(exist_ok=True)
    (out / link).symlink_to(target)
    file = problems(tmp_path, {"id": "mean", "text": "go"})
    flags = (file, "--workers", 1, "--out", out, "--model", replies({"submit": "Done."}))
    done = command("batch", *flags)
    assert done.code == 1
    assert f"{out / link} is a link to {target}, and code in a sandbox may have put it there: delete it" in done.out
    assert kept.exists()
    assert [path.name for path in kept.parents[1].rglob("*")] == ["work", "kept"]
    (out / link).unlink()
    assert command("batch", *flags).code == 0
