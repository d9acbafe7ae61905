"""A real JupyterLab in a real Chromium, as a person uses it: by keyboard, by buttons with names, by what is visible."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import nbformat
from helpers import PATIENCE_S
from nbformat.v4 import new_code_cell, new_notebook
from playwright.async_api import Locator, Page, async_playwright, expect

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SLOW_MS = PATIENCE_S * 1000
expect.set_options(timeout=SLOW_MS)


@contextmanager
def jupyterlab(
    folder: Path, environment: dict[str, str], python: str = sys.executable, program: str = "jupyterlab"
) -> Iterator[str]:
    """A server of its own on ``folder``, with settings of its own; yields its address. ``program`` may be notebook."""
    port = _free_port()
    settings = folder / ".settings"
    _write_settings(settings)
    variables = dict(os.environ) | environment
    variables |= {"JUPYTER_CONFIG_DIR": str(settings), "JUPYTER_DATA_DIR": str(settings / "data")}
    options = [f"--ServerApp.port={port}", f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"]
    options += ["--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True"]
    options += ["--expose-app-in-browser", "--LabApp.news_url=None", "--allow-root", "--no-browser"]
    command = [python, "-m", program, *options]
    with (folder / ".server.log").open("wb") as log:
        server = subprocess.Popen(command, env=variables, stdout=log, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, server)
            yield address
        finally:
            server.terminate()
            server.wait(PATIENCE_S)


def _write_settings(settings: Path) -> None:
    """No questions about news, no autosave in the middle of a test, no network."""
    folder = settings / "lab" / "user-settings" / "@jupyterlab"
    for extension, text in {
        "apputils-extension/notification": '{"checkForUpdates": false, "fetchNews": "false"}',
        "docmanager-extension/plugin": '{"autosave": false}',
    }.items():
        path = folder / f"{extension}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Until the server answers; it has no other way of saying that it is up."""
    while True:
        try:
            urllib.request.urlopen(f"{address}/api", timeout=5).close()
        except OSError:
            assert server.poll() is None, "JupyterLab ended while it started"
            time.sleep(0.1)
        else:
            return


