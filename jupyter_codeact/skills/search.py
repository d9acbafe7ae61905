"""From a person's words to the skills that fit: BM25 over the index, a little of how new and how good a skill is."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from .contents import Function, split_words
from .files import Module
from .index import Index, Notes, Uses
from .vectors import Embed, Vectors

# What a word counts where it stands: name, functions, docstrings, identifiers, note.
WEIGHTS = "10.0, 5.0, 4.0, 1.0, 2.0"
# Of a long prompt the words that fewest skills have are asked for; how many have one is counted up to here.
LONGEST, MOST_WORDS, MANY = 20_000, 40, 1000
CANDIDATES = 50
# A word of what is in scope says less of what is wanted than one of the prompt.
SCOPE = 0.15
# Of the best one's score.
LEAST = 0.3
# As in the paper on reciprocal rank fusion (Cormack, Clarke, Büttcher 2009).
RANKS = 60
# The columns of the index, in the words of `%skill search`.
PLACES = ("name", "functions", "docstrings", "code", "notes")
NEAR = "near in meaning"
_MARKED = re.compile("\x02(.*?)\x03")
HALF_LIFE_S = 30 * 24 * 3600.0
STOP_WORDS = frozenset(
    """a about all also am an and any are as at be been between but by can could did do does each for from get give had
    has have her here him his how i if in into is it its just let like make may me might more most my need new no not
    now of on one or other our out over per please put she should show so some such take than that the their them then
    there these they this those to too up us use using very via want was we were what when where which while who why
    will with would you your""".split()  # noqa: SIM905  # words read better than a list of them
)


@dataclass(frozen=True)
class Found:
    """A skill that fits. name: as it is imported. score: the larger the better, within one search only."""

    name: str
    path: str
    summary: str
    functions: tuple[Function, ...]
    score: float = 0.0


def _no_notes(_modules: Sequence[Module]) -> Mapping[str, str]:
    return {}


class Search:
    """Over the modules in ``folders``, of which the first that has a name wins.

    embed: vectors of texts, from a model of the name ``embeds``; what it raises ends no search.
    """

    def __init__(
        self,
        index: Index,
        folders: Sequence[Path],
        *,
        embed: Embed | None = None,
        embeds: str = "",
        notes: Notes = _no_notes,
    ) -> None:
        self.index = index
        self.folders = folders
        self._notes = notes
        self._names: Set[str] = frozenset()
        self._modules: list[Module] | None = None
        self._visible: Mapping[str, str] = {}
        self._vectors = Vectors(index, embed, embeds) if embed else None

    @property
    def problem(self) -> str:
        """Why vectors could not be had, the last time; "" where they could."""
        return self._vectors.problem if self._vectors else ""

    @property
    def names(self) -> Set[str]:
        """The skills that there were at the last search."""
        return self._names

    def find(
        self, text: str, scope: Sequence[str] = (), most: int = 5, leave: Collection[str] = frozenset()
    ) -> list[Found]:
        """The skills for ``text``, best first, but for those to ``leave`` out. Raises SkillError without FTS5.

        scope: names that are at hand. Among skills for the same words, they make a difference.
        """
        repairs = self.index.repairs
        found = self._found(text, scope, leave)
        if self.index.repairs != repairs:
            found = self._found(text, scope, leave)
        return found[:most]

    def _found(self, text: str, scope: Sequence[str], leave: Collection[str]) -> list[Found]:
        visible = self.update()
        if leave:
            visible = {path: name for path, name in visible.items() if name not in leave}
        return self.found(text, scope, visible)

    def found(self, text: str, scope: Sequence[str], visible: Mapping[str, str]) -> list[Found]:
        """All that fit among the modules at these paths, in the index as it stands."""
        folders = [str(folder) for folder in self.folders]
        ranked = self.index.asked(partial(_ranked, text=text, folders=folders))
        scores = {path: score for path, score in ranked if path in visible}
        if scores and scope:
            for path, score in self.index.asked(partial(_scored, text=" ".join(scope), paths=[*scores])):
                scores[path] += SCOPE * score
        near = self._vectors.near(text, visible) if self._vectors and text.strip() else []
        uses, now = self.index.uses(), time.time()
        rows = self.index.asked(partial(_rows, paths=[*dict.fromkeys([*scores, *near])]))
        found = [
            Found(name, path, summary, _functions(functions), scores.get(path, 0.0) * _prior(name, now - changed, uses))
            for path, name, summary, functions, changed in rows
        ]
        found.sort(key=lambda skill: (-skill.score, skill.name))
        good = [skill for skill in found if skill.score > 0 and skill.score >= LEAST * found[0].score]
        return _fused(good, near, found)

    def why(self, skill: Found, text: str) -> str:
        """Which of its words answered which parts of the skill: ``gp, fit in its name, code; process in its notes``."""
        columns = self.index.asked(partial(_marked, text=text, path=skill.path))
        said: dict[str, list[str]] = {}
        for place, column in zip(PLACES, columns, strict=False):
            words = ", ".join(dict.fromkeys(_MARKED.findall(column or "")))
            said.setdefault(words, []).append(place)
        return "; ".join(f"{words} in its {', '.join(places)}" for words, places in said.items() if words) or NEAR

    def update(self) -> Mapping[str, str]:
        """Bring the index up to date; the paths and names that there are."""
        modules = self.index.update(self.folders, self._notes)
        if modules is not self._modules:
            names: dict[str, str] = {}
            for module in modules:
                names.setdefault(module.name, module.path)
            self._modules, self._names = modules, names.keys()
            self._visible = {path: name for name, path in names.items()}
        return self._visible


def words_of(text: str) -> list[str]:
    """The words that may say what is wanted, each once."""
    return [word for word in dict.fromkeys(split_words(text[:LONGEST])) if word not in STOP_WORDS]


def query_of(words: Sequence[str]) -> str:
    """An FTS5 query for any of the words; "" where there is none. No sign in them can be an operator."""
    return " OR ".join(f'"{word}"' for word in words)


def _query(database: sqlite3.Connection, text: str) -> str:
    """For the words of a text; where they are too many, for those that tell most."""
    words = words_of(text)
    if len(words) > MOST_WORDS:
        statement = f"SELECT count(*) FROM (SELECT 1 FROM texts WHERE texts MATCH ? LIMIT {MANY})"  # noqa: S608
        counts = {word: database.execute(statement, (query_of([word]),)).fetchone()[0] for word in words}
        words = sorted(filter(counts.get, words), key=counts.__getitem__)[:MOST_WORDS]
    return query_of(words)


def _ranked(database: sqlite3.Connection, text: str, folders: list[str]) -> list[tuple[str, float]]:
    query, marks = _query(database, text), ", ".join("?" * len(folders))
    # Shadowed modules are left out later: twice as many, so that enough are left. FTS5 orders by rank itself, and the
    # join is made for the first rows only.
    statement = (
        "SELECT path, -rank FROM texts CROSS JOIN modules ON modules.id = texts.rowid "  # noqa: S608
        f"WHERE texts MATCH ? AND rank MATCH 'bm25({WEIGHTS})' AND folder IN ({marks}) "
        f"ORDER BY rank LIMIT {2 * CANDIDATES}"
    )
    return database.execute(statement, (query, *folders)).fetchall() if query else []


def _scored(database: sqlite3.Connection, text: str, paths: list[str]) -> list[tuple[str, float]]:
    """The scores of some modules. The sign before rowid has them picked first, and no others scored."""
    query, marks = _query(database, text), ", ".join("?" * len(paths))
    statement = (
        f"SELECT path, -bm25(texts, {WEIGHTS}) FROM texts CROSS JOIN modules ON modules.id = texts.rowid "  # noqa: S608
        f"WHERE texts MATCH ? AND +texts.rowid IN (SELECT id FROM modules WHERE path IN ({marks}))"
    )
    return database.execute(statement, (query, *paths)).fetchall() if query else []


def _rows(database: sqlite3.Connection, paths: list[str]) -> list[tuple[str, str, str, str, float]]:
    marks = ", ".join("?" * len(paths))
    statement = f"SELECT path, name, summary, functions, mtime_ns / 1e9 FROM modules WHERE path IN ({marks})"  # noqa: S608
    return database.execute(statement, paths).fetchall()


def _marked(database: sqlite3.Connection, text: str, path: str) -> tuple[str, ...]:
    query = _query(database, text)
    columns = ", ".join(f"highlight(texts, {number}, char(2), char(3))" for number in range(len(PLACES)))
    statement = f"SELECT {columns} FROM texts WHERE texts MATCH ? AND rowid = (SELECT id FROM modules WHERE path = ?)"  # noqa: S608
    return database.execute(statement, (query, path)).fetchone() or () if query else ()


def _functions(stored: str) -> tuple[Function, ...]:
    return tuple((signature, line) for signature, line in json.loads(stored))


def _prior(name: str, age_s: float, uses: Mapping[str, Uses]) -> float:
    """A factor near 1: up to 1.1 for a new one, and 0.8 to 1.2 for how its uses ended."""
    use = uses.get(name, Uses())
    recent = 0.5 ** (max(age_s, 0.0) / HALF_LIFE_S)
    return (1 + 0.1 * float(recent)) * (1 + 0.2 * (use.good - use.bad) / (use.good + use.bad + 4))


def _fused(good: list[Found], near: list[str], found: list[Found]) -> list[Found]:
    """By the sum of reciprocal ranks, where there are vectors."""
    if not near:
        return good
    ranks: dict[str, float] = {}
    for paths in ([skill.path for skill in good], near):
        for rank, path in enumerate(paths, start=1):
            ranks[path] = ranks.get(path, 0.0) + 1 / (RANKS + rank)
    fused = [replace(skill, score=ranks[skill.path]) for skill in found if skill.path in ranks]
    return sorted(fused, key=lambda skill: (-skill.score, skill.name))
