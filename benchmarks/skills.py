#!/usr/bin/env python3
"""P7 and recall: the search for skills beside a plain FTS5 query.

    python benchmarks/skills.py [--rounds 10] [--embedding-model NAME] [--api-base URL] [--write]

recall@3: the share of the queries in skills.yaml whose skill is among the first three, in a library of all of them.
Fused: with the vectors of an embedding model, or, where none is given, of a latent semantic analysis of the skills
themselves (scikit-learn), which knows no words but theirs.
With notes: each skill has one of its own queries as the prompt that it was saved on, and the others are asked, in turn.
"A query" is all that a prompt waits for, the look whether something has changed included.
Times are of 10,000 modules that are made up; the median with the smallest and largest. ``--write`` puts the tables
into benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from results import spread, table, taken, write_section

from jupyter_codeact.events import RanCell
from jupyter_codeact.models.embedding import Embeddings
from jupyter_codeact.skills.checks import problems, warnings
from jupyter_codeact.skills.contents import contents_of, split_words
from jupyter_codeact.skills.docstrings import with_stubs
from jupyter_codeact.skills.files import Module
from jupyter_codeact.skills.history import Note
from jupyter_codeact.skills.index import Index
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.search import MOST_WORDS, Search, query_of, words_of
from jupyter_codeact.skills.selection import module_from

LABELLED = Path(__file__).with_name("skills.yaml")
MODULES = 10_000
FIRST = 3
SAVED = '''def mean_of(values, times={number}):
    """The mean of some values, a few times.

    >>> mean_of([1, 3], 2)
    4.0
    """
    return float(np.mean(values)) * times
'''
SCOPE = ["df DataFrame customer_id int64, amount float64", "x ndarray", "model RandomForestClassifier"]


@contextmanager
def searched(sources: dict[str, str], **options: Any) -> Iterator[tuple[Search, Path]]:
    """A search over a library of these modules; the index is not made yet."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        library.mkdir()
        for name, source in sources.items():
            (library / f"{name}.py").write_text(source)
        index = Index(Path(folder) / "index.sqlite")
        with closing(index):
            yield Search(index, [library], **options), library


def recall(queries: list[tuple[str, str]], search: Search) -> tuple[float, list[str]]:
    """The share that is found, and the queries that are not."""
    missed = [text for text, name in queries if name not in [f.name for f in search.find(text, most=FIRST)]]
    return 1 - len(missed) / len(queries), missed


def analysed(texts: Sequence[str]) -> Callable[[Sequence[str]], list[list[float]]]:
    """Vectors by latent semantic analysis: of word beginnings that stand in the same texts."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    counted = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    model = make_pipeline(counted, TruncatedSVD(min(100, len(texts) - 1), random_state=0)).fit(texts)
    return lambda asked: [[float(number) for number in row] for row in model.transform(list(asked))]


def with_notes(skills: dict[str, str], queries: dict[str, list[str]]) -> tuple[float, float]:
    """The recall of the queries that are no notes: without any, and with one of each skill's own as its note."""
    plain, noted = [], []
    for fold in range(2):
        notes = {name: texts[fold % len(texts)] for name, texts in queries.items()}
        asked = [(text, name) for name, texts in queries.items() for text in texts if text != notes[name]]
        for results, known in ((plain, {}), (noted, notes)):
            with searched(skills, notes=partial(_notes, known)) as (search, _):
                results.append(recall(asked, search)[0])
    return statistics.mean(plain), statistics.mean(noted)


def _notes(known: dict[str, str], modules: Sequence[Module]) -> dict[str, str]:
    return {module.path: known.get(module.name, "") for module in modules}


def made_up(count: int, words: list[str]) -> dict[str, str]:
    """Modules of two functions in the words of the labelled library, so that the queries meet many of them."""
    chance = random.Random(0)
    return dict(_module(chance, number, words) for number in range(count))


def _module(chance: random.Random, number: int, words: list[str]) -> tuple[str, str]:
    one, other, first, second, *said = (chance.choice(words) for _ in range(30))
    source = f'''"""{" ".join(said[:8]).capitalize()}."""

import numpy as np


def {one}_{other}({first}, {second}, size=10):
    """{" ".join(said[8:18]).capitalize()}."""
    total = np.mean({first}) + np.std({second})
    return total * size


def {other}_{first}({second}):
    """{" ".join(said[18:]).capitalize()}."""
    return np.sort({second})
'''
    return f"{one}_{other}_{number}", source


