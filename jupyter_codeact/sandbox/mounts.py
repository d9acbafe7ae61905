"""What bubblewrap is asked to mount, and what it did mount, as the kernel has it.

Sources and targets are names, which bubblewrap resolves while code of another sandbox may swap a folder below the same
working folder for a link. Then a source leads to what is none of the sandbox's business, and a target, a link
in the new root as well, puts a mount where nobody looks for it. So each place is counted, and each part of the
working folder, and whatever else is bound there, is the one that was looked at when it was chosen.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ..files import Identity, found_at, found_in, opened
from ..leading import followed, in_dot_folder, inside, users_home
from .links import Led
from .paths import parents

# How many words follow an option of bubblewrap's that has any, of those that we use.
_WORDS = {
    **dict.fromkeys(("--bind", "--bind-try", "--ro-bind", "--ro-bind-try", "--symlink", "--setenv"), 2),
    **dict.fromkeys(("--tmpfs", "--proc", "--dev", "--dir", "--remount-ro", "--perms", "--size", "--chdir"), 1),
    **dict.fromkeys(("--hostname", "--uid", "--gid", "--cap-drop", "--seccomp"), 1),
}
_MOUNTING = ("--bind", "--bind-try", "--ro-bind", "--ro-bind-try", "--tmpfs", "--proc", "--dev")
# Folders of the host's that no working folder's cells can change, unless it lies there.
_SYSTEMS = ("/usr", "/etc", "/proc")
# What bubblewrap mounts unasked: its root, devices, and what it covers of /proc.
_ITS_OWN = re.compile(r"/|/(dev|proc)/[^/]+")
_ESCAPED = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    """One that is asked for. ``source`` is "" where it is no folder or file of the host's."""

    option: str
    source: str
    target: str

    @property
    def is_tried(self) -> bool:
        """Whether bubblewrap goes on without it where there is no source."""
        return self.option.endswith("-try")


class Entry(NamedTuple):
    """One that is there: its number, its device, the folder of that which is seen, and where."""

    number: int
    device: str
    root: str
    point: str


class Mounted(NamedTuple):
    """What a process in the sandbox has: its root, open, and all that is mounted there."""

    root: int
    entries: list[Entry]


class Asked(NamedTuple):
    """What one sandbox is to have.

    parts: which folder, or file, of hers is to be seen at each target that nothing covers.
    lent: where the host has what root lends, by the mountpoint that it is lent at; nothing where nobody lends.
    left_out: what is to be said of what else of hers could have been bound.
    """

    work: str
    mounts: list[Mount]
    parts: dict[str, Identity]
    lent: Mapping[str, str]
    left_out: str

    def is_for(self, known: Identity) -> bool:
        """Whether the working folder is that one. Where her home is shown, it has nothing there but its entries."""
        seen = [mount for mount in self.mounts if mount.target == self.work][-1:]
        return self.parts.get(self.work) == known or not all(mount.source for mount in seen)

    def other_in(self, mounted: Mounted) -> str | None:
        """A place where something else is mounted, or nothing, or where nothing was to be; None where all is right."""
        found = Counter(entry.point for entry in mounted.entries)
        asked = Counter(mount.target for mount in self.mounts)
        missing = Counter(mount.target for mount in self.mounts if not mount.is_tried) - found
        unasked = found - asked
        unasked -= Counter(point for point in unasked if _ITS_OWN.fullmatch(point))
        host = table(Path("/proc/self/mountinfo").read_bytes())
        unasked -= self._carried(unasked, Counter(entry.point for entry in host))
        # Where one that is tried was not to be had, there is nothing, or the empty folder that it would have covered.
        there = (target for target in self.parts if found[target] >= asked[target])
        wrong = (target for target in there if not self._is_part(target, mounted))
        return next(iter((*missing, *unasked, *self._left_out(found, host), *wrong)), None)

    def is_current_in(self, mounted: Mounted) -> bool:
        """Whether at each target is what its source leads to by now, by whatever links; or nothing, where that is so.

        What is there was compared before, step by step: this only says what is out of date.
        """
        bound = ((_name(mount.source, self.lent), mount.target) for mount in _uncovered(self.mounts) if mount.source)
        return all(_identity(name) == _identity(target[1:], mounted.root) for name, target in bound)

    def _carried(self, points: Iterable[str], host: Counter[str]) -> Counter[str]:
        """How often the host has a mount there: each bind takes along what is mounted below its source.

        So does what is lent, though by mounts of its own.
        """
        carried: Counter[str] = Counter()
        for mount in self.mounts:
            for point in (p for p in points if mount.source and p != mount.target and inside(p, mount.target)):
                carried[point] += host[self._on_the_host(mount.source) + point.removeprefix(mount.target)]
        return carried

    def _left_out(self, found: Counter[str], host: Iterable[Entry]) -> Iterator[str]:
        """What was mounted below the working folder since it was lent: cells would write under it."""
        if self.lent:
            below = (entry for entry in host if entry.point != self.work and inside(entry.point, self.work))
            yield from (entry.point for entry in below if not found[entry.point] and _is_seen(entry))

    def _on_the_host(self, source: str) -> str:
        return os.path.realpath(_name(source, self.lent))

    def _is_part(self, target: str, mounted: Mounted) -> bool:
        """By the mount's number as well: while it is walked to, something else might have its name."""
        there = [entry.number for entry in mounted.entries if entry.point == target]
        try:
            with found_in(mounted.root, *Path(target).parts[1:]) as found:
                return Identity.of(found) == self.parts[target] and _number(found) in there
        except OSError:
            return False


