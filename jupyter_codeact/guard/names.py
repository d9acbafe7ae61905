"""Classes and ids of the sandbox's HTML live in a name space of their own.

A class is a claim on every rule of the page's style sheets: ``jp-Dialog`` would cover the page, ``jp-CodeAct-bar``
look like our approval bar. With a prefix on each name there is no list of forbidden ones to keep.
"""

from __future__ import annotations

PREFIX = "out-"
# pandas' own class: rules for it are expected from other places, and none of JupyterLab's is harmful.
COMMON = frozenset({"dataframe"})
# Of an object in the page: by these keys a copy of it gets properties that nobody sees, or changes all other objects.
PROTOTYPE = frozenset({"__proto__", "constructor", "prototype"})


def words(text: str) -> frozenset[str]:
    """The words of a list that is long to read as strings."""
    return frozenset(text.split())


def own_name(name: str) -> str:
    """The name under which a class of the sandbox's appears in the page."""
    return name if name in COMMON or name.startswith(PREFIX) else PREFIX + name


def own_id(name: str) -> str:
    """The same for an id."""
    return name if name.startswith(PREFIX) else PREFIX + name


def own_classes(value: str) -> str:
    """The same for the value of a ``class`` attribute."""
    return " ".join(own_name(name) for name in value.split())
