"""Hooks: every method is called, in order, and one that raises ends nothing."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.agent import AbstractAgentHook, Agent
from jupyter_codeact.agent.hooks import Moment, hooks_of
from jupyter_codeact.errors import ConfigError

from .twins import ANSWER, StreamModel, agent_of, answered, calls, run, scripted, words

METHODS = {name for name in vars(AbstractAgentHook) if name.startswith("on_")}


class Noting(AbstractAgentHook):
    """Notes which of its methods are called, with what."""

    def __init__(self) -> None:
        self.called: list[tuple[str, dict[str, Any]]] = []

    def __getattribute__(self, name: str) -> Any:
        if name in METHODS:
            return lambda **arguments: self.called.append((name, arguments))
        return super().__getattribute__(name)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.called]


SETUP = [
    "on_init",
    "on_tools_installation_started",
    "on_setup_attempt",
    *["on_query_message_added"] * 2,
    "on_setup_done",
]
ASKED = ["on_model_query", "on_actions_generated"]
ACTED = ["on_action_started", "on_action_executed"]
ADDED = ["on_query_message_added"] * 2


async def test_every_method_is_called_in_order() -> None:
    agent, hook = agent_of(StreamModel(calls("a"), calls("def"), calls("b"), words("Done."))), Noting()
    agent.add_hook(hook)
    await run(agent)
    step = ["on_step_start", *ASKED, *ACTED, *ADDED, "on_step_done"]
    again = ["on_step_start", "on_model_query", *ASKED, *ACTED, *ADDED, "on_step_done"]
    last = ["on_step_start", *ASKED, "on_query_message_added", "on_step_done"]
    assert hook.names == [*SETUP, "on_run_start", *step, *again, *last, "on_run_done"]
    assert set(hook.names) == METHODS


async def test_they_are_told_what_their_signatures_say() -> None:
    agent, hook = agent_of(scripted({"text": "So.", "code": "a"}, ANSWER)), Noting()
    agent.add_hook(hook)
    await run(agent)
    for name, arguments in hook.called:
        wanted = inspect.signature(vars(AbstractAgentHook)[name]).parameters
        assert arguments.keys() == wanted.keys() - {"self"}, name
    of = dict(reversed(hook.called))
    assert of["on_init"]["agent"] is agent
    assert of["on_model_query"]["messages"][0]["role"] == "system"
    assert of["on_step_done"]["step"].action == "a"
    assert of["on_run_done"]["info"]["exit_status"] == "submitted"
    added = [arguments for name, arguments in hook.called if name == "on_query_message_added"]
    assert [item["message_type"] for item in added] == ["system_prompt", "instance", "action", "observation", "thought"]
    assert (added[2]["thought"], added[2]["action"], added[3]["tool_call_ids"]) == ("So.", "a", ["call_1"])


def test_every_moment_is_somebodys() -> None:
    assert {kind.hook for kind in Moment.__subclasses__()} | {"on_init"} == METHODS


@pytest.mark.parametrize("error", [RuntimeError("mine"), SystemExit(1)])
@pytest.mark.parametrize("method", sorted(METHODS))
async def test_one_that_raises_does_not_end_the_run(
    method: str, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_self: Any, **_arguments: Any) -> None:
        raise error

    agent, after = agent_of(scripted({"code": "a"}, ANSWER)), Noting()
    agent.add_hook(type("Failing", (AbstractAgentHook,), {method: fail})())
    agent.add_hook(after)
    assert answered(await run(agent)) == "Done."
    assert set(after.names) == METHODS
    assert f"Failing raised in {method}" in caplog.text


HOOKS = """
from jupyter_codeact.agent import AbstractAgentHook

class First(AbstractAgentHook):
    def on_init(self, *, agent):
        agent.name += " one"

class Second(AbstractAgentHook):
    def on_init(self, *, agent):
        agent.name += " two"

class Failing(AbstractAgentHook):
    def __init__(self):
        raise OSError("no disk")

class Leaving(AbstractAgentHook):
    def __init__(self):
        raise SystemExit(3)

def function(): ...
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "hooks_of_hers.py").write_text(HOOKS)
    monkeypatch.syspath_prepend(tmp_path)
    return "hooks_of_hers"


def test_a_configuration_names_them_in_order(module: str) -> None:
    hooks = [f"{module}:First", f"{module}:Second"]
    agent = Agent.from_config({"model": {"name": "scripted/gp_fit"}, "hooks": hooks, "name": "main"})
    assert agent.name == "main one two"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such_module:First", "'no_such_module:First' can't be made: ModuleNotFoundError"),
        ("{}:Third", "can't be made: AttributeError"),
        ("{}", "can't be made: AttributeError"),
        (":First", "can't be made: ValueError"),
        ("{}:Failing", "can't be made: OSError: no disk"),
        ("{}:Leaving", "can't be made: SystemExit: 3"),
        ("{}:function", "is no subclass of AbstractAgentHook"),
        ("subprocess:Popen", "is no subclass of AbstractAgentHook"),
    ],
)
def test_what_is_no_hook_is_one_line(module: str, name: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        hooks_of([name.format(module)])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


FLAGS = "_catch_errors=True, _always_require_zero_exit_code=False"


@pytest.mark.parametrize(
    ("method", "written"),
    [
        ("__init__", f"templates, tools, history_processors, model, max_requeries=3, name='main', {FLAGS}"),
        ("from_config", "config"),
        ("add_hook", "hook"),
        ("setup", "env, problem_statement, output_dir=PosixPath('.')"),
        ("run", "env, problem_statement, output_dir=PosixPath('.')"),
        ("setup_attempt", ""),
        ("add_system_message_to_history", ""),
        ("add_demonstrations_to_history", ""),
        ("add_instance_template_to_history", "state"),
        ("add_step_to_history", "step"),
        ("add_step_to_trajectory", "step"),
        ("forward", "history"),
        ("forward_with_handling", "history"),
        ("get_model_requery_history", "error_template, output, **kwargs"),
        ("handle_action", "step"),
        ("handle_submission", "step, observation=''"),
        ("attempt_autosubmission_after_error", "step"),
        ("step", ""),
        ("save_trajectory", ""),
    ],
)
def test_members_take_what_swe_agents_take(method: str, written: str) -> None:
    """As its class's page writes them. What ours take besides comes after it, and has a default."""
    found = inspect.signature(getattr(Agent, method)).parameters
    ours = [p.replace(annotation=p.empty) for name, p in found.items() if name != "self"]
    theirs = written.split(", ") if written else []
    assert [str(p) for p in ours[: len(theirs)]] == theirs
    assert all(p.default is not p.empty for p in ours[len(theirs) :])
    if method == "__init__":
        assert {p.kind for p in ours} == {inspect.Parameter.KEYWORD_ONLY}


MEMBERS = """
history info logger messages replay_config traj_path trajectory add_demonstrations_to_history add_hook run
save_trajectory
add_instance_template_to_history add_step_to_history add_step_to_trajectory add_system_message_to_history setup
attempt_autosubmission_after_error forward forward_with_handling from_config get_model_requery_history step
handle_action handle_submission setup_attempt
"""


def test_the_members_of_the_agent_are_all_there() -> None:
    agent: Agent = agent_of(scripted())
    assert [name for name in MEMBERS.split() if not hasattr(agent, name)] == []
