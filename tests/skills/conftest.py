"""What tests of the search share. Other tests of skills have libraries of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_codeact.skills.index import Index
from jupyter_codeact.skills.search import Search

from .searching import CSV, GP, PLOT, Make


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    for name, source in {"gp_fit": GP, "tables": CSV, "maps": PLOT}.items():
        (folder / f"{name}.py").write_text(source)
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


@pytest.fixture
def opened(library: Path, file: Path) -> Iterator[Make]:
    """`opened(…)` is another search over the library, as another process would make it."""
    made: list[Search] = []

    def open_search(*others: Path, path: Path | None = file, **options) -> Search:
        made.append(Search(Index(path), [library, *others], **options))
        return made[-1]

    yield open_search
    for search in made:
        search.index.close()
