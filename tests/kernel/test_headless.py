"""Without our extension: nbclient, `jupyter execute`, and a console that answers on stdin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from helpers import PATIENCE_S, history, shown
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = [
    pytest.mark.usefixtures("sandbox", "home"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def notebook(*sources: str) -> Any:
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def execute(nb: Any, work: Path, **options: Any) -> None:
    NotebookClient(
        nb, kernel_name="codeact", timeout=PATIENCE_S, resources={"metadata": {"path": str(work)}}, **options
    ).execute()


def test_auto_shows_code_outputs_and_answer_in_order(script: Any, work: Path) -> None:
    script(
        {"code": "exit()"},
        {"text": "First.", "code": "print('out'); 6 * 7"},
        {"text": "Then.", "code": "1/0"},
        {"text": "The end."},
    )
    nb = notebook("x = 1", "%%agent --review auto\ngo", "x + 1")
    execute(nb, work)
    said = shown(nb.cells[1])
    pieces = [
        "Not run: `exit()` waits for a person, or ends the kernel; the model was told.",
        "First.",
        "print('out'); 6 * 7",
        "out",
        "42",
        "Then.",
        "1/0",
        "ZeroDivisionError",
        "The end.",
        "Done · 2 steps",
    ]
    places = [said.index(piece) for piece in pieces]
    assert places == sorted(places)
    assert shown(nb.cells[2]) == "2"


def test_each_reply_s_words_are_an_output_and_a_failed_edit_is_shown(script: Any, work: Path) -> None:
    """A view shows nothing, and so would not part them."""
    wrong = {"command": "str_replace", "path": "a.txt", "old_str": "x", "new_str": "y"}
    view = {"command": "view", "path": "."}
    script({"text": "First.", "edit": view}, {"text": "Then.", "edit": wrong}, {"text": "The end."})
    nb = notebook("%%agent --review auto\ngo")
    execute(nb, work)
    assert shown(nb.cells[0]).splitlines()[:3] == [
        "First.",
        "Then.",
        "The agent could not str_replace a.txt: There is no a.txt. View '.' to see what there is.",
    ]


def test_pictures_are_outputs_of_the_agents_cell(script: Any, work: Path) -> None:
    pytest.importorskip("matplotlib")
    script({"code": "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()"}, {"text": "ok"})
    nb = notebook("%%agent --review auto\ngo")
    execute(nb, work)
    assert any("image/png" in output.get("data", {}) for output in nb.cells[0].outputs)


def test_ask_with_nobody_to_ask_runs_nothing_and_says_what_to_write(script: Any, work: Path) -> None:
    script({"code": "open('ran', 'w')"}, {"text": "ok"})
    nb = notebook("%%agent\ngo")
    with pytest.raises(CellExecutionError, match="--review auto"):
        execute(nb, work)
    assert not (work / "ran").exists()
    assert "open('ran', 'w')" in shown(nb.cells[0])


def test_no_model_is_one_line_that_says_what_to_set(work: Path) -> None:
    nb = notebook("%%agent\ngo")
    execute(nb, work, allow_errors=True)
    (error,) = [output for output in nb.cells[0].outputs if output.output_type == "error"]
    assert "\n" not in error.evalue
    for word in ("ANTHROPIC_API_KEY", "%agent model", "JUPYTER_CODEACT_MODEL", "scripted/"):
        assert word in error.evalue


def test_no_key_is_one_line_that_names_it(work: Path) -> None:
    nb = notebook("%%agent --model anthropic/claude-sonnet-4-5\ngo")
    execute(nb, work, allow_errors=True)
    (error,) = [output for output in nb.cells[0].outputs if output.output_type == "error"]
    assert "\n" not in error.evalue
    for word in ("ANTHROPIC_API_KEY", "that JupyterLab is started from", "%agent model scripted/"):
        assert word in error.evalue


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%%agent --reviw auto\ngo", "Did you mean --review?"),
        ("%%agent\n", "needs a prompt"),
        ("%%agent --max-steps 0\ngo", "at least 1"),
        ("%%agent --skills nope\ngo", "no skill called nope"),
        ("%%agent --model human --review auto\ngo", "none waits: write `--review ask`"),
        ("%agent modle", "Did you mean `%agent model`?"),
        ("%skill svae x", "Did you mean `%skill save`?"),
        ("%agent model scripted/nope", "no script 'nope'"),
        ("x = 1\n%agent status", "a cell of its own"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(script: Any, work: Path, cell: str, words: str) -> None:
    script({"text": "ok"})
    nb = notebook(cell)
    execute(nb, work, allow_errors=True)
    said = shown(nb.cells[0])
    assert words in said
    assert "Traceback" not in said


def test_jupyter_execute_runs_a_notebook_with_an_agent(script: Any, work: Path) -> None:
    script({"code": "print('by the agent')"}, {"text": "ok"})
    path = work / "n.ipynb"
    nb = notebook("%%agent --review auto\ngo")
    nb.metadata.kernelspec = {"name": "codeact", "display_name": "x", "language": "python"}
    nbformat.write(nb, path)
    command = [str(Path(sys.executable).parent / "jupyter"), "execute", "--inplace", str(path)]
    subprocess.run(command, check=True, env=dict(os.environ), capture_output=True, timeout=PATIENCE_S)
    assert "by the agent" in shown(nbformat.read(path, as_version=4).cells[0])


@pytest.mark.parametrize(
    ("answers", "ran", "told"),
    [
        (["y"], True, ""),
        (["a"], True, ""),
        (["n too slow"], False, "too slow"),
        (["n", "too slow"], False, "too slow"),
        (["what?", "y"], True, ""),
    ],
)
def test_a_console_is_asked_on_stdin(  # noqa: PLR0917  # fixtures and a table
    script: Any, work: Path, home: Path, answers: list[str], ran: bool, told: str
) -> None:
    script({"code": "print('it ran')"}, {"text": "ok"})
    outputs = converse(work, "%%agent\ngo", answers)
    assert ("it ran" in [o["content"].get("text", "").strip() for o in outputs]) is ran
    assert told in str(history(home))


@pytest.mark.parametrize("answers", [["s"], ["\x04"], ["n", "\x04"]], ids=["stop", "Ctrl-D", "Ctrl-D, asked why"])
def test_a_console_can_stop(script: Any, work: Path, answers: list[str]) -> None:
    script({"code": "print('it ran')"}, {"text": "ok"})
    outputs = converse(work, "%%agent\ngo", answers)
    assert any("Stopped by you" in str(o["content"]) for o in outputs)
    assert not any(o["content"].get("text") == "it ran\n" for o in outputs)


def converse(work: Path, code: str, answers: list[str]) -> list[dict[str, Any]]:
    """Run a cell as a console does; each question gets the next answer."""
    manager, client = start_new_kernel(kernel_name="codeact", cwd=str(work))
    outputs: list[dict[str, Any]] = []
    rest = iter(answers)
    try:
        client.execute_interactive(
            code,
            allow_stdin=True,
            stdin_hook=lambda _message: client.input(next(rest)),
            output_hook=outputs.append,
            timeout=PATIENCE_S,
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    return outputs


def test_without_a_sandbox_every_run_says_so(script: Any, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_CODEACT_SANDBOX", "none")
    script({"text": "one"}, {"text": "two"})
    nb = notebook("%%agent\ngo", "%%agent\nagain")
    execute(nb, work)
    assert all("There is no sandbox" in shown(cell) for cell in nb.cells)


def test_a_sandbox_that_does_not_exist_is_one_line(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_CODEACT_SANDBOX", "bublewrap")
    nb = notebook("open('ran', 'w')")
    execute(nb, work, allow_errors=True)
    assert "no sandbox called 'bublewrap'" in shown(nb.cells[0])
    assert not (work / "ran").exists()


WIDGET = """\
import ipywidgets
from IPython.display import clear_output, display
print("accuracy 0.93")
out = ipywidgets.Output()
display(out)
with out:
    print("first")
    clear_output()
    print("inner")
