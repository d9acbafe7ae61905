"""Whether a cell's source compiles, by IPython's own rules."""

from __future__ import annotations

import ast
from functools import cache
from typing import Any


@cache
def _transformer() -> Any:
    # Heavy, and not needed before the first action.
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()


def problem_in(source: str) -> str | None:
    """None where it compiles; otherwise line, column and text, in words for the model."""
    try:
        plain = _transformer().transform_cell(source)
        compile(plain, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        text = (error.text or "").rstrip()
        return f"Line {error.lineno}, column {error.offset}: {error.msg}: {text}"
    except ValueError as error:
        return f"The source can't be read: {error}."
    except (MemoryError, RecursionError):
        return "The source is nested too deeply for Python's parser."
    return None
