"""A folder for a while, in which a sandbox worked, goes with all that is in it and with nothing else."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_codeact.files import temporary

from .rooms import AS_ROOT

NOBODY = 65534


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where an ordinary user's folders for a while are."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    if AS_ROOT:
        os.chown(folder, NOBODY, NOBODY)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


def as_an_ordinary_user(hers: Path) -> None:
    """What is done in a process of its own, where nothing may be removed from a closed folder."""
    if AS_ROOT:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    hers.touch(0o400)
    with temporary("trial") as folder:
        closed = Path(folder, "closed")
        closed.mkdir()
        (closed / "link").symlink_to(hers)
        closed.chmod(0o500)
        Path(folder, "sealed").mkdir(0)


def test_what_a_link_in_a_closed_folder_leads_to_keeps_its_mode(ours: Path) -> None:
    """Python's own way to tidy up has set it, in versions before 3.11.8 and 3.12.1."""
    child = os.fork()
    if child == 0:
        done = 1
        try:
            as_an_ordinary_user(ours / "hers")
            done = 0
        finally:
            os._exit(done)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [path.name for path in ours.iterdir()] == ["hers"]
    assert (ours / "hers").stat().st_mode & 0o777 == 0o400


def test_however_deep_it_is_it_goes(ours: Path) -> None:
    with temporary("trial") as folder:
        descriptor = os.open(folder, os.O_RDONLY)
        for _ in range(2000):
            os.mkdir("d", dir_fd=descriptor)
            inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        os.close(descriptor)
    assert not [*ours.iterdir()]
