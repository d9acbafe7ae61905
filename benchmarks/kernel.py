#!/usr/bin/env python3
"""P1, P2, P3, P8, P10: our kernel beside a plain ipykernel, in turns in one run.

    python benchmarks/kernel.py [--rounds 10] [--write]

Ratios are ours by plain, round by round; the median with the smallest and largest. ``--write`` puts the table into
benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager, KernelManager
from results import spread, table, taken, write_section

from jupyter_codeact.kernel import reserve
from jupyter_codeact.sandbox.launch import open_sandbox
from jupyter_codeact.sandbox.usage import descendants

KERNELS = ("codeact", "python3")
ROUND_TRIPS = 200
WARM_UP_S = 4.0
AT_ONCE = 50
CROWDS = 4
FLOOD = "import sys\nfor i in range(50): sys.stdout.write('x' * (2**20 - 1) + '\\n')"
PRINTS = "for i in range(10000): print(i, flush=i % 100 == 0)"
IMAGES = (
    "import os\nfrom IPython.display import Image, display\n"
    "picture = Image(data=b'\\x89PNG' + os.urandom(50_000), format='png')\nfor i in range(200): display(picture)"
)


@dataclass
class Figure:
    """One row of the table: seconds, or megabytes, of both kernels by round."""

    name: str
    unit: str
    target: str
    # Throughput is plain by ours, so that more is better, as its target is meant.
    inverse: bool = False
    # A plain kernel has nothing of the kind.
    alone: bool = False
    values: dict[str, list[float]] = field(default_factory=lambda: {kernel: [] for kernel in KERNELS})

    def row(self) -> list[str]:
        ours, plain = (self.values[kernel] for kernel in KERNELS)
        if self.alone:
            return [self.name, f"{spread(ours)} {self.unit}", "", "", self.target]
        ratios = [(p / o if self.inverse else o / p) for o, p in zip(ours, plain, strict=True)]
        numbers = [f"{statistics.median(values):.3g} {self.unit}" for values in (ours, plain)]
        return [self.name, *numbers, spread(ratios), self.target]


@contextmanager
def kernel(name: str) -> Iterator[tuple[KernelManager, Any, float]]:
    """A running kernel, and how long it took from the start to the first execute_reply."""
    began = time.perf_counter()
    manager = KernelManager(kernel_name=name)
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    until_replied(client, client.execute("pass"))
    took = time.perf_counter() - began
    # The first messages may pass before a subscription is there; from here on none is missed.
    client.wait_for_ready(timeout=60)
    try:
        yield manager, client, took
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def warm_start_s() -> float:
    """A start with a kernel in reserve, which the kernel before it has made."""
    os.environ["JUPYTER_CODEACT_RESERVE"] = "5"
    try:
        with kernel("codeact"):
            while (line := reserve.called(sys.executable)) is None:
                time.sleep(0.1)
            line.close()
            time.sleep(2.0)
        os.environ["JUPYTER_CODEACT_RESERVE"] = "0.05"
        with kernel("codeact") as (_, _, took):
            return took
    finally:
        os.environ["JUPYTER_CODEACT_RESERVE"] = "0"


def end_s(pid: int) -> float:
    """Kill the trusted process; seconds until the last process below it is gone."""
    left = [os.pidfd_open(child) for child in descendants(pid)]
    began = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    for descriptor in left:
        select.select([descriptor], [], [])
        os.close(descriptor)
    return time.perf_counter() - began


def until_replied(client: Any, request: str) -> None:
    """Read replies up to this one's: others may be on their way, as those to ``wait_for_ready``."""
    while client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != request:
        pass


def until_idle(client: Any, request: str) -> int:
    """Read outputs until the request is idle; returns how many characters of stdout came."""
    characters = 0
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") != request:
            continue
        content = message["content"]
        if message["msg_type"] == "stream":
            characters += len(content["text"])
        elif message["msg_type"] == "status" and content["execution_state"] == "idle":
            return characters


def timed(client: Any, code: str) -> tuple[float, int]:
    began = time.perf_counter()
    characters = until_idle(client, client.execute(code))
    return time.perf_counter() - began, characters


def round_trip_s(client: Any) -> float:
    times = []
    for _ in range(ROUND_TRIPS):
        began = time.perf_counter()
        request = client.execute("pass")
        until_replied(client, request)
        times.append(time.perf_counter() - began)
        until_idle(client, request)
    return statistics.median(times)


