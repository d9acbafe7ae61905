"""A skill notebook has the outputs that its cells really have, from a sandbox, and says what has none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.headless.examples import ran
from jupyter_codeact.settings import Settings
from jupyter_codeact.skills.transfer.bundle import Bundle
from jupyter_codeact.skills.transfer.notebooks import notebook_of

SOURCE = '''"""Words.

>>> import os
>>> os.listdir()  # doctest: +ELLIPSIS
[...]
>>> 1 / 0
0
>>> from IPython.display import Javascript
>>> Javascript("1")  # doctest: +ELLIPSIS
<...>
>>> shout("a")
'A!'
"""
try:
    open({mark!r}, "w").close()
except OSError:
    pass


def shout(word):
    return word.upper() + "!"


def test_shout():
    print("tested")
'''


async def notebook(text: str, step_s: float = 30) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """Its code cells, what went wrong, and how far it was said to be."""
    made, told = json.loads(notebook_of(Bundle("words", {"words.py": text}))), list[str]()
    wrong = await ran(made, Settings.from_environment(), told.append, step_s)
    return [cell for cell in made["cells"] if cell["cell_type"] == "code"], wrong, told


@pytest.mark.usefixtures("sandbox", "home")
@pytest.mark.parametrize(("kind", "escapes"), [("bubblewrap", False), ("none", True)])
async def test_its_outputs_are_real_and_what_has_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, escapes: bool
) -> None:
    """And without a sandbox its code would have the person's rights."""
    monkeypatch.setenv("JUPYTER_CODEACT_SANDBOX", kind)
    cells, wrong, told = await notebook(SOURCE.replace("{mark!r}", repr(str(tmp_path / "mark"))))
    folder, error, script, shout, tests = cells[2:]
    assert folder["outputs"][0]["data"]["text/plain"] == "[]"
    assert (error["outputs"], error["execution_count"]) == ([], None)
    assert "application/javascript" not in script["outputs"][0]["data"]
    assert shout["outputs"][0] | {"execution_count": 0} == {
        "output_type": "execute_result",
        "data": {"text/plain": "'A!'"},
        "metadata": {},
        "execution_count": 0,
    }
    assert tests["outputs"][0]["text"] == "tested\n"
    assert wrong == ["cell 4: ZeroDivisionError: division by zero", "cell 5: held back: JavaScript output"]
    assert told == [f"running cell {n} of {len(cells)}" for n in range(1, len(cells) + 1)]
    assert (tmp_path / "mark").exists() is escapes


@pytest.mark.usefixtures("sandbox", "home")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere", "cell 1: ModuleNotFoundError: No module named 'nowhere'"),
        ("while True: pass", "cell 1: it takes longer than 1 s, and was ended"),
        ("import os\nos._exit(1)", "cell 1: SandboxDied: The sandbox ended."),
    ],
)
async def test_code_that_fails_leaves_what_the_doctests_promise(text: str, said: str) -> None:
    cells, wrong, told = await notebook(f"'Doc.\\n\\n>>> 1 + 1\\n2\\n'\n{text}\n", 1 if "while" in text else 30)
    assert len(wrong) == len(told) == 1
    assert wrong[0].startswith(said)
    assert cells[1]["outputs"][0]["data"]["text/plain"] == "2"
    assert cells[0]["outputs"] == []
