"""Several models, one after the other: the next is asked once the one before is unavailable for good."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from ..errors import ContentPolicy, ContextExceeded, ModelError
from ..events import Delta, Retrying, Usage
from ..protocols import Model


class FallbackModel:
    """A Model made of others. Once it has gone on to the next, it stays there.

    left_out: by name, the options of the first that a model does not take.
    """

    def __init__(self, models: Sequence[Model], left_out: Mapping[str, Sequence[str]] = {}) -> None:
        self._all = tuple(models)
        self._models = list(models)
        self._left_out = left_out
        self.name = self._models[0].name

    @property
    def takes_tools(self) -> bool:
        # One conversation is held in one way, to its end: all of them must be able to read it.
        return all(model.takes_tools for model in self._all)

    @property
    def sees_images(self) -> bool:
        return all(model.sees_images for model in self._all)

    @property
    def context_tokens(self) -> int | None:
        return self._models[0].context_tokens

    async def query(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> AsyncGenerator[Delta, None]:
        while True:
            try:
                async with aclosing(self._models[0].query(messages, tools)) as deltas:
                    async for delta in deltas:
                        yield delta
            except (ContentPolicy, ContextExceeded):
                # It answers; what was asked has to change.
                raise
            except ModelError as error:
                if len(self._models) == 1:
                    raise
                del self._models[0]
                self.name = self._models[0].name
                without = " and ".join(self._left_out.get(self.name, ()))
                instead = f"Asking {self.name} instead" + (f", without {without}" if without else "")
                yield Retrying(f"{error} {instead}", 0.0, error.usage or Usage())
            else:
                return

    def count(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> int:
        return self._models[0].count(messages, tools)

    def as_sent(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self._models[0].as_sent(messages)
