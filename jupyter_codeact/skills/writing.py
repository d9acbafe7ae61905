"""The files of a skill put in place as one: whoever reads them finds all old or all new, whatever ends the writer.

New files are laid beside the old ones, and then the two change places (``renameat2``). So what was there can be looked
at when nobody finds it any more, and goes back where somebody has written to it in the milliseconds before.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ..files import write_atomically
from .files import lies_in
from .skill import INIT, MARK, Files, exactly, is_marked
from .swapping import ASIDE, being_written, swap

# The sandbox may be another user, and reads.
READABLE, ENTERED = 0o644, 0o755
BESIDE = ".saving-"
_CACHE = "__pycache__"
Look = Mapping[str, object]


class Meanwhile(Exception):
    """Somebody has changed the files since they were read. Theirs are in place."""


@contextmanager
def laid(folder: Path, name: str, old: Files, new: Files) -> Iterator[Callable[[], None]]:
    """``new`` is on the disk, where nobody looks; what is yielded puts it in the place of ``old``.

    Where the block is left by an error, the old files are there again. Raises OSError, Meanwhile.
    """
    beside = folder / f"{BESIDE}{name}"
    places = []
    try:
        beside.mkdir()
        for entry in (f"{name}.py", name):
            before, after = (_part(files, entry) for files in (old, new))
            # A link that leads out is no skill, and would be imported instead of one.
            if before != after or not lies_in(folder, folder / entry):
                places.append(_Place(folder / entry, beside / entry, before, after))
        # Python takes the package where both are there: so it finds one of them, and changes over at once.
        places.sort(key=lambda place: not place.new)

        def put() -> None:
            for place in places:
                place.put()

        yield put
    except BaseException:
        for place in reversed(places):
            with suppress(OSError):
                place.put_back()
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def mend(folder: Path) -> None:
    """Take away what writers have left that were killed; what one of them had half in its place goes back."""
    for beside in folder.glob(f"{BESIDE}*/"):
        for aside in beside.glob(f"*{ASIDE}"):
            if not os.path.lexists(place := folder / aside.name.removesuffix(ASIDE)):
                os.rename(aside, place)
        shutil.rmtree(beside, ignore_errors=True)


class _Place:
    """``fit.py`` or ``fit/``, and ``beside`` it what is to be there; nothing where nothing is to be there."""

    def __init__(self, path: Path, beside: Path, old: Files, new: Files) -> None:
        self._path, self._beside = path, beside
        self._seen = _look(path)
        if _skill_in(_look(path, library=path.parent)) != old:
            raise Meanwhile
        if path.name.endswith(".py"):
            if path.is_dir() and not path.is_symlink():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            for text in new.values():
                _write(beside, text, path if old else None)
        else:
            _lay_package(path, beside, old, new)
        self.new = _look(beside)

    def put(self) -> None:
        """Raises Meanwhile, with theirs in place."""
        swap(self._beside, self._path)
        if _is_changed(self._beside, self._seen):
            swap(self._beside, self._path)
            if _is_changed(self._beside, self.new):
                # They wrote again before theirs was back.
                swap(self._beside, self._path)
            raise Meanwhile

    def put_back(self) -> None:
        """Unless it was never put, or somebody has written to it since."""
        if _look(self._path) == self.new and _look(self._beside) == self._seen:
            swap(self._beside, self._path)


def _part(files: Files, entry: str) -> Files:
    """Those of one entry of the folder, by their path in it; a module's is ""."""
    return {path.partition("/")[2]: text for path, text in files.items() if path.partition("/")[0] == entry}


def _lay_package(path: Path, beside: Path, old: Files, new: Files) -> None:
    """What of a package stays as it is, and what is no Python, are the same files in both folders."""
    if path.is_dir() and lies_in(path.parent, path):
        # What a link leads to may be open to others, and shares nothing with what takes its place.
        copy = _copied if path.is_symlink() else _linked
        shutil.copytree(path, beside, symlinks=True, ignore=shutil.ignore_patterns(_CACHE), copy_function=copy)
    for file in old:
        if new.get(file) != old[file]:
            (beside / file).unlink()
    for file, text in new.items():
        if old.get(file) != text:
            # Nothing is written through a link.
            for parent in reversed((beside / file).parents):
                if parent.is_relative_to(beside) and parent.is_symlink():
                    parent.unlink()
            made = [parent for parent in (beside / file).parents if not parent.exists()]
            (beside / file).parent.mkdir(parents=True, exist_ok=True)
            for parent in made:
                parent.chmod(ENTERED)
            _write(beside / file, text, path / file if file in old else None)
    if not _look(beside):
        shutil.rmtree(beside, ignore_errors=True)


def _write(file: Path, text: str, old: Path | None) -> None:
    """``old``: the one that it takes the place of, whose mark stays."""
    mark = MARK if old and is_marked(old) else ""
    write_atomically(file, mark + text, READABLE, "surrogateescape")


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        _copied(source, target)


def _copied(source: str, target: str) -> None:
    shutil.copy2(source, target, follow_symlinks=False)


def _look(path: Path, *, library: Path | None = None) -> Look:
    """What lies there, by its path in it: the text of Python's files, and of others which ones they are.

    library: links that stay in it are what they lead to. From where they are put aside, some lead to nothing.
    """
    if path.is_symlink() and not (library and lies_in(library, path)):
        return {"": path.lstat().st_ino}
    files = [path] if os.path.lexists(path) and not path.is_dir() else path.rglob("*")
    return {
        file.relative_to(path).as_posix().removeprefix("."): _content(file, library)
        for file in files
        if _CACHE not in file.parts and (file.is_symlink() or not file.is_dir())
    }


def _content(file: Path, library: Path | None) -> str | int:
    is_read = not file.is_symlink() or (library is not None and lies_in(library, file))
    is_text = file.suffix == ".py" and is_read and file.is_file()
    return exactly(file) if is_text else file.lstat().st_ino


def _skill_in(look: Look) -> Files:
    """A folder of modules that has no ``__init__.py`` is none."""
    texts = {file: text for file, text in look.items() if isinstance(text, str)}
    return texts if {"", INIT} & texts.keys() else {}


def _is_changed(path: Path, before: Look) -> bool:
    """Whether what lies there, where nobody finds it any more, is something else, or will be."""
    texts = [file for file, content in before.items() if isinstance(content, str)]
    return any(being_written(path / file) for file in texts) or _look(path) != before
