"""Links on the way to what is shown to a sandbox: those that are hers, and those that a cell may have made.

A project, a library of skills or a file of settings may lie where another kernel's cells can write. A link that they
put there would be followed by whoever binds or reads it by name, to a key of hers or to a socket of another program.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..files import content_of
from ..leading import inside, place_of, shown

UNSEEN = "Cells don't see {names}: on the way there, code in a sandbox may have made a link ({links}). {remedy}"
REMEDY = (
    "Put what it leads to in its place, or let what is installed from there (`pip install -e`), "
    "JUPYTER_CODEACT_SKILLS or JUPYTER_CODEACT_HOME name that."
)
GONE = "Cells don't see {names}: no folder of skills is there any more. Put it back, and restart the kernel."
# So many are named: cells may have made any number.
NAMED = 3


class Led(NamedTuple):
    """places: where names lead by no link of a cell's. unseen: that link, by name, where there is one.

    gone: folders of skills that are not there.
    """

    places: dict[str, str]
    unseen: dict[str, str]
    gone: tuple[str, ...] = ()

    def without_gone(self, libraries: Iterable[str], work: str) -> Led:
        """Libraries may go while a kernel runs. Those in the working folder are made anew, before a cell does it."""
        outside = (name for name in libraries if name in self.places and not inside(self.places[name], work))
        gone = tuple(name for name in outside if not os.path.isdir(self.places[name]))
        return self._replace(places={name: at for name, at in self.places.items() if name not in gone}, gone=gone)

    @property
    def left_out(self) -> str:
        """What is to be said of those that are not seen; nothing where all are."""
        linked = _listed([*dict.fromkeys(self.unseen.values())])
        unseen = UNSEEN.format(names=_listed([*self.unseen]), links=linked, remedy=REMEDY) if self.unseen else ""
        gone = GONE.format(names=_listed([*self.gone])) if self.gone else ""
        return "\n".join(filter(None, (unseen, gone)))


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
    bound = {*environment, *places.values()}
    seen = {name for name, link in others.items() if _lies_in(link, bound) and _lies_in(os.path.realpath(name), bound)}
    return Led(places, {name: link for name, link in others.items() if name not in seen})


def _lies_in(path: str, folders: Iterable[str]) -> bool:
    return any(inside(path, folder) for folder in folders)


def _listed(names: list[str]) -> str:
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*map(shown, names[:NAMED]), *more])


def text_of(path: str) -> str:
    """Of a plain file to which no link of a cell's leads. Raises OSError."""
    place = place_of(path)
    found = content_of(Path(place))
    if found.place != place:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), place)
    return found.data.decode("utf-8", "surrogateescape")
