"""What an agent is made of where nobody gives it anything else: each part is imported when it is first wanted.

The agent itself knows neither models nor IPython; it comes here for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from .protocols import Model


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A model by name, and how it is asked. None leaves it to the service.

    name: a litellm name, ``scripted/<file>``, ``replay/<file>`` or ``human``. fallbacks: asked, in order, once the one
    before is unavailable for good; one of another provider has its own key, from the environment, its own address and
    no options, and each goes without what it does not take. tool_calls: "auto" goes by the model's capability. options:
    any argument of litellm's.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    fallbacks: tuple[str, ...] = ()
    api_base: str | None = None
    api_key: str | None = None
    temperature: float | None = None
    reasoning_effort: str | None = None
    max_tokens: int | None = None
    tool_calls: Literal["auto", "always", "never"] = "auto"
    options: dict[str, Any] = field(default_factory=dict)


def open_model(config: ModelConfig, folder: Path | None = None) -> Model:
    """The model that ``config`` names; scripts and trajectories are looked for in ``folder``. Raises ConfigError."""
    from .models.catalog import open_model

    return open_model(config, folder or Path())


def code_transform() -> Callable[[str], str]:
    """IPython's own transformation of a cell into Python. Raises SyntaxError where there is none."""
    from .notebook.syntax import transformed

    return transformed
