"""The debugger, imported when somebody first debugs: debugpy is a third of all that a kernel imports at its start."""

import asyncio
import importlib
import importlib.util
import sys
import types
from functools import cached_property
from typing import Any

NAME = "ipykernel.debugger"


class LateDebugger:
    """Stands for ``ipykernel.debugger.Debugger``, and makes it for the first request to it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._wishes = arguments, options
        self._wanted = asyncio.Event()

    @cached_property
    def _real(self) -> Any:
        arguments, options = self._wishes
        return _module().Debugger(*arguments, **options)

    async def process_request(self, message: Any) -> Any:
        """What front ends send; in the control thread."""
        self._wanted.set()
        return await self._real.process_request(message)

    async def handle_stopped_event(self) -> None:
        """The kernel waits here, in the control thread, from its start on."""
        await self._wanted.wait()
        await self._real.handle_stopped_event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def defer() -> None:
    """Have ipykernel take the stand-in for its debugger. Called before a kernel is made."""
    if importlib.util.find_spec("debugpy") is None:
        return
    stand_in = types.ModuleType(NAME, __doc__)
    vars(stand_in).update(Debugger=LateDebugger, _is_debugpy_available=True, __getattr__=_of_the_real_one)
    sys.modules[NAME] = stand_in


def _of_the_real_one(name: str) -> Any:
    """What nobody but the debugger's own user asks for; the import system asks for names of its own."""
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(_module(), name)


def _module() -> types.ModuleType:
    if getattr(sys.modules.get(NAME), "Debugger", None) is LateDebugger:
        del sys.modules[NAME]
    return importlib.import_module(NAME)