async def at_once(name: str) -> tuple[float, float]:
    """So many kernels, or sandboxes without a trusted process each: seconds until all answer, and megabytes of all."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as work:
        if name == "codeact":
            sandboxes = [open_sandbox("bubblewrap", sys.executable, work) for _ in range(AT_ONCE)]
            await asyncio.gather(*(_answers(sandbox.connection) for sandbox in sandboxes))
            took = time.perf_counter() - began
            memory = sum(memory_mb(sandbox.process.pid, lambda command: True) for sandbox in sandboxes)
            for sandbox in sandboxes:
                sandbox.close()
            return took, memory
        managers = [AsyncKernelManager(kernel_name=name) for _ in range(AT_ONCE)]
        try:
            # So many kernels that share one history break it, and then each other.
            history = ["--HistoryManager.hist_file=:memory:"]
            await asyncio.gather(*(manager.start_kernel(extra_arguments=history) for manager in managers))
            await asyncio.gather(*(_answers(manager.get_connection_info()) for manager in managers))
            took = time.perf_counter() - began
            memory = sum(memory_mb(manager.provisioner.process.pid, lambda command: True) for manager in managers)
        except TimeoutError:
            # jupyter_client chooses ports before a kernel binds them, so that of so many one may find its port taken.
            print(f"one of {AT_ONCE} kernels of {name} never answered: taken again", flush=True)
            took = None
        finally:
            await asyncio.gather(*(manager.shutdown_kernel(now=True) for manager in managers))
    return (took, memory) if took is not None else await at_once(name)


async def _answers(connection: dict[str, Any]) -> None:
    client = AsyncKernelClient()
    client.load_connection_info(connection)
    client.start_channels(hb=False)
    try:
        await client.kernel_info(reply=True, timeout=60)
    finally:
        client.stop_channels()


def memory_mb(pid: int, include: Callable[[str], bool]) -> float:
    """Proportional set size of the processes below ``pid`` (itself included) whose command line fits."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(a): int(b) for a, b in (line.split() for line in table.splitlines())}
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return sum(_pss_mb(child) for child in found if include(_command(child)))


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def measure(rounds: int) -> list[Figure]:
    start = Figure("P1 start to first execute_reply", "s", "≤ 1.15")
    warm = Figure("P1 the same with a kernel in reserve", "s", "≤ 0.3")
    trip = Figure("P2 round trip of `pass`, once warm", "s", "≤ 1.25")
    flood = Figure("P3 50 MB of stdout", "s", "≥ 0.9", inverse=True)
    prints = Figure("P3 10,000 prints", "s", "≥ 0.9", inverse=True)
    images = Figure("P3 200 pictures", "s", "≥ 0.9", inverse=True)
    sandboxed = Figure("P8 memory of the kernel that runs the cells (PSS)", "MB", "≤ 1.1")
    trusted = Figure("P8 memory of the trusted process, before litellm", "MB", "≤ 60 MB", alone=True)
    ended = Figure("SIGKILL of the trusted process, until nothing of the sandbox is left", "s", "≤ 1 s", alone=True)
    many = Figure(f"P10 {AT_ONCE} sandboxes at once, until all answer", "s", "≤ 1.0")
    crowd = Figure(f"P10 memory of {AT_ONCE} sandboxes (PSS)", "MB", "≤ 0.7")
    os.environ["JUPYTER_CODEACT_RESERVE"] = "0"
    for number in range(rounds):
        for name in KERNELS if number % 2 == 0 else reversed(KERNELS):
            with kernel(name) as (manager, client, took):
                pid = manager.provisioner.process.pid
                start.values[name].append(took)
                inner = "bootstrap.py" if name == "codeact" else "ipykernel"
                if name == "codeact":
                    trusted.values[name].append(memory_mb(pid, lambda c: "kernels/codeact/start.py" in c))
                sandboxed.values[name].append(memory_mb(pid, lambda c, inner=inner: inner in c and "bwrap" not in c))
                # Our trusted process imports litellm in the background for about two seconds after its start.
                time.sleep(WARM_UP_S)
                trip.values[name].append(round_trip_s(client))
                for figure, code in ((flood, FLOOD), (prints, PRINTS), (images, IMAGES)):
                    seconds, characters = timed(client, code)
                    figure.values[name].append(seconds)
                    assert figure is not flood or characters == 50 * 2**20, f"{name} lost output: {characters}"
                if name == "codeact":
                    ended.values[name].append(end_s(pid))
        warm.values["codeact"].append(warm_start_s())
        warm.values["python3"].append(start.values["python3"][-1])
        if number < CROWDS:
            for name in KERNELS if number % 2 == 0 else reversed(KERNELS):
                seconds, megabytes = asyncio.run(at_once(name))
                many.values[name].append(seconds)
                crowd.values[name].append(megabytes)
        print(f"round {number + 1} of {rounds}", flush=True)
    return [start, warm, trip, flood, prints, images, many, crowd, sandboxed, trusted, ended]


def report(figures: list[Figure], rounds: int) -> str:
    packages = [(name, version(name)) for name in ("ipykernel", "jupyter_client", "pyzmq")]
    rows = [figure.row() for figure in figures]
    head = ["figure", "codeact", "plain ipykernel", "ratio: median (min to max)", "target"]
    return taken(packages, rounds) + table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--write", action="store_true", help="write its section of benchmarks/results.md")
    options = parser.parse_args()
    text = report(measure(options.rounds), options.rounds)
    print(text)
    if options.write:
        write_section("kernel.py", text)


if __name__ == "__main__":
    main()
