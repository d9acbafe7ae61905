"""What the model is told of outputs: pure functions from outputs to text of bounded length, and to pictures."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from .. import tokens
from ..events import STAND_IN, Output, Ran
from .displays import described, drawing
from .formats import SENDABLE, Found, look

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[ -/][0-~]|\x1b[0-Z\\^-~]")
DISPLAYS = ("display_data", "execute_result")
_ORDER = ("text/plain", "text/markdown", "text/latex")
SVG = "image/svg+xml"
NOTEBOOK = "they are in the notebook"


@dataclass(frozen=True)
class Picture:
    """A picture among the outputs. said: the type that it came with; data: in base64."""

    said: str
    data: str

    @cached_property
    def found(self) -> Found | None:
        """What it is by its bytes, where that is a picture that services take."""
        return look(self.data)

    @property
    def mime(self) -> str:
        return self.found.mime if self.found else self.said

    @property
    def about(self) -> str:
        if self.found is not None:
            width, height = self.found.size
            return f"{self.mime}, {width} by {height} pixels"
        return f"{self.said} by its name, and no such picture by its bytes" if self.said in SENDABLE else self.said


def printed(ran: Ran, describe: Callable[[Picture], str] | None = None) -> str:
    """The outputs of a run as text, in order. ``describe`` says what is told in a picture's place."""
    describe = describe or (lambda picture: f"[a picture is shown to the person: {picture.about}]")
    parts = (part for output in ran.outputs for part in _parts(output, describe))
    return "\n".join(part.rstrip("\n") for part in parts if part.strip())


def pictures(ran: Ran) -> list[Picture]:
    """The pictures among the outputs, in order."""
    found = (_picture(output.get("data", {})) for output in ran.outputs if output.get("output_type") in DISPLAYS)
    return [picture for picture in found if picture is not None]


def shorten(text: str, budget: int, where: str = NOTEBOOK) -> str:
    """At most about ``budget`` tokens: two thirds from the head, one third from the tail."""
    # No text has more tokens than bytes, so that most outputs need not be counted.
    if len(text) <= budget or not tokens.exceed(text, budget):
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
        case kind if kind in DISPLAYS:
            yield _data(output.get("data", {}), describe)


def _data(data: dict[str, object], describe: Callable[[Picture], str]) -> str:
    picture = _picture(data)
    if picture is not None:
        return describe(picture)
    texts = [str(data[kind]) for kind in _ORDER if kind in data]
    text = next((text for text in texts if not STAND_IN.fullmatch(text)), None) or described(data)
    if text:
        return clean(text)
    others = [kind for kind in data if kind not in _ORDER]
    return clean(texts[0]) if texts and not others else f"[shown to the person: {', '.join(data) or 'nothing'}]"


def _picture(data: dict[str, object]) -> Picture | None:
    """Of several the one that services take, and of an SVG what the guard left of it."""
    kinds = sorted((kind for kind in data if kind.startswith("image/")), key=lambda kind: kind not in SENDABLE)
    if not kinds:
        found = drawing(data)
        return Picture(SVG, found) if found else None
    source = str(data[kinds[0]])
    is_text = kinds[0] == SVG and "<" in source
    return Picture(kinds[0], base64.b64encode(source.encode(errors="replace")).decode() if is_text else source)


def clean(text: str) -> str:
    """Without ANSI colours and halves of characters, and with a progress bar's rewritten lines as they were left."""
    text = text.encode("utf-8", "replace").decode()
    text = _ANSI.sub("", text).replace("\r\n", "\n")
    if "\r" not in text:
        return text
    lines = text.split("\n")
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines)
