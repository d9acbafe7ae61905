"""Skills that a running kernel has imported follow what is saved, here or elsewhere: they are reloaded before a cell.

A module is read from where an import would find it now, so that a skill of the person's own takes the place of a shared
one. Modules that import from one that changed are reloaded after it: they hold its values under their own names.
"""

import ast
import contextlib
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from codeact_reload import Olds, reload, still_held


class SkillWatch:
    """What was saved since the last cell is found, and what is in use is reloaded.

    libraries: the folders of skills, the first that has a name wins. Functions and classes that were imported by name
    follow their module, as with %autoreload.
    """

    def __init__(self, shell: Any, libraries: list[str]) -> None:
        self.shell = shell
        self.libraries = [os.path.join(path, "") for path in libraries]
        # Where each module and folder lay, and when it was written.
        self.seen: dict[str, tuple[str, int]] = {}
        self.modules: set[str] = set()
        self.mark = (0, "")
        self.skills: set[str] = set()
        # What was ever imported of them: all of it follows, and not what the last reload made alone.
        self.olds: Olds = {}

    def before_cell(self, _info: Any = None) -> None:
        """Cheap when nothing changed: a few stats a library and a loaded skill."""
        if [folder for folder in self.libraries if self._changed(folder, folder)]:
            importlib.invalidate_caches()
        places = self._places()
        changed = {name for name, path in places.items() if self._changed(name, path)}
        if changed:
            self._follow(changed, places)

    def after_cell(self, _result: Any = None) -> None:
        """Note the skills that the cell imported, as they were when it did."""
        for name in self._loaded():
            if name not in self.seen:
                self._changed(name, sys.modules[name].__file__ or "")

    def _loaded(self) -> set[str]:
        """Only modules that are new are looked at, and only if there are any: this happens before and after each cell.

        What is imported comes last in sys.modules, of which there may be thousands.
        """
        mark = len(sys.modules), next(reversed(sys.modules), "")
        if mark != self.mark:
            now = set(sys.modules)
            self.skills |= {name for name in now - self.modules if self._is_skill(name)}
            self.modules, self.mark = now, mark
        return {name for name in self.skills if name in sys.modules}

    def _is_skill(self, name: str) -> bool:
        return str(getattr(sys.modules[name], "__file__", "")).startswith(tuple(self.libraries))

    def _places(self) -> dict[str, str]:
        """The loaded skills, and the files that they lie in now. Those that are gone stay what they are."""
        found = {name: self._place(name) for name in self._loaded()}
        return {name: place for name, place in found.items() if place}

    def _place(self, name: str) -> str:
        """A module's file, in the library that has the skill: a package is not made up from several."""
        skill = name.partition(".")[0]
        folder = next((folder for folder in self.libraries if _file(folder, skill)), "")
        return _file(folder, name) if folder else ""

    def _changed(self, name: str, path: str) -> bool:
        with contextlib.suppress(OSError):
            now = path, os.stat(path).st_mtime_ns
            before, self.seen[name] = self.seen.get(name), now
            return before != now
        return False

    def _follow(self, changed: set[str], places: dict[str, str]) -> None:
        """Reload what changed, and what imports from it."""
        for name in changed:
            if hasattr(sys.modules[name], "__path__"):
                # Its modules are found by this, and may be reloaded before it.
                sys.modules[name].__path__ = [os.path.dirname(places[name])]
        uses = {name: {*_imported(name, path, places)} for name, path in places.items()}
        left: Olds = {}
        for name in _in_order(uses):
            if name in changed or uses[name] & changed:
                changed.add(name)
                left |= self._reload(sys.modules[name])
        if held := still_held(left):
            print(
                f"Names of cells are those of the skills as they are now, but lists, subclasses and other objects hold "
                f"what {', '.join(held)} was before, which can't be changed: put the new one there.",
                file=sys.stderr,
            )

    def _reload(self, module: Any) -> Olds:
        """What can't follow."""
        left: Olds = {}
        try:
            left = reload(module, self.olds, self.shell.user_ns)
        except Exception:  # noqa: BLE001 the person's own module: whatever it raises is shown, and her cell runs
            print(f"{module.__name__} was changed and can't be reloaded:", file=sys.stderr)
            self.shell.showtraceback()
        # Only their first import makes the modules of a package its attributes.
        for name in self.skills & sys.modules.keys():
            package, _, inner = name.rpartition(".")
            if package == module.__name__:
                vars(module).setdefault(inner, sys.modules[name])
        return left


def _file(folder: str, name: str) -> str:
    """The file of a module in a library; "" where it has none. As Python does, it takes the package first."""
    path = os.path.join(folder, *name.split("."))
    return next(filter(os.path.isfile, (os.path.join(path, "__init__.py"), f"{path}.py")), "")


def _imported(name: str, path: str, known: Mapping[str, str]) -> Iterator[str]:
    """Which of the known modules a module imports, by its source."""
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    package = name.split(".") if path.endswith("__init__.py") else name.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            inner = (f"{base}.{alias.name}" for alias in node.names)
            yield from (full if full in known else base for full in inner if full in known or base in known)


def _in_order(uses: Mapping[str, set[str]]) -> list[str]:
    """Each module after those that it uses; where they go round in a circle, somewhere in it."""
    order: dict[str, None] = {}
    visited: set[str] = set()

    def visit(name: str) -> None:
        if name not in visited:
            visited.add(name)
            for used in sorted(uses[name]):
                visit(used)
            order[name] = None

    for name in sorted(uses):
        visit(name)
    return [*order]
