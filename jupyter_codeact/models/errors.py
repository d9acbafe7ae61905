"""litellm's exceptions as ours, translated once, here."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ConfigError, ContentPolicy, ContextExceeded, KeyRefused, ModelBusy, ModelError
from ..parsing import literal

BUSY = (408, 409, 429)
TOO_LONG = 413
# Of a key, or of one prompt: services that moderate say so with the same status.
FORBIDDEN = 403
_MODERATED = re.compile(r"moderat|flagged|\bcontents?\b|safety|harmful|\bviolat|\bprompt", re.IGNORECASE)
# Runs from a terminal have no %agent.
AFRESH = "sum it up or begin another one, in a notebook with `%agent compact` or `%agent reset`."
ELSEWHERE = range(300, 400)
REMEDY = {404: ": look at the model's name and its service's address"}
LONGEST = 300
# What litellm writes before a service's words, and the marks of a page.
_BEFORE = re.compile(r"^.{0,200}?\w+Exception - ?", re.DOTALL)
_TAGS = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
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


def translate(model: str, error: Exception) -> Exception:
    """By class where litellm has one, by HTTP status otherwise; an unknown one is worth another try."""
    name, said = type(error).__name__, _said(error)
    if name == "ContextWindowExceededError":
        return ContextExceeded(f"The conversation is longer than {model} can read: {AFRESH}")
    if name == "ContentPolicyViolationError":
        return ContentPolicy(f"The service's policy refused an answer of {model}: {said}")
    if name == "MidStreamFallbackError":
        return ModelBusy(f"The answer of {model} broke off.")
    if name == "UnsupportedParamsError":
        # The first that it names is the one.
        named = sorted((key for key in OPTIONS if key in str(error)), key=str(error).find)
        return ConfigError(f"{model} does not take this {OPTIONS[named[0]]}." if named else said)
    return _by_status(model, error, _status(error))


def _by_status(model: str, error: Exception, status: int | None) -> Exception:  # noqa: PLR0911  # a table
    name, said = type(error).__name__, _said(error)
    if status == FORBIDDEN and _MODERATED.search(said):
        return ContentPolicy(f"The service's policy refused what {model} was asked: {said}")
    if status in (401, FORBIDDEN):
        return KeyRefused(f"The service refused the key for {model}: {said}")
    if "server disconnected" in said.lower():
        return ModelBusy(f"The service of {model} closed the connection.")
    if "connection error" in said.lower() or "cannot connect" in said.lower():
        return ModelBusy(f"No connection to the service of {model}.")
    if status is None:
        return ModelBusy(f"The answer of {model} broke off ({name}: {said}).")
    if status in BUSY or status >= 500:
        return ModelBusy(f"The service of {model} is busy ({status}).", _retry_after(error))
    if status == TOO_LONG:
        return ContextExceeded(f"The conversation is longer than the service of {model} takes: {AFRESH}")
    if status in ELSEWHERE:
        return ModelError(f"The service of {model} is elsewhere ({status}): set its address.")
    return ModelError(f"The service refused the request to {model} ({status}){REMEDY.get(status, '')}: {said}")


def _status(error: Exception) -> int | None:
    """The service's own: litellm has others for some of Anthropic's (413, 529)."""
    own = (getattr(one, "status_code", None) for one in (error.__context__, error))
    return next((status for status in own if isinstance(status, int)), None)


def _said(error: Exception) -> str:
    """The service's own message where its answer is JSON; otherwise the words of a page, or the error's first line."""
    text = str(error).strip() or type(error).__name__
    return " ".join((_message_in(text) or _plain(text)).split())[:LONGEST] or "it did not say why"


def _plain(text: str) -> str:
    text = _BEFORE.sub("", text, count=1)
    if shown := _BYTES.match(text):
        text = literal(shown[0]).decode(errors="replace")
    if "<html" in text.lower():
        return _TAGS.sub(" ", text)
    return text.partition("\n")[0]


def _message_in(text: str) -> str:
    """Of the answer that litellm quotes, as Python shows bytes or as it came; "" where there is none."""
    with contextlib.suppress(ValueError, SyntaxError):
        shown = _BYTES.search(text)
        text = literal(shown[0]).decode() if shown else text
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
