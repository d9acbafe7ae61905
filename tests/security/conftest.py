"""One closed and one open room for a whole module: starting them is what takes time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .rooms import Cells, room

# jupyter_client's blocking client leaves its event loop to the garbage collector.
IGNORED = ("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            for warning in IGNORED:
                item.add_marker(pytest.mark.filterwarnings(warning))
            if not shutil.which("bwrap"):
                item.add_marker(pytest.mark.usefixtures("sandbox"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The person's things, and in `work` the notebook's folder."""
    folder = tmp_path_factory.mktemp("person")
    (folder / "work").mkdir()
    (folder / "secret.txt").write_text("canary")
    return folder


@pytest.fixture(scope="module")
def closed(base: Path) -> Iterator[Cells]:
    with room("bubblewrap", base / "work") as cells:
        yield cells


@pytest.fixture(scope="module")
def unprotected(base: Path) -> Iterator[Cells]:
    """The kind `none`: what succeeds here shows that the attack is one."""
    with room("none", base / "work") as cells:
        yield cells
