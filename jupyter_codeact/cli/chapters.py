"""The main job, from a terminal: one agent develops a skill, another one uses it in a new notebook."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from rich.console import Console

from .. import config
from ..errors import ConfigError
from ..files import by_descriptor, folder_in, write_atomically
from ..headless.solve import READABLE
from ..headless.workspace import fresh_workspace, part_of
from ..notebook.document import Document
from ..parsing import parse
from ..parts import open_model
from .options import own_settings

Check = Callable[[NotebookNode, list[NotebookNode], Path], str | None]
DEVELOP = [
    "generate 30 noisy samples from a sine function and fit them with a Gaussian process; plot the result",
    "store these as functions gp_fit (fit a GP to data) and plot_pred (plot its predictions) in a module gp_fit.py",
    "change the default value of n_restarts in the stored module to 15",
    "test the reloaded module on noisy samples of a cosine, and plot",
]
REUSE = [
    "generate noisy samples from a non-linear function of your choice, fit them with a GP and plot the predictions"
]
NEEDED = ("matplotlib", "numpy", "sklearn")
# Paths and commands are to be copied: the terminal may wrap them, we must not.
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Chapter:
    """One notebook of the demo: its prompts, and what must be true after each."""

    file: str
    title: str
    script: str
    prompts: list[str]
    checks: list[Check]
    options: str = ""


def run_demo(model: str, out: str) -> int:
    """Run both notebooks. 0 only if every step held."""
    _check(model)
    folder = _fresh(Path(os.path.abspath(out)))
    console.print(f"\n[bold]The CodeAct demo[/]: an agent develops a skill, another one uses it. Results: {folder}")
    console.print(_about(model) + "\n")
    began = time.monotonic()
    try:
        failures = [failure for chapter in CHAPTERS for failure in asyncio.run(_tell(chapter, model, folder))]
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"The notebooks so far are in {folder}; the same command begins anew.") from None
    _pictures(folder)
    _report(folder, failures, time.monotonic() - began)
    return 1 if failures else 0


def _check(model: str) -> None:
    """Raises ConfigError for what would fail at every step."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f"The demo needs {', '.join(missing)}: `pip install matplotlib numpy scikit-learn`.")
    if model:
        open_model(replace(config.load().model_config(), name=model))


def _about(model: str) -> str:
    if model:
        return f"The model is {model}, for real; so is everything else."
    return (
        "The model is scripted: its replies are examples/gp_fit.yaml and examples/gp_reuse.yaml. Everything else is "
        "real.\nThe same with a real model, its key in the environment: "
        "[bold]python3 setup_kernel.py --demo --model anthropic/claude-sonnet-4-5[/]"
    )


def _fresh(folder: Path) -> Path:
    """Only what an earlier demo made is removed. Raises ConfigError where there is something else of these names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("codeact", "plots"):
        fresh_workspace(folder / name, None, folder, own_settings().made)
    return folder


async def _tell(chapter: Chapter, model: str, folder: Path) -> list[str]:
    """Run one notebook, save it whatever happens, and return what did not hold."""
    console.print(f"[bold]{chapter.title}[/]")
    nb = _notebook(chapter)
    environment = {"JUPYTER_CODEACT_HOME": str(folder / "codeact")}
    environment |= {"JUPYTER_CODEACT_MODEL": model or f"scripted/{chapter.script}"}
    failures: list[str] = []
    document = Document(nb, resources={"metadata": {"path": str(folder)}})
    try:
        with Variables(environment):
            async with document:
                prompts = [cell for cell in nb.cells if cell.cell_type == "code"]
                for cell, check in zip(prompts, chapter.checks, strict=True):
                    failures += await _step(document, cell, check, folder)
    finally:
        # What a cell has put there is replaced, and not written through.
        write_atomically(folder / chapter.file, nbformat.writes(nb) + "\n", READABLE)
    return failures


def _notebook(chapter: Chapter) -> NotebookNode:
    head = f"%%agent{chapter.options}"
    cells = [new_code_cell(f"{head if not number else '%%agent'}\n{p}") for number, p in enumerate(chapter.prompts)]
    nb: NotebookNode = new_notebook(cells=[new_markdown_cell(f"# {chapter.title}"), *cells])
    nb.metadata.kernelspec = {"name": "codeact", "display_name": "Python 3 (CodeAct)", "language": "python"}
    return nb


class Variables:
    """Environment of the kernels that are started inside."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def __enter__(self) -> None:
        self._before = dict(os.environ)
        os.environ.update(self._values)

    def __exit__(self, *_: object) -> None:
        os.environ.clear()
        os.environ.update(self._before)


async def _step(document: Document, cell: NotebookNode, check: Check, folder: Path) -> list[str]:
    """One prompt, with its progress on the screen; [] if what it must show is there."""
    prompt = cell.source.partition("\n")[2]
    console.print(f"  [cyan]%%agent[/] {prompt}")
    known = {other.id for other in document.nb.cells}
    began = time.monotonic()
    with console.status("") as status:
        watch = asyncio.create_task(_show_progress(document, status))
        reply = await document.run_cell(cell)
        watch.cancel()
    steps = [other for other in document.nb.cells if other.id not in known]
    for number, step in enumerate(steps, start=1):
        console.print(f"    cell {number}: {_first_words(step.source)}", style="dim")
    failure = _failed(cell) if reply != "ok" else check(cell, steps, folder)
    mark = "[green]passed[/]" if failure is None else f"[red]failed[/]: {failure}"
    console.print(f"    {mark} · {time.monotonic() - began:.1f} s")
    return [failure] if failure else []


