"""The problems of a batch: a YAML file, or one JSON object a line."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from ..agent.config import checked
from ..errors import CodeActError, ConfigError
from ..files import content_of
from ..words import reason
from .results import SUMMARY


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One problem: a ``text``, a ``file`` or an ``issue``, and the folder that it is about, if any.

    id: names the folder of its results; without one it gets the file's name, or one of its words.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    id: str = ""
    text: str | None = None
    file: Path | None = None
    issue: str | None = None
    workspace: Path | None = None

    @property
    def asked(self) -> str:
        """A digest of what is asked, and of which folder; another one where that is changed under the same id.

        Of the folder it has the name: all may have moved since.
        """
        said = self.text or self.issue or ""
        if self.file is not None:
            with contextlib.suppress(OSError, ValueError, CodeActError):
                said = content_of(self.file).text
        return hashlib.sha256(
            json.dumps([said, self.workspace.resolve().name if self.workspace else ""]).encode()
        ).hexdigest()


def read_problems(path: Path) -> list[Entry]:
    """Paths in the file are relative to it. Raises ConfigError that names the entry that is wrong."""
    values = _values(path)
    if not values:
        raise ConfigError(f"{path} has no problems: it is a list, or has a list `problems`.")
    entries: list[Entry] = []
    taken: set[str] = set()
    for number, value in enumerate(values, start=1):
        entries.append(_entry(value, number, path, taken))
        taken.add(entries[-1].id)
    ids = [entry.id for entry in entries]
    twice = next((name for name in ids if ids.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"{path} has two problems with the id {twice!r}.")
    return entries


def _values(path: Path) -> list[Any]:
    import yaml

    try:
        text = content_of(path).text
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        value = yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} can't be read: {reason(error)}.") from None
    value = value.get("problems") if isinstance(value, dict) else value
    return value if isinstance(value, list) else []


def _entry(value: Any, number: int, path: Path, taken: set[str]) -> Entry:
    where = f"{path}, problem {number}"
    entry = checked(Entry, {"text": value} if isinstance(value, str) else value, where)
    if sum(item is not None for item in (entry.text, entry.file, entry.issue)) != 1:
        raise ConfigError(f"In {where}: it needs one of `text`, `file` and `issue`.")
    if entry.text is not None and not entry.text.strip():
        raise ConfigError(f"In {where}: its text is empty.")
    entry = replace(entry, file=_beside(path, entry.file), workspace=_beside(path, entry.workspace))
    name = entry.id or (entry.file.stem if entry.file else _name(entry, taken))
    if not re.fullmatch(r"\w([\w.-]{0,78}\w)?", name):
        raise ConfigError(f"In {where}: the id {name!r} can't name a folder; use letters, digits, '_', '-' and '.'.")
    if name.startswith(f"{SUMMARY}."):
        raise ConfigError(f"In {where}: the id {name!r} is the name of the summary; choose another one.")
    return replace(entry, id=name)


def _name(entry: Entry, taken: set[str]) -> str:
    """The first words, and what tells it from others that begin so; not its place, which changes with the list."""
    words = re.findall(r"[^\W_]+", (entry.text or entry.issue or "").removeprefix("https://github.com/"))
    name = "-".join([*words[:5], entry.asked[:6]]).lower()[-60:].strip("-")
    return next(free for n in count(1) if (free := f"{name}-{n}" if n > 1 else name) not in taken)


def _beside(path: Path, relative: Path | None) -> Path | None:
    return None if relative is None else path.parent / relative.expanduser()
