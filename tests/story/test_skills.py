"""From a plain request to a skill that the next notebook's agent finds: the model over HTTP, kernels, sandboxes."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from helpers import shown
from nbformat.v4 import new_code_cell, new_notebook
from servers import ModelServer, Reply, ToolCall

from jupyter_codeact.notebook.document import Document, Proposal

pytestmark = [
    pytest.mark.usefixtures("sandbox"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SAMPLES = "import math\nx = [n / 5 for n in range(30)]\ny = [math.sin(v) for v in x]"
FIT = '''LENGTH = 1.0


def gp_fit(x: list, y: list, n_restarts: int = 10) -> dict:
    """Fit a Gaussian process with an RBF kernel to samples.

    >>> gp_fit([0.0], [1.0])["mean"]
    1.0
    """
    return {"x": x, "mean": math.fsum(y) / len(y), "length": LENGTH, "restarts": n_restarts}


def plot_pred(gp: dict) -> str:
    """Plot what a fit predicts."""
    return f"{gp['restarts']} restarts"


gp = gp_fit(x, y)
plot_pred(gp)'''
STORE = "store these as functions gp_fit and plot_pred in a module gp_fit.py"
SAVE = {"command": "save", "name": "gp_fit", "what": "gp_fit,plot_pred"}
PLOT = "def plot_pred(gp: dict) -> str:\n    '''Say how often a fit was begun.'''\n    return str(gp['restarts'])"
WISH = "fit a Gaussian process to these samples"


@dataclass
class Notebooks:
    """Two notebooks of one person, each with a kernel and an agent. ``style``: how their model acts."""

    style: str
    server: ModelServer
    one: Document
    two: Document
    own: Path

    def act(self, text: str, tool: str, **arguments: Any) -> Reply:
        """A reply with an action: a call, or a block for models without."""
        if self.style != "fenced":
            return Reply(text=text, tool_calls=[ToolCall(tool, arguments)])
        language = "python" if tool == "run_cell" else tool
        body = arguments["code"] if tool == "run_cell" else json.dumps(arguments)
        return Reply(text=f"{text}\n\n```{language}\n{body}\n```\n")

    async def run(self, document: Document, *cells: str) -> list[str]:
        """What each cell shows."""
        document.nb = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        mine = list(document.nb.cells)
        await document.run_cells()
        return [shown(cell) for cell in mine]

    def told(self, number: int) -> str:
        """The newest message of a request."""
        return str(self.server.requests[number].json["messages"][-1]["content"])


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["openai", "anthropic", "fenced"])
async def notebooks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    home = tmp_path_factory.mktemp("home")
    models = {"openai": "openai/gpt-4o", "anthropic": "anthropic/claude-sonnet-4-5", "fenced": "openai/local-model"}
    async with AsyncExitStack() as stack:
        patch, server = stack.enter_context(pytest.MonkeyPatch.context()), stack.enter_context(ModelServer())
        base = server.anthropic_base if request.param == "anthropic" else server.openai_base
        for name, value in {"HOME": str(home), "MODEL": models[request.param], "API_BASE": base}.items():
            patch.setenv(f"JUPYTER_CODEACT_{name}", value)
        patch.setenv("ANTHROPIC_API_KEY", "sk-test")
        documents = [
            await stack.enter_async_context(
                Document(new_notebook(), resources={"metadata": {"path": str(tmp_path_factory.mktemp("work"))}})
            )
            for _ in range(2)
        ]
        yield Notebooks(request.param, server, *documents, home / "skills" / "private" / "default")


@pytest.fixture
def story(notebooks: Notebooks) -> Notebooks:
    notebooks.server.reset()
    for path in notebooks.own.glob("*.py"):
        path.unlink()
    return notebooks


@pytest.mark.parametrize("way", ["by the agent", "by hand"])
async def test_what_was_fitted_is_stored_on_request_and_the_next_notebook_s_agent_finds_it(
    story: Notebooks, way: str
) -> None:
    act, add = story.act, story.server.add
    add(act("Samples.", "run_cell", code=SAMPLES), act("I fit.", "run_cell", code=FIT), Reply(text="Fitted."))
    await story.run(story.one, "%agent reset", f"%%agent\n{WISH} of a sine")
    if way == "by the agent":
        refused: list[str] = []

        async def review(proposal: Proposal) -> None:
            """She wants other words first."""
            if proposal.is_edit and not refused:
                refused.append(proposal.message["text"])
                assert not (story.own / "gp_fit.py").exists()
                proposal.reject("Say what plot_pred does.")
            else:
                proposal.run()

        story.one.review = review
        before = len(story.server.requests)
        add(act("I store them.", "skills", **SAVE), act("As you like.", "run_cell", code=PLOT))
        add(
            act("Again.", "skills", **SAVE),
            act("A test.", "skills", command="test", name="gp_fit"),
        )
        add(Reply(text="Stored."))
        (said,) = await story.run(story.one, f"%%agent\n{STORE}")
        assert refused == ["Create gp_fit.py"]
        assert "Her reason: Say what plot_pred does." in story.told(before + 1)
        assert "Create gp_fit.py: done." in story.told(before + 3)
        assert "imported in a fresh sandbox, 1 test passed" in story.told(before + 3)
        assert "Checks passed" in story.told(before + 4)
        assert "+    '''Say how often a fit was begun.'''" in said
        (log,) = await story.run(story.one, "%skill log gp_fit")
        assert f"prompt {STORE}" in log
    else:
        (said,) = await story.run(story.one, "%skill save gp_fit last --names gp_fit,plot_pred")
        assert "1 test passed" in said
    source = (story.own / "gp_fit.py").read_text()
    assert source.startswith("import math\n\n\nLENGTH = 1.0\n\n\ndef gp_fit(")
    assert "sin(" not in source
    before = len(story.server.requests)
    add(act("I look.", "skills", command="search", name="gaussian process"))
    add(act("I use it.", "run_cell", code="from gp_fit import gp_fit\ngp_fit([0], [2], 3)['restarts']"))
    add(Reply(text="Done."))
    (_, agent) = await story.run(story.two, "%agent reset", f"%%agent --review auto\n{WISH}")
    assert "gp_fit(x: list, y: list, n_restarts: int=10) -> dict: Fit a Gaussian process" in story.told(before)
    found = story.told(before + 1)
    assert re.search(r"<output \w+>(\n|\\n)gp_fit: ", found)
    assert "gp_fit(x: list, y: list, n_restarts: int=10) -> dict" in found
    assert shown(story.two.nb.cells[2]) == "3"
    assert "skills used: gp_fit" in agent
    assert story.server.remaining == 0
