"""What the model is told of an action's outcome: text of bounded length, marked as material."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..events import Output, Ran

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[ -/][0-~]|\x1b[0-Z\\^-~]")
BUDGET_CHARACTERS = 12_000
_ORDER = ("text/plain", "text/markdown", "text/latex")
# What IPython's display classes give as plain text: the name of the class, and nothing of what is shown.
_NO_TEXT = re.compile(r"<IPython\.[\w.]+ object>")


def printed(ran: Ran, budget: int = BUDGET_CHARACTERS) -> str:
    """The outputs of a run as text, in order, head and tail where they are long."""
    text = "\n".join(part.rstrip("\n") for output in ran.outputs for part in _parts(output) if part.strip())
    return shorten(text, budget)


def shorten(text: str, budget: int) -> str:
    """Two thirds of the budget from the head, one third from the tail."""
    if len(text) <= budget:
        return text
    head, tail = budget * 2 // 3, budget // 3
    left_out = f"[… {len(text) - head - tail:,} characters left out; they are in the notebook …]"
    return f"{text[:head]}\n{left_out}\n{text[len(text) - tail :]}"


def _parts(output: Output) -> Iterator[str]:
    match output.get("output_type"):
        case "stream":
            yield clean(str(output.get("text", "")))
        case "error":
            traceback = output.get("traceback") or [f"{output.get('ename')}: {output.get('evalue')}"]
            yield clean("\n".join(map(str, traceback)))
        case "display_data" | "execute_result":
            yield from _data(output.get("data", {}))


def _data(data: dict[str, object]) -> Iterator[str]:
    image = next((kind for kind in data if kind.startswith("image/")), None)
    if image is not None:
        yield f"[a picture is shown to the person: {image}]"
    else:
        texts = (str(data[kind]) for kind in _ORDER if kind in data)
        text = next((text for text in texts if not _NO_TEXT.fullmatch(text)), None)
        yield clean(text) if text is not None else f"[shown to the person: {', '.join(data) or 'nothing'}]"


def clean(text: str) -> str:
    """Without ANSI colours and halves of characters, and with a progress bar's rewritten lines as they were left."""
    text = text.encode("utf-8", "replace").decode()
    lines = _ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines)
