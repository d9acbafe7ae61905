"""The model over real HTTP and SSE: OpenAI-style and Anthropic-style, as a kernel meets it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from helpers import PATIENCE_S, history, shown
from nbformat.v4 import new_code_cell, new_notebook
from servers import Failure, ModelServer, Reply, ToolCall

from jupyter_codeact.notebook.document import Document

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.filterwarnings("ignore::ResourceWarning")]
Opened = Callable[..., Any]
STYLES = ["anthropic", "openai", "fenced"]


def act(style: str, code: str, text: str = "", **options: Any) -> Reply:
    """A reply with one code action: a tool call, or a fenced block for models without."""
    if style == "fenced":
        return Reply(text=f"{text}\n\n```python\n{code}\n```\n", **options)
    return Reply(text=text, tool_calls=[ToolCall("run_cell", {"code": code})], **options)


@dataclass
class Served:
    """A kernel whose model is served in one style, for one test after the other: litellm's import takes seconds."""

    style: str
    home: Path
    server: ModelServer
    document: Document


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=STYLES)
async def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sandbox: None
) -> AsyncIterator[Served]:
    home, work = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch, ModelServer() as server:
        patch.setenv("JUPYTER_CODEACT_HOME", str(home))
        if request.param == "anthropic":
            patch.setenv("JUPYTER_CODEACT_MODEL", "anthropic/claude-sonnet-4-5")
            patch.setenv("JUPYTER_CODEACT_API_BASE", server.anthropic_base)
            patch.setenv("ANTHROPIC_API_KEY", "sk-secret")
        else:
            # litellm's data has gpt-4o with tool calls, and nothing about the other name.
            model = "openai/gpt-4o" if request.param == "openai" else "openai/local-model"
            patch.setenv("JUPYTER_CODEACT_MODEL", model)
            patch.setenv("JUPYTER_CODEACT_API_BASE", server.openai_base)
        async with Document(new_notebook(), resources={"metadata": {"path": str(work)}}) as document:
            yield Served(request.param, home, server, document)


@pytest.fixture
def style(served: Served) -> str:
    return served.style


@pytest.fixture
def model_server(served: Served) -> ModelServer:
    served.server.reset()
    return served.server


@pytest.fixture
def opened(served: Served) -> Opened:
    """`async with opened("cell", …) as document`: another notebook in the same kernel, and a new conversation."""

    @asynccontextmanager
    async def open_document(*sources: str) -> AsyncIterator[Document]:
        _show(served.document, "%agent reset")
        await served.document.run_cells()
        _show(served.document, *sources)
        yield served.document

    return open_document


def _show(document: Document, *sources: str) -> None:
    document.nb = new_notebook(cells=[new_code_cell(source) for source in sources])
    document.said.clear()


async def test_an_error_is_repaired_and_what_came_before_it_reaches_the_model(
    opened: Opened, model_server: ModelServer, style: str
) -> None:
    model_server.add(act(style, "print('loaded 3 rows')\nraise ValueError('bad column')", "I try."))
    model_server.add(act(style, "print('mended')", "I mend."))
    model_server.add(Reply(text="It works: **42**."))
    async with opened("%%agent\ngo") as document:
        await document.run_cells()
        agent, first, second = document.nb.cells
    assert "It works: **42**." in shown(agent)
    assert shown(first).split("\n") == ["loaded 3 rows", "", "ValueError: bad column"]
    assert shown(second) == "mended\n"
    told = str(model_server.requests[1].json["messages"][-1])
    assert told.index("loaded 3 rows") < told.index("bad column")


async def test_a_cell_streams_while_the_reply_is_incomplete(
    opened: Opened, model_server: ModelServer, style: str
) -> None:
    rest = threading.Event()
    model_server.add(act(style, "x = 'a long line of code that takes a while to write'", "Soon.", hold_after=(5, rest)))
    model_server.add(Reply(text="ok"))
    async with opened("%%agent\ngo") as document:
        end = document.send(document.nb.cells[0])
        proposed = await document.until("propose")
        await document.until("append", id=proposed["id"])
        assert document.cell(proposed["id"]).source.startswith("x = ")
        assert not [message for message in document.said if message["op"] == "ready"]
        rest.set()
        assert await end == "ok"


