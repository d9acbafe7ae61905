"""Settings of the agent: ``jupyter_codeact_config.py`` in Jupyter's config folders, then the environment.

A flag of `%%agent` beats both. Example of a file: ``c.Agent.model = "anthropic/claude-sonnet-4-5"``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from traitlets import Bool, Enum, Float, Int, Unicode
from traitlets.config import Config, Configurable

from .errors import ConfigError

FILE = "jupyter_codeact_config"
VARIABLES = {
    "model": "JUPYTER_CODEACT_MODEL",
    "review": "JUPYTER_CODEACT_REVIEW",
    "api_base": "JUPYTER_CODEACT_API_BASE",
}


class Agent(Configurable):
    """Defaults of every `%%agent`."""

    model = Unicode("", help="A litellm name such as anthropic/claude-sonnet-4-5, or scripted/<file>.").tag(config=True)
    review = Enum(("ask", "auto"), "ask", help="ask: you run each cell. auto: the agent does.").tag(config=True)
    api_base = Unicode("", help="Address of the model's service, where it is not the provider's own.").tag(config=True)
    tool_calls = Enum(
        ("auto", "always", "never"),
        "auto",
        help="auto: tool calls where the model has them, fenced blocks otherwise.",
    ).tag(config=True)
    max_steps = Int(30, min=1, help="Actions in one run.").tag(config=True)
    max_requeries = Int(3, min=0, help="Unreadable replies in a row that are sent back.").tag(config=True)
    step_timeout = Float(None, allow_none=True, help="Seconds that one action may run.").tag(config=True)
    temperature = Float(None, allow_none=True, help="Left to the service where unset.").tag(config=True)
    max_tokens = Int(None, allow_none=True, help="Longest reply, in tokens; left to the service.").tag(config=True)
    reasoning_effort = Unicode("", help="low, medium or high, for models that think.").tag(config=True)
    record = Bool(True, help="Write a trajectory of every run.").tag(config=True)


def load(environment: Mapping[str, str] = os.environ) -> Agent:
    """The configured defaults. Raises ConfigError that names what is wrong, and where."""
    from traitlets import TraitError

    agent = Agent(config=_file_config())
    for trait, variable in VARIABLES.items():
        if value := environment.get(variable):
            try:
                setattr(agent, trait, value)
            except TraitError as error:
                raise ConfigError(f"{variable}={value}: {error}") from None
    return agent


def _file_config() -> Config:
    from jupyter_core.paths import jupyter_config_path
    from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

    config = Config()
    for folder in reversed(jupyter_config_path()):
        try:
            config.merge(PyFileConfigLoader(f"{FILE}.py", path=folder).load_config())
        except ConfigFileNotFound:
            continue
        except Exception as error:  # noqa: BLE001 the file is the person's own Python: anything may be raised in it
            raise ConfigError(f"{folder}/{FILE}.py can't be read: {type(error).__name__}: {error}") from None
    return config
