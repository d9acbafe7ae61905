"""A skill that is not saved yet, tried in a sandbox of its own: imported, its doctests and test functions run."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from .. import inside
from ..errors import SandboxError
from ..files import Identity, temporary
from ..sandbox.launch import Sandbox, open_sandbox
from ..settings import Settings
from ..skills.checks import Tried, left_to_stars
from ..skills.skill import INIT, Files
from ..words import seconds
from .kernel import SandboxKernel

# How long the import, and each test, may take.
STEP_S = 30.0
# Characters of what the sandbox says of one failure.
LONGEST = 500
Opener = Callable[..., Sandbox]


async def try_skill(
    open_sandbox: Opener, name: str, files: Files, tell: Callable[[str], None], step_s: float = STEP_S
) -> Tried:
    """Import the skill where it hides every other of its name. ``open_sandbox`` takes folders to look in first.

    Its code runs in the sandbox alone, with the working folder that cells have. Raises SandboxUnavailable.
    """
    began = time.monotonic()
    with temporary("trial") as folder:
        _lay(files, Path(folder))
        tell("opening a fresh sandbox")
        async with SandboxKernel(partial(open_sandbox, (folder,))) as kernel:
            trial = _Trial(kernel, folder, step_s, tell)
            failures, left_out, tests = await trial.run(name, files)
    return Tried(tuple(failures), tuple(left_out), tests, time.monotonic() - began)


def fresh_of(settings: Settings, work: str, *hidden: str, known: Identity | None = None, made: bool = False) -> Opener:
    """Opens sandboxes as this environment's kernels have them, with that working folder, and more that is hidden.

    ``known``: which folder it is, whatever lies there by now; without one, what it is at this moment.
    ``made``: whether it was made for these sandboxes alone.
    An opener takes folders of skills that are looked at before the libraries.
    """
    known = known or Identity.of(work)

    def fresh(first: tuple[str, ...] = ()) -> Sandbox:
        settings.make_folders()
        libraries = (*first, *settings.libraries)
        covered = (*settings.hidden, *hidden)
        memory = settings.memory_gb
        open_one = partial(open_sandbox, settings.sandbox, sys.executable, work, libraries, covered, memory_gb=memory)
        return open_one(known=known, made=made)

    return fresh


async def try_apart(
    settings: Settings, name: str, files: Files, tell: Callable[[str], None], step_s: float = STEP_S
) -> Tried:
    """As ``try_skill``, with a working folder that is empty and ends with the sandbox. Raises SandboxUnavailable."""
    with temporary("trial") as work:
        return await try_skill(fresh_of(settings, work, made=True), name, files, tell, step_s)


async def tried_elsewhere(files: Files, settings: Settings, step_s: float = STEP_S) -> list[str]:
    """What fails of a skill in a sandbox whose working folder is empty and ends with it: a line each.

    It is the skill's own word: it says whether it works here, and not whether it is harmless. Raises
    SandboxUnavailable.
    """
    name = min(files).split("/", maxsplit=1)[0].removesuffix(".py")
    return [*(await try_apart(settings, name, files, lambda _: None, step_s)).failures]


class _Trial:
    def __init__(self, kernel: SandboxKernel, folder: str, step_s: float, tell: Callable[[str], None]) -> None:
        self._kernel = kernel
        self._folder = folder
        self._step_s = step_s
        self._tell = tell

    async def run(self, name: str, files: Files) -> tuple[list[str], list[str], int]:
        """Failures, tests that want arguments, and how many tests there are."""
        modules = {_module(path): path for path in sorted(files)}
        starred = {module: left_to_stars(files[path]) for module, path in modules.items()}
        names = {module: [*lines] for module, lines in starred.items()}
        tests: list[tuple[str, str]] = []
        failures: list[str] = []
        left_out: list[str] = []
        try:
            self._tell(f"importing {name}")
            found = await self._asked(f"import {name}", "try_import", modules=[*modules], names=names)
            if not isinstance(found, dict) or "error" in found:
                return [one_line(found["error"] if isinstance(found, dict) else found)], [], 0
            for module, missing in _pairs(found.get("missing")):
                if line := starred.get(module, {}).get(missing):
                    where = f"{modules[module]}, line {line}"
                    failures.append(f"{where}: {missing} is not defined, and no star import brings it")
            tests, left_out = _pairs(found.get("tests")), _texts(found.get("left_out"))
            for number, (module, test) in enumerate(tests, start=1):
                self._tell(f"test {number} of {len(tests)}: {one_line(test)}")
                if said := await self._asked(test, "try_test", module=module, test=test):
                    # Of a doctest, what was expected and what came may differ in their lines alone.
                    failures.append((in_lines if test.startswith("doctest of ") else one_line)(f"{test}: {said}"))
        except _Over as end:
            failures.append(one_line(end))
        return failures, left_out, len(tests)

    async def _asked(self, what: str, function: str, **arguments: Any) -> Any:
        """The answer of the sandbox. Raises _Over, with the reason, where nothing more can be asked."""
        try:
            async with asyncio.timeout(self._step_s):
                given = {"folder": self._folder, **arguments}
                return inside.value(await self._kernel.evaluate(inside.expression(function, given, inside.TRYING)))
        except TimeoutError:
            raise _Over(f"{what} takes longer than {seconds(self._step_s)}, and was ended.") from None
        except SandboxError as error:
            raise _Over(f"{what}: {error}") from None


class _Over(Exception):
    """The sandbox is of no more use."""


def _lay(files: Files, folder: Path) -> None:
    """The sandbox may be another user, and reads."""
    folder.chmod(0o755)
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(mode=0o755, exist_ok=True)
        place.write_bytes(text.encode("utf-8", "surrogateescape"))
        place.chmod(0o644)


def _module(path: str) -> str:
    return path.removesuffix(f"/{INIT}").removesuffix(".py").replace("/", ".")


def _pairs(found: object) -> list[tuple[str, str]]:
    """Module and test, as far as the sandbox's answer has such."""
    rows = found if isinstance(found, list) else []
    return [(str(row[0]), str(row[1])) for row in rows if isinstance(row, list) and len(row) == 2]


def _texts(found: object) -> list[str]:
    return [one_line(text) for text in found] if isinstance(found, list) else []


def in_lines(said: object) -> str:
    """The sandbox's words in their lines, all but the first indented, without what a terminal obeys."""
    lines = [re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", line) for line in str(said)[:LONGEST].splitlines()]
    return "\n  ".join(lines)


def one_line(said: object) -> str:
    """The sandbox's words, on one line, without what a terminal obeys."""
    return re.sub(r"\s+", " ", re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", str(said)))[:LONGEST]
