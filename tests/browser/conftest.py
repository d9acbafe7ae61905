"""One JupyterLab and one model server for all browser tests; each test has its own notebook, kernel and page."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from servers import ModelServer

from .lab import CHROMIUM, Notebook, browser_page, jupyterlab

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
def lab(chromium: None, service: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address and folder of a JupyterLab whose kernels talk to ``service``, Anthropic-style."""
    folder = tmp_path_factory.mktemp("lab")
    environment = {
        "JUPYTER_CODEACT_HOME": str(folder / ".codeact"),
        "JUPYTER_CODEACT_MODEL": "anthropic/claude-sonnet-4-5",
        "JUPYTER_CODEACT_API_BASE": service.anthropic_base,
        "ANTHROPIC_API_KEY": "sk-test",
    }
    with jupyterlab(folder, environment) as address:
        yield address, folder


@pytest.fixture
async def notebook(sandbox: None, lab: tuple[str, Path], service: ModelServer) -> AsyncIterator[Notebook]:
    service.reset()
    async with browser_page() as page:
        notebook = Notebook(page, *lab)
        yield notebook
        await notebook.close()


@pytest.fixture
def shots() -> Path:
    """Where pictures go that somebody should look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS
