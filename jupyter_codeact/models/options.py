"""Which options a model takes, by litellm's own data: nothing is sent to find out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from ..parts import ModelConfig

OURS = ("temperature", "reasoning_effort", "max_tokens")
# Either makes a service think.
ASKS_TO_THINK = ("reasoning_effort", "thinking")
THOUGHT = ("thinking_blocks", "reasoning_content")


def without_untaken(litellm: Any, config: ModelConfig) -> tuple[ModelConfig, tuple[str, ...]]:
    """The configuration without the options that its model does not take; and their names.

    litellm refuses each of them before anything is sent, in the query that needs the model.
    """
    left_out = tuple(_untaken(litellm, config))
    ours: dict[str, Any] = {name: None for name in left_out if name in OURS}
    options = {name: value for name, value in config.options.items() if name not in left_out}
    return replace(config, options=options, **ours), left_out


def _untaken(litellm: Any, config: ModelConfig) -> Iterator[str]:
    taken: dict[str, Any] = {}
    for name, value in wished(config).items():
        # Some are taken or not as others are.
        if _mapped(litellm, config.name, taken | {name: value}) is None:
            yield name
        else:
            taken[name] = value


def wished(config: ModelConfig) -> dict[str, Any]:
    """What of the options is set, ours and any other argument of litellm's."""
    ours = {name: getattr(config, name) for name in OURS}
    return {name: value for name, value in ours.items() if value is not None} | config.options


def thinks_in_signed_blocks(litellm: Any, config: ModelConfig) -> bool:
    """Whether these options ask for thinking as Anthropic has it: each turn begins with it, or is refused."""
    return _signed_thinking(litellm, config) == "enabled"


def refuses_thinking(litellm: Any, config: ModelConfig) -> bool:
    """Whether the service, not asked to think by these options, refuses what it has thought in a turn that goes on."""
    could = _signed_thinking(litellm, ModelConfig(name=config.name, reasoning_effort="low"))
    return bool(could) and _signed_thinking(litellm, config) in ("", "disabled")


def _signed_thinking(litellm: Any, config: ModelConfig) -> str:
    """Which kind of Anthropic's thinking is asked for; "" for none."""
    asking = {name: value for name, value in wished(config).items() if name in ASKS_TO_THINK}
    mapped = _mapped(litellm, config.name, asking) if asking else None
    thinking = (mapped or {}).get("thinking")
    return str(thinking.get("type", "")) if isinstance(thinking, dict) else ""


def began_without_thinking(messages: Sequence[dict[str, Any]]) -> bool:
    """Whether the turn that goes on has calls of tools, and began without thinking: by another model, say.

    A turn goes on for as long as tools' results come back; what the person says beside them does not end it.
    """
    first: dict[str, Any] | None = None
    for by_model, group in groupby(reversed(messages), key=lambda message: message["role"] == "assistant"):
        said = [*group]
        if by_model:
            first = said[-1]
        elif not any(message["role"] == "tool" for message in said):
            break
    return first is not None and not any(first.get(key) for key in THOUGHT)


def _mapped(litellm: Any, name: str, options: dict[str, Any]) -> dict[str, Any] | None:
    """The options in the service's own words, or None where it does not take them."""
    model, provider, _, _ = litellm.get_llm_provider(name)
    try:
        mapped = litellm.utils.get_optional_params(model=model, custom_llm_provider=provider, **options)
    except litellm.UnsupportedParamsError:
        return None
    except Exception:  # noqa: BLE001  what litellm makes of a wrong value, the query says
        return {}
    return dict(mapped)
