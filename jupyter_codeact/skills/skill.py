"""One skill, as it lies in a folder: a module, or a package of which agents are shown the ``api.py``."""

from __future__ import annotations

import importlib.util
import keyword
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..errors import SkillError
from .contents import Contents, contents_of
from .files import at_once, is_name, is_own, texts_beside
from .offered import Texts
from .outlines import as_read

Files = Mapping[str, str]
"""Text by path in the library: ``gp_fit.py``, or ``pkg/api.py`` and the rest of a package. Empty for no skill."""
# What editors on Windows put before a text: Python reads it as no part of it.
MARK = "\ufeff"
# A file system takes 255 bytes, and a file is written under a longer name first.
LONGEST = 200
API, INIT = "api.py", "__init__.py"


@dataclass(frozen=True)
class Skill:
    """path: what an agent is shown of it. ``summary``: the first line of its docstring, or of what stands for one.

    ``folder``: the library that it lies in. ``functions``: signatures.
    """

    name: str
    path: Path
    source: str
    folder: Path

    @cached_property
    def texts(self) -> Texts:
        """What it is made of, by path in the library; of a module that was replaced meanwhile, as it was."""
        return {**texts_beside(str(self.path), self.folder), self.inside: self.source}

    @property
    def inside(self) -> str:
        """The path in the library."""
        return self.path.relative_to(self.folder).as_posix()

    @cached_property
    def contents(self) -> Contents:
        return contents_of(self.source, self.inside, self.texts)

    @property
    def summary(self) -> str:
        return self.contents.summary

    @property
    def functions(self) -> list[str]:
        """What is public."""
        return [signature for signature, _ in self.contents.functions]

    @property
    def read(self) -> str:
        """What an agent reads of it: its source, and how that is called what it imports from its own package."""
        return as_read(self.inside, self.texts)

    @property
    def module(self) -> str:
        """What is imported: ``gp_fit``, or ``pkg.api``."""
        return f"{self.name}.api" if self.inside == f"{self.name}/{API}" else self.name


# What `site` imports whenever a Python starts.
_STARTUP = ("sitecustomize", "usercustomize")


def skills_in(folder: Path) -> dict[str, Skill]:
    """The skills of one folder, by name."""
    paths = [path for path in (*folder.glob("*.py"), *folder.glob(f"*/{INIT}")) if is_own(folder, path)]
    named = {_name_of(folder, path): path for path in sorted(paths)}
    shown = {name: path.with_name(API) if path.name == INIT else path for name, path in named.items()}
    whole = {name: path if is_own(folder, path) else named[name] for name, path in shown.items()}
    return {name: Skill(name, path, _read(path), folder) for name, path in whole.items() if name.isidentifier()}


def files_of(folder: Path, name: str) -> Files:
    """The files that make up a skill, byte for byte: those that Python imports. Raises OSError."""
    package = folder / name
    paths = sorted(package.rglob("*.py")) if is_own(folder, package / INIT) else []
    here = {path.relative_to(folder).as_posix(): exactly(path) for path in paths if is_own(folder, path)}
    return here or module_of(folder, name)


def module_of(folder: Path, name: str) -> Files:
    """The file of a skill that is no package; a package of its name hides it. Raises OSError."""
    module = folder / f"{name}.py"
    return {module.name: exactly(module)} if is_own(folder, module) else {}


def has_module(folder: Path, name: str) -> bool:
    """Whether Python finds a module or a package of that name in a folder before it looks elsewhere."""
    return any(path.is_file() for path in _places(folder, name))


def has_skill(folder: Path, name: str) -> bool:
    """Whether a library has a skill of that name."""
    return any(is_own(folder, path) for path in _places(folder, name))


def _places(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.py", folder / name / INIT


def exactly(path: Path) -> str:
    """Text with its line ends as they are, and with bytes that are no UTF-8 as surrogates. Raises OSError."""
    return _bytes(path).decode("utf-8-sig", "surrogateescape")


def is_marked(path: Path) -> bool:
    """Whether a file begins with ``MARK``. Raises OSError."""
    return _bytes(path).startswith(MARK.encode())


def _bytes(path: Path) -> bytes:
    with open(path, "rb", opener=at_once) as file:
        return file.read()


def readable(text: str, path: str) -> str:
    """The text. Raises SkillError for bytes that are no UTF-8: what was shown and saved would be something else."""
    try:
        text.encode()
    except UnicodeError:
        raise SkillError(f"{path!r} is no UTF-8, and can't be shown as it is.") from None
    return text


def check_name(name: str) -> None:
    """A module's name, that hides nothing that other code imports."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise SkillError(f"{name!r} can't be a module's name: use letters, digits and _, such as gp_fit.")
    if len(name.encode()) > LONGEST:
        raise SkillError(f"{name[:20]}… is longer than {LONGEST} bytes: its files could not be written everywhere.")
    if name in sys.stdlib_module_names or name in _STARTUP:
        raise SkillError(f"{name!r} is a module of Python's own, which a skill of that name would hide.")
    if not is_name(name):
        raise SkillError(f"{name!r} begins with __: such a name is Python's own, and no skill's.")
    if importlib.util.find_spec(name) is not None:
        raise SkillError(f"{name!r} is a package of this environment, and would be imported instead of a skill.")


def _name_of(folder: Path, path: Path) -> str:
    return path.relative_to(folder).parts[0].removesuffix(".py")


def _read(path: Path) -> str:
    with open(path, encoding="utf-8-sig", errors="replace", newline="", opener=at_once) as file:
        return file.read()
