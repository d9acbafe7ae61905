"""A kernel needs two modules of `jupyter_client`, whose `__init__` imports clients, managers and provisioners.

They are 2.5 MB of each kernel, with the email and zipfile that they need. So the package is left out while a
kernel starts; whoever imports it afterwards, or any part of it, imports all of it.
"""

import importlib
import sys
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec
from typing import Any

PACKAGE = "jupyter_client"
# What ipykernel takes from the package itself, and the part that has it.
NAMES = {"find_connection_file": "connect", "write_connection_file": "connect"}


class Outline(types.ModuleType):
    """Stands for the package, for those who took it before it was there."""

    def __getattr__(self, name: str) -> Any:
        if name not in NAMES:
            complete()
            return getattr(importlib.import_module(PACKAGE), name)
        return getattr(importlib.import_module(f"{PACKAGE}.{NAMES[name]}"), name)


class WholeFinder:
    """Finds the package for its first import after the start."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name == PACKAGE else None
        if spec is not None and spec.origin:
            sys.meta_path.remove(self)
            spec.loader = WholeLoader(name, spec.origin)
        return spec


class WholeLoader(SourceFileLoader):
    """Python notes a part in its package as it loads the part: some are loaded already."""

    def exec_module(self, module: types.ModuleType) -> None:
        for name, part in list(sys.modules.items()):
            package, _, last = name.rpartition(".")
            if package == PACKAGE:
                setattr(module, last, part)
        super().exec_module(module)


def leave_out() -> None:
    """Have the package's parts imported without it. Called before anything imports them."""
    spec = PathFinder.find_spec(PACKAGE)
    if spec is not None and PACKAGE not in sys.modules:
        sys.modules[PACKAGE] = module_from_spec(spec)
        sys.modules[PACKAGE].__class__ = Outline


def complete() -> None:
    """From now on the package is imported as ever."""
    if isinstance(sys.modules.get(PACKAGE), Outline):
        del sys.modules[PACKAGE]
        sys.meta_path.insert(0, WholeFinder())
