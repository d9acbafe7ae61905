"""One JupyterLab and one model server for all browser tests; each test has its own notebook, kernel and page."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from servers import ModelServer

from .lab import CHROMIUM, Notebook, Notebook7, browser_page, jupyterlab

SHOTS = Path(__file__).resolve().parent.parent.parent / "build" / "screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(scope="session")
def chromium() -> None:
    """Skips aloud where a person has no Chromium; CI must have one."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is required in CI")
        pytest.skip("no Chromium: `python3 setup_kernel.py --test` installs it, or says how")


@pytest.fixture(scope="session")
def service() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="session")
def lab(
    chromium: None, service: ModelServer, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[tuple[str, Path]]:
    """Address and folder of a JupyterLab whose kernels talk to ``service``, Anthropic-style."""
    folder = tmp_path_factory.mktemp("lab")
    # Another environment's front end has our extension, and the libraries', from here.
    extensions = Path(sys.prefix, "share", "jupyter")
    environment = {
        "JUPYTER_CODEACT_HOME": str(folder / ".codeact"),
        "JUPYTER_CODEACT_MODEL": "anthropic/claude-sonnet-4-5",
        "JUPYTER_CODEACT_API_BASE": service.anthropic_base,
        "ANTHROPIC_API_KEY": "sk-test",
        "JUPYTER_PATH": f"{os.environ['JUPYTER_PATH']}{os.pathsep}{extensions}",
    }
    python, program = (str(pytestconfig.getoption(name)) for name in ("--front-end-python", "--front-end"))
    with jupyterlab(folder, environment, python, program) as address:
        yield address, folder


@pytest.fixture
async def notebook(
    sandbox: None, lab: tuple[str, Path], service: ModelServer, pytestconfig: pytest.Config
) -> AsyncIterator[Notebook]:
    service.reset()
    kind = Notebook7 if pytestconfig.getoption("--front-end") == "notebook" else Notebook
    async with browser_page() as page:
        notebook = kind(page, *lab)
        yield notebook
        await notebook.close()


@pytest.fixture
def shots() -> Path:
    """Where pictures go that somebody should look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS
