"""Any model that litellm knows, streaming."""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import sys
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from .. import tokens
from ..errors import ConfigError, ContentPolicy, ModelBusy, NoModel
from ..events import Delta, Usage
from ..parts import ModelConfig
from .assembly import Assembly
from .errors import translated
from .options import ASKS_TO_THINK, began_without_thinking, refuses_thinking, thinks_in_signed_blocks, wished
from .retry import with_retries
from .stream import has_ended, heard
from .turns import in_turns

# What any service is sent of a message; the rest is ours.
WIRE = ("role", "content", "tool_calls", "tool_call_id")
THINKING = ("thinking_blocks", "reasoning_content")
# They call it `reasoning`, which litellm changes on its way here and not back, and refuse the other word.
NO_REASONING_CONTENT = ("groq", "cerebras")


# Anthropic's where the context is full; others' where the service failed in the middle.
CUT = ("model_context_window_exceeded", "error", "network_error")


def load() -> Any:
    """litellm, imported once and quietly. It takes seconds, so it happens in the background, never at import."""
    # Its price list is part of the package; without this it would be fetched from the network at import.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    # Otherwise it reads .env files from its own folder upwards: where the environment lies in the working folder, code
    # in the sandbox could write one that sends requests, with their keys, elsewhere.
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    # Its own HTTP client for services in OpenAI's style too: OpenAI's walks through every message of every request,
    # which takes longer at each step than all else together.
    os.environ.setdefault("EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER", "True")
    with _nothing_collected():
        import litellm

    # It takes these endings for a regular one, and so half a reply would be the answer.
    endings = getattr(litellm.litellm_core_utils.core_helpers, "_FINISH_REASON_MAP", {})
    endings |= dict.fromkeys(CUT, "length")
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return litellm


@contextlib.contextmanager
def _nothing_collected() -> Iterator[None]:
    """What the import makes stays: to look through it for garbage, then and ever after, takes time."""
    collects = gc.isenabled() and "litellm" not in sys.modules
    if collects:
        gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.freeze()
            gc.enable()


def usable_models() -> list[str]:
    """Names of chat models whose service's key is in the environment; none as long as litellm is not imported."""
    providers = getattr(sys.modules.get("litellm"), "models_by_provider", {})
    keyed = (provider for provider in providers if os.environ.get(f"{provider.upper()}_API_KEY"))
    return [
        f"{provider}/{name.removeprefix(provider + '/')}" for provider in keyed for name in _chat(providers[provider])
    ]


def _chat(names: Iterable[str]) -> list[str]:
    prices = sys.modules["litellm"].model_cost
    return [name for name in names if prices.get(name, {}).get("mode") in ("chat", "responses")]


def warm_up() -> None:
    """Have litellm make what it would make in its first call: half a second that nobody should wait for."""
    litellm = load()
    messages = [{"role": "user", "content": "Hello"}]
    fixed = {"model": "openai/gpt-4o", "stream": True, "_skip_mcp_handler": True}
    chunks = list(litellm.completion(messages=messages, mock_response="Hello", **fixed))
    litellm.completion_cost(completion_response=litellm.stream_chunk_builder(chunks, messages=messages))
    for module in _FIRST_REQUEST:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)


# What the clients of both styles import with their first request.
_FIRST_REQUEST = (
    "anyio._backends._asyncio",
    "openai.resources.chat.completions",
    "litellm.llms.anthropic.chat.handler",
    "litellm.llms.anthropic.completion.transformation",
    "litellm._service_logger",
)


