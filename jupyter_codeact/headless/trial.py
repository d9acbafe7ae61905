"""Modules imported and tested in a sandbox of their own, whose working folder is empty and ends with it."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping
from functools import partial

from ..errors import SandboxError
from ..inside import value
from ..sandbox.launch import open_sandbox
from ..settings import Settings
from .kernel import SandboxKernel

TIME_S = 60.0
# Runs in the sandbox: the modules lie in a folder of it, and what they print is nobody's answer.
_PROGRAM = """\
import contextlib, doctest, importlib, io, json, os, sys
for path, text in json.loads({files!r}).items():
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    open(path, "w", encoding="utf-8", newline="").write(text)
sys.path.insert(0, os.getcwd())
trial = []
for name in {modules!r}:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            module = importlib.import_module(name)
            if doctest.testmod(module).failed:
                trial.append(f"{{name}}: an example in a docstring fails: {{said.getvalue()[-1500:]}}")
            for test, call in sorted(vars(module).items()):
                needs = getattr(call, "__code__", None)
                if test.startswith("test_") and needs and needs.co_argcount == len(call.__defaults__ or ()):
                    try:
                        call()
                    except BaseException as error:
                        trial.append(f"{{name}}.{{test}} fails: {{type(error).__name__}}: {{error}}")
        except BaseException as error:
            trial.append(f"{{name}} can't be imported: {{type(error).__name__}}: {{error}}")
"""


async def tried(files: Mapping[str, str], settings: Settings, time_s: float = TIME_S) -> list[str]:
    """What fails when the modules are imported, and their doctests and tests run: a line each.

    It is the modules' own word: it says whether they work here, and not whether they are harmless. Raises
    SandboxUnavailable.
    """
    modules = sorted(path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in files)
    program = _PROGRAM.format(files=json.dumps(dict(files)), modules=modules)
    with tempfile.TemporaryDirectory(prefix="codeact-trial-") as work:
        settings.make_folders()
        opened = partial(
            open_sandbox,
            settings.sandbox,
            sys.executable,
            work,
            settings.libraries,
            settings.hidden,
            memory_gb=settings.memory_gb,
        )
        async with SandboxKernel(opened) as kernel:
            try:
                await asyncio.wait_for(kernel.run(program).ended, time_s)
                answer = value(await kernel.evaluate("json.dumps(trial)"))
            except TimeoutError:
                return [f"It does not end within {time_s:.0f} seconds."]
            except SandboxError as error:
                return [f"Its sandbox gave no answer: {error}"]
    return [str(line) for line in answer] if isinstance(answer, list) else ["Its sandbox gave no answer."]