@pytest.mark.parametrize("moment", ["before the first byte", "in mid-stream"])
async def test_stop_closes_the_connection_at_once(
    opened: Opened, model_server: ModelServer, style: str, moment: str
) -> None:
    never = threading.Event()
    held = {"hold": never} if moment == "before the first byte" else {"hold_after": (6, never)}
    model_server.add(act(style, "print('never seen by anyone, that is the point')", "Hm.", **held))
    model_server.add(Reply(text="I go on."))
    async with opened("%%agent\ngo", "%%agent\nagain") as document:
        agent, again = document.nb.cells
        end = document.send(agent)
        if moment == "in mid-stream":
            await document.until("append")
        else:
            await wait_for_request(model_server)
        document.interrupt()
        assert await end == "error"
        assert "Stopped by you before the first step" in shown(agent)
        assert await document.run_cell(again) == "ok"
        assert "I go on." in shown(again)
    never.set()
    assert model_server.disconnected.wait(PATIENCE_S)


async def wait_for_request(server: ModelServer) -> None:
    import asyncio

    await asyncio.to_thread(server.wait_for_request, 1)


async def test_busy_then_well(opened: Opened, model_server: ModelServer, style: str) -> None:
    model_server.add(Failure(429, "slow down", {"retry-after": "0"}))
    model_server.add(act(style, "print('after all')"))
    model_server.add(Reply(text="ok"))
    async with opened("%%agent\ngo") as document:
        await document.run_cells()
        assert shown(document.nb.cells[1]) == "after all\n"
        retrying = await document.until("status", state="retrying")
    assert "busy (429)" in retrying["text"]


async def test_a_cut_stream_is_asked_again_and_leaves_no_half_cell(
    opened: Opened, model_server: ModelServer, style: str
) -> None:
    model_server.add(act(style, "print('this one is cut off in the middle')", "Hm.", cut_after=5))
    model_server.add(act(style, "print('whole')"))
    model_server.add(Reply(text="ok"))
    async with opened("%%agent\ngo") as document:
        await document.run_cells()
        assert [cell.source for cell in document.nb.cells[1:]] == ["print('whole')"]
        assert "Hm." not in shown(document.nb.cells[0])


@pytest.mark.parametrize(("status", "words"), [(401, "refused the key"), (404, "refused the request")])
async def test_a_refusal_is_one_line(
    opened: Opened, model_server: ModelServer, style: str, status: int, words: str
) -> None:
    model_server.add(Failure(status, "no such thing"))
    async with opened("%%agent\ngo", "1 + 1") as document:
        agent, after = document.nb.cells
        assert await document.run_cell(agent) == "error"
        (error,) = [output for output in agent.outputs if output.output_type == "error"]
        assert words in error.evalue
        assert "\n" not in error.evalue
        assert await document.run_cell(after) == "ok"
    assert len(model_server.requests) == 1


async def test_tokens_and_cost_are_told(opened: Opened, model_server: ModelServer, style: str) -> None:
    model_server.add(act(style, "1", usage=(1000, 200)))
    model_server.add(Reply(text="ok", usage=(2000, 100)))
    async with opened("%%agent --max-tokens 500\ngo", "%agent cost") as document:
        await document.run_cells()
        ready = await document.until("ready")
        agent, cost = document.nb.cells[0], document.nb.cells[-1]
    price = "cost unknown" if style == "fenced" else "$0.0"
    assert ready["tokens"] == 1200
    assert price in ready["cost"]
    assert "3.3k tokens" in shown(agent)
    assert price in shown(cost)
    assert [request.json["max_tokens"] for request in model_server.requests] == [500, 500]


