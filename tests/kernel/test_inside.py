"""What the agent asks of the sandbox unseen, in a real one."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
from helpers import history, shown, trajectory
from servers import ModelServer, Reply, ToolCall

Opened = Callable[..., Any]
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
DEFINE = """
import numpy as np, pandas as pd
n = 3
df = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
x = np.arange(6).reshape(3, 2)
password = "hunter2"
class Odd:
    @property
    def shape(self): raise RuntimeError("no shape today")
odd = Odd()
def f(): pass
before = set(dir())
"""


async def test_a_prompt_comes_with_the_variables_and_nothing_is_left_behind(
    opened: Opened, script: Any, home: Any
) -> None:
    pytest.importorskip("pandas")
    script({"code": "print(sorted(n for n in set(dir()) - before if n[0] != '_'))"}, {"text": "ok"})
    async with opened(DEFINE, "%%agent\nPlot @x and @df, with @password.", "print(In[-1], Out)") as document:
        await document.run_cells()
        step, plain = document.nb.cells[2:]
        assert shown(step) == "['before']\n"
        # No cell of ours among hers.
        assert "agent" not in shown(plain).replace("Plot", "")
    prompt = history(home)[1]["content"]
    for line in (
        "n: int\n",
        "df: DataFrame (2, 2) a int64, b float64 =    a    b\n0  1  0.5",
        "x: ndarray (3, 2) = array([[0, 1],",
        "odd: Odd (RuntimeError)\n",
        "f: function\n",
    ):
        assert line in prompt
    assert "hunter2" not in prompt
    assert "np:" not in prompt
    state = trajectory(home)["trajectory"][0]["state"]
    assert {item["name"]: item.get("shape") for item in state["variables"]}["x"] == "(3, 2)"


async def test_what_is_too_long_for_the_model_can_be_read_by_the_code(
    opened: Opened, script: Any, home: Any, work: Any
) -> None:
    look = "from pathlib import Path\n[kept] = Path('/tmp/agent-outputs').glob('*.txt')\nprint(kept.read_text()[:17])"
    script({"code": "for i in range(20_000): print('number', i)"}, {"code": look}, {"text": "ok"})
    async with opened("%%agent --review auto\ngo") as document:
        before = sorted(work.iterdir())
        await document.run_cells()
        assert shown(document.nb.cells[2]) == "number 0\nnumber 1\n"
        assert sorted(work.iterdir()) == before
    told = [str(message["content"]) for message in history(home) if message["role"] == "tool"]
    assert "characters left out; code can read them in /tmp/agent-outputs/" in told[0]
    assert len(told[0]) < 20_000


async def test_code_that_ignores_its_timeout_takes_its_kernel_with_it(opened: Opened, script: Any, home: Any) -> None:
    deaf = (
        "import time\nprint('on it', flush=True)\nwhile True:\n    try: time.sleep(60)\n    except BaseException: pass"
    )
    script({"code": "kept = 1"}, {"code": deaf}, {"code": "print('kept' in dir())"}, {"text": "ok"})
    async with opened("%%agent --review auto --step-timeout 1\ngo", "print('as ever')") as document:
        await document.run_cells()
        *_, after, plain = document.nb.cells
        assert shown(after).endswith("False\n")
        assert shown(plain).endswith("as ever\n")
    told = [str(message["content"]) for message in history(home) if message["role"] == "tool"]
    assert "on it" in told[1]
    assert "variables and imports are gone" in told[1]


async def test_a_model_that_sees_gets_a_plot_of_a_size_that_it_can_take(
    opened: Opened, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("JUPYTER_CODEACT_MODEL", "anthropic/claude-sonnet-4-5")
    monkeypatch.setenv("JUPYTER_CODEACT_API_BASE", model_server.anthropic_base)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    plot = "import matplotlib.pyplot as plt\nplt.figure(figsize=(20, 10), dpi=100)\nplt.plot([1, 2])\nplt.show()"
    model_server.add(Reply(tool_calls=[ToolCall("run_cell", {"code": plot})]), Reply(text="A line."))
    async with opened("%%agent\ngo") as document:
        await document.run_cells()
        assert "A line." in shown(document.nb.cells[0])
    *_, last = model_server.requests[1].json["messages"]
    (image,) = [part for part in last["content"] if part["type"] == "image"]
    head = base64.b64decode(image["source"]["data"][:64])
    width, height = struct.unpack(">II", head[16:24])
    assert head.startswith(b"\x89PNG")
    assert 900 < width <= 1024
    assert height < width
    assert "it follows" in json.dumps(last)


async def test_the_editor_works_on_the_working_folder_with_the_sandboxs_rights(
    opened: Opened, script: Any, home: Any, work: Any
) -> None:
    create = {"command": "create", "path": "src/stats.py", "file_text": "def mean(x):\n    return sum(x) / len(x)\n"}
    change = {"command": "str_replace", "path": "src/stats.py", "old_str": "mean", "new_str": "average"}
    script(
        {"edit": create},
        {"edit": change},
        {"edit": {"command": "view", "path": "/etc/hostname"}},
        {"code": "from src.stats import average\naverage([1, 2, 3])"},
        {"text": "ok"},
    )
    async with opened("%%agent --review auto\ngo") as document:
        await document.run_cells()
        agent, step = document.nb.cells
        assert shown(step) == "2.0"
        assert "+def average(x):" in shown(agent)
    made = work / "src" / "stats.py"
    assert made.read_text().startswith("def average")
    assert made.stat().st_uid == work.stat().st_uid
    told = [str(message["content"]) for message in history(home) if message["role"] == "tool"]
    assert "outside of the working folder" in told[2]
    assert trajectory(home)["info"]["edited_files"] == ["src/stats.py"]


TABLE = """\
class Enum:
    def __str__(self): return "Enum(categories=['Ann Lee', 'Bob Roe'])"
class DataFrame:
    columns, schema, shape = ['patient'], {'patient': Enum()}, (2, 1)
    dtypes = [Enum()]
patients = DataFrame()
"""


async def test_values_in_a_column_s_type_stay_in_the_sandbox(opened: Opened, script: Any, home: Any) -> None:
    """polars' Enum says its categories, which are the values of the column."""
    script({"text": "ok"})
    async with opened(TABLE, "%%agent\nWho?") as document:
        await document.run_cells()
    told = str(history(home))
    assert "patients: DataFrame (2, 1) patient Enum" in told
    assert "Ann" not in told
