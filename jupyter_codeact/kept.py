"""The outputs of one execution, as a notebook has them: what is kept of them for the model, within bounds.

Text has a bound of its own, and so has all that is only shown: no text goes for a picture's sake. Where there is more
than room for, the first and the newest stay, and a line says how much went between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from .events import Output

# Characters of text. An output counts as OUTPUT more, so that a flood of small ones is bounded, too.
KEPT_TEXT = 10_000_000
OUTPUT = 1000
# Characters of pictures (in base64), HTML, charts.
KEPT_SHOWN = 50_000_000
# A stream is kept in pieces of about so much: whatever joins a long text copies all of it.
PIECE = 50_000
TEXTS = ("text/plain", "text/markdown", "text/latex")
# Whose the outputs are that no Output widget took.
CELL = ""
CUT = "\n[… {:,} characters are not kept here: of a cell's text, about {:,} are …]\n"


class Kept:
    """Takes outputs in, one at a time, with whose they are. unkept: the characters of text that it has let go of."""

    def __init__(self) -> None:
        self.unkept = 0
        self._outputs: dict[int, Output] = {}
        self._owners: dict[int, str] = {}
        self._next = 0
        # The last that it has let go of.
        self._gap = -1
        self._text = _Bound(KEPT_TEXT)
        self._shown = _Bound(KEPT_SHOWN)

    def add(self, output: Output, owner: str = CELL) -> None:
        """Take an output that is nobody else's: it may be changed. owner: the cell, or a widget that took it."""
        if output["output_type"] == "stream":
            self._add_stream(output, str(output.get("text", "")), owner)
        else:
            self._append(output, owner)

    def clear(self, owner: str) -> None:
        """Let go of what was added for that owner."""
        for key in [key for key, whose in self._owners.items() if whose == owner]:
            self._text.drop(key)
            self._shown.drop(key)
            del self._outputs[key], self._owners[key]
        if not self._outputs:
            self.unkept, self._gap = 0, -1

    def update(self, display_id: str, data: dict[str, Any]) -> None:
        """Set what the displays of that id show."""
        for key, output in [*self._outputs.items()]:
            if (output.get("transient") or {}).get("display_id") == display_id:
                output["data"] = data
                self._weigh(key)

    def all(self) -> tuple[Output, ...]:
        """In order, each stream's pieces as one, with a line where something went."""
        made: list[Output] = []
        for (kind, _), run in groupby(self._pieces(), key=lambda output: (output["output_type"], output.get("name"))):
            pieces = [*run]
            if kind == "stream":
                pieces = [{**pieces[0], "text": "".join(piece["text"] for piece in pieces)}]
            made += pieces
        return tuple(made)

    def _pieces(self) -> Iterator[Output]:
        is_whole, name = self._gap < 0, "stdout"
        for key, output in self._outputs.items():
            if not is_whole and key > self._gap:
                yield {"output_type": "stream", "name": name, "text": CUT.format(self.unkept, KEPT_TEXT)}
                is_whole = True
            yield output
            name = output.get("name", name)

    def _add_stream(self, output: Output, text: str, owner: str) -> None:
        newest = self._outputs.get(self._next - 1, {})
        is_same = newest.get("output_type") == "stream" and newest.get("name") == output.get("name")
        if is_same and self._owners[self._next - 1] == owner:
            room = max(0, PIECE - len(newest["text"]))
            newest["text"] += text[:room]
            text = text[room:]
            self._weigh(self._next - 1)
            if not text:
                return
        for start in range(0, len(text) or 1, PIECE):
            self._append({**output, "text": text[start : start + PIECE]}, owner)

    def _append(self, output: Output, owner: str) -> None:
        self._next += 1
        self._outputs[self._next - 1] = output
        self._owners[self._next - 1] = owner
        self._weigh(self._next - 1)

    def _weigh(self, key: int) -> None:
        """Let go of what there is no room for, now that an output is new, or another one than before."""
        output = self._outputs[key]
        self._shorten(output)
        for gone in self._shown.put(key, _length(_shown(output))):
            _empty(self._outputs[gone])
        for gone in self._text.put(key, OUTPUT + _length(_texts(output))):
            self.unkept += _length(_texts(self._outputs.pop(gone)))
            self._gap = max(self._gap, gone)
            self._shown.drop(gone)
            del self._owners[gone]

    def _shorten(self, output: Output) -> None:
        """A text that has no room even alone keeps its beginning and its end."""
        most = KEPT_TEXT // 2 - 2 * OUTPUT
        for kind, text in [*output.get("data", {}).items()]:
            if kind in TEXTS and isinstance(text, str) and len(text) > most:
                gone = len(text) - most
                self.unkept += gone
                shorter = text[: most // 2] + CUT.format(gone, KEPT_TEXT) + text[-(most - most // 2) :]
                output["data"] = {**output["data"], kind: shorter}


class _Bound:
    """What outputs weigh, by key: the first of them up to half of a bound, the newest in what is left of it."""

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._sizes: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._sums = [0, 0]

    def put(self, key: int, size: int) -> list[int]:
        """Say what one weighs now; those that have to go for it. The newest stays, whatever it weighs."""
        if not size:
            self.drop(key)
            return []
        first, newest = self._sizes
        is_newest = key in newest or (key not in first and bool(newest))
        rest = self._sums[0] - first.get(key, 0)
        if not is_newest and rest + size <= self._half:
            self._set(0, key, size)
            return []
        self.drop(key if key in first else -1)
        if not is_newest and newest:
            return [key]
        self._set(1, key, size)
        gone = []
        while sum(self._sums) > 2 * self._half and len(newest) > 1:
            gone.append(next(iter(newest)))
            self.drop(gone[-1])
        return gone

    def drop(self, key: int) -> None:
        for side, sizes in enumerate(self._sizes):
            self._sums[side] -= sizes.pop(key, 0)

    def _set(self, side: int, key: int, size: int) -> None:
        self._sums[side] += size - self._sizes[side].get(key, 0)
        self._sizes[side][key] = size


def _texts(output: Output) -> list[Any]:
    data = output.get("data", {})
    return [output.get("text"), output.get("evalue"), *output.get("traceback", ()), *(data.get(kind) for kind in TEXTS)]


def _shown(output: Output) -> list[Any]:
    return [value for kind, value in output.get("data", {}).items() if kind not in TEXTS]


def _length(values: list[Any]) -> int:
    """Characters, about."""
    return sum(len(value if isinstance(value, str) else str(value)) for value in values if value is not None)


def _empty(output: Output) -> None:
    """In the place of what is shown, say that it is not here."""
    data = output["data"]
    lost = ", ".join(kind for kind in data if kind not in TEXTS)
    said = f"[{lost}: {_length(_shown(output)):,} characters, not kept]"
    texts = {kind: data[kind] for kind in TEXTS if kind in data}
    output["data"] = texts | {"text/plain": "\n".join(filter(None, [str(texts.get("text/plain", "")), said]))}
