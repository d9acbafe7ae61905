"""Files from elsewhere, by path: read from a folder, an archive or a git repository, and never written anywhere.

Sizes and counts are checked before anything is unpacked; a name or a link that could lead out ends the reading.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ...errors import SkillError
from ...files import bytes_in, named_in
from ..skill import LONGEST

Entries = dict[str, bytes]
MOST_FILES, MOST_SEEN, MOST_BYTES, LARGEST_ARCHIVE = 200, 2000, 4 * 2**20, 8 * 2**20
# What is read of what is there, and what hides code that can't be shown.
_WANTED = (".py", ".md", ".json")
_COMPILED = (".so", ".pyd", ".pyc", ".dll", ".pth")
# Folders of a checkout that are no part of a skill.
_ASIDE = ("__pycache__", "node_modules", "venv")


class Reader:
    """Collects files; refuses what is too much, or not what it seems. ``left_out``: those that are no text of ours."""

    def __init__(self) -> None:
        self.entries: Entries = {}
        self.left_out: list[str] = []
        self._seen: dict[str, str] = {}
        self._wanted = self._bytes = self._folders = 0

    def enter(self) -> None:
        """To be called for each folder. Raises SkillError where nothing at all should be read."""
        self._folders += 1
        if self._folders > MOST_SEEN:
            raise SkillError(f"There are more than {MOST_SEEN} folders: that is no skill.")

    def wants(self, path: str, size: int) -> bool:
        """Whether to read a file of that path and size. Raises SkillError where nothing at all should be read."""
        check_path(path)
        other = self._seen.setdefault(path.casefold(), path)
        if other != path:
            raise SkillError(f"{other!r} and {path!r} differ in case only: one would hide the other.")
        if len(self._seen) > MOST_SEEN:
            raise SkillError(f"There are more than {MOST_SEEN} files: that is no skill.")
        if path.endswith(_COMPILED):
            raise SkillError(f"{path!r} is compiled, or run by every Python that starts: only sources can be imported.")
        if not path.endswith(_WANTED):
            self.left_out.append(path)
            return False
        self._wanted, self._bytes = self._wanted + 1, self._bytes + size
        if self._wanted > MOST_FILES or self._bytes > MOST_BYTES:
            raise SkillError(
                f"There are more than {MOST_FILES} sources, or more than {MOST_BYTES // 2**20} MB of them."
            )
        return True

    def take(self, path: str, content: bytes) -> None:
        if path in self.entries:
            raise SkillError(f"{path!r} is there twice, and only one of them would be shown.")
        self.entries[path] = content


def check_path(path: str) -> None:
    """Raises SkillError for a path that could mean another place."""
    parts = path.split("/")
    if "\0" in path or "\\" in path or ":" in path or not path.isprintable():
        raise SkillError(f"{path!r} has characters that no file of a skill has in its name.")
    if any(len(part.encode()) > LONGEST for part in parts):
        raise SkillError(f"{path[:40]!r}… has a name in it that is longer than {LONGEST} bytes.")
    if ".." in parts or "." in parts or "" in parts:
        raise SkillError(f"{path!r} leads out of its own folder.")


def of_folder(folder: Path, work: Path) -> Reader:
    """The files of a folder. ``work``: the folder where the sandbox writes, so that links there lead nowhere."""
    reader = Reader()
    inside = named_in(work, folder) is not None
    for path, size in _walk(reader, folder, folder):
        name = path.relative_to(folder).as_posix()
        if reader.wants(name, size):
            reader.take(name, read(path, work if inside else folder))
    return reader


def read(path: Path, root: Path) -> bytes:
    """One file. Raises SkillError."""
    try:
        return bytes_in(root, path, LARGEST_ARCHIVE)
    except OSError as error:
        raise SkillError(f"{path} can't be read: {error.strerror or error}.") from None
    except ValueError:
        raise SkillError(f"{str(path)!r} is no path: it has a zero in it.") from None


def of_archive(content: bytes) -> Reader:
    """The files of a wheel or another zip archive."""
    reader = Reader()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            wanted = [info for info in infos if _is_plain(info) and reader.wants(info.orig_filename, info.file_size)]
            for info in wanted:
                with archive.open(info) as file:
                    reader.take(info.orig_filename, file.read(MOST_BYTES))
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        ValueError,
        UnicodeError,
        OSError,
        RuntimeError,
    ) as error:
        raise SkillError(f"This archive can't be read: {error}.") from None
    return reader


def _is_plain(info: zipfile.ZipInfo) -> bool:
    """Raises SkillError for links and devices."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise SkillError(f"{info.filename!r} is a link or a device: only plain files can be imported.")
    return True


def _walk(reader: Reader, top: Path, folder: Path) -> Iterator[tuple[Path, int]]:
    reader.enter()
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _ASIDE:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(reader, top, Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path), entry.stat(follow_symlinks=False).st_size
            else:
                name = Path(entry.path).relative_to(top)
                raise SkillError(f"{str(name)!r} is a link or a device: only plain files can be imported.")
    except (OSError, RecursionError) as error:
        raise SkillError(f"{folder} can't be read: {error}.") from None
