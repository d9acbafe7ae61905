"""What stands in the history before the first query: problems, demonstrations, and what is known of the notebook."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_codeact.agent import FileProblem, GithubIssue, TemplateConfig, TextProblem, problem_of
from jupyter_codeact.agent.context import MOST, context_of, named_in
from jupyter_codeact.errors import CodeActError, ConfigError, SandboxDied

from .test_observing import plotting, png
from .twins import (
    ANSWER,
    ScriptedCells,
    StreamModel,
    agent_of,
    answered,
    calls,
    printing,
    run,
    scripted,
    valid,
    words,
)

DEMO = [
    {"role": "system", "content": "Not this."},
    {"role": "user", "content": "Add 1 and 1."},
    {
        "role": "assistant",
        "content": "I add.",
        "tool_calls": [{"id": "x", "function": {"name": "run_cell", "arguments": '{"code": "1 + 1"}'}}],
    },
    {"role": "tool", "tool_call_id": "x", "content": "2"},
    {"role": "assistant", "content": "It is 2."},
]


@pytest.fixture(params=["yaml", "traj", "ipynb"])
async def demonstration(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"demo.{request.param}"
    if request.param == "yaml":
        path.write_text(yaml.safe_dump({"history": DEMO}))
    elif request.param == "traj":
        agent = agent_of(scripted({"text": "I add.", "code": "1 + 1"}, {"text": "It is 2."}))
        await run(agent, ScriptedCells(printing("2")), "Add 1 and 1.", tmp_path)
        (tmp_path / "r1.traj").rename(path)
    else:
        output = {"output_type": "execute_result", "data": {"text/plain": ["2"]}}
        cells = [
            {"cell_type": "code", "source": "%%agent\nAdd 1 and 1."},
            {"cell_type": "code", "source": ["1 + 1"], "outputs": [output]},
            {"cell_type": "markdown", "source": "It is 2."},
        ]
        path.write_text(json.dumps({"cells": cells}))
    return path


@pytest.mark.parametrize("whole", [True, False])
async def test_a_demonstration_comes_before_the_prompt(demonstration: Path, whole: bool) -> None:
    config = TemplateConfig(demonstrations=(demonstration,), put_demos_in_history=not whole)
    agent = agent_of(scripted(ANSWER), templates=config)
    await run(agent)
    assert agent.history[-2]["content"] == "Go."
    shown = [message for message in agent.history if message.get("is_demo")]
    assert (len(shown) == 1) is whole
    text = "\n".join(message["content"] for message in shown)
    for word in ("Add 1 and 1.", "```python\n1 + 1\n```", "2", "It is 2."):
        assert word in text
    assert "Not this." not in text
    assert [message["message_type"] for message in agent.history].count("system_prompt") == 1
    assert valid(agent.history)


async def test_a_demonstration_with_pictures_has_no_empty_message(tmp_path: Path) -> None:
    """No service would take one."""
    agent = agent_of(StreamModel(calls("plot()"), words("Done."), sees_images=True))
    await run(agent, ScriptedCells(plotting(png(9, 9))), folder=tmp_path)
    assert "base64" in str(agent.history)
    (tmp_path / "empty.ipynb").write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": ""}]}))
    paths = (tmp_path / "r1.traj", tmp_path / "empty.ipynb")
    agent = agent_of(scripted(ANSWER), templates=TemplateConfig(demonstrations=paths, put_demos_in_history=True))
    await run(agent)
    assert valid(agent.history)
    shown = [message["content"] for message in agent.history if message.get("is_demo")]
    assert shown[-2:] == ["[a picture]", "Done."]
    assert "base64" not in str(shown)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"history": [1]}'])
async def test_a_demonstration_that_is_none_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(text)
    agent = agent_of(scripted(ANSWER), templates=TemplateConfig(demonstrations=(path,)))
    with pytest.raises(ConfigError, match="is no demonstration"):
        await run(agent)


# ---- problems


async def test_a_text_a_file_and_an_issue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "task.md").write_text("Fit it.")
    assert problem_of("Fit it.") == TextProblem("Fit it.")
    found = problem_of("task.md")
    assert isinstance(found, FileProblem)
    assert (found.id, await found.text()) == ("task", "Fit it.")
    for before, behind in (("https://", ""), ("https://www.", "/"), ("", "#issuecomment-1"), ("http://", "?a=b")):
        issue = problem_of(f"{before}github.com/someone/some.thing/issues/12{behind}")
        assert isinstance(issue, GithubIssue)
        assert issue.id == "someone__some.thing-i12"


async def test_an_issue_is_its_title_and_its_first_post() -> None:
    asked: list[str] = []

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps({"title": "It breaks", "body": "Always."}).encode()
            self.send_response(200 if "/issues/1" in self.path else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        api = f"http://127.0.0.1:{server.server_port}"
        try:
            assert await GithubIssue("https://github.com/a/b/issues/1", api=api).text() == "It breaks\n\nAlways."
            with pytest.raises(ConfigError, match="404"):
                await GithubIssue("https://github.com/a/b/issues/2", api=api).text()
        finally:
            server.shutdown()
            thread.join()
    assert asked == ["/repos/a/b/issues/1", "/repos/a/b/issues/2"]


async def test_an_issue_without_a_connection_says_what_to_do() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        api = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(CodeActError) as caught:
            await GithubIssue("https://github.com/a/b/issues/1", api=api).text()
    assert str(caught.value) == "There is no connection to 127.0.0.1, and so no issue: give its text instead."


async def test_a_task_that_can_not_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        await FileProblem(tmp_path / "nothing.md").text()


# ---- the notebook

STATE = {
    "working_dir": "/w",
    "variables": [
        {"name": "n", "type": "int"},
        {"name": "df", "type": "DataFrame", "shape": "(60, 2)", "schema": "a int64, b float64"},
        {"name": "x", "type": "ndarray", "shape": "(30,)", "value": "array([1, 2])"},
        {"name": "api_key", "type": "str", "shape": "(9)", "value": "'sk-secret'"},
    ],
}


async def test_the_model_is_told_names_types_and_shapes_and_values_of_what_is_named() -> None:
    cells = ScriptedCells(state=STATE)
    agent = agent_of(scripted(ANSWER))
    await run(agent, cells, "Plot @x and @api_key, not me@x.org.")
    assert cells.called[0] == ("state", {"names": ["x", "api_key"]})
    prompt = agent.history[1]["content"]
    assert "n: int\n" in prompt
    assert "df: DataFrame (60, 2) a int64, b float64\n" in prompt
    assert "x: ndarray (30,) = array([1, 2])\n" in prompt
    assert "sk-secret" not in prompt
    assert prompt.count(agent.templates.mark) == 2
    assert prompt.endswith("Plot @x and @api_key, not me@x.org.")


@pytest.mark.parametrize(
    ("prompt", "names"),
    [("@x", ("x",)), ("(@x, @y_1; @x)", ("x", "y_1")), ("me@x.org a/@b @", ()), ("@1", ())],
)
def test_names_in_a_prompt(prompt: str, names: tuple[str, ...]) -> None:
    assert named_in(prompt) == names


def test_of_many_variables_the_newest_are_told() -> None:
    lines = context_of({"variables": [{"name": f"v{n}", "type": "int"} for n in range(100)]})
    assert len(lines) == MOST + 1
    assert lines[-1] == f"… and {100 - MOST} more"


@pytest.mark.parametrize(
    "state",
    [SandboxDied("Gone."), "no mapping", {"variables": None}, {"variables": [1, {}, {"name": "\n" * 999}]}],
)
async def test_a_sandbox_that_answers_nothing_of_use_does_not_end_the_run(state: Any) -> None:
    agent = agent_of(scripted({"code": "a"}, ANSWER))
    # At once, and after an action.
    states = iter([{}, state])
    later = ScriptedCells(state={} if isinstance(state, Exception) else lambda names: next(states))
    assert answered(await run(agent, later)) == "Done."
    agent = agent_of(scripted({"code": "a"}, ANSWER))
    assert answered(await run(agent, ScriptedCells(state=state))) == "Done."


async def test_a_fresh_attempt_gets_a_fresh_kernel() -> None:
    cells, agent = ScriptedCells(), agent_of(scripted(ANSWER))
    await run(agent, cells)
    assert cells.restarts == 0
    await agent.setup_attempt()
    assert cells.restarts == 1
    assert agent.meter.run.calls == 0
