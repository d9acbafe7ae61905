"""The agents that benchmarks/agent.py compares: how each is installed, started, and told what to do by the model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from servers import Reply, ToolCall

from jupyter_codeact import __version__

DRIVERS = Path(__file__).with_name("drivers")
SAID = "The next step."
# Nothing takes longer here: a process that does is ended, and the run with it.
LONGEST_S = 180
# Who asks for a stream gets it piece by piece, as from a service: what the pieces cost is over when the last one comes.
PIECE, PIECE_S = 40, 0.01
# Nothing is fetched from a network, and nothing is said or kept beyond the run.
QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "MSWEA_CONFIGURED": "1",
    "MSWEA_GLOBAL_CONFIG_DIR": "mini-swe-agent",
    "MSWEA_SILENT_STARTUP": "1",
}


@dataclass(frozen=True)
class Contestant:
    """One agent. ``act``: a reply of the model's with Python to run. ``end``: the reply that ends the run.

    packages: what pip installs for it into an environment of its own; without any, it runs in ours.
    imports: what a person imports to use it. python: the versions of Python that it takes, the best first.
    """

    name: str
    driver: str
    act: Callable[[str], Reply]
    end: Reply
    imports: str
    packages: tuple[str, ...] = ()
    python: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        return not self.packages

    def environment(self, folder: Path) -> Path | None:
        """Its Python, installed below ``folder`` where it isn't there yet; None where no fitting Python is."""
        if self.ours:
            return Path(sys.executable)
        place = folder / self.packages[0]
        if not (place / "installed").exists():
            base = next((path for name in self.python or (sys.executable,) if (path := _works(name))), None)
            if base is None:
                return None
            print(f"installing {self.packages[0]}", flush=True)
            subprocess.run([base, "-m", "venv", "--clear", place], check=True)
            subprocess.run([place / "bin" / "python", "-m", "pip", "install", "--quiet", *self.packages], check=True)
            (place / "installed").touch()
        return place / "bin" / "python"

    def version(self, python: Path) -> str:
        """Of its package, as its environment has it."""
        if self.ours:
            return __version__
        code = f"from importlib.metadata import version; print(version({self.packages[0]!r}))"
        return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def _works(python: str) -> str | None:
    """The path of a command, where it is there and more than a name: pyenv's may lead nowhere."""
    path = shutil.which(python)
    if path is None or subprocess.run([path, "-c", "pass"], capture_output=True, check=False).returncode:
        return None
    return path


class Worker:
    """A driver's process, ready to work: see drivers/turns.py."""

    def __init__(self, process: subprocess.Popen[str], started: float) -> None:
        self._process = process
        self.started = started

    def go(self) -> None:
        """Have it work on the prompt once."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def word(self) -> dict[str, Any]:
        """What it says next: that it is ready, or that it has worked. Raises RuntimeError where it has ended."""
        assert self._process.stdout is not None
        watchdog = threading.Timer(LONGEST_S, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise RuntimeError(f"{self._process.args} ended")
        said: dict[str, Any] = json.loads(line)
        return said

    def work(self) -> dict[str, Any]:
        self.go()
        return self.word()


@contextmanager
def worker(contestant: Contestant, python: Path, address: str) -> Iterator[Worker]:
    """Start its driver in a folder of its own; what its packages print is shown where it fails."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "log"
        work = Path(folder) / "work"
        work.mkdir()
        command = [python, DRIVERS / contestant.driver, address]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        environment = os.environ | QUIET
        with log.open("w") as errors:
            started = time.perf_counter()
            process = subprocess.Popen(command, cwd=work, env=environment, stderr=errors, **pipes)
        try:
            yield Worker(process, started)
        except Exception:
            print(log.read_text()[-4000:], file=sys.stderr)
            raise
        finally:
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def _call(name: str, **arguments: str) -> Reply:
    return Reply(SAID, tool_calls=[ToolCall(name, arguments)], delay_s=PIECE_S, chunk_size=PIECE)


def _fenced(code: str) -> Reply:
    return Reply(f"Thought: {SAID}\n<code>\n{code}\n</code>", delay_s=PIECE_S, chunk_size=PIECE)


def _shell(code: str) -> Reply:
    """``pass`` is the shell's ``:``: no Python is started for it."""
    return _call("bash", command=":" if code == "pass" else f"python3 - <<'EOF'\n{code}\nEOF")


def _cell(code: str) -> Reply:
    return _call("run_cell", code=code)


DONE = Reply("Done.")
CONTESTANTS = (
    Contestant("codeact, engine + sandbox", "codeact_engine.py", _cell, DONE, "jupyter_codeact"),
    Contestant("codeact, %%agent", "codeact_kernel.py", _cell, DONE, "jupyter_codeact"),
    Contestant("codeact, %%agent, cells", "codeact_cells.py", _cell, DONE, "jupyter_codeact"),
    Contestant(
        "smolagents",
        "smolagents_code.py",
        _fenced,
        _fenced("final_answer('Done.')"),
        "smolagents",
        ("smolagents", "openai"),
    ),
    Contestant(
        "mini-swe-agent",
        "mini_swe.py",
        _shell,
        _call("bash", command="echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"),
        "minisweagent.agents.default, minisweagent.models.litellm_model",
        # litellm wants the second where a model is given tools.
        ("mini-swe-agent", "mcp"),
    ),
    Contestant(
        "freeact",
        "freeact_code.py",
        lambda code: _call("ipybox_execute_ipython_cell", code=code),
        DONE,
        "freeact",
        ("freeact",),
        (sys.executable, "python3.13") if sys.version_info >= (3, 13) else ("python3.13",),
    ),
)
