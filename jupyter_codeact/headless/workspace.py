"""Working folders: one that nobody else works in, and one that is a part of a checkout."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..errors import ConfigError
from ..words import reason

ABOVE = "the repository begins above the workspace"
OUTSIDE = "the repository lies outside of the workspace"


def part_of(out: Path, name: str) -> Path:
    """The folder ``name`` of ``out``, made where there is none. Raises ConfigError for a link.

    ``out`` is as she named it, and may be one; those in it code in a sandbox may have put there.
    """
    place = out / name
    try:
        out.mkdir(parents=True, exist_ok=True)
        place.mkdir(exist_ok=True)
        os.close(_opened(place))
    except OSError as error:
        raise _refusal(place, error) from None
    return place


def fresh_workspace(place: Path, source: Path | None, without: Path) -> Path:
    """Make ``place`` a copy of ``source``, without the folder ``without`` in it; or empty. What was there goes.

    Links stay links. Raises ConfigError where that is impossible, and where ``place`` is a link, or what it lies in,
    but for ``without``, which is the folder that she named.
    """

    def ours(parent: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(parent, name).resolve() == without.resolve()]

    if source is not None and not source.is_dir():
        raise ConfigError(f"There is no folder {source}: a workspace is one that is there.")
    if source is not None and source.resolve().is_relative_to(place.resolve()):
        raise ConfigError(f"{source} lies in {place}, which is made anew: choose another `--out`.")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _remove(place, follow=place.parent == without)
        if source is None:
            place.mkdir()
        else:
            shutil.copytree(source, place, symlinks=True, ignore=ours)
    except OSError as error:
        if place.is_symlink() or place.parent.is_symlink():
            raise _refusal(place, error) from None
        raise ConfigError(f"{source or place} can't be made a workspace: {reason(error)[:200]}.") from None
    return place


def _remove(place: Path, follow: bool) -> None:
    """By the folder that was looked at, so that no link can be put in its place meanwhile. Raises OSError."""
    folder = _opened(place.parent, follow)
    try:
        # Of a link it says that it is one.
        if place.name in os.listdir(folder):
            shutil.rmtree(place.name, dir_fd=folder)
    finally:
        os.close(folder)


def _opened(folder: Path, follow: bool = False) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | (0 if follow else os.O_NOFOLLOW))


def _refusal(place: Path, error: OSError) -> ConfigError:
    link = next((path for path in (place, place.parent) if path.is_symlink()), None)
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
