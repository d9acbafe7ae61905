"""How a skill is tried in a sandbox of its own: imported, its doctests and test functions run.

Stands alone: its source is sent with each call, to kernels that need not have this package.
"""

import asyncio
import contextlib
import doctest
import importlib
import inspect
import json
import os
import re
import sys
import traceback
from collections.abc import Iterator
from typing import Any

_DOCTEST = "doctest of "


def answer(name: str, arguments: str) -> str:
    """Call a function below with JSON, and return JSON."""
    return json.dumps(globals()[name](**json.loads(arguments)), ensure_ascii=True, default=str)


def try_import(modules: list[str], folder: str, names: dict[str, list[str]]) -> dict[str, Any]:
    """Import a skill's modules: its tests, by module, and those that want arguments; or what was raised.

    names: by module, those that have to be there. missing: those that are not.
    """
    tests: list[tuple[str, str]] = []
    left_out: list[str] = []
    missing: list[tuple[str, str]] = []
    for name in modules:
        try:
            module = importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001  a module may raise whatever it likes, SystemExit too
            return {"error": f"import {name}: {_raised(error, folder)}"}
        found = str(getattr(module, "__file__", None))
        if not found.startswith(folder):
            return {"error": f"import {name} finds {found} instead: {_remedy(found)}"}
        for test, runs in _tests(module):
            tests.append((name, test)) if runs else left_out.append(f"{name}.{test}")
        missing += [(name, wanted) for wanted in names.get(name, []) if wanted not in vars(module)]
    return {"tests": tests, "left_out": left_out, "missing": missing}


def _remedy(found: str) -> str:
    """What helps against another module that comes before a skill of its name."""
    folder, file = os.path.split(found)
    if folder != os.getcwd():
        return "choose another name"
    return f"{file} in the working folder hides it, as `%skill export --to file` does: move it, or choose another name"


def try_test(module: str, test: str, folder: str) -> str:
    """Run one test of an imported module; what went wrong, or ""."""
    try:
        with _no_loop():
            if test.startswith(_DOCTEST):
                return _doctest(sys.modules[module], test.removeprefix(_DOCTEST), folder)
            function = getattr(sys.modules[module], test)
            asyncio.run(function()) if inspect.iscoroutinefunction(function) else function()
            return ""
    except BaseException as error:  # noqa: BLE001  a test may raise whatever it likes
        return _raised(error, folder)


@contextlib.contextmanager
def _no_loop() -> Iterator[None]:
    """The kernel's own loop stands still, so that tests may have theirs: in its thread, which alone has signals."""
    loop = asyncio.get_running_loop()
    asyncio._set_running_loop(None)  # noqa: SLF001  asyncio has it for who makes loops
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)  # noqa: SLF001
        asyncio.set_event_loop(loop)


def _tests(module: Any) -> list[tuple[str, bool]]:
    """Its doctests and test functions, and whether each can be called without arguments."""
    found = [(_DOCTEST + t.name, True) for t in doctest.DocTestFinder().find(module) if t.examples]
    for name, value in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(value) and value.__module__ == module.__name__:
            wanted = [p for p in inspect.signature(value).parameters.values() if p.default is p.empty]
            found.append((name, not [p for p in wanted if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]))
    return found


def _doctest(module: Any, name: str, folder: str) -> str:
    """What it says of the examples that fail, in its lines."""

    class Runner(doctest.DocTestRunner):
        def report_unexpected_exception(self, out: Any, test: Any, example: Any, exc_info: Any) -> None:
            head: str = self._failure_header(test, example)  # type: ignore[attr-defined]
            out(f"{head}Raised:\n    {_raised(exc_info[1], folder)}\n")

    (test,) = (t for t in doctest.DocTestFinder().find(module) if t.name == name)
    said: list[str] = []
    Runner(verbose=False).run(test, out=said.append)
    text = re.sub(
        r'\*{20,}|(?m:^File "[^\n]*", (line \d+), in .*$)', lambda at: f"{at[1]}:" if at[1] else "", "".join(said)
    )
    return "\n".join(filter(str.strip, text.splitlines()))


def _raised(error: BaseException, folder: str) -> str:
    """The error in a line, with the last line of the skill's that it went through."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(folder)]
    at = f" ({os.path.relpath(frames[-1].filename, folder)}, line {frames[-1].lineno})" if frames else ""
    said = "".join(traceback.format_exception_only(error)).strip().replace(f"{folder}{os.sep}", "")
    return f"{said}{at}"
