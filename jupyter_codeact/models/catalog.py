"""From a model's name to the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import ConfigError, NoModel
from ..parts import ModelConfig
from ..protocols import Model

LOCAL = ("scripted", "replay", "human")
NO_MODEL = (
    "No model is set up: write `--model anthropic/claude-sonnet-4-5`, with its key in the environment "
    "(ANTHROPIC_API_KEY), or set JUPYTER_CODEACT_MODEL."
)
NO_MODEL_IN_NOTEBOOK = (
    "No model is set up. Put ANTHROPIC_API_KEY (or another provider's key) in the environment and write "
    "`%agent model anthropic/claude-sonnet-4-5` (or set JUPYTER_CODEACT_MODEL), "
    "or try `%agent model scripted/gp_fit` without a key."
)
ADDRESS = (
    "{name} has an address in it, which is no part of a model's name: set JUPYTER_CODEACT_API_BASE, or "
    "`c.Agent.api_base` in jupyter_codeact_config.py."
)


def open_model(config: ModelConfig, folder: Path) -> Model:
    """The model that ``config`` names. Scripts and trajectories are looked for in ``folder`` first.

    Raises ConfigError for no name, for an unknown one, and for a script that doesn't exist.
    """
    first = _open(config, folder)
    if not config.fallbacks:
        return first
    from .fallback import FallbackModel

    models, left_out = [first], {}
    for name in config.fallbacks:
        wanted, left_out[name] = _taken(_fallback(config, name))
        models.append(_open(wanted, folder))
    return FallbackModel(models, left_out)


def is_local(name: str) -> bool:
    """Whether the model needs no service, and so no litellm."""
    return name.partition("/")[0] in LOCAL


def _fallback(config: ModelConfig, name: str) -> ModelConfig:
    """``name`` in the model's place. Its key, its address and what else its service is sent stay with its provider."""
    if name.partition("/")[0] == config.name.partition("/")[0]:
        return replace(config, name=name)
    return replace(config, name=name, api_key=None, api_base=None, options={})


def _taken(config: ModelConfig) -> tuple[ModelConfig, tuple[str, ...]]:
    """The configuration of a fallback, and those options of the first model's that it does not take."""
    if is_local(config.name):
        return config, ()
    from .litellm_model import load
    from .options import without_untaken

    return without_untaken(load(), config)


def _open(config: ModelConfig, folder: Path) -> Model:
    if not config.name:
        raise NoModel(NO_MODEL, NO_MODEL_IN_NOTEBOOK)
    kind, _, rest = config.name.partition("/")
    if kind == "scripted":
        from .scripted import ScriptedModel

        return ScriptedModel.load(rest, folder)
    if kind == "replay":
        from .replay import replay_model

        return replay_model(rest, folder)
    if kind == "human":
        from .human import HumanModel

        return HumanModel()
    if "://" in rest:
        # Some of litellm's providers would send the conversation there, whoever wrote the cell (decision 0034).
        raise ConfigError(ADDRESS.format(name=config.name))
    from .litellm_model import LiteLLMModel

    return LiteLLMModel(config)
