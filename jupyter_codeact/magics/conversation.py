"""`%agent context, history, compact, limit`: the conversation, and what it may cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import words
from ..agent.ledger import Part, part_of
from ..agent.limits import Limits
from ..errors import UsageError
from ..protocols import AgentCell
from ..session import Session

PREVIEW_CHARACTERS = 80
LIMIT_USAGE = "`%agent limit` takes a number of USD, or `tokens N`, `calls N`, each after `session` too, or `off`."


async def context(session: Session, cell: AgentCell) -> str:
    """The next request, whole, after a table of its parts."""
    parts = await session.next_request(cell)
    total = sum(part.tokens for part in parts)
    whole = "\n\n".join(f"### {part.name}\n{part.text}" for part in parts)
    return (
        f"The next request sends about **{words.tokens(total)}**.\n\n{_table(parts)}\n\n{words.fenced(whole, 'text')}"
    )


def history(session: Session) -> str:
    """The messages of the conversation, a line each, and the last answer whole: its cell may have been deleted."""
    if session.agent is None or not session.agent.history:
        return "There is no conversation yet. `%%agent` starts one."
    answer = session.agent.info.get("answer")
    where = f"\n\nThe last run is in `{session.agent.traj_path}`." if session.agent.traj_path else ""
    last = f"\n\nThe last answer:\n\n{answer}" if answer else ""
    return _table([part_of(message) for message in session.agent.history]) + where + last


def _table(parts: list[Part]) -> str:
    rows = [f"| {n} | {part.name} | {part.tokens} | {_preview(part.text)} |" for n, part in enumerate(parts, start=1)]
    return "\n".join(["| | part | tokens | begins |", "|---|---|---:|---|", *rows])


def _preview(text: str) -> str:
    """The first words, as code, so that nothing in them is Markdown."""
    line = " ".join(text.split())[:PREVIEW_CHARACTERS].replace("`", "'").replace("|", "¦")
    return f"`{line}`" if line else ""


async def compact(session: Session) -> str:
    before = len(session.agent.messages) if session.agent else 0
    if session.agent is None or not await session.compact():
        return "There is nothing to sum up yet."
    after = len(session.agent.messages)
    return f"Summed up: {words.plural(before, 'message')} are sent as {words.plural(after, 'message')} from now on."


def limit(session: Session, line: str) -> str:
    """Set what runs may cost, if ``line`` says so; and say what they may."""
    if line == "off":
        none: dict[str, Any] = dict.fromkeys(_FIELDS.values())
        session.limits = replace(session.limits, **none)
    elif line:
        session.limits = replace(session.limits, **_wished(line.split()))
    return f"One run may cost {_said(session.limits, '')}; all runs of this kernel {_said(session.limits, 'session ')}."


_FIELDS = {
    "": "cost_usd",
    "tokens": "tokens",
    "calls": "calls",
    "session": "session_cost_usd",
    "session tokens": "session_tokens",
    "session calls": "session_calls",
}


def _wished(given: list[str]) -> dict[str, Any]:
    *which, number = given
    field = _FIELDS.get(" ".join(which))
    try:
        value = None if number == "off" else float(number.removeprefix("$").replace("_", ""))
    except ValueError:
        raise UsageError(LIMIT_USAGE) from None
    if field is None or (value is not None and not 0 < value < float("inf")):
        raise UsageError(LIMIT_USAGE)
    return {field: value if value is None or field.endswith("usd") else int(value)}


def _said(limits: Limits, whose: str) -> str:
    """``$3.00 and 20 model calls``, or ``as much as it takes``."""
    usd, tokens, calls = (getattr(limits, _FIELDS[(whose + what).strip()]) for what in ("", "tokens", "calls"))
    parts = [f"${usd:.2f}"] if usd is not None else []
    parts += [words.tokens(tokens)] if tokens is not None else []
    parts += [words.plural(calls, "model call")] if calls is not None else []
    return f"**{' and '.join(parts)}**" if parts else "as much as they take" if whose else "as much as it takes"
