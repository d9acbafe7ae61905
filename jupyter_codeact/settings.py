"""What has to be known before anything is imported: folders, and the few settings that the environment holds.

Everything else is in ``config.py`` (traitlets), which is read when the first agent is made.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from .errors import ConfigError

PREFIX = "JUPYTER_CODEACT_"
RESERVE_MINUTES = 30.0
DEFAULT_WORKSPACE = "default"
UNUSABLE = "{path} can't hold skills and runs: {reason}. Set JUPYTER_CODEACT_HOME to a folder that you can write in."
NO_NAME = """\
JUPYTER_CODEACT_WORKSPACE={name}: it names your private skill library, and is no folder: write letters, digits, '-', \
'_' and '.', with no '.' at the beginning, such as {near}."""


class Settings(NamedTuple):
    """root: our data folder. workspace: which private skill library this kernel writes to.

    hidden: folders of ours and of Jupyter's that code in the sandbox must neither see nor make.
    other_skills: folders of skills that are only read; absent_skills: those that are named, and not there.
    memory_gb: what the sandbox may hold; None stands for three quarters of the machine's.
    reserve_minutes: how long a kernel in reserve waits to be somebody's; 0 for none.
    """

    root: Path
    workspace: str = DEFAULT_WORKSPACE
    sandbox: str = "bubblewrap"
    hidden: tuple[str, ...] = ()
    other_skills: tuple[str, ...] = ()
    memory_gb: float | None = None
    reserve_minutes: float = RESERVE_MINUTES
    absent_skills: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        data = _jupyter_data_folder(environment)
        root = _root(environment, data)
        hidden = (str(root), str(data), *_obeyed_by_jupyter(environment))
        skills = _folders(environment.get(PREFIX + "SKILLS", ""))
        return cls(
            root,
            _workspace(environment),
            environment.get(PREFIX + "SANDBOX", "bubblewrap"),
            tuple(dict.fromkeys(map(os.path.abspath, hidden))),
            tuple(filter(os.path.isdir, skills)),
            _memory_gb(environment),
            _reserve_minutes(environment),
            tuple(folder for folder in skills if not os.path.isdir(folder)),
        )

    @property
    def private_skills(self) -> Path:
        return self.root / "skills" / "private" / self.workspace

    @property
    def shared_skills(self) -> Path:
        return self.root / "skills" / "shared"

    @property
    def histories(self) -> Path:
        """The versions of all skills."""
        return self.root / "history"

    @property
    def skill_index(self) -> Path:
        """What the search for skills keeps, of every workspace's."""
        return self.root / "skills" / "index.sqlite"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def made(self) -> Path:
        """Notes of the folders that were made for runs, wherever they lie."""
        return self.root / "made"

    @property
    def homes(self) -> Path:
        """What sandboxes keep from kernel to kernel."""
        return self.root / "homes"

    @property
    def libraries(self) -> tuple[str, ...]:
        """The skill libraries in the order in which they are searched."""
        return (str(self.private_skills), str(self.shared_skills), *self.other_skills)

    def make_folders(self) -> None:
        """Libraries must exist before the sandbox opens; runs and homes are nobody else's business.

        Raises ConfigError where our data folder can't be written.
        """
        # The sandbox may be another user; its view of the libraries is read-only.
        modes = {self.runs: 0o700, self.homes: 0o700, self.private_skills: 0o755, self.shared_skills: 0o755}
        try:
            for folder, mode in modes.items():
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(mode)
        except OSError as error:
            raise ConfigError(UNUSABLE.format(path=self.root, reason=error.strerror or error)) from None


def _root(environment: Mapping[str, str], data: Path) -> Path:
    said = Path(environment.get(PREFIX + "HOME") or data / "codeact")
    try:
        return Path(os.path.abspath(said.expanduser()))
    except RuntimeError:
        raise ConfigError(UNUSABLE.format(path=said, reason="nobody of that name has a home here")) from None


def _workspace(environment: Mapping[str, str]) -> str:
    name = environment.get(PREFIX + "WORKSPACE") or DEFAULT_WORKSPACE
    if not re.fullmatch(r"[\w-][\w.-]{0,59}", name):
        near = re.sub(r"[^\w.-]+", "-", name).strip(".-")[-60:].lstrip(".-") or "project"
        raise ConfigError(NO_NAME.format(name=" ".join(name.split()), near=near))
    return name


def _folders(paths: str) -> tuple[str, ...]:
    """Libraries that others keep, and that are only read."""
    return tuple(os.path.abspath(os.path.expanduser(path)) for path in paths.split(os.pathsep) if path)


def _obeyed_by_jupyter(environment: Mapping[str, str]) -> Iterator[str]:
    """Where Jupyter and IPython look for configuration, kernels and keys, as far as that can be anywhere."""
    home = Path.home()
    yield str(home / ".jupyter")
    yield os.path.join(environment.get("PYTHONUSERBASE") or home / ".local", "etc/jupyter")
    yield os.path.join(environment.get("XDG_CONFIG_HOME") or home / ".config", "jupyter")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "JUPYTER_PATH", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        yield from filter(None, environment.get(name, "").split(os.pathsep))


def _memory_gb(environment: Mapping[str, str]) -> float | None:
    name = PREFIX + "MEMORY_GB"
    text = environment.get(name, "").strip()
    try:
        wish = float(text) if text else None
    except ValueError:
        wish = 0.0
    if wish is not None and not 0.25 <= wish < float("inf"):
        raise ConfigError(f"{name}={text}: write how many gigabytes the sandbox may use, at least 0.25, such as 4.")
    return wish


def _reserve_minutes(environment: Mapping[str, str]) -> float:
    name = PREFIX + "RESERVE"
    text = environment.get(name, "").strip()
    try:
        minutes = float(text) if text else RESERVE_MINUTES
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes < float("inf"):
        raise ConfigError(f"{name}={text}: write how many minutes a kernel waits in reserve, such as 30; 0 for none.")
    return minutes


def _jupyter_data_folder(environment: Mapping[str, str]) -> Path:
    """As jupyter_core.paths.jupyter_data_dir says on Linux and macOS, without its import."""
    if folder := environment.get("JUPYTER_DATA_DIR"):
        return Path(folder)
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Jupyter"
    return Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "jupyter"