def all_words_of(skills: dict[str, str]) -> list[str]:
    """Each as often as it stands there."""
    docs = (contents_of(source).docs for source in skills.values())
    return [word for text in docs for word in split_words(text) if word.isidentifier()]


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def times(queries: list[str], words: list[str], rounds: int) -> dict[str, list[float]]:
    """By figure, in ms: one value a round; of queries the median of all in a round."""
    found: dict[str, list[float]] = {name: [] for name in FIGURES}
    with searched(made_up(MODULES, words)) as (search, library):
        found["cold build"].append(milliseconds(search.update))
        kept = Library(library, history=library.parent / "history")
        changed = sorted(library.iterdir())[MODULES // 2]
        for number in range(rounds):
            search.update()
            found["is it up to date?"].append(milliseconds(search.update))
            found["query, all of it"].append(median_of(queries, partial(search.find, scope=SCOPE)))
            visible = search.update()
            found["query, up to date"].append(median_of(queries, partial(search.found, scope=SCOPE, visible=visible)))
            found["plain FTS5 query"].append(median_of(queries, partial(plain, search.index.database)))
            changed.write_text(changed.read_text() + f"# {number}\n")
            found["update with one changed"].append(milliseconds(search.update))
            found["save, all but the sandbox"].append(milliseconds(partial(saved, kept, number)))
            print(f"round {number + 1} of {rounds}", flush=True)
    return found


def saved(library: Library, number: int) -> None:
    """All that `%skill save` does but for the fresh sandbox, of a function and the import that it needs."""
    sources = ("import numpy as np", SAVED.format(number=number))
    cells = [RanCell(count, str(count), source, True) for count, source in enumerate(sources, start=1)]
    files = {"saved.py": with_stubs(module_from(cells, cells, []))}
    assert not problems(files)
    warnings(files)
    library.write("saved", files, Note("you", "Saved from cells"))


def median_of(queries: list[str], ask: Callable[[str], object]) -> float:
    return statistics.median(milliseconds(partial(ask, text)) for text in queries)


def plain(database: sqlite3.Connection, text: str) -> list[tuple[int]]:
    statement = "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT 5"
    return database.execute(statement, (query_of(words_of(text)[:MOST_WORDS]),)).fetchall()


FIGURES = {
    "query, all of it": "≤ 10 ms",
    "save, all but the sandbox": "≤ 100 ms",
    "query, up to date": "",
    "plain FTS5 query": "",
    "is it up to date?": "",
    "update with one changed": "",
    "cold build": "",
}


def report(options: argparse.Namespace) -> str:
    labelled = yaml.safe_load(LABELLED.read_text())
    queries = [(text, name) for name, texts in labelled["queries"].items() for text in texts]
    if options.embedding_model:
        name, embed = options.embedding_model, Embeddings(options.embedding_model, options.api_base)
    else:
        name, embed = "LSA of these skills", analysed([*labelled["skills"].values()])
    with searched(labelled["skills"]) as (search, _):
        words, missed = recall(queries, search)
    print("not found:", *missed, sep="\n  ")
    with searched(labelled["skills"], embed=embed, embeds=name) as (search, _):
        share, _missed = recall(queries, search)
        fused = search.problem or f"{share:.3f}"
    before, after = with_notes(labelled["skills"], labelled["queries"])
    about = f"{len(queries)} queries, {len(labelled['skills'])} skills"
    quality = table(
        ["figure", about],
        [
            [f"recall@{FIRST}, BM25 alone", f"{words:.3f}"],
            [f"recall@{FIRST} of the queries that are no note, without notes", f"{before:.3f}"],
            [f"recall@{FIRST} of the same, with a note for each skill", f"{after:.3f}"],
            [f"recall@{FIRST}, fused with vectors ({name})", fused],
        ],
    )
    measured = times([text for text, _ in queries], all_words_of(labelled["skills"]), options.rounds)
    rows = [[f"P7 {name}", f"{spread(measured[name])} ms", target] for name, target in FIGURES.items()]
    packages = [("SQLite", sqlite3.sqlite_version)]
    speed = table(["figure", f"{MODULES:,} modules", "target"], rows)
    return f"{taken(packages, options.rounds)}{quality}\n{speed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--embedding-model", default="", help="a litellm name; without one, an LSA of the skills")
    parser.add_argument("--api-base", default=None, help="address of that model's service")
    parser.add_argument("--write", action="store_true", help="write its section of benchmarks/results.md")
    options = parser.parse_args()
    text = report(options)
    print(text)
    if options.write:
        write_section("skills.py", text)


if __name__ == "__main__":
    main()
