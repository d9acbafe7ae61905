"""Questions that code in the sandbox asks on stdin, told from ours."""

from __future__ import annotations

import re
from typing import Any

# Any wording that could pass for "Run this? [y]es, [n]o with a reason, [a]ll, [s]top: " or for the question of trust.
_LIKE_OURS = re.compile(r"run\W*this|\[y\]|\[a\]ll|approve|trust|%agent|allow", re.IGNORECASE)
FROM = "Asked by the code that runs: "
LIMIT = 10_000


def clean(content: dict[str, Any]) -> dict[str, Any]:
    """The prompt, with its origin before it where it might be taken for one of ours."""
    prompt = str(content.get("prompt", ""))[:LIMIT]
    if _LIKE_OURS.search(prompt) and not prompt.startswith(FROM):
        prompt = FROM + prompt
    return {"prompt": prompt, "password": bool(content.get("password"))}
