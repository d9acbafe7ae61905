"""Links on the way to what is shown to a sandbox: those that are hers, and those that a cell may have made.

A project, a library of skills or a file of settings may lie where another kernel's cells can write. A link that they
put there would be followed by whoever binds or reads it by name, to a key of hers or to a socket of another program.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from ..files import LINKS, content_of
from .paths import in_dot_folder, inside, users_home

UNSEEN = "Cells don't see {names}: on the way there, code in a sandbox may have made a link ({links}). {remedy}"
REMEDY = (
    "Put what it leads to in its place, or let what is installed from there (`pip install -e`), "
    "JUPYTER_CODEACT_SKILLS or JUPYTER_CODEACT_HOME name that."
)
# So many are named: cells may have made any number.
NAMED = 3


class Led(NamedTuple):
    """places: where names lead by no link of a cell's. unseen: that link, by name, where there is one."""

    places: dict[str, str]
    unseen: dict[str, str]

    @property
    def left_out(self) -> str:
        """What is to be said of those that are not seen; nothing where all are."""
        if not self.unseen:
            return ""
        linked = _listed([*dict.fromkeys(self.unseen.values())])
        return UNSEEN.format(names=_listed([*self.unseen]), links=linked, remedy=REMEDY)


def led(names: Iterable[str], environment: Iterable[str] = ()) -> Led:
    """One that goes by a link in a folder that is shown, to what is shown, is seen without being bound.

    The environment's folders are shown in any case.
    """
    places: dict[str, str] = {}
    others: dict[str, str] = {}
    for name in names:
        try:
            places[name] = place_of(name)
        except OSError as error:
            others[name] = error.filename
    shown = {*environment, *places.values()}
    seen = {name for name, link in others.items() if _lies_in(link, shown) and _lies_in(os.path.realpath(name), shown)}
    return Led(places, {name: link for name, link in others.items() if name not in seen})


def _lies_in(path: str, folders: Iterable[str]) -> bool:
    return any(inside(path, folder) for folder in folders)


def _listed(names: list[str]) -> str:
    """A cell chose them, maybe: nothing in them ends a line, or acts in a terminal."""
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*(name if name.isprintable() else repr(name) for name in names[:NAMED]), *more])


def place_of(name: str) -> str:
    """Where it leads, if no link on the way can be a cell's. Raises OSError, with the link, where one can be.

    Her home is where all that is hers is looked for, however its name leads there.
    """
    name, home = os.path.abspath(name), os.path.abspath(os.path.expanduser("~"))
    if inside(name, home):
        name = os.path.join(users_home(), os.path.relpath(name, home))
    return followed(name, is_closed)


def followed(name: str, trusts: Callable[[str], bool]) -> str:
    """Where it leads. Raises OSError, with the link, at one that lies in a folder which is not to be trusted."""
    steps, place, left = [*reversed(name.split("/"))], "/", LINKS
    while steps:
        step = steps.pop()
        if step in ("", ".", ".."):
            place = os.path.dirname(place) if step == ".." else place
            continue
        path = os.path.join(place, step)
        if not os.path.islink(path):
            place = path
        elif left and trusts(place):
            target = os.readlink(path)
            steps += reversed(target.split("/"))
            place, left = "/" if os.path.isabs(target) else place, left - 1
        else:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
    return place


def is_closed(folder: str) -> bool:
    """Whether no cell makes anything in this folder, which is its true name, whatever its working folder is.

    It is the root, or her home; or it is, or lies in, a dot folder there; or it is not hers, and she can't write there.
    """
    if folder in ("/", users_home()) or in_dot_folder(folder):
        return True
    return os.stat(folder).st_uid != os.geteuid() and not os.access(folder, os.W_OK)


def text_of(path: str) -> str:
    """Of a plain file to which no link of a cell's leads. Raises OSError."""
    place = place_of(path)
    found = content_of(Path(place))
    if found.place != place:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), place)
    return found.data.decode("utf-8", "surrogateescape")
