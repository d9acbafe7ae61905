"""mini-swe-agent as its command ``mini`` configures it: a subshell for each action, and a record of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minisweagent.agents import get_agent
from minisweagent.config import builtin_config_dir, get_config_from_spec
from minisweagent.environments import get_environment
from minisweagent.models import get_model
from turns import KEY, MODEL, PROMPT, serve, timed


@contextmanager
def prepare(address: str) -> Iterator[Callable[[], dict[str, Any]]]:
    config = get_config_from_spec(str(builtin_config_dir / "mini.yaml"))
    reached = {"api_base": f"{address}/v1", "api_key": KEY}
    config["model"]["model_kwargs"] |= reached
    model = get_model(config=config["model"] | {"model_name": f"openai/{MODEL}", "cost_tracking": "ignore_errors"})
    environment = get_environment(config["environment"], default_type="local")
    record = Path("mini.traj.json")
    own = {"output_path": record, "cost_limit": 0}
    kept = {key: value for key, value in config["agent"].items() if key != "mode"}
    agent = get_agent(model, environment, kept | own, default_type="default")

    def run() -> dict[str, Any]:
        agent.run(PROMPT)
        return {"save_s": timed(lambda: agent.save(record), 3), "record_bytes": record.stat().st_size}

    yield run


serve(prepare)
