"""Text of a model's or a sandbox's, as a terminal may be given it: nothing in it acts, and nothing hides."""

from __future__ import annotations

import re
import sys

from rich.text import Text

# Control characters but for tab and line feed, and those that reorder or hide what stands beside them.
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def visible(text: str) -> str:
    """The text with every such character spelt out, as Python spells it."""
    return _ACTING.sub(lambda found: repr(found[0])[1:-1], text.replace("\r\n", "\n"))


def say(text: str, *, error: bool = False) -> None:
    """Print a line of ours that may hold others' names, as those of files."""
    print(visible(text), file=sys.stderr if error else sys.stdout)


def coloured(text: str) -> Text:
    """The same for an output: its colours stay, other escape sequences don't act."""
    decoded = Text.from_ansi(text.replace("\r\n", "\n").rstrip("\r"))
    return decoded if decoded.plain == visible(decoded.plain) else Text(visible(decoded.plain))
