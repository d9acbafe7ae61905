"""Settings of the agent: ``jupyter_codeact_config.py`` in Jupyter's config folders, then the environment.

A flag of `%%agent` beats both. Example of a file: ``c.Agent.model = "anthropic/claude-sonnet-4-5"``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches

from traitlets import Bool, Dict, Enum, Float, Int, List, Unicode
from traitlets.config import Config, Configurable

from .agent.limits import Limits
from .errors import ConfigError
from .parts import ModelConfig

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
    max_requeries = Int(3, min=1, help="Unreadable replies in a row, before a run ends.").tag(config=True)
    step_timeout = Float(None, allow_none=True, help="Seconds that one action may run.").tag(config=True)
    temperature = Float(None, allow_none=True, help="Left to the service where unset.").tag(config=True)
    max_tokens = Int(None, allow_none=True, help="Longest reply, in tokens; left to the service.").tag(config=True)
    reasoning_effort = Unicode("", help="low, medium or high, for models that think.").tag(config=True)
    fallbacks = List(Unicode(), help="Models that are asked when the one before is unavailable for good.").tag(
        config=True
    )
    model_options = Dict(help="Any argument of litellm's, such as {'top_p': 0.9}.").tag(config=True)
    templates = Unicode("", help="A folder whose NAME.j2 replace ours; docs/templates.md says which.").tag(config=True)
    cost_limit = Float(3.0, allow_none=True, help="USD that one run may cost, as far as it is known.").tag(config=True)
    token_limit = Int(None, allow_none=True, help="Tokens of one run.").tag(config=True)
    call_limit = Int(None, allow_none=True, help="Model calls of one run.").tag(config=True)
    session_cost_limit = Float(None, allow_none=True, help="USD of all runs of a kernel.").tag(config=True)
    session_token_limit = Int(None, allow_none=True, help="Tokens of all runs of a kernel.").tag(config=True)
    session_call_limit = Int(None, allow_none=True, help="Model calls of all runs of a kernel.").tag(config=True)
    execution_time_limit = Float(None, allow_none=True, help="Seconds of all actions of one run.").tag(config=True)
    embedding_model = Unicode(
        "", help="A litellm name such as openai/text-embedding-3-small: skills are found by meaning, too."
    ).tag(config=True)
    embedding_api_base = Unicode("", help="Address of that model's service, where it is not the provider's own.").tag(
        config=True
    )
    hooks = List(
        Unicode(),
        help="Classes of your own, as 'package.module:Class', that hear of each moment of a run (docs/agent.md).",
    ).tag(config=True)
    record = Bool(True, help="Write a trajectory of every run.").tag(config=True)

    def model_config(self) -> ModelConfig:
        """The model, as it is asked unless a flag says otherwise."""
        return ModelConfig(
            name=self.model,
            fallbacks=tuple(self.fallbacks),
            api_base=self.api_base or None,
            temperature=self.temperature,
            reasoning_effort=self.reasoning_effort or None,
            max_tokens=self.max_tokens,
            tool_calls=self.tool_calls,  # type: ignore[arg-type]  # the trait has checked it
            options=dict(self.model_options),
        )

    def limits(self) -> Limits:
        """What runs may cost, unless `%agent limit` says otherwise."""
        return Limits(
            max_steps=self.max_steps,
            cost_usd=self.cost_limit,
            tokens=self.token_limit,
            calls=self.call_limit,
            session_cost_usd=self.session_cost_limit,
            session_tokens=self.session_token_limit,
            session_calls=self.session_call_limit,
            execution_s=self.execution_time_limit,
        )


def load(environment: Mapping[str, str] = os.environ) -> Agent:
    """The configured defaults. Raises ConfigError that names what is wrong, and where."""
    from traitlets import TraitError

    try:
        agent = Agent(config=_file_config())
    except TraitError as error:
        raise ConfigError(f"{FILE}.py: {_meant(str(error))}") from None
    for trait, variable in VARIABLES.items():
        if value := environment.get(variable):
            try:
                setattr(agent, trait, value)
            except TraitError:
                raise ConfigError(f"{variable} can't be {value!r}. {Agent.class_traits()[trait].help}") from None
    return agent


def _meant(said: str) -> str:
    """What can be set, in the place of what traitlets says of it."""
    named = re.search(r"'(\w+)' trait", said)
    trait = Agent.class_traits().get(named[1]) if named else None
    return f"c.Agent.{trait.name} can't be what it is set to. {trait.help}" if trait else " ".join(said.split())


def _file_config() -> Config:
    from jupyter_core.paths import jupyter_config_path
    from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

    config = Config()
    # Of a variable with an empty entry Jupyter makes the current folder, where cells can write.
    for folder in filter(None, reversed(jupyter_config_path())):
        try:
            found = PyFileConfigLoader(f"{FILE}.py", path=folder).load_config()
        except ConfigFileNotFound:
            continue
        except Exception as error:  # noqa: BLE001 the file is the person's own Python: anything may be raised in it
            raise ConfigError(f"{folder}/{FILE}.py can't be read: {type(error).__name__}: {error}") from None
        _check_keys(found, os.path.join(folder, f"{FILE}.py"))
        config.merge(found)
    return config


def _check_keys(config: Config, path: str) -> None:
    """Raises ConfigError for a key that means nothing; traitlets would warn of it where nobody looks."""
    known = Agent.class_trait_names(config=True)
    wrong = next((key for key in config.get("Agent", {}) if key not in known), None)
    if wrong is not None:
        near = get_close_matches(wrong, known, n=1)
        hint = f"Did you mean c.Agent.{near[0]}?" if near else f"There are {', '.join(sorted(known))}."
        raise ConfigError(f"{path} sets c.Agent.{wrong}, which means nothing. {hint}")
    # Sections of other programs' may stand there, too.
    for section in config:
        if section != "Agent" and get_close_matches(section, ["Agent"]):
            raise ConfigError(f"{path} sets c.{section}, which means nothing. Did you mean c.Agent?")
