"""What the sandboxed Python has to see of the file system, and what it must not."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import SandboxUnavailable
from ..files import folder_in
from ..leading import in_dot_folder, inside, users_home
from .interpreter import describe, projects

PACKAGE = Path(__file__).resolve().parent.parent
LINKED = (
    "{name} is found through {link}, a link in this kernel's working folder, where code in the sandbox could put "
    "something else: put a real folder in its place, or the notebook into another folder."
)
# Of her home so many are shown, each by a mount.
MOST_ENTRIES = 1500
# Her own PATH may lead into a folder that cells can write.
SYSTEMS = {"PATH": os.defpath}
NO_PYTHON = (
    "The Python that this kernel's cells are to run with, {python}, does not work: {reason}. "
    "Make the kernel anew with `setup_kernel.py --python PATH`, or choose another one."
)


class Interpreter(NamedTuple):
    """A Python and the folders that it needs; see interpreter.py for what they are.

    projects: what is installed without being in them (`pip install -e`, .pth files), files as well as folders.
    """

    program: str
    environment: list[str]
    user_site: list[str]
    packages: list[str]
    projects: list[str]

    def with_projects(self) -> Interpreter:
        """With those that there are by now: to look takes no start of it."""
        found = (path for folder in self.packages for path in projects(folder))
        return self._replace(projects=[*map(os.path.abspath, found)])

    def without_projects_in(self, work: str) -> Interpreter:
        """Those are part of the working folder."""
        return self._replace(projects=[path for path in self.projects if not inside(path, work)])

    def without_projects_but(self, places: Mapping[str, str]) -> Interpreter:
        """Of her projects those that are named here, with where they lie, unless that is all of her home."""
        home = users_home()
        kept = [path for path in self.projects if path in places and not inside(home, places[path])]
        return self._replace(projects=kept)

    def readable(self, work: str) -> list[str]:
        """What has to be bound, outermost only. Her projects in the working folder are part of that."""
        home = users_home()
        others = [path for path in self.projects if not inside(path, work) and not inside(home, path)]
        return _outermost([*self.environment, *self.user_site, *others])

    def keeps(self, work: str) -> list[str]:
        """What code that runs outside the sandbox is imported from, where it lies in the working folder."""
        return [folder for folder in _outermost([*self.environment, *self.user_site]) if inside(folder, work)]

    def holds(self, work: str) -> bool:
        """Whether the working folder is the environment itself, or a part of it that holds modules or programs."""
        parts = {os.path.join(folder, part) for folder in self.environment for part in ("bin", "lib", "lib64")}
        return work in self.environment or any(inside(work, part) for part in (*parts, *self.user_site))


def interpreter(python: str) -> Interpreter:
    """Our own answers from memory; another one has to be asked, which takes a start of it.

    Raises SandboxUnavailable where there is no such Python.
    """
    found = Interpreter(**(describe() if python == sys.executable else _ask(python)), projects=[])
    # A link from elsewhere isn't there in the sandbox.
    seen = any(inside(found.program, folder) for folder in ("/usr", *found.environment))
    program = found.program if seen else os.path.realpath(found.program)
    folders = {"environment": both(found.environment), "user_site": both(found.user_site)}
    return found._replace(program=program, **folders).with_projects()


def _ask(python: str) -> dict[str, Any]:
    script = str(PACKAGE / "sandbox" / "interpreter.py")
    try:
        answer = subprocess.run([python, "-E", "-S", script], capture_output=True, text=True, check=False)
    except OSError as error:
        raise SandboxUnavailable(NO_PYTHON.format(python=python, reason=error.strerror)) from None
    if answer.returncode != 0:
        last = answer.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        raise SandboxUnavailable(NO_PYTHON.format(python=python, reason=last[0]))
    return dict(json.loads(answer.stdout))


def _outermost(paths: Iterable[str]) -> list[str]:
    """Without those that lie in /usr, which is bound whole, or inside one another."""
    kept: list[str] = []
    for path in sorted({os.path.normpath(p) for p in paths if os.path.exists(p)}, key=len):
        if path != "/" and not any(inside(path, parent) for parent in ("/usr", *kept)):
            kept.append(path)
    return kept


def forget(work: str) -> None:
    """Import nothing more from what code in the sandbox can write: projects on the path that lie in the folder."""
    work, environment = os.path.realpath(work), (sys.prefix, sys.base_prefix)
    found = {entry: os.path.realpath(entry) for entry in sys.path}
    kept = (path for path in found if not inside(found[path], work) or any(inside(path, e) for e in environment))
    sys.path[:] = kept


def entries_outside(variable: str, work: str) -> str:
    """Of a variable with folders of programs or libraries, those that code in the sandbox can't write.

    An empty or relative entry is the current folder's, which the working folder is.
    """
    entries = os.environ.get(variable, "").split(os.pathsep)
    return os.pathsep.join(e for e in entries if os.path.isabs(e) and not inside(os.path.realpath(e), work))


def systems(program: str) -> str:
    """The path of one of the system's own programs: inside the sandbox other folders come first."""
    return shutil.which(program, path=os.defpath) or program


