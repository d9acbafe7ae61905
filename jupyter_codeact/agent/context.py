"""What the model is told of the notebook with a prompt: names, types and shapes; values only of what she names."""

from __future__ import annotations

import re
from typing import Any

_NAMED = re.compile(r"(?<![\w@/.])@([A-Za-z_]\w*)")
_SECRET = re.compile(r"(?i)(password|passwd|secret|token|api_?key|credential|private_?key)")
MOST = 40


def named_in(prompt: str) -> tuple[str, ...]:
    """The variables that a prompt names as ``@name``."""
    return tuple(dict.fromkeys(_NAMED.findall(prompt)))


def context_of(state: dict[str, Any]) -> list[str]:
    """A line a variable: ``df: DataFrame (60, 3): a int64, b float64``; with the value of one that was named."""
    variables = variables_in(state)
    # Those that were named come first; then the newest.
    variables.sort(key=lambda item: "value" not in item)
    lines = [_line(item) for item in variables[:MOST]]
    if len(variables) > MOST:
        lines.append(f"… and {len(variables) - MOST} more")
    return lines


def variables_in(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Those that it describes; it came out of the sandbox, and may be anything."""
    found = state.get("variables")
    return [item for item in found if isinstance(item, dict) and "name" in item] if isinstance(found, list) else []


def _line(item: dict[str, Any]) -> str:
    about = " ".join(str(item[key])[:200] for key in ("type", "shape", "schema") if item.get(key))
    line = f"{str(item.get('name'))[:80]}: {about}"
    if "value" not in item:
        return line
    if _SECRET.search(str(item.get("name"))):
        return f"{line} (its name says that it is a secret: its value is not shown)"
    return f"{line} = {str(item['value'])[:2000]}"
