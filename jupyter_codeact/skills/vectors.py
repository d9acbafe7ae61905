"""Nearness in meaning: vectors of what skills say of themselves, from a model elsewhere, kept by their text."""

from __future__ import annotations

import contextlib
import hashlib
import math
import operator
import sqlite3
import time
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..errors import CodeActError
from .database import writing
from .index import Busy, Index

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""Vectors of texts. It may block, and raises CodeActError where its service fails."""

AT_ONCE = 64
# A service that failed is left alone for as long.
REST_S = 60.0
LONGEST = 8000
# Of the nearest, those that are about as near: other skills are near to nothing in particular.
NEAREST = 10


class Vectors:
    """``problem``: why the last search went without them; "" where it did not."""

    def __init__(self, index: Index, embed: Embed, model: str) -> None:
        self._index = index
        self._embed = embed
        self._model = model
        self._known: dict[str, array[float]] = {}
        self._rests_until = -math.inf
        self.problem = ""

    def near(self, text: str, visible: Mapping[str, str]) -> list[str]:
        """The paths of the skills that are nearest to ``text``, nearest first; none where the service fails."""
        if not visible or time.monotonic() < self._rests_until:
            return []
        try:
            texts = self._index.asked(lambda database: _texts(database, visible))
            self._learn(texts.values())
            (wanted,) = self._vectors_of([text[:LONGEST]])
            self.problem = ""
        except CodeActError as error:
            self.problem, self._rests_until = str(error), time.monotonic() + REST_S
            return []
        likeness = {path: _product(wanted, self._known[_key(said)]) for path, said in texts.items()}
        return sorted(likeness, key=lambda path: -likeness[path])[:NEAREST]

    def _learn(self, texts: Iterable[str]) -> None:
        """Have vectors for all of them: from before, from the index, or made now."""
        missing = {_key(text): text for text in texts if _key(text) not in self._known}
        if not missing:
            return
        self._known |= self._index.asked(self._stored)
        new = [(key, text) for key, text in missing.items() if key not in self._known]
        for start in range(0, len(new), AT_ONCE):
            batch = new[start : start + AT_ONCE]
            vectors = self._vectors_of([text for _, text in batch])
            made = {key: vector for (key, _), vector in zip(batch, vectors, strict=True)}
            self._known |= made
            self._store(made)

    def _vectors_of(self, texts: list[str]) -> list[array[float]]:
        vectors = [_unit(vector) for vector in self._embed(texts)]
        lengths = {len(vector) for vector in [*vectors, *self._known.values()]}
        if len(vectors) != len(texts) or len(lengths) > 1:
            raise CodeActError(f"{self._model} answered with vectors that don't fit.")
        return vectors

    def _stored(self, database: sqlite3.Connection) -> dict[str, array[float]]:
        rows = database.execute("SELECT text, vector FROM vectors WHERE model = ?", (self._model,))
        return {key: array("f", vector) for key, vector in rows}

    def _store(self, made: Mapping[str, array[float]]) -> None:
        def write(database: sqlite3.Connection) -> None:
            rows = [(self._model, key, vector.tobytes()) for key, vector in made.items()]
            with writing(database):
                database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

        with contextlib.suppress(Busy):
            self._index.asked(write)


def _texts(database: sqlite3.Connection, visible: Mapping[str, str]) -> dict[str, str]:
    rows = database.execute("SELECT path, name, summary, functions, note FROM modules")
    return {path: "\n".join(said)[:LONGEST] for path, *said in rows if path in visible}


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _unit(vector: Sequence[float]) -> array[float]:
    length = math.hypot(*vector) or 1.0
    return array("f", (number / length for number in vector))


def _product(one: array[float], other: array[float]) -> float:
    return float(sum(map(operator.mul, one, other)))
