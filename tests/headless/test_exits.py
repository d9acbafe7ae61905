"""Every way in which a run ends: over HTTP, with real kernels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from servers import Answer, Failure, ModelServer, Reply, ToolCall

from jupyter_codeact.agent import AgentConfig, Limits, TextProblem, ToolConfig
from jupyter_codeact.agent.hooks import ActionStarted
from jupyter_codeact.agent.trajectory import read
from jupyter_codeact.headless.solve import Job, solve
from jupyter_codeact.models import retry
from jupyter_codeact.parts import ModelConfig
from jupyter_codeact.settings import Settings

pytestmark = [
    pytest.mark.usefixtures("sandbox", "home"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
MODELS = {"anthropic": "anthropic/claude-sonnet-4-5", "openai": "openai/gpt-4o"}
TOO_LONG = {
    "openai": Failure(400, {"error": {"message": "This model's maximum context length is 128000 tokens."}}),
    "anthropic": Failure(400, "prompt is too long: 210000 tokens > 200000 maximum"),
}

OF_SERVICES = ("", "exit_format", "exit_context", "exit_api")


def act(code: str) -> Reply:
    return Reply("I act.", tool_calls=[ToolCall("run_cell", {"code": code})], usage=(1000, 100))


def end(answer: str = "Done.", **more: Any) -> Reply:
    return Reply("", tool_calls=[ToolCall("submit", {"answer": answer} | more)])


FIRST = act("kept = 6 * 7\nprint(kept)")
LONG = "import time\nprint('began', flush=True)\ntime.sleep(100)"
DIES = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"


@dataclass(frozen=True)
class Exit:
    """answers: what follows the first action, which goes well. last: what of the last step is in the trajectory."""

    status: str
    answers: list[Answer | str]
    last: dict[str, str]
    limits: dict[str, Any] = field(default_factory=dict)
    said: str = ""


EXITS = [
    Exit("", [end()], {"observation": ""}),
    Exit(
        "exit_format", [Reply("a"), Reply("b"), Reply("c")], {"response": "c"}, said="in words alone 3 times in a row"
    ),
    Exit(
        "exit_format",
        [Reply("I can", ending="refusal"), Reply("I can", ending="refusal"), Reply("I can't", ending="refusal")],
        {"response": "I can't"},
        said="policy refused",
    ),
    Exit("exit_cost", [act("never = 1")], {"action": "never = 1"}, {"calls": 2}, said="--call-limit"),
    Exit("exit_cost", [act("never = 1")], {"action": "never = 1"}, {"cost_usd": 0.005}, said="--cost-limit"),
    Exit("exit_cost", [act("never = 1")], {"action": "never = 1"}, {"tokens": 2000}, said="--token-limit"),
    Exit("exit_context", ["too long"], {"observation": "can read"}, said="longer than"),
    Exit(
        "exit_context",
        [act("1"), act("2"), "too long", Reply("In short."), "too long"],
        {"observation": "can read"},
        said="longer than",
    ),
    Exit("exit_api", [Failure(404, "no such model")], {"observation": "refused the request"}, said="no such model"),
    Exit("exit_api", [Failure(500)] * retry.TRIES, {"observation": "is busy (500)"}, said="is busy (500)"),
    Exit(
        "exit_command_timeout",
        [act(LONG)] * 3,
        {"action": LONG, "observation": "began"},
        {"step_s": 0.5},
        said="3 actions in a row",
    ),
    Exit(
        "exit_total_execution_time",
        [act("import time; time.sleep(0.3); print('late')")],
        {"observation": "late"},
        {"execution_s": 0.2},
        said="as long as they may",
    ),
    Exit("exit_environment_error", [act(DIES)] * 3, {"action": DIES, "observation": "ended"}, said="3 times in a row"),
    Exit("exit_steps", [], {"observation": "--max-steps"}, {"max_steps": 1}, said="--max-steps"),
    Exit("exit_forfeit", [end("No such column.", gave_up=True)], {"observation": "No such"}, said="No such column."),
    Exit("exit_error", [act("2")], {"action": "2"}, {"bug": "the listener's"}, said="the listener's"),
]


# What ends a run here is the same whatever the service.
CASES = [("openai", case) for case in EXITS] + [("anthropic", case) for case in EXITS if case.status in OF_SERVICES]


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest) -> Iterator[tuple[str, ModelServer]]:
    with pytest.MonkeyPatch.context() as patch, ModelServer() as server:
        patch.setattr(retry, "FIRST_WAIT_S", 0.0)
        yield request.param, server


@pytest.mark.parametrize(
    ("service", "case"),
    [pytest.param(style, case, id=f"{style} {case.status} {'-'.join(case.limits)}".strip()) for style, case in CASES],
    indirect=["service"],
)
async def test_each_hands_in_what_was_done_and_records_what_ended_it(
    service: tuple[str, ModelServer], case: Exit, work: Path, tmp_path: Path
) -> None:
    style, server = service
    server.reset()
    server.add(FIRST, *[TOO_LONG[style] if answer == "too long" else answer for answer in case.answers])
    options = dict(case.limits)
    bug, step_s = options.pop("bug", ""), options.pop("step_s", None)
    base = server.anthropic_base if style == "anthropic" else server.openai_base
    config = AgentConfig(
        model=ModelConfig(name=MODELS[style], api_base=base, api_key="sk-test"),
        tools=ToolConfig(submits=True, timeout_s=step_s),
        limits=Limits(**options),
    )

    def fail(event: object) -> None:
        if bug and isinstance(event, ActionStarted) and event.step.action == "2":
            raise RuntimeError(bug)

    job = Job(TextProblem("go", "task"), config, work, tmp_path / "out")
    result = await solve(job, Settings.from_environment(), listeners=[fail])
    document = read(tmp_path / "out" / "task.traj")
    steps, info = document["trajectory"], document["info"]
    assert info["exit_status"] == result.exit_status == (f"submitted ({case.status})" if case.status else "submitted")
    assert case.said in result.error
    # What went well before is handed in, and what ended the run is in the record.
    assert (steps[0]["observation"], info["cells"][0]) == ("42", "kept = 6 * 7\nprint(kept)")
    assert "kept = 6 * 7" in info["submission"] or not case.status
    for key, text in case.last.items():
        assert text in steps[-1][key], steps[-1]
    assert (server.refused, server.remaining) == ([], 0)
