"""SWE-agent's trajectories of several attempts at a problem: which of them is read."""

from __future__ import annotations

from typing import Any


def attempt_in(document: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The attempt that counts, and which one that is; the document itself and "" where there were not several.

    A run that was broken off has chosen none: then it is the last.
    """
    attempts = document.get("attempts")
    if not attempts:
        return document, ""
    if "trajectory" in document:
        index = (document.get("info") or {}).get("best_attempt_idx")
        which = f"attempt {index + 1}" if isinstance(index, int) else "one"
        return document, f"{which} of {len(attempts)}, which was chosen"
    return attempts[-1], f"attempt {len(attempts)} of {len(attempts)}, the last: none was chosen"
