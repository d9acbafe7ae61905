"""Calls into the kernel that runs the cells: a module beside this one is sent as an expression, its value read back.

The state is asked for with each of the agent's actions, in the same request, so that its end is waited for once.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import SandboxError
from ..parsing import literal

FUNCTIONS = Path(__file__).with_name("functions.py")
PATCHING = Path(__file__).with_name("patching.py")
# What a skill that is not saved yet is tried with.
TRYING = Path(__file__).with_name("trying.py")
_ELSEWHERE = {"patch": PATCHING}
# The answer is the sandbox's word: only so much of it is read.
LONGEST = 50_000_000
# The name that the state has among the user_expressions of an action.
STATE = "codeact_state"


def expression(function: str, arguments: dict[str, Any], file: Path | None = None) -> str:
    """A Python expression that calls ``function``, and leaves nothing behind in the person's names.

    The functions are compiled by the first call, and kept as a module under a name that no import finds.
    """
    file = file or _ELSEWHERE.get(function, FUNCTIONS)
    name = f"codeact-inside-{_digest(file)}"
    made = f"__import__('sys').modules.setdefault({name!r}, __import__('types').ModuleType('inside'))"
    call = f"module.answer({function!r}, {json.dumps(arguments)!r})"
    return f"(lambda module: (hasattr(module, 'answer') or exec({_source(file)!r}, vars(module)), {call})[1])({made})"


def with_state(expressions: dict[str, str] | None = None) -> dict[str, str]:
    """The user_expressions of an action: a front end's own, and the state."""
    return {**(expressions or {}), STATE: expression("state", {"names": []})}


def without_state(reply: dict[str, Any]) -> dict[str, Any]:
    """The user_expressions of a reply that were a front end's own."""
    found = reply.get("user_expressions")
    return {name: value for name, value in found.items() if name != STATE} if isinstance(found, dict) else {}


def state_in(reply: dict[str, Any]) -> dict[str, Any] | None:
    """The state that came with an execute_reply; None for an action that failed, and for what is no state."""
    try:
        state = value(reply["user_expressions"][STATE]["data"]["text/plain"])
    except (KeyError, TypeError, SandboxError):
        return None
    return state if isinstance(state, dict) else None


def value(text: str) -> Any:
    """What an expression's text says. Raises SandboxError for what no function of ours would answer."""
    if len(text) > LONGEST:
        raise SandboxError("The sandbox answered with too much.")
    try:
        return json.loads(literal(text))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise SandboxError("The sandbox gave no answer that can be read.") from None


@cache
def _source(file: Path) -> str:
    return file.read_text("utf-8")


@cache
def _digest(file: Path) -> str:
    return hashlib.sha256(_source(file).encode()).hexdigest()[:12]
