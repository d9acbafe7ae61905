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
        return document, f"attempt {document['info']['best_attempt_idx'] + 1} of {len(attempts)}, which was chosen"
    return attempts[-1], f"attempt {len(attempts)} of {len(attempts)}, the last one: none was chosen"
