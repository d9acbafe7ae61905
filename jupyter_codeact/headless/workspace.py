"""Working folders: one that nobody else works in, and one that is a part of a checkout."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..errors import ConfigError
from ..words import reason

ABOVE = "the repository begins above the workspace"
OUTSIDE = "the repository lies outside of the workspace"


def fresh_workspace(place: Path, source: Path | None, without: Path) -> Path:
    """Make ``place`` a copy of ``source``, without the folder ``without`` in it; or empty. What was there goes.

    Links stay links. Raises ConfigError where that is impossible.
    """

    def ours(parent: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(parent, name).resolve() == without.resolve()]

    if source is not None and not source.is_dir():
        raise ConfigError(f"There is no folder {source}: a workspace is one that is there.")
    try:
        if place.exists():
            shutil.rmtree(place)
        if source is None:
            place.mkdir(parents=True)
        else:
            shutil.copytree(source, place, symlinks=True, ignore=ours)
    except OSError as error:
        raise ConfigError(f"{source or place} can't be made a workspace: {reason(error)[:200]}.") from None
    return place


def beyond(workspace: Path) -> str:
    """Why no patch can be made of a folder in a checkout whose repository the sandbox does not see; "" elsewhere."""
    place = workspace.resolve()
    if (repository := place / ".git").is_dir():
        return "" if repository.resolve().is_relative_to(place) else OUTSIDE
    if os.path.exists(repository):
        # The file that a worktree and a submodule have.
        return OUTSIDE
    return ABOVE if any(os.path.exists(folder / ".git") for folder in place.parents) else ""
