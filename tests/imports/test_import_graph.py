"""The folders are the architecture: who may import whom."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .graph import Import, reached_at_import, read_package

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NAME = "jupyter_codeact"
SIBLINGS = ("agent", "models", "sandbox", "skills", "notebook")
# Only the kernel calls the guard, and the guard knows nothing but data and errors.
GUARD_KNOWS = ("guard", "errors", "events")
ABOVE = ("kernel", "magics", "session", "finding", "headless", "batch", "records", "cli")
HEAVY = ("litellm", "openai", "IPython", "ipykernel", "zmq")
UNIX_ONLY = ("fcntl", "pwd", "grp", "resource", "termios")


def violations(imports: list[Import]) -> list[str]:
    rules = (siblings_apart, guard_alone, agent_alone, litellm_late, portable)
    return [line for rule in rules for line in rule(imports)]


def siblings_apart(imports: list[Import]) -> Iterator[str]:
    """Siblings know neither each other nor what puts them together, not even for types."""
    for found in imports:
        part = part_of(found.importer)
        if part in SIBLINGS:
            others = [other for other in SIBLINGS + ABOVE if other != part]
            yield from (f"{found.where}: {part} imports {other}" for other in others if found.of(f"{NAME}.{other}"))


def guard_alone(imports: list[Import]) -> Iterator[str]:
    """What makes outputs harmless can be read by itself; siblings leave it to the kernel."""
    for found in imports:
        part = part_of(found.importer)
        if part in SIBLINGS and found.of(f"{NAME}.guard"):
            yield f"{found.where}: {part} imports guard"
        if part == "guard" and found.of(NAME) and part_of(found.name) not in GUARD_KNOWS:
            yield f"{found.where}: guard imports {found.name}"


def agent_alone(imports: list[Import]) -> Iterator[str]:
    """The agent's loop runs, and is tested, without Jupyter and without a model library."""
    for found in imports:
        foreign = found.of("jupyter*") and not found.of(NAME)
        if part_of(found.importer) == "agent" and (foreign or any(map(found.of, HEAVY))):
            yield f"{found.where}: agent imports {found.name}"


def litellm_late(imports: list[Import]) -> Iterator[str]:
    """litellm takes seconds to import; that happens in the background, once."""
    late = (found for found in imports if found.when == "at import" and found.of("litellm"))
    return (f"{found.where}: litellm at module level" for found in late)


def portable(imports: list[Import]) -> Iterator[str]:
    """`import jupyter_codeact` works on Windows too."""
    reached = reached_at_import(imports, NAME)
    for found in imports:
        if found.importer in reached and found.when == "at import" and any(map(found.of, UNIX_ONLY)):
            yield f"{found.where}: {found.name} at module level, reached by import {NAME}"


def part_of(module: str) -> str:
    """`agent` for `jupyter_codeact.agent.loop`; '' for the package itself."""
    return [*module.split("."), ""][1]


def test_the_package_keeps_to_its_graph() -> None:
    imports = read_package(ROOT / NAME)
    assert imports
    assert violations(imports) == []


def test_importing_the_package_is_light() -> None:
    code = f"import json, sys, {NAME}; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", code]
    loaded = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    assert NAME in loaded
    assert not set(HEAVY) & set(loaded)


FORBIDDEN = [
    ("agent/loop.py", "from ..models import client", "agent/loop.py:1: agent imports models"),
    ("agent/loop.py", "from .. import skills", "agent imports skills"),
    ("agent/deep/er.py", "from ...sandbox.limits import Limits", "agent imports sandbox"),
    ("skills/a.py", "import jupyter_codeact.notebook.cells as cells", "skills imports notebook"),
    ("skills/__init__.py", "from .. import session", "skills imports session"),
    (
        "models/a.py",
        "def f():\n    from jupyter_codeact.kernel import proxy",
        "models/a.py:2: models imports kernel",
    ),
    (
        "notebook/a.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..agent import Agent",
        "notebook imports agent",
    ),
    ("notebook/a.py", "from ..guard import html", "notebook imports guard"),
    ("guard/html.py", "from ..kernel.wire import Message", "guard imports jupyter_codeact.kernel.wire.Message"),
    ("guard/html.py", "from .. import session", "guard imports jupyter_codeact.session"),
    ("agent/loop.py", "import jupyter_client", "agent imports jupyter_client"),
    ("agent/loop.py", "async def f():\n    import zmq.asyncio", "agent imports zmq.asyncio"),
    ("agent/loop.py", "class A:\n    from IPython import get_ipython", "agent imports IPython.get_ipython"),
    ("models/client.py", "import litellm", "models/client.py:1: litellm at module level"),
    (
        "cli/a.py",
        "try:\n    from litellm import completion\nexcept ImportError: pass",
        "litellm at module level",
    ),
    ("__init__.py", "import resource", "resource at module level"),
    ("__init__.py", "from .events import Event", "events.py:1: fcntl at module level"),
]
ALLOWED = [
    ("kernel/proxy.py", "from ..sandbox import launch"),
    ("kernel/border.py", "from ..guard import outputs"),
    ("guard/html.py", "from . import css\nfrom ..events import MimeBundle"),
    ("session.py", "from . import agent, models, sandbox, skills, notebook, kernel"),
    (
        "agent/loop.py",
        "from ..events import Event\nfrom . import reader\nfrom jupyter_codeact import protocols",
    ),
    ("models/client.py", "def load():\n    import litellm"),
    ("models/client.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import litellm"),
    ("sandbox/limits.py", "import resource"),
]


def made_up(folder: Path, file: str, source: str) -> list[Import]:
    """A tree in which `events.py` is Unix-only and `file` holds `source`."""
    for name, text in {"__init__.py": "", "events.py": "import fcntl", file: source}.items():
        path = folder / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_package(folder / NAME)


@pytest.mark.parametrize(("file", "source", "expected"), FORBIDDEN)
def test_a_forbidden_import_is_caught(tmp_path: Path, file: str, source: str, expected: str) -> None:
    (line,) = violations(made_up(tmp_path, file, source))
    assert expected in line


@pytest.mark.parametrize(("file", "source"), ALLOWED)
def test_an_allowed_import_passes(tmp_path: Path, file: str, source: str) -> None:
    assert violations(made_up(tmp_path, file, source)) == []
