"""Shared by all tests: kernels installed for tests alone, in folders of their own, and documents run in them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from nbformat.v4 import new_code_cell, new_notebook

sys.path.insert(0, str(Path(__file__).parent))

from servers import ModelServer

from jupyter_codeact.cli import main
from jupyter_codeact.notebook.document import Document, Review, run_all

ROOT = Path(__file__).resolve().parent.parent
# How long an example takes depends on what else the machine does.
settings.register_profile("codeact", deadline=None)
settings.load_profile("codeact")
NEEDED = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE")


def pytest_addoption(parser: pytest.Parser) -> None:
    help_ = "whose pages the browser tests see: jupyterlab or notebook"
    parser.addoption("--front-end", choices=("jupyterlab", "notebook"), default="jupyterlab", help=help_)
    parser.addoption("--front-end-python", default=sys.executable, help="the Python of an environment that has it")


# What takes long begins first, so that no worker is left alone with a long file; not all of JupyterLab at once.
LONG = ("browser/test_review", "story", "kernel", "browser", "security", "magics", "cli", "skills")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.path.relative_to(ROOT / "tests").as_posix()))


def _rank(path: str) -> int:
    return next((rank for rank, name in enumerate(LONG) if path.startswith(name)), len(LONG))


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A shell starts what runs in its background with Ctrl-C ignored, and so would be what the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def kernelspec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kernelspec of this checkout, for this Python, found before any that is installed."""
    folder = tmp_path_factory.mktemp("jupyter")
    spec = json.loads((ROOT / "kernelspec" / "kernel.json").read_text())
    spec["argv"][0] = sys.executable
    target = folder / "kernels" / "codeact"
    shutil.copytree(ROOT / "kernelspec", target)
    (target / "kernel.json").write_text(json.dumps(spec))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        patch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        for name in [name for name in os.environ if name.endswith("_API_KEY") or name.startswith("JUPYTER_CODEACT")]:
            patch.delenv(name)
        # One test's kernel would be the next one's otherwise.
        patch.setenv("JUPYTER_CODEACT_RESERVE", "0")
        yield folder


@pytest.fixture(scope="session")
def sandbox() -> None:
    """Needs bubblewrap: skips aloud for a person without it, fails in CI."""
    if shutil.which("bwrap") is None:
        if os.environ.get("CI"):
            pytest.fail("bubblewrap is required in CI")
        pytest.skip("bubblewrap is not installed: `python3 setup_kernel.py` does it")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our data folder: skills, runs. Kernels that are started in the test use it."""
    folder = tmp_path / "home"
    monkeypatch.setenv("JUPYTER_CODEACT_HOME", str(folder))
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The notebook's folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def script(work: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`script(reply, …)` makes the kernel's model a scripted one with these replies (JSON is YAML, too)."""

    def write(*replies: dict[str, Any], delay_s: float = 0.0) -> None:
        (work / "script.yaml").write_text(json.dumps({"replies": list(replies), "delay_s": delay_s}))
        monkeypatch.setenv("JUPYTER_CODEACT_MODEL", "scripted/script")

    return write


@pytest.fixture
def opened(sandbox: None, home: Path, work: Path) -> Callable[..., Any]:
    """`async with opened("cell", …, review=…) as document` runs nothing yet: a document with its kernel."""

    @asynccontextmanager
    async def open_document(*sources: str, review: Review = run_all) -> AsyncIterator[Document]:
        nb = new_notebook(cells=[new_code_cell(source) for source in sources])
        async with Document(nb, review, resources={"metadata": {"path": str(work)}}) as document:
            yield document

    return open_document


@dataclass
class Done:
    """A command that has ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(
    work: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """`command("run", "--text", …)` is `jupyter codeact run --text …` in the working folder."""
    monkeypatch.chdir(work)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Done:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        return Done(code, *capsys.readouterr())

    return call
