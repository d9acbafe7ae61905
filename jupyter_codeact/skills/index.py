"""The index of the libraries: one SQLite file. What is in it can be made anew, but for how skills did in use.

It is brought up to date by size, time and inode of the files; nobody looks at these while the system says that nothing
has happened. Several processes may use it at once: each writes in short transactions. One that is damaged is made anew;
where none can be written, it is kept in memory.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..errors import SkillFailed
from .contents import Contents, contents_of, spelled_out
from .database import opened, removed, writing
from .files import Module, modules_in, read_text, texts_beside
from .watching import Watch

T = TypeVar("T")
Notes = Callable[[Sequence[Module]], Mapping[str, str]]
"""What else is known of some modules, by path; asked for when they have changed."""
# Modules that are read between two transactions: others write meanwhile.
BATCH = 100
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH)


class Busy(SkillFailed):
    """Others are writing all the time; what is in the index is as it was."""


@dataclass(frozen=True)
class Uses:
    """How often a skill's use ended well and badly, and when the last one was (seconds since 1970)."""

    good: int = 0
    bad: int = 0
    last: float = 0.0


class Index:
    """``path``: its file; None keeps it in memory. Any thread may use it, one at a time.

    repairs: how often it had to begin anew, and so was empty until the next update.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.repairs = 0
        self._lock = threading.RLock()
        self._open: sqlite3.Connection | None = None
        self._known: dict[str, tuple[Any, ...]] = {}
        self._known_at: tuple[Any, ...] = ()
        self._watch = Watch()
        self._modules: list[Module] = []
        self._current_at: tuple[Any, ...] = ()

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open, self._known_at = None, ()
            self._watch.close()

    def asked(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """The answer of the database, which is repaired or given up for one in memory. Raises SkillFailed."""
        with self._lock:
            for _ in range(2):
                try:
                    return question(self.database)
                except sqlite3.DatabaseError as error:
                    self._repair(error)
            try:
                return question(self.database)
            except sqlite3.DatabaseError as error:
                raise SkillFailed(f"Skills can't be searched: {error}.") from None

    @property
    def database(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = opened(self._path)
        return self._open

    def update(self, folders: Sequence[Path], notes: Notes) -> list[Module]:
        """Take in what changed in the folders, and return the modules that are there: the same list where nothing did.

        Where others are writing all the time, the index stays as it is.
        """
        with contextlib.suppress(Busy):
            return self.asked(lambda database: self._update(database, folders, notes))
        return _there(folders)

    def used(self, name: str, ok: bool, place: str = "") -> None:
        """Remember that a skill was used, whether that ended well, and in which notebook."""
        row = (name, int(ok), int(not ok), time.time())
        with contextlib.suppress(Busy):
            self.asked(lambda database: _add_use(database, row, place))

    def uses(self) -> dict[str, Uses]:
        rows = self.asked(lambda database: database.execute("SELECT name, good, bad, last FROM uses").fetchall())
        return {name: Uses(good, bad, last) for name, good, bad, last in rows}

    def places(self) -> dict[str, dict[str, float]]:
        """Where each skill was used, and when last (seconds since 1970), the newest first. "" stands for anywhere."""
        rows = self.asked(lambda database: database.execute("SELECT * FROM places ORDER BY last DESC").fetchall())
        found: dict[str, dict[str, float]] = {}
        for name, place, last in rows:
            found.setdefault(name, {})[place] = last
        return found

    def _repair(self, error: sqlite3.DatabaseError) -> None:
        """Begin with a new file, or where that does not help, in memory."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _BUSY:
            raise Busy("The index of skills is busy; try again.") from None
        self.close()
        self.repairs += 1
        if self._path is None or code not in _DAMAGED or not removed(self._path):
            self._path = None

    # ---- keeping it up to date

    def _update(self, database: sqlite3.Connection, folders: Sequence[Path], notes: Notes) -> list[Module]:
        at = (_version(database), *folders)
        if self._current_at == at and self._watch.quiet():
            return self._modules
        self._current_at = ()
        self._watch.begin(folders)
        # In this order: what another process takes in after the look at the folders must not seem to be gone.
        known = self._stamps(database, [str(folder) for folder in folders])
        modules = _there(folders)
        there = {module.path for module in modules}
        changed = [m for m in modules if known.get(m.path) != m.stamp]
        gone = [path for path in known if path not in there]
        if gone:
            with writing(database):
                for path in gone:
                    _forget(database, path)
        for start in range(0, len(changed), BATCH):
            batch = changed[start : start + BATCH]
            read = [(module, _read(module)) for module in batch]
            noted = notes(batch)
            with writing(database):
                for module, contents in read:
                    _take_in(database, module, contents, noted.get(module.path, ""))
        if gone or changed:
            self._known_at = ()
        if not any(module.has_others for module in modules):
            self._modules, self._current_at = modules, at
        return modules

    def _stamps(self, database: sqlite3.Connection, folders: list[str]) -> dict[str, tuple[Any, ...]]:
        """What the index knows; read again only where somebody has written since."""
        version = _version(database)
        if self._known_at != (version, *folders):
            marks = ", ".join("?" * len(folders))
            query = f"SELECT path, size, mtime_ns, inode FROM modules WHERE folder IN ({marks})"  # noqa: S608
            self._known = {path: tuple(rest) for path, *rest in database.execute(query, folders)}
            self._known_at = (version, *folders)
        return self._known


def _version(database: sqlite3.Connection) -> int:
    """Another one once another process has written."""
    return int(database.execute("PRAGMA data_version").fetchone()[0])


def _there(folders: Sequence[Path]) -> list[Module]:
    return [module for folder in folders for module in modules_in(folder)]


def _read(module: Module) -> Contents:
    path = Path(module.path).relative_to(module.folder).as_posix()
    return contents_of(read_text(module.path), path, texts_beside(module.path, module.folder))


def _take_in(database: sqlite3.Connection, module: Module, contents: Contents, note: str) -> None:
    functions = [line for function in contents.functions for line in function]
    texts = [spelled_out([text]) for text in (module.name, " ".join(functions), contents.docs, contents.words, note)]
    shown = json.dumps(contents.functions)
    row = (module.path, str(module.folder), module.name, *module.stamp, note, contents.summary, shown)
    _forget(database, module.path)
    columns = "path, folder, name, size, mtime_ns, inode, note, summary, functions"
    at = database.execute(f"INSERT INTO modules ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row).lastrowid  # noqa: S608
    database.execute(
        "INSERT INTO texts (rowid, name, functions, docs, words, note) VALUES (?, ?, ?, ?, ?, ?)", (at, *texts)
    )


def _forget(database: sqlite3.Connection, path: str) -> None:
    database.execute("DELETE FROM texts WHERE rowid IN (SELECT id FROM modules WHERE path = ?)", (path,))
    database.execute("DELETE FROM modules WHERE path = ?", (path,))


def _add_use(database: sqlite3.Connection, row: tuple[str, int, int, float], place: str) -> None:
    with writing(database):
        database.execute(
            "INSERT INTO uses VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
            "good = good + excluded.good, bad = bad + excluded.bad, last = excluded.last",
            row,
        )
        database.execute("INSERT OR REPLACE INTO places VALUES (?, ?, ?)", (row[0], place, row[-1]))
