"""How deep JSON may go: who reads or saves it calls itself for each level, and gives up at some."""

from __future__ import annotations

from typing import Any

# Python's own limit is 1000 calls, and saving a notebook takes several for each level.
LEVELS = 100
_CONTAINERS = (list, dict)


def is_deeper(value: Any, limit: int = LEVELS) -> bool:
    """Whether lists and objects stand in one another more than ``limit`` times."""
    level = [value]
    for _ in range(limit):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, _CONTAINERS)]
        if not level:
            return False
    return True


def may_be_deeper(data: bytes, limit: int = LEVELS) -> bool:
    """Whether this JSON has brackets enough for that. They are counted sooner than its levels."""
    return data.count(b"[") + data.count(b"{") > limit


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
