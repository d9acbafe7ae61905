"""litellm's exceptions as ours, translated once, here."""

from __future__ import annotations

import ast
import contextlib
import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ConfigError, ContentPolicy, ContextExceeded, KeyRefused, ModelBusy, ModelError

BUSY = (408, 409, 429)
LONGEST = 300
_BYTES = re.compile(r"""b'(?:\\.|[^'\\])*'|b"(?:\\.|[^"\\])*\"""")

# What litellm refuses for a model before anything is sent, and what sets it.
OPTIONS = {
    "reasoning_effort": "reasoning effort: leave out `--reasoning-effort`, or c.Agent.reasoning_effort",
    "temperature": "temperature: leave out `--temperature`, or c.Agent.temperature",
}


@contextmanager
def translated(model: str) -> Iterator[None]:
    """Inside, whatever litellm and its HTTP clients raise becomes a ModelError with a sentence."""
    try:
        yield
    except (ConfigError, ModelError, GeneratorExit):
        raise
    except Exception as error:
        raise translate(model, error) from error


def translate(model: str, error: Exception) -> Exception:  # noqa: PLR0911  # a table reads best as one
    """By class where litellm has one, by HTTP status otherwise; an unknown one is worth another try."""
    name, status, said = type(error).__name__, getattr(error, "status_code", None), _said(error)
    if name == "ContextWindowExceededError":
        return ContextExceeded(f"The conversation is longer than {model} can read. `%agent reset` starts afresh.")
    if name == "ContentPolicyViolationError":
        return ContentPolicy(f"The service's policy refused an answer of {model}: {said}")
    if name == "MidStreamFallbackError":
        return ModelBusy(f"The answer of {model} broke off.")
    if name == "UnsupportedParamsError":
        # The first that it names is the one.
        named = sorted((key for key in OPTIONS if key in str(error)), key=str(error).find)
        return ConfigError(f"{model} does not take this {OPTIONS[named[0]]}." if named else said)
    if status in (401, 403):
        return KeyRefused(f"The service refused the key for {model}: {said}")
    if "connection error" in said.lower() or "cannot connect" in said.lower():
        return ModelBusy(f"No connection to the service of {model}.")
    if status in BUSY or (isinstance(status, int) and status >= 500):
        return ModelBusy(f"The service of {model} is busy ({status}).", _retry_after(error))
    if isinstance(status, int):
        return ModelError(f"The service refused the request to {model} ({status}): {said}")
    return ModelBusy(f"The answer of {model} broke off ({name}: {said}).")


def _said(error: Exception) -> str:
    """The service's own message where its answer is in the error, as JSON; otherwise the error's first line."""
    text = str(error).strip() or type(error).__name__
    return " ".join(_message_in(text).split())[:LONGEST] or text.splitlines()[0][:LONGEST]


def _message_in(text: str) -> str:
    """Of the answer that litellm quotes, as Python shows bytes or as it came; "" where there is none."""
    with contextlib.suppress(ValueError, SyntaxError):
        shown = _BYTES.search(text)
        text = ast.literal_eval(shown[0]).decode() if shown else text
        answer, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
        error = answer.get("error", answer)
        found = error.get("message") if isinstance(error, dict) else error
        return found if isinstance(found, str) else ""
    return ""


def _retry_after(error: Exception) -> float | None:
    """Seconds, from the Retry-After header; None where there is none, or it is a date or no time."""
    # Not error.response.headers: litellm leaves those empty.
    headers = getattr(error, "litellm_response_headers", None) or {}
    try:
        wait_s = float(headers.get("retry-after", ""))
    except (TypeError, ValueError):
        return None
    return wait_s if math.isfinite(wait_s) and wait_s >= 0 else None