print("after")
"""


def test_what_an_output_widget_clears_is_its_own(script: Any, work: Path, home: Path) -> None:
    """In the agent's cell as in a cell of hers; and the model is told what is left."""
    pytest.importorskip("ipywidgets")
    script({"text": "I look.", "code": WIDGET}, {"text": "ok"})
    nb = notebook("%%agent --review auto\ngo", WIDGET)
    client = NotebookClient(nb, kernel_name="codeact", timeout=PATIENCE_S, resources={"metadata": {"path": str(work)}})
    client.execute()
    for cell in nb.cells:
        said = [output.text for output in cell.outputs if output.output_type == "stream"]
        assert said == ["accuracy 0.93\n", "after\n"]
    assert "I look." in shown(nb.cells[0])
    states = [state["outputs"] for state in client.widget_state.values() if state.get("outputs")]
    assert [[output["text"] for output in outputs] for outputs in states] == [["inner\n"], ["inner\n"]]
    (told,) = [message["content"] for message in history(home) if message["role"] == "tool"]
    lines = [line for line in told.splitlines() if line in ("accuracy 0.93", "first", "inner", "after")]
    assert lines == ["accuracy 0.93", "inner", "after"]


TAKES = """\
import ipywidgets
from IPython.display import display
out = ipywidgets.Output()
display(out)
print("before", flush=True)
out.msg_id = get_ipython().kernel.get_parent()["header"]["msg_id"]
print("inner")
"""


def test_no_output_widget_takes_what_is_said_in_the_agent_s_cell(script: Any, work: Path, home: Path) -> None:
    """It could show another change than the one that she is asked for. What steps give it both sides know of."""
    pytest.importorskip("ipywidgets")
    script({"text": "I look.", "code": TAKES}, {"text": "Later words.", "code": "print('later')"}, {"text": "ok"})
    nb = notebook("%%agent --review auto\ngo", "print([output['text'] for output in out.outputs])")
    client = NotebookClient(nb, kernel_name="codeact", timeout=PATIENCE_S, resources={"metadata": {"path": str(work)}})
    client.execute()
    assert "Later words." in shown(nb.cells[0])
    said = [output.text for output in nb.cells[0].outputs if output.output_type == "stream"]
    assert "".join(said) == "before\nlater\n"
    (state,) = [state for state in client.widget_state.values() if "outputs" in state]
    assert [output["text"] for output in state["outputs"]] == ["inner\n"]
    assert shown(nb.cells[1]) == "['inner\\n']\n"
