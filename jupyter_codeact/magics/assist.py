"""Tab and Shift+Tab in our magics: pure functions from a cell and the cursor in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..skills.transfer.exports import KINDS
from . import agent, skill, teaching, versions
from .exporting import export_parser
from .importing import import_parser
from .parser import LineParser, agent_parser, edit_parser, save_parser

_HEAD = re.compile(r"\s*(?P<magic>%%agent|%%skill|%agent|%skill)(?P<rest>\s.*)?$")
EFFORTS = ("low", "medium", "high")
REVIEWS = ("ask", "auto")
# Subcommands of `%skill` that a skill's name follows.
NAMING = ("save", "edit", "show", "log", "diff", "rollback", "rm", "export")
# Subcommands that have options.
PARSERS = {"save": save_parser, "edit": edit_parser, "export": export_parser, "import": import_parser}
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
    word = words[0] if words else ""
    match magic:
        case "%%agent":
            return agent_parser().format_help()
        case "%agent":
            return teaching.AGENT.get(word, agent.HELP)
        case _:
            return PARSERS[word]().format_help() if word in PARSERS else teaching.SKILL.get(word, skill.HELP)


def _candidates(magic: str, before: list[str], known: Known) -> Sequence[str]:
    last = before[-1] if before else ""
    match magic:
        case "%%agent":
            return _values(last, known) if agent_parser().takes_value(last) else _options(agent_parser())
        case "%agent":
            return _of_agent(before, known)
        case "%skill" | "%%skill":
            return _of_skill(magic, before, known)
        case _:
            return ()


def _values(option: str, known: Known) -> Sequence[str]:
    values: dict[str, Sequence[str]] = {
        "--model": known.models,
        "-m": known.models,
        "--review": REVIEWS,
        "--skills": known.skills,
        "--reasoning-effort": EFFORTS,
    }
    return values.get(option, ())


def _of_agent(before: list[str], known: Known) -> Sequence[str]:
    match before:
        case []:
            return agent.COMMANDS
        case ["limit", *_]:
            return LIMITS
        case [word]:
            return {"model": known.models, "review": REVIEWS, "trust": agent.TRUSTED}.get(word, ())
        case _:
            return ()


def _of_skill(magic: str, before: list[str], known: Known) -> Sequence[str]:
    match before:
        case []:
            return skill.COMMANDS if magic == "%skill" else ("edit",)
        case [word, _, *_] if word in PARSERS:
            parser = PARSERS[word]()
            if before[-1] == "--to":
                return KINDS
            more = ["last"] if word == "save" else []
            return () if parser.takes_value(before[-1]) else [*more, *_options(parser)]
        case [word]:
            return known.skills if word in NAMING else ()
        case [word, *_] if word in versions.COMMANDS:
            return (versions.SHARED, versions.OWN)
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
