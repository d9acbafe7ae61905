"""From a model's name to the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError
from ..protocols import Model

NO_MODEL = (
    "No model is set up. Put ANTHROPIC_API_KEY (or another provider's key) in the environment and write "
    "`%agent model anthropic/claude-sonnet-4-5` (or set JUPYTER_CODEACT_MODEL), "
    "or try `%agent model scripted/gp_fit` without a key."
)


@dataclass(frozen=True)
class ModelOptions:
    """How a model is asked. ``tool_calls``: "auto" goes by the model's capability. None leaves it to the service."""

    api_base: str | None = None
    api_key: str | None = None
    temperature: float | None = None
    reasoning_effort: str | None = None
    max_tokens: int | None = None
    tool_calls: str = "auto"


def open_model(name: str, options: ModelOptions, folder: Path) -> Model:
    """The model called ``name``. Scripted ones are looked for in ``folder`` first.

    Raises ConfigError for no name, or for a script that doesn't exist.
    """
    if not name:
        raise ConfigError(NO_MODEL)
    kind, _, rest = name.partition("/")
    if kind == "scripted":
        from .scripted import ScriptedModel

        return ScriptedModel.load(rest, folder)
    from .litellm_model import LiteLLMModel

    return LiteLLMModel(name, options)