def remove(folder: Path) -> None:
    """Remove what a sandbox may have made, as deep as it goes; follows no link, and stays on the disk."""
    with contextlib.suppress(OSError):
        subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], capture_output=True, check=False, env=SYSTEMS)


def parents(path: str) -> Iterator[str]:
    """The folders above ``path``, outermost first, without the root."""
    yield from (str(p) for p in reversed(Path(path).parents) if str(p) != "/")


def both(paths: Iterable[str]) -> list[str]:
    """As they are named, and where they are: a home may be a link, and the working folder be named otherwise."""
    return list(dict.fromkeys(name for path in paths for name in (path, os.path.realpath(path))))


def make_missing(work: str, data: Iterable[str], kept: Iterable[str]) -> None:
    """Make the folders of ``private_entries`` that code in the sandbox could make: what isn't there can't be covered.

    It can make nothing in ``kept``, folders that it can't write, nor in the home itself. Raises OSError where a link
    is on the way by now, or it can't be made.
    """
    safe = (*kept, users_home())
    for folder in map(os.path.realpath, data):
        if inside(folder, work) and not os.path.exists(folder):
            there = next(parent for parent in map(str, Path(folder).parents) if os.path.exists(parent))
            if there not in safe and not any(inside(there, k) for k in kept):
                *above, name = Path(folder).relative_to(work).parts
                with folder_in(Path(work), *above, make=True) as parent, contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=parent)


def check_links(work: str, names: Iterable[str], kept: Iterable[str]) -> None:
    """Raises SandboxUnavailable where a link in the working folder leads to what is obeyed outside.

    A link can't be kept from being replaced, but in ``kept``, folders that can't be written, and in a home.
    """
    home = users_home()
    for name in names:
        for step in filter(os.path.islink, (*parents(name), name)):
            place = os.path.realpath(os.path.dirname(step))
            if inside(place, work) and place != home and not any(inside(place, folder) for folder in kept):
                raise SandboxUnavailable(LINKED.format(link=step, name=name))


def check_unseen(work: str, linked: Mapping[str, str]) -> None:
    """Raises SandboxUnavailable where it is by a link in the working folder that a folder of skills is not bound.

    Cells could write there, once the link is gone. ``linked``: the link by name.
    """
    for name, link in linked.items():
        if inside(link, work):
            raise SandboxUnavailable(LINKED.format(link=link, name=name))


def goes_by_link(name: str, shown: str) -> bool:
    """Whether the name goes by a link that is seen in a folder which is bound: what is bound there would be elsewhere.

    By its true name it is bound as well. Where her home is shown, its dot entries are not seen.
    """
    steps = [step for step in (*parents(name), name) if inside(step, shown) and step != shown]
    has_home = inside(users_home(), shown)
    return any(os.path.islink(step) and not (has_home and in_dot_folder(step)) for step in steps)


def private_entries(work: str, data: Iterable[str]) -> list[str]:
    """What lies in the working folder and is still nobody's business inside the sandbox.

    ``data`` are our own and Jupyter's folders (keys of connection files, trajectories, configuration), and files. Where
    the working folder holds the person's home, every dot entry of it (.ssh, .aws, .netrc, …) is hidden too, and
    so is what such an entry is a link to.
    """
    hidden = [path for path in map(os.path.realpath, data) if inside(path, work) and os.path.exists(path)]
    home = users_home()
    if inside(home, work):
        dots = [os.path.realpath(entry.path) for entry in os.scandir(home) if entry.name.startswith(".")]
        hidden += [path for path in dots if inside(path, work) and path != home and os.path.exists(path)]
    return drop_nested(hidden)


def home_parts(work: str) -> dict[str, str]:
    """How the home is shown where it lies in the working folder: option by path.

    Nothing can be made in the home itself, only in its folders: a new .profile or .ssh would be obeyed outside. And
    what is made there outside while the sandbox runs isn't seen in it: a new .netrc would be. Each entry is a mount, so
    that of very many not all are seen: folders come first.
    """
    home = users_home()
    if not inside(home, work):
        return {}
    entries = (entry for entry in os.scandir(home) if not entry.name.startswith("."))
    seen = sorted(entries, key=lambda entry: (not entry.is_dir(follow_symlinks=False), entry.name))[:MOST_ENTRIES]
    return {home: "--tmpfs", **{entry.path: _shown(entry) for entry in seen}}


def _shown(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "--symlink"
    return "--bind-try" if entry.is_dir() else "--ro-bind-try"


def pins(work: str, kept: Iterable[str]) -> dict[str, str]:
    """The folders between the working folder and what is kept from being changed in it, bound onto themselves.

    A folder that is a mount point can't be renamed; any other could be, with what is kept inside, and one of the
    sandbox's own making put in its place.
    """
    between = (parent for path in kept if inside(path, work) for parent in parents(path))
    return {parent: "--bind" for parent in between if inside(parent, work) and parent != work}


def drop_nested(folders: Iterable[str]) -> list[str]:
    """Without those that lie inside one another."""
    kept: list[str] = []
    for folder in sorted(set(folders), key=len):
        if not any(inside(folder, parent) for parent in kept):
            kept.append(folder)
    return kept
