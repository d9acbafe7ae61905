"""A sandbox has the working folder that it was opened for: its name may be swapped between a look and the mount."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_codeact.errors import SandboxDied, SandboxUnavailable
from jupyter_codeact.files import Identity
from jupyter_codeact.headless.kernel import SandboxKernel
from jupyter_codeact.notebook.running import finish
from jupyter_codeact.sandbox.launch import Sandbox, open_sandbox

from .rooms import started

LOOK = "__import__('os').listdir('.')"
SAID = "is no longer the folder that it was when this began"


@pytest.fixture
def hers(tmp_path: Path) -> Path:
    folder = tmp_path / "hers"
    folder.mkdir()
    (folder / "secret.txt").write_text("canary")
    return folder


@pytest.fixture
def swapped(tmp_path: Path, hers: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """`swapped(work)`: a link to hers takes its place when a sandbox is opened, between a look at it and the mount.

    That is when bubblewrap is asked for its options.
    """

    real = shutil.which("bwrap")

    def arrange(work: Path) -> None:
        # What a program's options are is remembered.
        program = Path(tempfile.mkdtemp(dir=tmp_path), "bwrap")
        swap = f"mv '{work}' '{work}-before' && ln -s '{hers}' '{work}'"
        program.write_text(f'#!/bin/sh\n[ "$1" != --help ] || [ -L \'{work}\' ] || {{ {swap}; }}\nexec {real} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    return arrange


def opener(work: Path, known: Identity | None) -> Callable[[], Sandbox]:
    return lambda: open_sandbox("bubblewrap", sys.executable, str(work), known=known)


def swap(work: Path, target: Path) -> None:
    work.rename(f"{work}-before")
    work.symlink_to(target)


def put_back(work: Path) -> None:
    work.unlink()
    Path(f"{work}-before").rename(work)


async def test_one_whose_folder_is_swapped_while_it_starts_is_asked_nothing(
    work: Path, hers: Path, swapped: Callable[[Path], None]
) -> None:
    known = Identity.of(work)
    swapped(work)
    with pytest.raises(SandboxUnavailable, match=f"{work} {SAID}"):
        async with SandboxKernel(opener(work, known)):
            pass
    put_back(work)
    swapped(work)
    async with SandboxKernel(opener(work, None)) as kernel:
        assert "secret.txt" in await kernel.evaluate(LOOK), "the danger is real"


@pytest.mark.parametrize("meanwhile", [True, False])
async def test_nor_is_one_that_follows_another(
    work: Path, hers: Path, swapped: Callable[[Path], None], meanwhile: bool
) -> None:
    """Its folder is swapped before it starts, or while it does."""
    async with SandboxKernel(opener(work, Identity.of(work))) as kernel:
        assert await kernel.evaluate(LOOK) == "[]"
        if meanwhile:
            swapped(work)
        else:
            swap(work, hers)
        await kernel.run("import os; os._exit(1)").ended
        with pytest.raises(SandboxDied, match=f"no other one could be opened. {work} {SAID}"):
            await kernel.evaluate(LOOK)
        assert SAID in str((await finish(kernel, kernel.run("print(1)"), 30)).outputs)
        with pytest.raises(SandboxUnavailable, match=SAID):
            await kernel.restart()


def test_a_notebooks_kernel_says_so_and_runs_nothing(
    work: Path, home: Path, hers: Path, swapped: Callable[[Path], None]
) -> None:
    """Its folder is its own current one, whatever is called so."""
    (work / "nb").mkdir()
    swapped(work / "nb")
    with started(work / "nb") as kernel:
        printed, said = kernel.run("print(open('secret.txt').read())")
    assert (printed, f"{work / 'nb'} {SAID}" in said) == ("", True)


@pytest.mark.parametrize("known", [True, False])
async def test_in_her_home_it_is_seen_as_well(work: Path, monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    """Which is shown as another folder, with what it holds."""
    monkeypatch.setenv("HOME", str(work))
    (work / "shown").touch()
    async with SandboxKernel(opener(work, Identity.of(work) if known else None)) as kernel:
        assert await kernel.evaluate(LOOK) == "['shown']"
