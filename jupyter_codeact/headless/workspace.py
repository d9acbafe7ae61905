"""Working folders: one that nobody else works in, and one that is a part of a checkout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from .. import leading
from ..errors import ConfigError
from ..files import FOLDER, Identity, by_descriptor, empty, folder_in, opened
from ..sandbox.place import SWAPPED
from ..words import reason
from . import made as noted
from .copying import copy_tree

ABOVE = "the repository begins above the workspace"
OUTSIDE = "the repository lies outside of the workspace"
HERS = (
    "{place} is there already, and not known as a folder that was made for a run. It stays as it is: move it away, or "
    "choose another `--out`."
)
BY_LINK = (
    "{place} would be made anew, and {link}, a link on the way there, may be of a sandbox's making. It stays as it is: "
    "let `--out` name the folder itself."
)


class Workspace(NamedTuple):
    """identity: which folder was made, whatever has its name since."""

    path: Path
    identity: Identity


def part_of(out: Path, *names: str) -> Path:
    """The folder ``out/name/…``, made where there is none. Raises ConfigError for a link.

    ``out`` is as she named it, and may be one; those in it code in a sandbox may have put there.
    """
    place = out.joinpath(*names)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with folder_in(out, *names, make=True):
            return place
    except OSError as error:
        raise _refusal(place, out, error) from None


def fresh_workspace(
    place: Path, source: Path | None, out: Path, notes: Path, known: Identity | None = None
) -> Workspace:
    """Make ``place`` a copy of ``source``, without the folder ``out`` in it; or empty.

    What was made there before goes, by the ``notes`` of it, and nothing else does: see made.py. Links stay links;
    sockets, FIFOs and devices are left out. ``place`` lies in ``out``, the folder that she named; ``known`` is which
    folder ``source`` was when she named that. Raises ConfigError where it is another one by now, where ``place`` is a
    folder of hers, where a link lies on the way from ``out`` to it, and where all that is impossible.
    """
    if source is not None and not source.is_dir():
        raise ConfigError(f"There is no folder {source}: a workspace is one that is there.")
    if source is not None and source.resolve().is_relative_to(place.resolve()):
        raise ConfigError(f"{source} lies in {place}, which is made anew: choose another `--out`.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with folder_in(out, *place.relative_to(out).parts[:-1], make=True) as around:
            if place.name in os.listdir(around):
                _remove(place, out, notes, around)
            os.mkdir(place.name, dir_fd=around)
            with opened(place.name, FOLDER | os.O_NOFOLLOW, around) as made:
                noted.note(notes, made)
                if source is not None:
                    _copy(source, known, made, out)
                return Workspace(place, Identity.of(made))
    except (OSError, RecursionError) as error:
        if _link_to(place, out):
            raise _refusal(place, out, error) from None
        raise ConfigError(f"{source or place} can't be made a workspace: {reason(error)[:200]}.") from None


def _remove(place: Path, out: Path, notes: Path, around: int) -> None:
    """Raises ConfigError for a folder of hers, and where a link on the way may be a cell's; OSError."""
    # Of a link it says that it is one.
    with opened(place.name, FOLDER | os.O_NOFOLLOW, around) as old:
        if not noted.is_noted(notes, old):
            raise ConfigError(HERS.format(place=place))
        if link := _link_of_a_cell(out, place, old):
            raise ConfigError(BY_LINK.format(place=place, link=link))
        empty(old)
    os.rmdir(place.name, dir_fd=around)


def _link_of_a_cell(out: Path, place: Path, found: int) -> str:
    """What on the way to ``out`` may be one, where the open folder ``found`` is what ``place`` led to; "" elsewhere."""
    try:
        led = os.path.join(leading.place_of(str(out)), place.relative_to(out))
    except OSError as error:
        return str(error.filename)
    return "" if led == str(by_descriptor(found).readlink()) else str(out)


def _copy(source: Path, known: Identity | None, made: int, out: Path) -> None:
    """Raises ConfigError and OSError."""
    with folder_in(source) as origin:
        if known not in (None, Identity.of(origin)):
            raise ConfigError(SWAPPED.format(folder=source))
        # A cell may move what is being made into what is copied.
        copy_tree(origin, made, without={Identity.of(out), Identity.of(made)})


def _link_to(place: Path, out: Path) -> Path | None:
    """The first link on the way from ``out`` to ``place``."""
    names = place.relative_to(out).parts
    ways = (out.joinpath(*names[: n + 1]) for n in range(len(names)))
    return next((path for path in ways if path.is_symlink()), None)


def _refusal(place: Path, out: Path, error: Exception) -> ConfigError:
    link = _link_to(place, out)
    if link is None:
        return ConfigError(f"{place} can't be made: {reason(error)}. Choose another `--out`.")
    leads = f"{link} is a link to {os.readlink(link)}, and code in a sandbox may have put it there"
    return ConfigError(f"{leads}: delete it, or choose another `--out`.")


def beyond(workspace: Path) -> str:
    """Why no patch can be made of a folder in a checkout whose repository the sandbox does not see; "" elsewhere."""
    place = workspace.resolve()
    if (repository := place / ".git").is_dir():
        return "" if repository.resolve().is_relative_to(place) else OUTSIDE
    if os.path.exists(repository):
        # The file that a worktree and a submodule have.
        return OUTSIDE
    return ABOVE if any(os.path.exists(folder / ".git") for folder in place.parents) else ""
