"""A module is loaded anew, and what was imported from it by name follows, as with %autoreload; also what is decorated.

The names of cells get the new functions and classes. What lists, objects and other modules hold of the old ones is made
the same as the new ones where Python allows it.
"""

import contextlib
import importlib
import weakref
from collections.abc import Iterator, MutableMapping
from types import FunctionType, ModuleType
from typing import Any

Olds = dict[tuple[str, str], list[Any]]
"""What modules ever had under their names, as weak references."""


def reload(module: ModuleType, olds: Olds, names: MutableMapping[str, Any]) -> Olds:
    """The old ones that can't be made the same, for as long as somebody holds them.

    names: those of cells. Raises what the module raises; then all is as it was.
    """
    here = vars(module)
    for name, value in here.items():
        if _can_follow(value, module.__name__):
            with contextlib.suppress(TypeError):
                olds.setdefault((module.__name__, name), []).append(weakref.ref(value))
    before = dict(here)
    here.clear()
    here.update({name: before[name] for name in ("__name__", "__loader__") if name in before})
    try:
        importlib.reload(module)
    except BaseException:
        here.update(before)
        raise
    mine = {key: refs for key, refs in olds.items() if key[0] == module.__name__ and key[1] in here}
    return {key: _left_behind(refs, here[key[1]], names) for key, refs in mine.items()}


def still_held(olds: Olds) -> list[str]:
    """Under which names of their modules: ``fit.area``."""
    return [".".join(key) for key, refs in olds.items() if any(ref() is not None for ref in refs)]


def _can_follow(value: Any, module: str) -> bool:
    """Whether it is a function or a class of the module's own, or what a decorator has made there."""
    made_by_a_call = "<locals>" in getattr(value, "__qualname__", "")
    return callable(value) and (getattr(value, "__module__", "") == module or made_by_a_call)


def _left_behind(refs: list[Any], new: Any, names: MutableMapping[str, Any]) -> list[Any]:
    """Those of the old ones that stay as they are; cells have the new one for each."""
    refs[:] = [ref for ref in refs if ref() is not None and ref() is not new]
    for name in [*names]:
        if any(ref() is names[name] for ref in refs):
            names[name] = new
    return [ref for ref in refs if not _made_same(ref(), new)]


def _made_same(old: Any, new: Any) -> bool:
    """Whether an old function or class does what the new one does, from now on."""
    from IPython.extensions.autoreload import update_generic

    try:
        if isinstance(old, FunctionType) and isinstance(new, FunctionType):
            if _free(old) != _free(new):
                return False
            update_generic(old, new)
            for ours, theirs in zip(old.__closure__ or (), new.__closure__ or (), strict=True):
                # It may be empty.
                with contextlib.suppress(ValueError):
                    ours.cell_contents = theirs.cell_contents
            return True
        if isinstance(old, type) and isinstance(new, type):
            for name in _unlike(old, new):
                setattr(old, name, vars(new)[name])
            return bool(update_generic(old, new)) & _put_below(old, new)
        if type(old) is type(new) and hasattr(old, "__wrapped__"):
            # As functools.cache has it.
            getattr(old, "cache_clear", bool)()
            return _made_same(old.__wrapped__, new.__wrapped__)
        return bool(update_generic(old, new))
    except Exception:  # noqa: BLE001 whatever a class of theirs thinks of that
        return False


def _put_below(old: type, new: type) -> bool:
    """Whether all classes that were made of the old one are made of the new one now, with their instances."""
    done, those = True, list[type](type.__subclasses__(old))
    for below in those:
        try:
            below.__bases__ = tuple(new if base is old else base for base in below.__bases__)
        except TypeError:
            # It has other slots, or another order of its bases makes no sense.
            done = False
    return done


def _unlike(old: type, new: type) -> Iterator[str]:
    """The methods that can't be changed in place."""
    for name, method in [*vars(old).items()]:
        pair = [getattr(found, "__func__", found) for found in (method, vars(new).get(name))]
        if all(isinstance(found, FunctionType) for found in pair) and _free(pair[0]) != _free(pair[1]):
            yield name


def _free(function: Any) -> int:
    """How many names it has from the functions around it: no other number can be put there."""
    return len(function.__closure__ or ())
