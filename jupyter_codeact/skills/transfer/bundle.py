"""What travels: the files of a skill, and what is remembered of its versions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ...errors import SkillError
from ...parsing import parse
from ..contents import Contents, contents_of
from ..history import Note, Version
from ..library import Library
from ..skill import API, Files, files_of

# The fact of a version that holds the notes that came along with it, one line of JSON.
HISTORY = "History"
# Of what comes from elsewhere so much is kept.
MOST_NOTES, LONGEST = 200, 500
# What comes from elsewhere may say that it is any number of versions old.
HIGHEST = 10**9


class Past(NamedTuple):
    """A version that was made elsewhere, or leaves: its number there, when, and what is remembered of it."""

    number: int
    when: str
    note: Note


class Bundle(NamedTuple):
    """A skill on its way. past: its versions, the newest first. left_out: files that no library holds.

    left_cells: how cells begin that stand in its notebook and are no part of it.
    """

    name: str
    files: Files
    past: Sequence[Past] = ()
    left_out: Sequence[str] = ()
    left_cells: Sequence[str] = ()

    @property
    def main(self) -> str:
        """The path of the module itself, or of what a package begins with."""
        return f"{self.name}.py" if f"{self.name}.py" in self.files else f"{self.name}/__init__.py"

    @property
    def shown(self) -> str:
        """The path of what an agent is shown of it."""
        api = f"{self.name}/{API}"
        return api if api in self.files else self.main

    @property
    def contents(self) -> Contents:
        """What that says of itself."""
        return contents_of(self.files.get(self.shown, ""), self.shown, self.files)


def bundle_of(library: Library, name: str) -> Bundle:
    """A skill of the library with all that is known of it. Raises SkillError."""
    library.get(name)
    files = files_of(library.folder_of(name), name)
    for path, text in files.items():
        try:
            parse(text.encode())
        except UnicodeError:
            raise SkillError(f"{path} is no UTF-8: save it as UTF-8 first.") from None
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise SkillError(f"{path} can't be read as Python: {error}.") from None
    return Bundle(name, files, [*past_of(library.log(name))] if library.keeps(name) else [])


def past_of(versions: Sequence[Version]) -> Iterator[Past]:
    """The versions, and those that came along when one of them was imported, whose numbers its own goes on from."""
    last, numbers = 0, dict[int, int]()
    for version in reversed(versions):
        last = numbers[version.number] = max([last, *(past.number for past in came_along(version))]) + 1
    for version in versions:
        about = {key: value for key, value in version.note.about.items() if key != HISTORY}
        yield Past(numbers[version.number], f"{version.when:%Y-%m-%dT%H:%M:%SZ}", version.note._replace(about=about))
        yield from came_along(version)


def came_along(version: Version) -> list[Past]:
    """What a version that was imported says of those before it."""
    return read_past(version.note.about.get(HISTORY, ""))


def written_past(past: Sequence[Past]) -> str:
    """One line of JSON. Characters that a commit's fact can't hold are escaped."""
    rows = [[p.number, p.when, p.note.by, p.note.message, dict(p.note.about)] for p in past[:MOST_NOTES]]
    return json.dumps(rows).replace("<", "\\u003c").replace(">", "\\u003e")


def read_past(text: str) -> list[Past]:
    """The reverse; what is no such list is no past. Nothing is believed to be of the right shape or length."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return []
    read = (_read_row(row) for row in (rows if isinstance(rows, list) else [])[:MOST_NOTES])
    return [past for past in read if past is not None]


def _read_row(row: Any) -> Past | None:
    match row:
        case [int(number), str(when), str(by), str(message), dict(about)] if number < HIGHEST:
            facts = {_line(key): _line(value) for key, value in [*about.items()][:20]}
            return Past(number, _line(when)[:20], Note(_line(by), _line(message), facts))
        case _:
            return None


def _line(value: Any) -> str:
    return " ".join(str(value).split())[:LONGEST]
