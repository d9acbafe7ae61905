"""Prompts find skills: what fits is offered, what is named is given, and the answer's last line says what was used."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from helpers import history, shown
from nbformat.v4 import new_code_cell, new_notebook
from servers import Failure, ModelServer, Reply

from jupyter_codeact import tokens
from jupyter_codeact.notebook.document import Document

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.filterwarnings("ignore::ResourceWarning")]
GP = '''import math


def gp_fit(x: list, y: list, n_restarts: int = 10) -> dict:
    """Fit a Gaussian process with an RBF kernel to samples.

    >>> gp_fit([0], [1])["restarts"]
    10
    """
    return {"x": x, "restarts": n_restarts}


def plot_pred(gp: dict) -> None:
    """Plot what a fit predicts."""
'''
WISH = "fit a Gaussian process to these samples"


@dataclass
class Place:
    """The folders of a kernel that several tests share, and its documents."""

    home: Path
    work: Path
    document: Document

    async def run(self, *cells: str, script: tuple[dict[str, Any], ...] = ()) -> list[str]:
        """What each cell shows; the model says what is in the script."""
        (self.work / "script.yaml").write_text(json.dumps({"replies": script or [{"text": "ok"}]}))
        self.document.nb = new_notebook(cells=[new_code_cell(cell) for cell in ("%agent reset", *cells)])
        mine = self.document.nb.cells[1:]
        await self.document.run_cells()
        return [shown(cell) for cell in mine]

    @property
    def prompt(self) -> str:
        """What the newest run told the model with her words."""
        (instance,) = [m for m in history(self.home) if m["message_type"] == "instance"]
        return str(instance["content"])


@asynccontextmanager
async def opened(home: Path, work: Path) -> AsyncIterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CODEACT_HOME", str(home))
        patch.setenv("JUPYTER_CODEACT_MODEL", "scripted/script")
        patch.setenv("JPY_SESSION_NAME", "/home/her/fit.ipynb")
        async with Document(new_notebook(), resources={"metadata": {"path": str(work)}}) as document:
            yield Place(home, work, document)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory, sandbox: None) -> AsyncIterator[Place]:
    """A second notebook: the skill was saved in the first."""
    home, work = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work")
    async with opened(home, work) as first:
        assert "Saved" in (await first.run(GP, "%skill save gp_fit 2 --message 'for the glacier'"))[1]
    package = work / "freeact_skills" / "search"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("raise SystemExit('this must not be imported')\n")
    imports = "from .impl import *\nfrom ..found import Found\n"
    (package / "api.py").write_text(f'"""Search the web."""\n{imports}\n\ndef search(query: str) -> list: ...\n')
    impl = "SECRET = 'how it is done'\n\n\ndef deeper(query: str) -> list:\n    'Search again.'\n    return [SECRET]\n"
    (package / "impl.py").write_text(impl)
    (package.parent / "found.py").write_text("class Found:\n    'A page.'\n    title: str = 'none'\n")
    async with opened(home, work) as second:
        yield second


async def test_an_agent_finds_a_skill_by_itself_and_uses_it_in_its_first_action(place: Place) -> None:
    use = {"code": "from gp_fit import gp_fit\ngp_fit([1], [2])['restarts']"}
    (unused, agent, listed, shown_) = await place.run(
        "%skill show gp_fit",
        f"%%agent --review auto\n{WISH}",
        "%skill list",
        "%skill show gp_fit",
        script=(use, {"text": "Fitted."}),
    )
    assert "gp_fit(x: list, y: list, n_restarts: int=10) -> dict: Fit a Gaussian process with" in place.prompt
    assert "import math" not in place.prompt
    assert place.prompt.endswith(WISH)
    assert shown(place.document.nb.cells[3]) == "10"
    assert "skills used: gp_fit" in agent
    assert re.search(r"\| gp_fit \| Fit a Gaussian .* \| 1 \| you \| 1 test, passed \| 20\S+ in fit\.ipynb \|", listed)
    assert "No agent has used it yet." in unused
    assert re.match(r"gp_fit · version 1 · 1 test, passed · .*/gp_fit\.py\n\nFit a Gaussian process", shown_)
    assert "- plot_pred(gp: dict) -> None: Plot what a fit predicts." in shown_
    assert "def gp_fit(x: list" in shown_
    assert "for the glacier (notebook fit.ipynb, cells 2, checks passed) |" in shown_
    assert re.search(r"Used by agents: 20\S+ in fit\.ipynb\.$", shown_)


async def test_a_first_request_with_skills_is_small(place: Place) -> None:
    for number in range(30):
        doc = f'"""Fit the Gaussian process number {number} to samples{" of a kind" * 30}."""\n'
        functions = [f"def fit_{n}(x: list, y: list, restarts: int = 10): '''{'Fit it. ' * 30}'''" for n in range(9)]
        (place.home / "skills" / "private" / "default" / f"gp_{number}.py").write_text(doc + "\n".join(functions))
    await place.run(f"%%agent\n{WISH}")
    assert "more skills" in place.prompt
    sent = [m for m in history(place.home) if m["role"] in ("system", "user")]
    assert tokens.of_request(sent) < 900
    for number in range(30):
        (place.home / "skills" / "private" / "default" / f"gp_{number}.py").unlink()


@pytest.mark.parametrize(
    ("options", "prompt", "words"),
    [("--skills none", WISH, ""), ("", "say hello", "The library has 1 skill;")],
)
async def test_nothing_is_offered_where_nothing_fits_or_none_is_wanted(
    place: Place, options: str, prompt: str, words: str
) -> None:
    (agent,) = await place.run(f"%%agent {options}\n{prompt}")
    assert "RBF" not in place.prompt
    assert ("The library has" in place.prompt) == bool(words)
    assert place.prompt.startswith(words)
    assert "skills" not in agent.split("**Done**")[-1]


async def test_what_her_own_cell_imported_is_used_where_the_agent_names_it(place: Place) -> None:
    use = {"code": "fitted([1], [2])['restarts']"}
    _, agent = await place.run(
        "from gp_fit import gp_fit as fitted", f"%%agent --review auto\n{WISH}", script=(use, {"text": "Fitted."})
    )
    assert "skills used: gp_fit" in agent


async def test_what_was_offered_and_not_used_is_said_too(place: Place) -> None:
    (agent,) = await place.run(
        f"%%agent --review auto\n{WISH}", script=({"code": "x = 'import gp_fit'"}, {"text": "ok"})
    )
    assert "skills offered: gp_fit" in agent


@pytest.mark.parametrize("name", ["freeact_skills.search", "freeact_skills.search.api"])
async def test_a_module_of_the_environment_is_given_with_its_source_and_not_imported(place: Place, name: str) -> None:
    use = {"code": "import sys\nassert 'freeact_skills' not in sys.modules"}
    (agent,) = await place.run(f"%%agent --review auto --skills gp_fit,{name}\ngo", script=(use, {"text": "ok"}))
    assert "The skill `gp_fit` can be imported" in place.prompt
    assert "The skill `freeact_skills.search.api` can be imported" in place.prompt
    assert "def search(query: str) -> list: ..." in place.prompt
    assert "# From freeact_skills.search.impl, without its code:" in place.prompt
    assert 'def deeper(query: str) -> list:\n    """Search again."""\n    ...' in place.prompt
    assert 'class Found:\n    """A page."""\n    title: str' in place.prompt
    assert "how it is done" not in place.prompt
    assert "skills offered: gp_fit, freeact_skills.search.api" in agent
    assert "SystemExit" not in agent


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gp_fti", "Did you mean gp_fit?"),
        ("freeact_skills.serch", "Did you mean freeact_skills.search?"),
        ("freeact_skills.search.apy", "Did you mean freeact_skills.search.api?"),
        ("gp_fit.yaml", "Did you mean gp_fit?"),
        ("qqqqqqqq", "`%skill list` shows"),
        ("../secret", "is no name of a skill or a module"),
        ("math", "has no source in Python"),
    ],
)
async def test_an_unknown_name_is_one_line(place: Place, name: str, words: str) -> None:
    (agent,) = await place.run(f"%%agent --skills {name}\ngo")
    assert words in agent
    assert "\n" not in agent.strip()


async def test_search_shows_what_fits_and_why(place: Place) -> None:
    found, none, noted, bare = await place.run(
        "%skill search gaussian PROCESSES", "%skill search zebra", "%skill search glaciers", "%skill search"
    )
    assert "glacier in its notes" in noted
    assert "gp_fit" in found
    assert "gaussian, process in its functions, docstrings" in found
    assert "No skill fits 'zebra'" in none
    assert "needs words" in bare


# ---- with an embedding model


def vectors(request: dict[str, Any]) -> Reply:
    """Whatever is of kriging is near a Gaussian process."""
    return Reply(vectors=[[float("gaussian" in t.lower() or "kriging" in t), 0.1] for t in request["input"]])


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[ModelServer], None]:
    """`configured(server)` makes kernels ask it for embeddings."""

    def write(server: ModelServer) -> None:
        lines = ["c.Agent.embedding_model = 'openai/nearness'", f"c.Agent.embedding_api_base = {server.openai_base!r}"]
        (tmp_path / "jupyter_codeact_config.py").write_text("\n".join(lines))
        monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))

    return write


async def test_skills_are_found_by_meaning_over_http_and_a_failing_service_is_said_once(
    place: Place, model_server: ModelServer, configured: Callable[[ModelServer], None]
) -> None:
    configured(model_server)
    model_server.add(vectors, vectors, Failure(500, "out of order"))
    async with opened(place.home, place.work) as other:
        (agent,) = await other.run("%%agent\nkriging, please")
        assert "gp_fit(x: list" in other.prompt
        texts = [text for request in model_server.requests for text in request.json["input"]]
        assert [text.split("\n")[0] for text in texts] == ["gp_fit", "kriging, please"]
        assert model_server.requests[0].json["model"] == "nearness"
        assert has_litellm(other)
        first, second = await other.run(f"%%agent\n{WISH}", f"%%agent --new\n{WISH} again")
        assert "gp_fit(x: list" in other.prompt
    assert "by words alone" not in agent
    assert "Skills were looked for by words alone. The service of openai/nearness is busy (500)" in first
    assert "by words alone" not in second


async def test_without_an_embedding_model_litellm_is_not_imported(place: Place) -> None:
    await place.run(f"%%agent\n{WISH}")
    assert not has_litellm(place)


def has_litellm(place: Place) -> bool:
    """Whether the trusted process has it in its memory, by a library that litellm brings."""
    pid = place.document.km.provisioner.pid
    return "tiktoken" in Path(f"/proc/{pid}/maps").read_text()
