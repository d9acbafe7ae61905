"""What the model is told of outputs: pure functions from outputs to text of bounded length, and to pictures."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from .. import tokens
from ..events import Output, Ran

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[ -/][0-~]|\x1b[0-Z\\^-~]")
_ORDER = ("text/plain", "text/markdown", "text/latex")
# What IPython's display classes give as plain text: the name of the class, and nothing of what is shown.
_NO_TEXT = re.compile(r"<IPython\.[\w.]+ object>")
# Bars as tqdm, pip, Keras and others draw them, one line for each state.
_BAR = re.compile(r"\d+%\s*\||\[[=#>.\- ]{8,}\]|[━█▏▎▍▌▋▊▉]{5,}|\d(it|s)/(s|it)\b")
# Lines alike are told once they are more than this.
ALIKE = 4


@dataclass(frozen=True)
class Picture:
    """A picture among the outputs: its data in base64, its size in pixels, (0, 0) where that is not known."""

    mime: str
    data: str
    size: tuple[int, int] = (0, 0)

    @property
    def about(self) -> str:
        width, height = self.size
        return f"{self.mime}, {width} by {height} pixels" if width else self.mime


def printed(ran: Ran, describe: Callable[[Picture], str] | None = None) -> str:
    """The outputs of a run as text, in order. ``describe`` says what is told in a picture's place."""
    describe = describe or (lambda picture: f"[a picture is shown to the person: {picture.about}]")
    parts = (part for output in ran.outputs for part in _parts(output, describe))
    return fold("\n".join(part.rstrip("\n") for part in parts if part.strip()))


def pictures(ran: Ran) -> list[Picture]:
    """The pictures among the outputs, in order."""
    found: list[Picture] = []

    def take(picture: Picture) -> str:
        found.append(picture)
        return "-"

    printed(ran, take)
    return found


def fold(text: str) -> str:
    """With runs of lines that say the same, and of the states of a progress bar, as their first and last line."""
    made: list[str] = []
    for _, run in groupby(text.split("\n"), key=lambda line: "bar" if _BAR.search(line) else f"={line}"):
        lines = list(run)
        if len(lines) > ALIKE and lines[0].strip():
            lines = [lines[0], f"[… {len(lines) - 2} lines like these …]", lines[-1]]
        made += lines
    return "\n".join(made)


def shorten(text: str, budget: int, where: str = "they are in the notebook") -> str:
    """At most about ``budget`` tokens: two thirds from the head, one third from the tail."""
    # No text has more tokens than bytes, so that most outputs need not be counted.
    if len(text) <= budget or tokens.estimated(text) <= budget:
        return text
    head = _within(text, budget * 2 // 3, tail=False)
    tail = _within(text, budget // 3, tail=True)
    left_out = len(text) - len(head) - len(tail)
    return f"{head}\n[… {left_out:,} characters left out; {where} …]\n{tail}"


def _within(text: str, budget: int, *, tail: bool) -> str:
    """As much of one end of a text as the budget holds."""
    length = min(len(text), 8 * budget)
    while length > 0:
        part = text[len(text) - length :] if tail else text[:length]
        count = tokens.estimated(part)
        if count <= budget:
            return part
        length = min(length - 1, length * budget // count)
    return ""


def _parts(output: Output, describe: Callable[[Picture], str]) -> Iterator[str]:
    match output.get("output_type"):
        case "stream":
            yield clean(str(output.get("text", "")))
        case "error":
            traceback = output.get("traceback") or [f"{output.get('ename')}: {output.get('evalue')}"]
            yield clean("\n".join(map(str, traceback)))
        case "display_data" | "execute_result":
            yield _data(output.get("data", {}), describe)


def _data(data: dict[str, object], describe: Callable[[Picture], str]) -> str:
    mime = next((kind for kind in data if kind.startswith("image/")), None)
    if mime is not None:
        picture = str(data[mime])
        return describe(Picture(mime, picture, _size(mime, picture)))
    texts = (str(data[kind]) for kind in _ORDER if kind in data)
    text = next((text for text in texts if not _NO_TEXT.fullmatch(text)), None)
    return clean(text) if text is not None else f"[shown to the person: {', '.join(data) or 'nothing'}]"


def _size(mime: str, data: str) -> tuple[int, int]:
    """Width and height of a PNG, from its first bytes: nothing of the sandbox's is decoded here."""
    try:
        head = base64.b64decode(data[:32])
        if mime == "image/png" and head[:8] == b"\x89PNG\r\n\x1a\n":
            width, height = struct.unpack(">II", head[16:24])
            return width, height
    except (ValueError, struct.error):
        pass
    return 0, 0


def clean(text: str) -> str:
    """Without ANSI colours and halves of characters, and with a progress bar's rewritten lines as they were left."""
    text = text.encode("utf-8", "replace").decode()
    lines = _ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines)
