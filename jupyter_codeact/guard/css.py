"""Style sheets and style attributes, parsed by tinycss2 and written anew from what is known to be harmless."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import tinycss2

from .selectors import scoped
from .values import declaration, has_endless_number

# tinycss2 reads about a megabyte a second, and the sandbox must not keep the proxy busy.
SHEET_LIMIT = 400_000
ATTRIBUTE_LIMIT = 4_000


def sheet(text: str, scope: str) -> str:
    """The rules of a `<style>` that may stand, each bound to elements below ``.scope``; at-rules are left out."""
    if has_endless_number(text):
        return ""
    rules = tinycss2.parse_stylesheet(text[:SHEET_LIMIT], skip_comments=True, skip_whitespace=True)
    return "\n".join(filter(None, (_rule(rule, scope) for rule in rules if rule.type == "qualified-rule")))


@lru_cache(maxsize=4096)
def attribute(text: str) -> str:
    """The declarations of a ``style`` attribute that may stand."""
    is_read = len(text) <= ATTRIBUTE_LIMIT and not has_endless_number(text)
    return "; ".join(_declarations(text)) if is_read else ""


def _rule(rule: Any, scope: str) -> str:
    selectors = scoped(rule.prelude, scope)
    declarations = _declarations(rule.content)
    return f"{', '.join(selectors)} {{ {'; '.join(declarations)} }}" if selectors and declarations else ""


def _declarations(content: Any) -> list[str]:
    nodes = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    kept = (declaration(node.name, node.value, node.important) for node in nodes if node.type == "declaration")
    return [text for text in kept if text]