def table(mountinfo: bytes) -> list[Entry]:
    """The lines of a file of that name: proc(5)."""
    found = []
    for line in mountinfo.split(b"\n")[:-1]:
        number, _, device, root, point = line.split(b" ", 5)[:5]
        found.append(Entry(int(number), device.decode(), _unescaped(root), _unescaped(point)))
    return found


def asked_by(options: Sequence[str], work: str, lent: Mapping[str, str], led: Led) -> Asked:
    """What these options of bubblewrap's are for; ``lent`` as in ``Asked``, and ``led`` as they were chosen by.

    Raises PartGone where a part of the working folder, or a place that was led to, can't be reached, or only by a link.
    """
    mounts = list(_mounts(options))
    chosen = [(mount, place) for mount in _uncovered(mounts) if (place := _place(mount, work, lent, led)) is not None]
    parts = dict(_parts(work, ((mount, place) for mount, place in chosen if inside(place, work))))
    # Cells of another one's may have put a link there meanwhile.
    parts |= _parts("/", ((mount, place) for mount, place in chosen if not inside(place, work)))
    # What is tried, and was not there to be looked at, is not to be there either.
    gone = {mount.target for mount, _ in chosen if mount.is_tried} - parts.keys()
    mounts = [mount for mount in mounts if not (mount.is_tried and mount.target in gone)]
    return Asked(work, mounts, parts, lent, led.left_out)


class PartGone(Exception):
    """The name of a part that is not there any more, or is a link."""


def _mounts(options: Sequence[str]) -> Iterator[Mount]:
    links: dict[str, str] = {}
    words = iter(options)
    for word in words:
        following = [*islice(words, _WORDS.get(word, 0))]
        if word == "--symlink":
            links[following[1]] = os.path.join("/", following[0])
        elif word in _MOUNTING:
            target = os.path.normpath(following[-1])
            # As in /lib, where that is a link to /usr/lib.
            link = next((link for link in links if inside(target, link)), "")
            yield Mount(word, "".join(following[:-1]), links.get(link, "") + target.removeprefix(link))


def _uncovered(mounts: Sequence[Mount]) -> Iterator[Mount]:
    """Those that nothing is mounted over later."""
    later: set[str] = set()
    for mount in reversed(mounts):
        if later.isdisjoint((mount.target, *parents(mount.target))):
            yield mount
        later.add(mount.target)


def _place(mount: Mount, work: str, lent: Mapping[str, str], led: Led) -> str | None:
    """Where the source lies; None where no cell can have put it there.

    What was led to has its true name, wherever that is, and is reached by no link any more. Of the rest a file of her
    home that is shown is left out: no code in a sandbox can rename it, and programs of hers may. So is our own of /etc.
    """
    name = _name(mount.source, lent)
    if name in led.places.values():
        return name
    is_systems = any(inside(mount.source, folder) for folder in _SYSTEMS if not inside(work, folder))
    if not mount.source or mount.option == "--ro-bind-try" or is_systems:
        return None
    # What lies in the working folder by name is reached by no link, or is refused when it is opened.
    place = _by_her_links(name, work) if in_dot_folder(name) or not inside(name, work) else name
    is_ours = mount.option != "--ro-bind" or inside(mount.target, "/etc")
    return None if is_ours and not inside(place, work) else place


def _name(source: str, lent: Mapping[str, str]) -> str:
    """What the host calls it."""
    at = next((at for at in lent if inside(source, at)), "")
    return lent[at] + source.removeprefix(at) if at else source


def _by_her_links(name: str, work: str) -> str:
    """Any link in the working folder was put there meanwhile, but in her home itself and its dot folders."""
    home = users_home()
    try:
        return followed(name, lambda folder: not inside(folder, work) or folder == home or in_dot_folder(folder))
    except OSError:
        raise PartGone(name) from None


def _parts(above: str, chosen: Iterable[tuple[Mount, str]]) -> Iterator[tuple[str, Identity]]:
    """By target, what lies there in a folder, reached by no link."""
    with opened(above, os.O_PATH | os.O_DIRECTORY) as folder:
        for mount, place in chosen:
            try:
                with found_in(folder, *Path(place).relative_to(above).parts) as found:
                    yield mount.target, Identity.of(found)
            except OSError:
                if not mount.is_tried or os.path.lexists(place):
                    raise PartGone(place) from None


def _is_seen(entry: Entry) -> bool:
    """Whether its place leads to it, on the host, and not to one that was mounted over it."""
    try:
        with found_at(entry.point) as found:
            return _number(found) == entry.number
    except OSError:
        return False


def _identity(name: str, root: int | None = None) -> Identity | None:
    """Of what lies there; None where nothing does. In a sandbox's ``root`` a target is no link."""
    try:
        found = os.stat(name, dir_fd=root, follow_symlinks=root is None)
    except OSError:
        return None
    return Identity(found.st_dev, found.st_ino)


def _number(descriptor: int) -> int:
    """Of the mount that it was opened on."""
    found = Path(f"/proc/self/fdinfo/{descriptor}").read_text()
    return int(found.partition("mnt_id:")[2].split()[0])


def _unescaped(name: bytes) -> str:
    plain = _ESCAPED.sub(lambda octal: bytes([int(octal[1], 8)]), name) if b"\\" in name else name
    return os.fsdecode(plain)
