"""Modules that a kernel imports at its start and needs later, or never: run when somebody first asks for a name.

Each stays the one module of its name that Python knows, so whoever imported it early has it whole, too.
"""

import importlib
import sys
import types
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from threading import RLock
from typing import Any

LATE = {"ssl", "asyncio.sslproto", "platformdirs"}
# By module, while its code has not run: held by the thread that runs it.
_locks: dict[str, Any] = {}
_running: set[str] = set()


class LateModule(types.ModuleType):
    """Becomes an ordinary module at the first question for a name."""

    def __getattr__(self, name: str) -> Any:
        if _run(self):
            return getattr(self, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} yet", name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        # What somebody puts in the place of a function must stay there. The import system sets the rest.
        if not name.startswith("__") and not isinstance(value, types.ModuleType):
            _run(self)
        types.ModuleType.__setattr__(self, name, value)

    def __dir__(self) -> list[str]:
        _run(self)
        return sorted(vars(self))


def _run(module: types.ModuleType) -> bool:
    """Run the module's code, once; False while it runs: then it asks itself."""
    name = module.__name__
    with _locks[name]:
        if name in _running:
            return False
        if type(module) is LateModule:
            spec: Any = module.__spec__
            _running.add(name)
            try:
                spec.loader.exec_module(module)
            finally:
                _running.remove(name)
            setattr(module, "__class__", types.ModuleType)  # noqa: B010  its type is the class it leaves
    return True


def defer() -> None:
    """Have these modules wait for their first use. Called before anything imports them."""
    for name in LATE - sys.modules.keys():
        spec = _found(name)
        if spec is not None:
            _locks[name] = RLock()
            sys.modules[name] = module_from_spec(spec)
            sys.modules[name].__class__ = LateModule
    for name in _locks:
        package, _, last = name.rpartition(".")
        if package:
            # As the import system does when it loads a part.
            setattr(importlib.import_module(package), last, sys.modules[name])


def _found(name: str) -> ModuleSpec | None:
    """Where the module is, without the import of the package that it is part of."""
    package, _, _ = name.rpartition(".")
    if not package:
        return PathFinder.find_spec(name)
    above = _found(package)
    return PathFinder.find_spec(name, above.submodule_search_locations) if above else None