@asynccontextmanager
async def browser_page(width: int = 1200, height: int = 900) -> AsyncIterator[Page]:
    """A page of a fresh Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(SLOW_MS)
        try:
            yield page
        finally:
            await browser.close()


class Notebook:
    """One notebook, open in a page of JupyterLab."""

    PATH = "lab/workspaces/{window}/tree/{name}.ipynb?reset"

    def __init__(self, page: Page, address: str, folder: Path) -> None:
        self.page = page
        self.address = address
        self._folder = folder
        self._name = ""

    async def open(self, name: str, *sources: str, kernel: str = "codeact", **metadata: object) -> None:
        """Write a notebook with these cells and open it, kernel and all."""
        nb = new_notebook(cells=[new_code_cell(source) for source in sources])
        nb.metadata.kernelspec = {"name": kernel, "display_name": "Python 3 (CodeAct)", "language": "python"}
        nb.metadata |= metadata
        nbformat.write(nb, self._folder / f"{name}.ipynb")
        self._name = name
        await self._visit()
        await self._settled("idle")

    async def _visit(self, window: str = "") -> None:
        path = self.PATH.format(name=self._name, window=self._name + window)
        await self.page.goto(f"{self.address}/{path}")

    async def _settled(self, status: str) -> None:
        await self.page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell")
        # JupyterLab drops, without a word, a cell that is run before its session is ready.
        await self.page.evaluate(
            "async () => { const context = jupyterapp.shell.currentWidget.sessionContext;"
            " await context.ready; await context.session.kernel.info; }"
        )
        await self.page.wait_for_selector(f".jp-Notebook-ExecutionIndicator[data-status={status}]")

    async def reload(self) -> None:
        """Save and load the page anew, as F5 does."""
        await self.run_command("docmanager:save")
        await self._visit()
        await self.page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")

    async def in_second_window(self) -> Notebook:
        """Save, and open the same notebook in a window of its own, with the same kernel."""
        await self.run_command("docmanager:save")
        browser = self.page.context.browser
        assert browser is not None
        page = await browser.new_page()
        page.set_default_timeout(SLOW_MS)
        second = type(self)(page, self.address, self._folder)
        second._name = self._name
        await second._visit("-second")
        await page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
        return second

    async def close(self) -> None:
        """Shut the kernel down: the next test has its own."""
        await self.page.evaluate(
            "async () => { for (const s of [...jupyterapp.serviceManager.sessions.running()])"
            " await jupyterapp.serviceManager.sessions.shutdown(s.id); }"
        )

    async def run_command(self, command: str) -> None:
        await self.page.evaluate("async name => { await jupyterapp.commands.execute(name); }", command)

    async def begin_command(self, command: str) -> None:
        """Without waiting for its end, which of a command that runs cells is theirs."""
        await self.page.evaluate("name => { jupyterapp.commands.execute(name); }", command)

    # ---- what there is

    def cell(self, number: int) -> Locator:
        """The cell at a place, from 0."""
        return self.page.locator(".jp-NotebookPanel .jp-Cell").nth(number)

    @property
    def proposed(self) -> Locator:
        return self.page.locator(".jp-CodeAct-proposed")

    @property
    def bar(self) -> Locator:
        """The bar of the open proposal."""
        return self.page.get_by_role("toolbar", name="Agent's proposal")

    def button(self, name: str) -> Locator:
        return self.bar.get_by_role("button", name=name, exact=name != "Run")

    async def cells(self) -> list[dict[str, Any]]:
        """The document as it would be saved."""
        document = await self.page.evaluate("() => jupyterapp.shell.currentWidget.content.model.toJSON()")
        return list(document["cells"])

    async def saved(self) -> Any:
        """The file, once it has been saved."""
        await self.run_command("docmanager:save")
        return nbformat.read(self._folder / f"{self._name}.ipynb", as_version=4)

    async def sources(self) -> list[str]:
        return ["".join(cell["source"]) for cell in await self.cells()]

    async def marks(self) -> list[dict[str, Any]]:
        """What the agent's cells say of themselves."""
        return [c["metadata"]["jupyter_codeact"] for c in await self.cells() if "jupyter_codeact" in c["metadata"]]

    async def focus_is_in_notebook(self) -> bool:
        return bool(await self.page.evaluate("() => !!document.activeElement.closest('.jp-Notebook')"))

    async def active_cell(self) -> int:
        return int(await self.page.evaluate("() => jupyterapp.shell.currentWidget.content.activeCellIndex"))

    # ---- what she does

    async def run_cell(self, number: int) -> None:
        """Click into a cell and press Shift+Enter."""
        await self.cell(number).locator(".cm-content").click()
        await self.page.keyboard.press("Shift+Enter")

    async def press_tab(self, number: int) -> None:
        """Click into a cell and have its end completed, if anything is offered."""
        await self.cell(number).locator(".cm-content").click()
        await self.page.keyboard.press("End")
        await self.page.keyboard.press("Tab")

    async def press_restart(self) -> None:
        """Restart the kernel, and say yes to the question."""
        # The command ends with the restart, and waits for the answer before.
        await self.page.evaluate("() => { window.restarted = jupyterapp.commands.execute('notebook:restart-kernel'); }")
        await self.page.locator(".jp-Dialog .jp-mod-accept").click()
        await self.page.evaluate("async () => { await window.restarted; }")
        await self.idle()

    async def restart_and_run_all(self) -> None:
        """Restart the kernel and run all cells, and say yes to the question; the cells may still be at work."""
        await self.begin_command("notebook:restart-run-all")
        await self.page.locator(".jp-Dialog .jp-mod-accept").click()

    async def ready(self) -> Locator:
        """The bar, once the proposal can be run."""
        await self.bar.wait_for()
        return self.bar

    async def idle(self) -> None:
        await self._settled("idle")

    async def until_output(self, number: int, text: str) -> None:
        await self.cell(number).locator(".jp-OutputArea", has_text=text).first.wait_for()


class Notebook7(Notebook):
    """One notebook, open in a page of Notebook 7."""

    PATH = "notebooks/{name}.ipynb"
