"""How things are said: tokens as 1.2k, money in USD to a tenth of a cent, times in seconds, code in fences."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from .events import Usage


def tokens(count: int) -> str:
    """``950 tokens``, ``1.2k tokens``."""
    return plural(count, "token") if count < 1000 else f"{_thousands(count)} tokens"


def money(usd: float | None) -> str:
    """``$0.004``, or that it is not known."""
    return "cost unknown" if usd is None else f"${usd:.3f}"


def seconds(time_s: float) -> str:
    """``3 s``, ``2 min 5 s``."""
    whole = round(time_s)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


# How runs say in files that they ended, and for whom those words are not.
ENDINGS = {
    "submitted": "done",
    "exit_api": "the model's service refused or failed",
    "exit_command_timeout": "actions took too long",
    "exit_context": "too long a conversation for the model",
    "exit_cost": "a limit of cost, tokens or calls",
    "exit_environment_error": "the sandbox failed",
    "exit_error": "an error",
    "exit_forfeit": "the model gave up",
    "exit_format": "replies that could not be used",
    "exit_steps": "the limit of steps",
    "exit_replies": "the script had no more replies",
    "exit_stopped": "stopped by you",
    "exit_total_execution_time": "the limit of time",
}


def ended(exit_status: str) -> str:
    """``the limit of steps, with what was done``: how a run ended; a status that is not ours as it is."""
    early = re.fullmatch(r"submitted \((.*)\)", exit_status)
    return f"{ended(early[1])}, with what was done" if early else ENDINGS.get(exit_status, exit_status)


def lacking(files: Mapping[str, str]) -> str:
    """What stands before the reason for which a run has no patch, or before what its patch lacks."""
    return "Not in the patch" if "patch" in files else "No patch"


def plural(count: int, thing: str, many: str = "") -> str:
    """``1 step``, ``2 steps``; ``many`` where it is no s that is added."""
    return f"{count} {thing}" if count == 1 else f"{count} {many or thing + 's'}"


def usage(used: Usage) -> str:
    """``12.3k tokens (9.8k cached) · $0.031``."""
    cached = f" ({_thousands(used.cached)} cached)" if used.cached else ""
    return f"{tokens(used.tokens)}{cached} · {money(used.cost)}"


def _thousands(count: int) -> str:
    return str(count) if count < 1000 else f"{count / 1000:.1f}k"


def fenced(text: str, language: str) -> str:
    """A Markdown block of ``text``. One that holds fences itself stands in longer ones, and can't end early."""
    fence = max(["``", *re.findall("`{3,}", text)], key=len) + "`"
    return f"{fence}{language}\n{text}\n{fence}"


def plain(markdown: str) -> str:
    """Without Markdown's marks; what stands in fences is left as it is."""
    lines, fence = [], ""
    for line in markdown.split("\n"):
        opening = re.match("`{3,}", line)
        lines.append(line if fence or opening else re.sub(r"\*\*|`", "", line))
        if fence or opening:
            fence = "" if line == fence else fence or (opening[0] if opening else "")
    return "\n".join(lines)


def reason(error: Exception) -> str:
    """Why a file can't be used: one line, without what Python calls it."""
    said = " ".join(str(error).split())
    match error:
        case OSError(strerror=str(cause)):
            said = cause
        # shutil.copytree's: what it failed at, each with its cause.
        case OSError(args=([(_, _, cause), *_],)):
            said = " ".join(str(cause).split())
        case UnicodeError():
            said = "it is no text in UTF-8"
        case json.JSONDecodeError():
            said = f"it is no JSON, from line {error.lineno}, column {error.colno} on"
        case KeyError():
            said = f"it has no {error.args[0]!r}"
        case TypeError() | AttributeError() | IndexError():
            said = "its parts are not what they should be"
        case _ if mark := getattr(error, "problem_mark", None):
            said = f"it is no YAML, line {mark.line + 1}, column {mark.column + 1}: {getattr(error, 'problem', '')}"
    return said
