"""Texts of rows (CSV and its like) are read here, and handed on as rows, which are then looked at as any others are.

An engine parts such a text by rules of its own: what is in a row was another thing for whoever looked at the text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from typing import Any

from .names import PROTOTYPE, words
from .reactions import Reacts
from .rows import formats, name_of

_DELIMITERS = {"csv": ",", "tsv": "\t"}
_TEXTS = ("csv", "dsv", "tsv")
# A sign of its own, that neither quotes nor ends a line.
_DELIMITER = re.compile(r"[^\"\r\n\x80-\U0010ffff]")
_HOW = words("delimiter header type")
# Rows are longer than their text: each has the names of all columns. So many signs may all of a chart's have, and so
# many times as many as their text.
_LIMIT = 20_000_000
_GROWTH = 50
# What JSON has about a name and a value.
_ABOUT = len('"": "", ')


def read(spec: dict[str, Any]) -> dict[str, Any]:
    """The same specification, whose rows are no texts. Raises Reacts where a text can't be read."""
    texts = _Texts(formats(spec), spec.get("datasets"))
    read: dict[str, Any] = texts.read(spec)
    return read | {"datasets": read["datasets"] | texts.named} if texts.named else read


class _Texts:
    def __init__(self, styles: dict[str, dict[str, Any]], datasets: Any) -> None:
        self._styles = styles
        self._datasets = datasets if isinstance(datasets, dict) else {}
        self._left = _LIMIT
        self.named: dict[str, list[dict[str, str]]] = {}

    def read(self, value: Any, key: str = "", outer: str = "") -> Any:
        """As ``reactions.parts`` goes through it."""
        if key == "datasets" or (key == "values" and outer == "data"):
            return value
        if isinstance(value, list):
            return [self.read(item, key, outer) for item in value]
        if not isinstance(value, dict):
            return value
        made = {inner: self.read(item, inner, key) for inner, item in value.items()}
        return self._source(made) if key == "data" else made

    def _source(self, source: dict[str, Any]) -> dict[str, Any]:
        style, name = source.get("format"), name_of(source)
        merged = style if name is None else self._styles[name]
        if not isinstance(merged, dict) or merged.get("type") not in _TEXTS:
            return source
        if "values" in source:
            source = source | {"values": self._rows(source["values"], merged)}
        elif name is not None and name in self._datasets and name not in self.named:
            self.named[name] = self._rows(self._datasets[name], merged)
        # Whatever it is a format of: sources of one name have theirs in common.
        kept = {key: item for key, item in (style or {}).items() if key not in _HOW}
        rest = {key: item for key, item in source.items() if key != "format"}
        return rest | ({"format": kept} if kept else {})

    def _rows(self, text: Any, style: dict[str, Any]) -> list[dict[str, str]]:
        if not isinstance(text, str):
            raise Reacts
        lines = _lines(text, style)
        columns = next(lines, [])
        size = sum(map(len, columns)) + _ABOUT * len(columns)
        self._left -= len(text)
        most = min(self._left, _GROWTH * len(text)) // max(size, 1)
        rows = [_row(columns, line) for line in islice(lines, most)]
        if next(lines, None) is not None:
            raise Reacts
        self._left -= size * len(rows)
        return rows


def _lines(text: str, style: dict[str, Any]) -> Iterator[list[str]]:
    """First the names of columns. A line without anything is one that has a first value, of no signs."""
    delimiter, header = _DELIMITERS.get(style["type"], style.get("delimiter")), style.get("header")
    if not isinstance(delimiter, str) or not _DELIMITER.fullmatch(delimiter):
        raise Reacts
    if header is not None:
        if not isinstance(header, list) or not all(isinstance(name, str) for name in header):
            raise Reacts
        yield header or [""]
    try:
        for line in csv.reader(StringIO(text, newline=""), delimiter=delimiter):
            yield line or [""]
    except csv.Error:
        raise Reacts from None


def _row(columns: list[str], line: list[str]) -> dict[str, str]:
    """Of two columns of one name the second counts; what is missing is a text without signs, and what is over goes."""
    missing = [""] * (len(columns) - len(line))
    return {name: value for name, value in zip(columns, [*line, *missing], strict=False) if name not in PROTOTYPE}
