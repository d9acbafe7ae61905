"""Any model that litellm knows, streaming."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..errors import ConfigError
from ..events import CallDelta, Delta, Reply, TextDelta, ThinkingDelta, ToolCall, Usage
from .catalog import ModelOptions
from .errors import translated
from .retry import with_retries


def load() -> Any:
    """litellm, imported once and quietly. It takes seconds, so it happens in the background, never at import."""
    # Its price list is part of the package; without this it would be fetched from the network at import.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    # Otherwise it reads .env files from its own folder upwards: where the environment lies in the working folder, code
    # in the sandbox could write one that sends requests, with their keys, elsewhere.
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return litellm


class LiteLLMModel:
    """A model behind a service. The service's own key variables are read by litellm."""

    def __init__(self, name: str, options: ModelOptions) -> None:
        self.name = name
        self._options = options
        self._litellm = load()
        self._key = options.api_key or self._found_key()

    @property
    def takes_tools(self) -> bool:
        """By the model's capability in litellm's data, unless the configuration says otherwise."""
        if self._options.tool_calls != "auto":
            return self._options.tool_calls == "always"
        return bool(self._litellm.supports_function_calling(self.name))

    def query(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> AsyncIterator[Delta]:
        return with_retries(lambda: self._query(messages, tools))

    async def _query(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> AsyncIterator[Delta]:
        chunks = []
        with translated(self.name):
            stream = await self._litellm.acompletion(messages=messages, **self._arguments(tools))
            async for chunk in stream:
                chunks.append(chunk)
                for delta in _deltas(chunk):
                    yield delta
            response = self._litellm.stream_chunk_builder(chunks, messages=messages)
        yield self._reply(response)

    def _arguments(self, tools: list[dict[str, Any]]) -> dict[str, Any]:
        options = self._options
        wished = {
            "api_base": options.api_base,
            "api_key": self._key,
            "temperature": options.temperature,
            "reasoning_effort": options.reasoning_effort,
            "max_tokens": options.max_tokens,
            "tools": tools or None,
        }
        fixed = {
            "model": self.name,
            "stream": True,
            "stream_options": {"include_usage": True},
            # Retries are ours: litellm's own would hide them from the person, and from Stop.
            "max_retries": 0,
            # Without this, a call with tools imports litellm's gateway, which wants the package mcp.
            "_skip_mcp_handler": True,
        }
        return fixed | {name: value for name, value in wished.items() if value is not None}

    def _reply(self, response: Any) -> Reply:
        message = response.choices[0].message
        calls = tuple(
            ToolCall(call.id or "", call.function.name or "", call.function.arguments or "")
            for call in message.tool_calls or ()
        )
        blocks = tuple(dict(block) for block in getattr(message, "thinking_blocks", None) or ())
        return Reply(message.content or "", calls, self._usage(response), blocks)

    def _usage(self, response: Any) -> Usage:
        usage = response.usage
        details = getattr(usage, "prompt_tokens_details", None)
        cached = getattr(details, "cached_tokens", None) or 0
        return Usage(usage.prompt_tokens, usage.completion_tokens, cached, self._cost(response), 1)

    def _cost(self, response: Any) -> float | None:
        """USD, or None for a model without a price in litellm's list."""
        try:
            return float(self._litellm.completion_cost(completion_response=response, model=self.name))
        except Exception:  # noqa: BLE001 litellm raises bare Exceptions for models without a price
            return None

    def _found_key(self) -> str | None:
        """None where litellm finds the key itself. A server of one's own needs none, and is given a word."""
        try:
            self._litellm.get_llm_provider(self.name)
            found = self._litellm.validate_environment(self.name)
        except Exception as error:  # noqa: BLE001 whatever litellm makes of a name it doesn't know
            said = str(error).strip().splitlines()[0]
            raise ConfigError(f"{self.name} is no model that litellm knows: {said}") from None
        if found["keys_in_environment"]:
            return None
        if self._options.api_base:
            return "none"
        missing = " or ".join(found["missing_keys"])
        if not missing:
            return None
        raise ConfigError(
            f"{self.name} needs {missing} in the environment that JupyterLab is started from. "
            "`%agent model scripted/gp_fit` works without a key."
        )


def _deltas(chunk: Any) -> Iterator[Delta]:
    """What one chunk brings. Chunks without choices carry usage only."""
    for choice in chunk.choices[:1]:
        delta = choice.delta
        if thinking := getattr(delta, "reasoning_content", None):
            yield ThinkingDelta(thinking)
        if delta.content:
            yield TextDelta(delta.content)
        for call in delta.tool_calls or ():
            yield CallDelta(call.index, call.function.name or "", call.function.arguments or "")
