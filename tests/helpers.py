"""What several test modules say of documents and trajectories."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import site
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_codeact.agent.trajectory import read
from jupyter_codeact.sandbox import run_folder

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from jupyter_codeact.notebook.document import Document

# How long anything that is awaited may take: a machine may lend its cores to others. What hangs ends a little later.
PATIENCE_S = 200


def shown(cell: NotebookNode) -> str:
    """Everything that a cell shows, as text, in order. What was printed may have come in pieces."""
    runs = groupby(cell.outputs, key=lambda output: output.get("name") or id(output))
    return "\n".join("".join(map(_text, outputs)) for _, outputs in runs)


def _text(output: NotebookNode) -> str:
    match output.output_type:
        case "stream":
            return str(output.text)
        case "error":
            return f"{output.ename}: {output.evalue}"
        case _:
            return str(output.data.get("text/plain", ""))


def marks(document: Document) -> list[dict[str, Any]]:
    """What the cells that the agent wrote say of themselves."""
    return [cell.metadata["jupyter_codeact"] for cell in document.nb.cells if "jupyter_codeact" in cell.metadata]


def trajectory(home: Path) -> dict[str, Any]:
    """The newest one."""
    newest = max(home.glob("runs/*/*.traj"), key=lambda path: path.stat().st_mtime_ns)
    return read(newest)


def history(home: Path) -> list[dict[str, Any]]:
    """The messages of the newest trajectory."""
    return list(trajectory(home)["history"])


async def until_shown(document: Document, text: str) -> None:
    """Until some cell shows the text."""
    while not any(text in shown(cell) for cell in document.nb.cells if cell.cell_type == "code"):
        await document.change()


def examples(document: str) -> list[str]:
    """The YAML blocks of a document in docs/."""
    text = (Path(__file__).parent.parent / "docs" / document).read_text()
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def gone(pids: Iterable[int]) -> bool:
    """Wait until none of these processes is there any more."""
    return all(map(_ended, pids))


def _ended(pid: int) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([descriptor], [], [], PATIENCE_S)
    os.close(descriptor)
    return bool(ended)


def folders_of(pid: int) -> list[Path]:
    """The run folders of a trusted process."""
    return [path for base in run_folder.bases() for path in Path(base).glob(f"{run_folder.PREFIX}{pid}-*")]


def environment(folder: Path, *paths: str | Path) -> tuple[str, Path]:
    """A fresh environment: its Python and its site-packages, where a .pth file names our packages and ``paths``."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text("\n".join(map(str, [*paths, *site.getsitepackages()])))
    return str(folder / "bin" / "python"), packages


def wheel(folder: Path, name: str, source: str, version: str = "1.0") -> Path:
    """A wheel of one module."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": "".join(f"{file},,\n" for file in files)}.items():
            archive.writestr(file, text)
    return path


@contextmanager
def leased(path: Path) -> Iterator[None]:
    """A file that another program has a lease on, as a file server has: nobody opens it before that lets go."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        # What the holder is told when somebody asks is a signal that does nothing.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield
    finally:
        os.close(descriptor)
