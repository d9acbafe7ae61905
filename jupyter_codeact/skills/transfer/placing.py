"""An export, put into a folder where the sandbox writes: whole, never over what is there, and never through a link."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import SkillError
from ...files import inside
from .exports import Content

_THERE = "{path} is there already: choose another --out, or write --force to have it replaced."


def place(name: str, content: Content, out: str, work: Path, *, force: bool = False) -> Path:
    """Write an export and return where it is. Raises SkillError.

    out: a path, or a folder in which it gets ``name``; "" stands for ``work``. A file's name is the caller's where it
    ends as the form's does, and else it is a folder, which is made; but a folder has to be called what its files say
    that it is: under another name it gets there with one around it.
    """
    path = Path(os.path.normpath(work / Path(out).expanduser())) if out else work / name
    is_folder = out.endswith("/") or path.suffix != Path(name).suffix
    if out and is_folder and isinstance(content, bytes):
        _make(path, work)
    # An existing folder holds the export; a folder of a skill of that name is what stands in its way.
    path = path / name if path.is_dir() and path.name != name else path
    if isinstance(content, bytes) or path.name == name:
        _put(path, name, content, work, force=force)
        return path
    _put(path, name, {f"{name}/{part}": text for part, text in content.items()}, work, force=force)
    return path / name


def _make(path: Path, work: Path) -> None:
    """The folder, and those above it that are not there either. Raises SkillError."""
    if os.path.lexists(path) and not path.is_dir():
        raise SkillError(f"{path} is no folder: choose another --out.")
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        for folder in reversed(missing):
            with _folder(folder.parent, work) as parent:
                (parent / folder.name).mkdir()
    except OSError as error:
        raise SkillError(f"{path} can't be made: {error.strerror or error}.") from None


def _put(path: Path, name: str, content: Content, work: Path, *, force: bool) -> None:
    try:
        with _folder(path.parent, work) as folder:
            temporary = Path(tempfile.mkdtemp(dir=folder, prefix=".exporting-"))
            try:
                _write(temporary / name, content)
                _move(temporary / name, folder / path.name, temporary, force=force)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except FileExistsError:
        raise SkillError(_THERE.format(path=path)) from None
    except OSError as error:
        raise SkillError(f"{path} can't be written: {error.strerror or error}.") from None


@contextmanager
def _folder(folder: Path, work: Path) -> Iterator[Path]:
    """A path to the opened folder itself: what is put in its place later is another one. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        here = Path(f"/proc/self/fd/{descriptor}")
        if inside(folder, work) and not here.readlink().is_relative_to(work.resolve()):
            raise PermissionError(errno.EPERM, "a link leads out of the working folder")
        yield here
    finally:
        os.close(descriptor)


def _write(path: Path, content: Content) -> None:
    files = {"": content} if isinstance(content, bytes) else content
    for name, text in files.items():
        target = path / name if name else path
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def _move(source: Path, target: Path, aside: Path, *, force: bool) -> None:
    """Raises FileExistsError."""
    if force and os.path.lexists(target):
        # A folder can't be replaced by another in one step.
        os.rename(target, aside / "replaced")
    if source.is_dir():
        if os.path.lexists(target):
            raise FileExistsError
        os.rename(source, target)
    else:
        os.link(source, target)