@pytest.mark.parametrize("served", ["anthropic"], indirect=True)
async def test_the_key_goes_to_the_service_and_nowhere_near_the_sandbox(
    opened: Opened, model_server: ModelServer, served: Served
) -> None:
    look = (
        "import os, pathlib\nprint('secret' in str(dict(os.environ)))\n"
        "for p in pathlib.Path('/proc').glob('[0-9]*/environ'):\n"
        "    try: print(p, b'secret' in p.read_bytes())\n"
        "    except OSError: print('False')"
    )
    model_server.add(act("anthropic", look))
    model_server.add(Reply(text="ok"))
    async with opened("%%agent\ngo") as document:
        await document.run_cells()
        assert "True" not in shown(document.nb.cells[1])
        assert "False" in shown(document.nb.cells[1])
    assert model_server.requests[0].headers["x-api-key"] == "sk-secret"
    assert "sk-secret" not in str(history(served.home))


@pytest.mark.parametrize("served", ["openai"], indirect=True)
async def test_every_line_of_every_step_reaches_the_model(
    opened: Opened, model_server: ModelServer, style: str
) -> None:
    """Also what is written last, when the reply may be there before it."""
    lines = [[f"{step} {row} " + "x" * row for row in range(40)] for step in range(30)]
    for step in range(30):
        model_server.add(act(style, f"for row in range(40): print({step}, row, 'x' * row)"))
    model_server.add(Reply(text="ok"))
    async with opened("%%agent --review auto --max-steps 40\ngo") as document:
        await document.run_cells()
    told = [request.json["messages"][-1]["content"].splitlines() for request in model_server.requests[1:]]
    assert [[line for line in lines[step] if line not in told[step]] for step in range(30)] == [[]] * 30


async def test_a_turn_that_began_with_thinking_goes_on_without_it(
    opened: Opened, model_server: ModelServer, style: str
) -> None:
    """And is summed up, and thinks again where it is asked to. Services refuse thoughts where none are asked for."""
    thinking = "--reasoning-effort low" if style == "anthropic" else ""
    model_server.add(act(style, "w = 1", thinking="Hm."), act(style, "x = 1"), act(style, "y = 2"))
    model_server.add(Reply("She wants x and y."), act(style, "z = 3", thinking="Hm."), Reply("Three."))
    cells = [
        f"%%agent --review auto {thinking} --max-steps 2\nSet w and x.",
        "%%agent --review auto --max-steps 1\nSet y.",
        "%agent compact",
        f"%%agent --review auto {thinking}\nSet z.",
    ]
    async with opened(*cells) as document:
        await document.run_cells()
        assert model_server.refused == []
        assert "Three." in "".join(map(shown, document.nb.cells))
    thinks = ["thinking" in request.json for request in model_server.requests]
    assert thinks == [bool(thinking) and n not in (2, 3) for n in range(6)]
    assert "She wants x and y." in str(model_server.requests[4].json)


async def test_prompts_in_a_row_are_one_turn(opened: Opened, model_server: ModelServer, style: str) -> None:
    """After a stop in the middle, and after a summary: servers of local models refuse two."""
    model_server.add(act(style, "w = 1"), act(style, "x = 2"), act(style, "y = 2"), Reply("In short."), Reply("Done."))
    stopping = "%%agent --review auto --max-steps 2\n"
    cells = [f"{stopping}First.", f"{stopping.replace('2', '1')}Second.", "%agent compact", "%%agent\nThird."]
    async with opened(*cells) as document:
        await document.run_cells()
        assert model_server.refused == []
        assert "Done." in "".join(map(shown, document.nb.cells))
    last = model_server.requests[-1].json["messages"]
    assert [word for word in ("In short.", "Third.") if word not in str(last)] == []
    roles = [message["role"] for message in last]
    assert ("user", "user") not in [*pairwise(roles)]