async def _show_progress(document: Document, status: Any) -> None:
    seen = 0
    while True:
        for message in document.said[seen:]:
            if message["op"] == "status" and message["text"]:
                status.update(f"{message['text']} · {message['tokens']} tokens")
        seen = len(document.said)
        await asyncio.sleep(0.1)


def _first_words(source: str) -> str:
    lines = [line for line in source.splitlines() if line.strip()]
    return f"{lines[0][:80]}{f'  … {len(lines)} lines' if len(lines) > 1 else ''}" if lines else "(empty)"


# ---- what must hold


def _failed(cell: NotebookNode) -> str:
    errors = [output.evalue for output in cell.outputs if output.output_type == "error"]
    return errors[0] if errors else "the cell ended with an error"


def _sine(cell: NotebookNode, steps: list[NotebookNode], _folder: Path) -> str | None:
    if len(steps) < 2:
        return "the agent took fewer than two code actions"
    if not any(_plots(step) for step in steps):
        return "no cell shows a plot"
    return None if _answer(cell) else "there is no answer"


def _stored(_cell: NotebookNode, _steps: list[NotebookNode], folder: Path) -> str | None:
    source = _skill(folder)
    return None if "def gp_fit(" in source and "def plot_pred(" in source else "gp_fit.py lacks gp_fit or plot_pred"


def _changed(_cell: NotebookNode, _steps: list[NotebookNode], folder: Path) -> str | None:
    import ast

    functions = {n.name: n for n in parse(_skill(folder)).body if isinstance(n, ast.FunctionDef)}
    if "gp_fit" not in functions:
        return "gp_fit.py lacks gp_fit"
    arguments = functions["gp_fit"].args
    names = [a.arg for a in (*arguments.args, *arguments.kwonlyargs)]
    defaults = [*arguments.defaults, *arguments.kw_defaults]
    values = dict(zip(reversed(names), reversed(defaults), strict=False))
    found = values.get("n_restarts")
    right = isinstance(found, ast.Constant) and found.value == 15
    return None if right else "the default of n_restarts in gp_fit.py is not 15"


def _tested(_cell: NotebookNode, steps: list[NotebookNode], _folder: Path) -> str | None:
    if not any(_plots(step) for step in steps):
        return "no cell shows a plot of the cosine"
    return None if all(_ran(step) for step in steps[-1:]) else "the test failed"


def _reused(_cell: NotebookNode, steps: list[NotebookNode], _folder: Path) -> str | None:
    if not steps or "gp_fit" not in steps[0].source:
        return "the first action does not use the skill"
    return None if any(_plots(step) for step in steps) else "no cell shows a plot"


def _skill(folder: Path) -> str:
    path = folder / "codeact" / "skills" / "private" / "default" / "gp_fit.py"
    return path.read_text() if path.exists() else ""


def _plots(cell: NotebookNode) -> list[str]:
    return [o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})]


def _ran(cell: NotebookNode) -> bool:
    return not any(output.output_type == "error" for output in cell.outputs)


def _answer(cell: NotebookNode) -> bool:
    return any("text/markdown" in output.get("data", {}) for output in cell.outputs)


CHAPTERS = [
    Chapter(
        "1-develop.ipynb",
        "Notebook one: an agent develops a skill",
        "gp_fit",
        DEVELOP,
        [_sine, _stored, _changed, _tested],
        " --review auto",
    ),
    Chapter(
        "2-reuse.ipynb",
        "Notebook two: a new kernel, another agent, the same skill",
        "gp_reuse",
        REUSE,
        [_reused],
        " --skills gp_fit --review auto",
    ),
]


# ---- what is left


def _pictures(folder: Path) -> None:
    """The plots of both notebooks as PNG files. Raises ConfigError where a cell has put a link in their place."""
    part_of(folder, "plots")
    with folder_in(folder, "plots") as plots:
        for chapter in CHAPTERS:
            path = folder / chapter.file
            cells = nbformat.read(path, as_version=4).cells if path.exists() else []
            pictures = [picture for cell in cells if cell.cell_type == "code" for picture in _plots(cell)]
            for number, picture in enumerate(pictures, start=1):
                name = f"{Path(chapter.file).stem}-{number}.png"
                write_atomically(by_descriptor(plots) / name, base64.b64decode(picture), READABLE)


def _report(folder: Path, failures: list[str], seconds: float) -> None:
    kinds = {"notebooks": "*.ipynb", "plots": "plots/*.png", "skill": "codeact/skills/private/default/*.py"}
    kinds |= {"trajectories": "codeact/runs/*/*.traj"}
    console.print()
    for kind, pattern in kinds.items():
        found = sorted(folder.glob(pattern))
        if not found:
            failures.append(f"there are no {kind}")
        for path in found:
            console.print(f"  {kind:13}{path}")
    verdict = "[green]Every step passed[/]" if not failures else f"[red]{len(failures)} of the steps failed[/]"
    console.print(f"\n{verdict}, {seconds:.0f} s. Open it in JupyterLab:\n")
    home = f"JUPYTER_CODEACT_HOME={folder / 'codeact'}"
    console.print(f"  {home} {_lab()} {folder / CHAPTERS[0].file}\n")


def _lab() -> str:
    import sys

    return f"{Path(sys.executable).parent / 'jupyter'} lab"
