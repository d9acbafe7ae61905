"""Tab and Shift+Tab in our magics: pure functions from a cell and the cursor in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import agent, skill
from .parser import LineParser, agent_parser, save_parser

_HEAD = re.compile(r"\s*(?P<magic>%%agent|%%skill|%agent|%skill)(?P<rest>\s.*)?$")
EFFORTS = ("low", "medium", "high")
REVIEWS = ("ask", "auto")
LIMITS = ("session", "tokens", "calls", "off")


@dataclass(frozen=True)
class Known:
    """What names can be completed to."""

    skills: Sequence[str] = ()
    models: Sequence[str] = ()


def complete(code: str, cursor: int, known: Known) -> dict[str, Any]:
    """The content of a complete_reply. ``cursor`` is in characters from the cell's beginning."""
    head = _HEAD.match(_head(code, cursor))
    *before, word = (head["rest"] or "").lstrip().split(" ") if head else [""]
    if word.startswith("--") and "=" in word:
        option, word = word.split("=", maxsplit=1)
        before.append(option)
    if before and before[-1] in ("--skills", "--names"):
        word = word.rsplit(",", 1)[-1]
    candidates = _candidates(head["magic"] if head else "", [w for w in before if w], known)
    matches = sorted(c for c in candidates if c.startswith(word))
    return {
        "status": "ok",
        "matches": matches,
        "cursor_start": cursor - len(word),
        "cursor_end": cursor,
        "metadata": {},
    }


def inspect(code: str, cursor: int) -> dict[str, Any]:
    """The content of an inspect_reply: the help of the magic in the cursor's line."""
    head = _HEAD.match(_line(code, cursor))
    text = help_of(head["magic"], (head["rest"] or "").split()) if head else ""
    return {"status": "ok", "found": bool(text), "data": {"text/plain": text} if text else {}, "metadata": {}}


def help_of(magic: str, words: Sequence[str] = ()) -> str:
    """What `--help` says of a magic, or of its subcommand."""
    if magic == "%%agent":
        return agent_parser().format_help()
    if magic == "%agent":
        return agent.HELP
    return save_parser().format_help() if words[:1] == ["save"] else skill.HELP


def _candidates(magic: str, before: list[str], known: Known) -> Sequence[str]:  # noqa: PLR0911  # a table
    last = before[-1] if before else ""
    values: dict[str, Sequence[str]] = {
        "--model": known.models,
        "-m": known.models,
        "--review": REVIEWS,
        "--skills": known.skills,
        "--reasoning-effort": EFFORTS,
    }
    match magic, before:
        case "%%agent", _:
            return values.get(last, ()) if agent_parser().takes_value(last) else _options(agent_parser())
        case "%agent", []:
            return agent.COMMANDS
        case "%agent", ["model"]:
            return known.models
        case "%agent", ["review"]:
            return REVIEWS
        case "%agent", ["trust"]:
            return agent.TRUSTED
        case "%agent", ["limit", *_]:
            return LIMITS
        case "%skill", []:
            return skill.COMMANDS
        case "%skill", ["show" | "save"]:
            return known.skills
        case "%skill", ["save", _, *_]:
            return () if save_parser().takes_value(last) else ["last", *_options(save_parser())]
        case _:
            return ()


def _options(parser: LineParser) -> list[str]:
    actions = parser._actions  # noqa: SLF001  # argparse has no other way to list them
    return [option for action in actions for option in action.option_strings if option.startswith("--")]


def _head(code: str, cursor: int) -> str:
    """The cursor's line, up to the cursor."""
    return code[:cursor].rpartition("\n")[2]


def _line(code: str, cursor: int) -> str:
    return _head(code, cursor) + code[cursor:].partition("\n")[0]
