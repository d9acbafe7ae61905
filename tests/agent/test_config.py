"""An agent from a configuration: a dict or a YAML file, checked key by key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_codeact.agent import Agent, AgentConfig, TextProblem
from jupyter_codeact.agent.config import read_config
from jupyter_codeact.agent.processors import CacheControl, LastNObservations
from jupyter_codeact.errors import ConfigError
from jupyter_codeact.parts import ModelConfig

from .twins import ScriptedCells


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    (tmp_path / "two.yaml").write_text(json.dumps({"replies": [{"code": "a"}, {"text": "Done."}]}))
    monkeypatch.chdir(tmp_path)
    return {"name": "scripted/two"}


async def test_a_yaml_file_makes_an_agent_that_runs(model: dict[str, Any], tmp_path: Path) -> None:
    config = {
        "name": "worker",
        "model": model,
        "templates": {"instance_template": "Do: {{ problem_statement }}"},
        "tools": {"timeout_s": 5, "blocklist": {"calls": ["print"]}},
        "history_processors": [{"type": "last_n_observations", "n": 3}, {"type": "cache_control"}],
        "limits": {"max_steps": 7, "cost_usd": 1},
        "max_requeries": 2,
    }
    (tmp_path / "agent.yaml").write_text(yaml.safe_dump(config))
    agent = Agent.from_config(tmp_path / "agent.yaml")
    assert (agent.name, agent.max_requeries, agent.meter.limits.max_steps) == ("worker", 2, 7)
    assert agent.history_processors == [LastNObservations(n=3), CacheControl()]
    assert agent.tools.config.blocklist.calls == ("print",)
    result = await agent.run(ScriptedCells(), TextProblem("this", "p1"), tmp_path)
    assert result.info["exit_status"] == "submitted"
    assert agent.history[1]["content"] == "Do: this"
    assert (tmp_path / "p1.traj").is_file()


def test_a_file_names_templates_and_demonstrations_beside_it(model: dict[str, Any], tmp_path: Path) -> None:
    """Wherever the working folder is."""
    folder = tmp_path / "hers" / "texts"
    folder.mkdir(parents=True)
    (folder / "system.j2").write_text("You are {{ run }}.")
    (folder / "rejected.j2").write_text("No: {{ reason }}")
    (folder.parent / "demo.yaml").write_text(yaml.safe_dump({"history": [{"role": "user", "content": "Like this."}]}))
    templates = {"folder": "texts", "rejected_template": "Not so.", "demonstrations": ["demo.yaml"]}
    path = folder.parent / "agent.yaml"
    path.write_text(yaml.safe_dump({"model": model, "templates": templates}))
    found = read_config(path)
    assert found.templates.texts == {"system_template": "You are {{ run }}.", "rejected_template": "Not so."}
    agent = Agent.from_config(path)
    agent.add_system_message_to_history()
    agent.add_demonstrations_to_history()
    assert agent.history[0]["content"] == "You are run_cell."
    assert "Like this." in agent.history[1]["content"]
    # As it is recorded.
    assert read_config(found.as_dict()) == found
    (folder / "sytem.j2").write_text("")
    with pytest.raises(ConfigError, match="texts has sytem; templates are called"):
        read_config(path)
    with pytest.raises(ConfigError, match="nowhere has no template"):
        read_config({"model": model, "templates": {"folder": "nowhere"}})


def test_a_dict_and_a_dataclass_do_as_well(model: dict[str, Any]) -> None:
    assert Agent.from_config({"model": model}).name == "main"
    assert Agent.from_config(AgentConfig(model=ModelConfig(**model), name="x")).name == "x"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model": {"name": "m"}, "tempaltes": {}}, "tempaltes is no key that there is (did you mean templates?)."),
        (
            {"model": {"name": "m", "temprature": 1}},
            "model.temprature is no key that there is (did you mean temperature?).",
        ),
        (
            {"model": {"name": "m"}, "limits": {"cost": 1}},
            "limits.cost is no key that there is (did you mean cost_usd?).",
        ),
        ({"model": {"name": "m"}, "tools": {"blocklist": {"vi": 1}}}, "tools.blocklist.vi is no key"),
        ({"model": {"name": "m"}, "limits": {"max_steps": "many"}}, "limits.max_steps: "),
        ({"model": {"name": "m"}, "history_processors": [{"type": "last_m"}]}, "history_processors.0"),
        (
            {"model": {"name": "m"}, "history_processors": [{"type": "last_n_observations", "m": 1}]},
            "LastNObservations.m is no key that there is (there are type, n, ",
        ),
        (
            {"model": {"name": "m"}, "history_processors": [{"type": "cache_control", "last_n_messages": 4}]},
            "In the configuration: history_processors.0.CacheControl: Value error, last_n_messages is from 0 to 3.",
        ),
        (
            {"model": {"name": "m"}, "history_processors": [{"type": "remove_regex", "n": 4, "remove": [1]}]},
            "history_processors.0.RemoveRegex.n is no key that there is (there are type, remove, keep_last); history",
        ),
        ({}, "model"),
    ],
)
def test_what_is_wrong_is_named(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match="In the configuration: ") as caught:
        read_config(config)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"), [("[1]", "holds no mapping"), ("a: [", "can't be read"), (None, "can't be read")]
)
def test_a_file_that_is_none(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "agent.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_config(path)


def test_it_can_be_written_down_without_the_key_and_read_again(model: dict[str, Any]) -> None:
    config = AgentConfig(model=ModelConfig(**model, api_key="sk-secret", options={"api_key": "sk-secret", "top_p": 1}))
    values = json.loads(json.dumps(config.as_dict()))
    assert "sk-secret" not in str(values)
    again = read_config(values)
    assert again.history_processors == config.history_processors
    assert again.model.options == {"top_p": 1}
