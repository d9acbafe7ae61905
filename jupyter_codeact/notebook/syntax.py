"""A cell's source as plain Python, by IPython's own rules."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _transformer() -> Any:
    # Heavy, and not needed before the first action.
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()


def transformed(source: str) -> str:
    """Magics and shell commands as calls. Raises SyntaxError."""
    return str(_transformer().transform_cell(source))