class LiteLLMModel:
    """A model behind a service. The service's own key variables are read by litellm."""

    def __init__(self, config: ModelConfig) -> None:
        self.name = config.name
        self._options = config
        self._litellm = load()
        self._key = config.api_key or found_key(self._litellm, config.name, config.api_base)

    @property
    def takes_tools(self) -> bool:
        """By the model's capability in litellm's data, unless the configuration says otherwise."""
        if self._options.tool_calls != "auto":
            return self._options.tool_calls == "always"
        return bool(self._litellm.supports_function_calling(self.name))

    @property
    def sees_images(self) -> bool:
        return bool(self._litellm.supports_vision(self.name))

    @property
    def context_tokens(self) -> int | None:
        try:
            return int(self._litellm.get_model_info(self.name)["max_input_tokens"])
        except Exception:  # noqa: BLE001 litellm raises bare Exceptions for models that it has no data of
            return None

    def query(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> AsyncGenerator[Delta, None]:
        sent = in_turns([self._wire(message) for message in messages])
        return with_retries(lambda: self._query(sent, tools), lambda came: self._void(sent, tools, came))

    def count(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> int:
        return tokens.of_request(messages, tools)

    async def _query(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> AsyncGenerator[Delta, None]:
        assembly, came = Assembly(), []
        with translated(self.name):
            stream = await self._litellm.acompletion(**self._arguments(messages, tools))
            async with heard(stream) as source:
                async for chunk in stream:
                    for delta in assembly.take(chunk):
                        came.append(delta)
                        yield delta
                    if assembly.whole:
                        break
            if not has_ended(stream):
                raise ModelBusy(f"The answer of {self.name} broke off.{'' if came else self._doubt}")
        usage = self._void(messages, tools, came) if assembly.usage is None else self._usage(assembly.usage)
        if source.refused or assembly.ending == "content_filter":
            refused = ContentPolicy(f"The service's policy refused an answer of {self.name}.")
            refused.usage = usage
            raise refused
        yield assembly.reply(usage)

    @property
    def _doubt(self) -> str:
        """Of a service that says nothing: litellm passes over a page of HTML, say."""
        base = self._options.api_base
        return f" Nothing came of it: is {base} the address of its service?" if base else ""

    def _wire(self, message: dict[str, Any]) -> dict[str, Any]:
        """Marks for a cache go to services that keep one on request, and thinking to the model that thought it."""
        keys = [*WIRE, *(["cache_control"] if self._marks_cache else []), *self._thinking_of(message)]
        wired = {key: message[key] for key in keys if key in message}
        # Of calls without words: in the place of an empty text litellm sends a sentence of its own as the model's.
        silent = wired.get("tool_calls") and not str(wired.get("content") or "").strip()
        return wired | ({"content": None} if silent else {})

    def _thinking_of(self, message: dict[str, Any]) -> Sequence[str]:
        """The keys of what goes back of a message's thinking: to the model that thought it, and to no other."""
        if message.get("model") != self.name:
            return ()
        return THINKING[:1] if self.name.partition("/")[0] in NO_REASONING_CONTENT else THINKING

    @cached_property
    def _marks_cache(self) -> bool:
        """By litellm's data: where writing to the cache has a price of its own, it is written on request."""
        try:
            return bool(self._litellm.get_model_info(self.name).get("cache_creation_input_token_cost"))
        except Exception:  # noqa: BLE001 litellm raises bare Exceptions for models that it has no data of
            return False

    def _void(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]], came: list[Delta]) -> Usage:
        """What a reply that broke off has used, about: its service is paid for it all the same."""
        said = "".join(getattr(delta, "text", "") or getattr(delta, "arguments", "") for delta in came)
        sent, received = self.count(messages, tools), tokens.estimated(said)
        try:
            prices = self._litellm.cost_per_token(self.name, prompt_tokens=sent, completion_tokens=received)
        except Exception:  # noqa: BLE001 litellm raises bare Exceptions for models without a price
            return Usage(sent, received, 0, None, 1)
        return Usage(sent, received, 0, float(sum(prices)), 1)

    def _arguments(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> dict[str, Any]:
        places = {"api_base": self._options.api_base, "api_key": self._key, "tools": tools or None}
        options = wished(self._options)
        if self._must_not_think(messages):
            options = {name: value for name, value in options.items() if name not in ASKS_TO_THINK}
        messages = self._as_far_as_taken(messages)
        fixed = {
            "model": self.name,
            "stream": True,
            "stream_options": {"include_usage": True},
            # Retries are ours: litellm's own would hide them from the person, and from Stop.
            "max_retries": 0,
            # Without this, a call with tools imports litellm's gateway, which wants the package mcp.
            "_skip_mcp_handler": True,
        }
        given = {name: value for name, value in places.items() if value is not None}
        return fixed | {"messages": messages} | given | options

    def as_sent(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        own = [_without(message, set(THINKING).difference(self._thinking_of(message))) for message in messages]
        return self._as_far_as_taken(own)

    def _must_not_think(self, messages: list[dict[str, Any]]) -> bool:
        """Anthropic refuses to think in the middle of a turn, and thinking where none is asked for."""
        return self._thinks_in_signed_blocks and began_without_thinking(messages)

    def _as_far_as_taken(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self._must_not_think(messages):
            return [_without(message, THINKING) for message in messages]
        if self._refuses_thinking:
            return [_without(message, THINKING if "thinking_blocks" in message else ()) for message in messages]
        return messages

    @cached_property
    def _thinks_in_signed_blocks(self) -> bool:
        return thinks_in_signed_blocks(self._litellm, self._options)

    @cached_property
    def _refuses_thinking(self) -> bool:
        return refuses_thinking(self._litellm, self._options)

    def _usage(self, usage: Any) -> Usage:
        details = getattr(usage, "prompt_tokens_details", None)
        cached = getattr(details, "cached_tokens", None) or 0
        return Usage(usage.prompt_tokens, usage.completion_tokens, cached, self._cost(usage), 1)

    def _cost(self, usage: Any) -> float | None:
        """USD, or None for a model without a price in litellm's list."""
        tokens = {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens}
        try:
            return float(sum(self._litellm.cost_per_token(self.name, usage_object=usage, **tokens)))
        except Exception:  # noqa: BLE001 litellm raises bare Exceptions for models without a price
            return None


def _without(message: dict[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key not in keys} if keys else message


def found_key(litellm: Any, name: str, api_base: str | None) -> str | None:
    """None where litellm finds the key itself. A server of one's own needs none, and is given a word.

    Raises ConfigError for a name that is no model's, and for a key that is missing.
    """
    try:
        litellm.get_llm_provider(name)
        found = litellm.validate_environment(name)
    except Exception:  # noqa: BLE001 whatever litellm makes of a name it doesn't know
        shape = "write its provider before its name, as in anthropic/claude-sonnet-4-5"
        raise ConfigError(f"{name} is no model that litellm knows: {shape}.") from None
    if found["keys_in_environment"]:
        return None
    if api_base:
        return "none"
    missing = " or ".join(found["missing_keys"])
    if not missing:
        return None
    raise NoModel(
        f"{name} needs {missing} in the environment; `--model scripted/gp_fit` works without a key.",
        f"{name} needs {missing} in the environment that JupyterLab is started from. "
        "`%agent model scripted/gp_fit` works without a key.",
    )
