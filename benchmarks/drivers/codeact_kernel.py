"""``%%agent`` in our kernel, as a front end without our extension executes it: proxy, sandbox, session, engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_client.manager import KernelManager
from turns import KEY, MODEL, PROMPT, STEPS, serve

CELL = f"%%agent --review auto --new --max-steps {STEPS}\n{PROMPT}"
# A notebook in which something has been done already: the model is told of it.
BEFORE = (
    "import math\nrows = [dict(a=n, b=n / 7) for n in range(60)]\ntotal, mean, name, seen = 4182, 69.7, 'north', True"
)


@contextmanager
def prepare(address: str) -> Iterator[Callable[[], None]]:
    os.environ.update(environment(address))
    manager = KernelManager(kernel_name="codeact")
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        execute(client, BEFORE)
        yield lambda: execute(client, CELL)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def environment(address: str) -> dict[str, str]:
    """The model, and a price limit that no run reaches."""
    home = os.path.abspath("home")
    os.makedirs("config", exist_ok=True)
    with open("config/jupyter_codeact_config.py", "w") as file:
        file.write("c.Agent.cost_limit = None\n")
    # No kernel in reserve: its start would fall into what is measured.
    reached = {"OPENAI_API_KEY": KEY, "JUPYTER_CODEACT_API_BASE": f"{address}/v1"}
    own = {
        "JUPYTER_CODEACT_HOME": home,
        "JUPYTER_CONFIG_DIR": os.path.abspath("config"),
        "JUPYTER_CODEACT_RESERVE": "0",
    }
    return {"JUPYTER_CODEACT_MODEL": f"openai/{MODEL}", **reached, **own}


def execute(client: Any, code: str) -> None:
    """Run a cell, and read everything that comes of it, as a front end does."""
    request = client.execute(code, allow_stdin=False)
    while True:
        message = client.get_iopub_msg(timeout=120)
        kind, content = message["msg_type"], message["content"]
        if message["parent_header"].get("msg_id") != request:
            continue
        if kind == "error":
            raise RuntimeError(content["evalue"])
        if kind == "status" and content["execution_state"] == "idle":
            return


if __name__ == "__main__":
    serve(prepare)
