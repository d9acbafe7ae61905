"""The demo writes its notebooks and plots where its cells write: what they put there is not written through."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from jupyter_codeact.cli import chapters
from jupyter_codeact.cli.chapters import CHAPTERS, Chapter
from jupyter_codeact.errors import ConfigError

PICTURE = new_output("display_data", data={"image/png": base64.b64encode(b"a plot").decode()})


@pytest.fixture
def hers(tmp_path: Path) -> Path:
    path = tmp_path / "hers.txt"
    path.write_text("precious")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the demo has run, with one plot."""
    folder = tmp_path / "demo"
    folder.mkdir()
    nbformat.write(new_notebook(cells=[new_code_cell("plot()", outputs=[PICTURE])]), folder / CHAPTERS[0].file)
    return folder


def test_a_link_in_the_place_of_a_plot_is_replaced(folder: Path, hers: Path) -> None:
    plot = folder / "plots" / f"{Path(CHAPTERS[0].file).stem}-1.png"
    plot.parent.mkdir()
    plot.symlink_to(hers)
    chapters._pictures(folder)
    assert (plot.read_bytes(), plot.is_symlink(), hers.read_text()) == (b"a plot", False, "precious")


def test_a_link_in_the_place_of_their_folder_is_refused(folder: Path, hers: Path) -> None:
    (folder / "plots").symlink_to(hers.parent)
    with pytest.raises(ConfigError, match=r"plots is a link to .*, and code in a sandbox may have put it there"):
        chapters._pictures(folder)
    assert not [*hers.parent.glob("*.png")]


def test_one_in_the_place_of_a_notebook_is_replaced_too(folder: Path, hers: Path) -> None:
    (folder / "story.ipynb").symlink_to(hers)
    asyncio.run(chapters._tell(Chapter("story.ipynb", "A story", "x", [], []), "", folder))
    assert nbformat.read(folder / "story.ipynb", as_version=4).cells[0].source == "# A story"
    assert (hers.read_text(), (folder / "story.ipynb").is_symlink()) == ("precious", False)
