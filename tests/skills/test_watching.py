"""The folders are not looked through where nothing has happened, and every change is seen at the next search."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_codeact.skills import watching
from jupyter_codeact.skills.search import Search

from .searching import Make, found

ZEBRA = '"""Count a zebra."""\n'
CAMEL = '"""Count a camel."""\n'


def in_place(library: Path) -> None:
    """Without a change of the folder, as some editors write."""
    with open(library / "plain.py", "r+") as file:
        file.write(ZEBRA)


def replaced(library: Path) -> None:
    (library / "new.tmp").write_text(ZEBRA)
    os.replace(library / "new.tmp", library / "plain.py")


def created(library: Path) -> None:
    (library / "fresh.py").write_text(ZEBRA)


def in_a_package(library: Path) -> None:
    (library / "whole" / "__init__.py").write_text(ZEBRA)


def behind_an_api(library: Path) -> None:
    """Of the same size and age as before."""
    before = (library / "whole" / "impl.py").stat()
    (library / "new.tmp").write_text(ZEBRA)
    os.utime(library / "new.tmp", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(library / "new.tmp", library / "whole" / "impl.py")


def deep_behind_an_api(library: Path) -> None:
    (library / "whole" / "deep" / "impl.py").write_text(ZEBRA)


def an_api_for_a_package(library: Path) -> None:
    (library / "whole" / "api.py").write_text(ZEBRA)


def a_package_out_of_a_folder(library: Path) -> None:
    (library / "bare" / "__init__.py").write_text(ZEBRA)


def a_package_out_of_nothing(library: Path) -> None:
    (library / "late").mkdir()
    (library / "late" / "__init__.py").write_text(ZEBRA)


def behind_a_link(library: Path) -> None:
    (library / ".kept" / "target.py").write_text(ZEBRA)


def behind_a_link_to_nowhere(library: Path) -> None:
    (library / ".kept" / "nowhere.py").write_text(ZEBRA)


def by_another_name(library: Path) -> None:
    (library.parent / "other.py").write_text(ZEBRA)


def with_the_folder(library: Path) -> None:
    library.rename(library.parent / "old")
    shutil.copytree(library.parent / "old", library, symlinks=True)
    (library / "plain.py").write_text(ZEBRA)


def in_a_folder_that_was_not_there(library: Path) -> None:
    (library.parent / "shared").mkdir()
    (library.parent / "shared" / "theirs.py").write_text(ZEBRA)


EDITS = [in_place, replaced, created, in_a_package, an_api_for_a_package, a_package_out_of_a_folder]
EDITS += [a_package_out_of_nothing, behind_an_api, deep_behind_an_api, with_the_folder, in_a_folder_that_was_not_there]
LINKED = [behind_a_link, behind_a_link_to_nowhere, by_another_name]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    for name in ("whole", "bare"):
        (folder / name).mkdir(parents=True)
    (folder / "plain.py").write_text(CAMEL)
    (folder / "whole" / "deep").mkdir()
    (folder / "whole" / "__init__.py").write_text(f"{CAMEL}from .impl import *\nfrom .deep.impl import *\n")
    for part in ("impl.py", "deep/impl.py"):
        (folder / "whole" / part).write_text(CAMEL)
    return folder


@pytest.mark.parametrize("edit", EDITS + LINKED)
def test_whatever_is_changed_by_hand_is_seen_at_the_next_search(
    opened: Make, library: Path, edit: Callable[[Path], None]
) -> None:
    outside = library.parent
    kept = library / ".kept"
    kept.mkdir()
    if edit is behind_a_link:
        (kept / "target.py").write_text(CAMEL)
        (library / "linked.py").symlink_to(kept / "target.py")
    elif edit is behind_a_link_to_nowhere:
        (library / "linked.py").symlink_to(".kept/nowhere.py")
    elif edit is by_another_name:
        (outside / "other.py").write_text(CAMEL)
        os.link(outside / "other.py", library / "linked.py")
    search = opened(outside / "shared")
    for _ in range(3):
        assert found(search, "zebra") == []
    edit(library)
    assert len(found(search, "zebra")) == 1
    assert len(found(search, "zebra")) == 1


def test_where_nothing_happened_nothing_is_looked_at(opened: Make, library: Path) -> None:
    search = opened()
    first = looked_at(search)
    assert looked_at(search) is first
    search.index.used("plain", ok=True)
    assert looked_at(search) is first
    in_place(library)
    second = looked_at(search)
    assert second is not first
    assert looked_at(search) is second


def looked_at(search: Search) -> object:
    """The same thing again where nothing was."""
    return search.index.update(search.folders, lambda _: {})


def test_an_index_that_was_made_anew_is_filled_again(opened: Make, library: Path, file: Path) -> None:
    search = opened()
    assert len(found(search, "camel")) == 2
    search.index.database.execute("DROP TABLE texts")
    assert len(found(search, "camel")) == 2


def test_where_nothing_can_be_watched_folders_are_looked_through(
    opened: Make, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system of another machine."""
    monkeypatch.setattr(watching, "_LOCAL", set())
    search = opened()
    assert looked_at(search) is not looked_at(search)
    in_place(library)
    assert found(search, "zebra") == ["plain"]
