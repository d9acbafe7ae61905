"""The SQLite file of the index: its tables, and how it is opened, written to and thrown away."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

VERSION = 5
BUSY_S = 2.0
# For FTS5 a word that half of the texts have says nothing. So that it does among a few skills there are others,
# as long as a skill's, without a module, and of a character that is in no word that is asked for.
BACKGROUND, LENGTH = 1000, 100
_SCHEMA = f"""
DROP TABLE IF EXISTS modules;
DROP TABLE IF EXISTS texts;
CREATE TABLE modules (id INTEGER PRIMARY KEY, path TEXT UNIQUE, folder TEXT, name TEXT, size INTEGER, mtime_ns INTEGER,
    inode INTEGER, note TEXT, summary TEXT, functions TEXT);
CREATE INDEX by_folder ON modules (folder, path, size, mtime_ns, inode);
CREATE VIRTUAL TABLE texts USING fts5 (name, functions, docs, words, note, tokenize = 'porter unicode61');
WITH RECURSIVE others (id) AS (SELECT -1 UNION ALL SELECT id - 1 FROM others WHERE id > -{BACKGROUND})
    INSERT INTO texts (rowid, words) SELECT id, '{(chr(0xE000) + " ") * LENGTH}' FROM others;
CREATE TABLE IF NOT EXISTS uses (name TEXT PRIMARY KEY, good INTEGER, bad INTEGER, last REAL);
CREATE TABLE IF NOT EXISTS places (name TEXT, place TEXT, last REAL, PRIMARY KEY (name, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vectors (model TEXT, text TEXT, vector BLOB, PRIMARY KEY (model, text)) WITHOUT ROWID;
"""  # noqa: S608


@contextlib.contextmanager
def writing(database: sqlite3.Connection) -> Iterator[None]:
    """One transaction, alone."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.rollback()
        raise
    database.commit()


def opened(path: Path | None) -> sqlite3.Connection:
    """The database in a file, with its tables; in memory for None, and where the file can't be made."""
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError:
            path = None
    database = sqlite3.connect(path or ":memory:", BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        # Two that do this at the same moment are not made to wait for each other; one of them suffices.
        with contextlib.suppress(sqlite3.OperationalError):
            database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        if _version(database) != VERSION:
            with writing(database):
                if _version(database) != VERSION:
                    for statement in _SCHEMA.split(";"):
                        database.execute(statement)
                    database.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        database.close()
        raise
    return database


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def removed(path: Path) -> bool:
    """Take the file away; False where that can't be done."""
    try:
        for ending in ("-wal", "-shm", ""):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    except OSError:
        return False
    return True
