"""Vectors of texts, from any embedding model that litellm knows."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import translated
from .litellm_model import found_key, load

# A prompt waits for it.
TIMEOUT_S = 10.0


class Embeddings:
    """``embeddings(texts)`` asks the service of ``model``, and blocks. litellm is imported by the first call."""

    def __init__(self, model: str, api_base: str | None = None) -> None:
        self._model = model
        self._api_base = api_base

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text. Raises ModelError and ConfigError."""
        litellm = load()
        key = found_key(litellm, self._model, self._api_base)
        with translated(self._model):
            answer = litellm.embedding(
                model=self._model,
                input=list(texts),
                api_base=self._api_base,
                api_key=key,
                timeout=TIMEOUT_S,
                max_retries=0,
                encoding_format="float",
            )
            vectors = sorted(answer.data, key=lambda item: item["index"])
            return [[float(number) for number in item["embedding"]] for item in vectors]
