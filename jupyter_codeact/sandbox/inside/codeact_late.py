"""Modules that a kernel's start imports and hardly uses are left out until they are wanted.

While the kernel starts, an empty module stands for each. Afterwards whoever imports one gets it as ever, in that same
module, so that whoever took it early has it whole, too. All are looked for before the working folder is on the path.
"""

import importlib
import sys
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec
from typing import Any

# Each with the names that ipykernel takes from it at the start, and the part of it that has them.
LATE: dict[str, dict[str, str]] = {
    # Clients, managers and provisioners, with the email and zipfile that they need; a kernel needs two of its parts.
    "jupyter_client": {"find_connection_file": "connect", "write_connection_file": "connect"},
    "platformdirs": {},
    # Imported by asyncio.
    "ssl": {},
    "asyncio.sslproto": {},
}
# What the kernel imports by itself when it is asked for something.
FOUND_EARLY = {"debugpy", "psutil"}
# Where they were at the start, and what stands for those that wait.
_specs: dict[str, ModuleSpec] = {}
_waiting: dict[str, types.ModuleType] = {}


class LateModule(types.ModuleType):
    """Stands for a module whose code has not run, or not to its end."""

    def __getattr__(self, name: str) -> Any:
        own = self.__name__
        if name != "__path__":
            starting = sys.modules.get(own) is self and not getattr(self.__spec__, "_initializing", False)
            part = LATE[own].get(name)
            if starting and part:
                return getattr(importlib.import_module(f"{own}.{part}"), name)
            if starting:
                del sys.modules[own]
            # In another thread this waits until the module is there; in the one that runs it, it goes on.
            module = importlib.import_module(own)
            if module is not self or type(self) is not LateModule or name in vars(self):
                return getattr(module, name)
        raise AttributeError(f"module {own!r} has no attribute {name!r}", name=name, obj=self)


class LateLoader(SourceFileLoader):
    """Runs a module's code in what stood for it."""

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return _waiting[spec.name]

    def exec_module(self, module: types.ModuleType) -> None:
        name = module.__name__
        # Python notes a part in its package as it loads the part: some are loaded already.
        for path, part in list(sys.modules.items()):
            package, _, last = path.rpartition(".")
            if package == name:
                setattr(module, last, part)
        super().exec_module(module)
        setattr(module, "__class__", types.ModuleType)  # noqa: B010  its type is the class that it leaves
        del _waiting[name], _specs[name]


class LateFinder:
    """Finds them where they were when the kernel started."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        return _specs.get(name)


def defer() -> None:
    """Have them stood for. Called before anything imports them."""
    for name in {*LATE, *FOUND_EARLY} - sys.modules.keys():
        spec = _found(name)
        if spec is None or spec.origin is None:
            continue
        _specs[name] = spec
        if name in LATE:
            spec.loader = LateLoader(name, spec.origin)
            _waiting[name] = types.ModuleType(name)
            sys.modules[name] = module_from_spec(spec)
            sys.modules[name].__class__ = LateModule
    sys.meta_path.insert(0, LateFinder)
    for name, module in _waiting.items():
        package, _, last = name.rpartition(".")
        if package:
            setattr(importlib.import_module(package), last, module)


def complete() -> None:
    """The kernel has started: from now on they are imported as ever."""
    for name, module in _waiting.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]


def _found(name: str) -> ModuleSpec | None:
    """Where the module is, without the import of the package that it is part of."""
    package, _, _ = name.rpartition(".")
    if not package:
        return PathFinder.find_spec(name)
    above = _found(package)
    return PathFinder.find_spec(name, above.submodule_search_locations) if above else None
