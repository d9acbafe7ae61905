"""Started by its argv alone, with a connection file that somebody else wrote: what VS Code does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from equal.conversation import Ask, Conversation, execute
from helpers import folders_of, gone
from jupyter_client.connect import write_connection_file
from jupyter_client.manager import KernelManager

pytestmark = [
    pytest.mark.usefixtures("sandbox"),
    # jupyter_client's manager leaves an event loop to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
CELL = {"cellId": "vscode-notebook-cell:/home/her/a.ipynb#W0sZmlsZQ%3D%3D"}


@contextmanager
def launched(kernelspec: Path, work: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[bytes], Conversation]]:
    """A kernel in an environment that no Jupyter made, and a front end that only knows the connection file."""
    path, _ = write_connection_file(str(work.parent / "connection.json"), key=b"a key of hers")
    folder = kernelspec / "kernels" / "codeact"
    argv = json.loads((folder / "kernel.json").read_text())["argv"]
    command = [word.format(connection_file=path, resource_dir=folder) for word in argv]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | variables
    # Else a kernel in reserve would stay behind for half an hour.
    environment["JUPYTER_CODEACT_RESERVE"] = "0"
    manager = KernelManager(connection_file=path)
    manager.load_connection_file()
    with subprocess.Popen(command, cwd=work, env=environment) as process:
        talk = Conversation(manager)
        try:
            yield process, talk
        finally:
            talk.close()
            process.terminate()
            manager.cleanup_resources()


def cell(code: str, **options: Any) -> Ask:
    """As VS Code sends it: with an id of its own making, and no wish to abort what comes after an error."""
    return replace(execute(code, stop_on_error=False, **options), metadata=CELL)


def test_a_run_in_vs_code_is_asked_for_and_shown_in_the_agents_cell(
    kernelspec: Path, work: Path, home: Path, script: Callable[..., None]
) -> None:
    script({"text": "I look.", "code": "print('it', 'ran')"}, {"text": "The answer."})
    with launched(kernelspec, work, JUPYTER_CODEACT_HOME=str(home), JUPYTER_CODEACT_MODEL="scripted/script") as (
        process,
        talk,
    ):
        talk.hold([cell("%%agent\ngo", answers=["y"])])
        assert "comm_open" not in talk.kinds()
        shown = [str(m["content"]) for c, m in talk.heard if c == "iopub"]
        places = [
            next(i for i, text in enumerate(shown) if words in text) for words in ("I look.", "it ran", "answer.")
        ]
        assert places == sorted(places)
        talk.hold([cell("print('go')\nwhile True: pass", hears="go"), Ask("interrupt_request", channel="control")])
        assert talk.find("execute_reply")["ename"] == "KeyboardInterrupt"
        talk.hold([Ask("shutdown_request", {"restart": False}, channel="control")])
        assert process.wait() == 0
    assert not folders_of(process.pid)


# Ends at once, and has its kernel begin only then.
STARTER = """
import os, subprocess, sys
kernel = subprocess.Popen(["sh", "-c", 'read line; exec "$@"', "sh", *sys.argv[1:]], stdin=subprocess.PIPE,
                          env={**os.environ, "JPY_PARENT_PID": str(os.getpid())})
print(kernel.pid, flush=True)
os._exit(0)
"""


def test_a_kernel_whose_starter_has_ended_before_it_begins_ends(kernelspec: Path, work: Path) -> None:
    path, _ = write_connection_file(str(work.parent / "connection.json"), key=b"a key of hers")
    folder = kernelspec / "kernels" / "codeact"
    argv = json.loads((folder / "kernel.json").read_text())["argv"]
    command = [word.format(connection_file=path, resource_dir=folder) for word in argv]
    environment = {**os.environ, "JUPYTER_CODEACT_RESERVE": "0"}
    started = subprocess.run(
        [sys.executable, "-c", STARTER, *command], cwd=work, env=environment, capture_output=True, text=True, check=True
    )
    # It holds the starter's output open, which is read to its end: so it has ended.
    assert gone([int(started.stdout)])
