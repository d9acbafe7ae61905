"""An export, put into a folder where the sandbox writes: whole, never over what is there, and never through a link.

All is done by descriptors, from that of the working folder on, whatever its name leads to by now. There no link is
followed, and elsewhere those alone that no kernel's cells can have made. What a cell swaps meanwhile is found to be
another one, or is never asked for by its name.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ...errors import SkillError
from ...files import FOLDER, Identity, by_descriptor, empty, folder_in, found_at, named_in, opened
from ...leading import place_of, shown
from .exports import Content

_THERE = "{path} is there already: choose another --out, or write --force to have it replaced."
_LINK = "a link of the working folder is not followed"
_LED = (
    "{link} is a link that code in a sandbox may have made: it leads to {target}, which --out has to name if the "
    "export is to go there."
)
_SWAPPED = "something else was put in its place"


class _Work(NamedTuple):
    """The working folder: opened, and its name, which may lead elsewhere by now."""

    descriptor: int
    name: Path


def place(name: str, content: Content, out: str, work: Path, *, force: bool = False) -> Path:
    """Write an export and return where it is. Raises SkillError.

    work: as ``folder_in`` has it. out: a path, or a folder in which it gets ``name``; "" stands for ``work``. A file's
    name is the caller's where it ends as the form's does, and else it is a folder, which is made; but a folder has to
    be called what its files say that it is: under another name it gets there with one around it.
    """
    try:
        with opened(work, FOLDER) as here:
            return _placed(name, content, out, _Work(here, Path(os.path.abspath(work))), force=force)
    except OSError as error:
        raise SkillError(f"{shown(out or name)} can't be written: {error.strerror or error}.") from None
    except ValueError:
        raise SkillError(f"{shown(out)} is no path: choose another --out.") from None


def _placed(name: str, content: Content, out: str, work: _Work, *, force: bool) -> Path:
    path = Path(os.path.normpath(work.name / os.path.expanduser(out))) if out else work.name / name
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


def _make(path: Path, work: _Work) -> None:
    """The folder, and those above it that are not there either. Raises SkillError."""
    if os.path.lexists(path) and not path.is_dir():
        raise SkillError(f"{path} is no folder: choose another --out.")
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    try:
        with (
            _folder(there, work) as found,
            folder_in(by_descriptor(found), *path.relative_to(there).parts, make=True),
        ):
            pass
    except OSError as error:
        raise SkillError(f"{path} can't be made: {error.strerror or error}.") from None


def _put(path: Path, name: str, content: Content, work: _Work, *, force: bool) -> None:
    try:
        with (
            _folder(path.parent, work) as folder,
            _beside(folder) as staging,
            _laid(staging, name, content) as put,
        ):
            _make_room(folder, path.name, staging, force=force)
            put(path.name, folder)
    except FileExistsError:
        raise SkillError(_THERE.format(path=path)) from None
    except OSError as error:
        raise SkillError(f"{path} can't be written: {error.strerror or error}.") from None


@contextmanager
def _laid(staging: int, name: str, content: Content) -> Iterator[Callable[[str, int], None]]:
    """It is on the disk; what is yielded gives it a name in a folder where nothing is called so. Raises OSError."""
    if isinstance(content, bytes):
        with _written(staging, name, content) as file:
            # The file itself, whatever has its name by now.
            yield lambda target, folder: os.link(by_descriptor(file), target, dst_dir_fd=folder)
        return
    for part, text in content.items():
        *folders, last = Path(name, part).parts
        with folder_in(by_descriptor(staging), *folders, make=True) as inner, _written(inner, last, text):
            pass
    with opened(name, FOLDER | os.O_NOFOLLOW, staging) as made:

        def put(target: str, folder: int) -> None:
            os.rename(name, target, src_dir_fd=staging, dst_dir_fd=folder)
            if not os.path.samestat(os.fstat(made), os.stat(target, dir_fd=folder, follow_symlinks=False)):
                raise OSError(errno.ESTALE, _SWAPPED)

        yield put


@contextmanager
def _folder(folder: Path, work: _Work) -> Iterator[int]:
    """The folder, opened: what is put in its place later is another one. Raises OSError, SkillError."""
    below = named_in(work.name, folder) or _named_otherwise(folder, work)
    if below is None:
        with found_at(_led(str(folder))) as place, opened(".", FOLDER, place) as found:
            yield found
        return
    try:
        with folder_in(by_descriptor(work.descriptor), *below.parts) as found:
            yield found
    except NotADirectoryError:
        if not any(folder.is_symlink() for folder in (folder, *folder.parents)[: len(below.parts)]):
            raise
        raise OSError(errno.ELOOP, _LINK) from None


def _named_otherwise(folder: Path, work: _Work) -> Path | None:
    """What it is called in the working folder, by another name of that; None where its name does not lead there."""
    known = Identity.of(work.descriptor)
    for part in (*reversed(folder.parents), folder):
        with suppress(OSError):
            if Identity.of(part) == known:
                return folder.relative_to(part)
    return None


def _led(folder: str) -> str:
    """Where it leads by links of hers, outside of the working folder. Raises OSError; SkillError at one of a cell's."""
    try:
        return place_of(folder)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        link = error.filename
        raise SkillError(_LED.format(link=shown(link), target=shown(os.path.realpath(link)))) from None


@contextmanager
def _beside(folder: int) -> Iterator[int]:
    """A new folder in it, opened, which goes with all that is in it. Raises OSError."""
    name = f".exporting-{secrets.token_hex(8)}"
    os.mkdir(name, 0o700, dir_fd=folder)
    try:
        with opened(name, FOLDER | os.O_NOFOLLOW, folder) as made:
            try:
                yield made
            finally:
                # All but itself, whatever is called so by now.
                empty(made)
    finally:
        # Nothing but an empty folder is removed so.
        with suppress(OSError):
            os.rmdir(name, dir_fd=folder)


@contextmanager
def _written(folder: int, name: str, text: bytes) -> Iterator[int]:
    """A new file, which is on the disk. Raises OSError."""
    # What is exported may be read by others, as far as she lets them.
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=folder)
    with open(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
        yield descriptor


def _make_room(folder: int, name: str, aside: int, *, force: bool) -> None:
    """Raises FileExistsError."""
    # A folder can't be replaced by another in one step.
    if force:
        with suppress(FileNotFoundError):
            os.rename(name, "replaced", src_dir_fd=folder, dst_dir_fd=aside)
    if name in os.listdir(folder):
        raise FileExistsError
