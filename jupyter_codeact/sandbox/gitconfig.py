"""What her own git settings say of files: those that are ignored, and those that are filtered on their way into git.

Code in the sandbox sees no dot file of her home. Without these, git there would take for changed what isn't, and put
into a patch what she keeps out of her repositories: keys, outputs of notebooks, files of git-lfs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress

from ..leading import inside
from .links import text_of
from .paths import entries_outside

SYSTEM = "/etc/gitconfig"
# Seconds that git may take to say them: else the sandbox does without.
GIT_S = 3
_IGNORED, _ATTRIBUTES = "gitignore", "gitattributes"
_TAKEN = ("core.autocrlf", "core.eol", "core.safecrlf")
# Of a repository that git is told to work in, nothing is asked.
_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_CONFIG")
_IN_NAMES = str.maketrans({"\\": "\\\\", '"': '\\"'})
_IN_VALUES = _IN_NAMES | str.maketrans({"\n": "\\n", "\t": "\\t", "\b": "\\b"})


def files(work: str) -> dict[str, str]:
    """Texts for the sandbox's /etc, by name; ``work`` is a folder whose programs are not run."""
    settings = dict(_settings(work))
    told = [(key, value) for key, value in settings.items() if key in _TAKEN or _is_filter(key)]
    # As root the sandbox sees other owners than git wrote down; minimal is size and time.
    told += [("core.checkstat", "minimal"), ("core.excludesfile", f"/etc/{_IGNORED}")]
    told += [("core.attributesfile", f"/etc/{_ATTRIBUTES}")]
    cleaning = [key for key in settings if key.startswith("filter.") and key.endswith((".clean", ".process"))]
    for name in dict.fromkeys(key.rpartition(".")[0] for key in cleaning):
        # Git has no way around a process that does not work here. git-lfs has both, and others fail.
        told += [] if f"{name}.clean" in settings else [(f"{name}.clean", "false")]
        # Where its program is missing, what it keeps out is not to go in.
        told.append((f"{name}.required", "true"))
    ignored = [_named(settings, "core.excludesfile", "ignore")]
    attributes = [f"/etc/{_ATTRIBUTES}", _named(settings, "core.attributesfile", "attributes")]
    return {
        "gitconfig": written(told),
        _IGNORED: _joined(path for path in ignored if not _is_in(path, work)),
        _ATTRIBUTES: _joined(path for path in attributes if not _is_in(path, work)),
    }


def written(settings: Iterable[tuple[str, str]]) -> str:
    """As a configuration file of git's."""
    return "".join(_lines(key, value) for key, value in settings)


def _lines(key: str, value: str) -> str:
    section, _, rest = key.partition(".")
    name, _, variable = rest.rpartition(".")
    title = f'{section} "{name.translate(_IN_NAMES)}"' if name else section
    return f'[{title}]\n\t{variable} = "{value.translate(_IN_VALUES)}"\n'


def _settings(work: str) -> Iterator[tuple[str, str]]:
    """Hers and the system's, but for what code in the sandbox may have written. Of several values the last one counts.

    Nothing where there is no git.
    """
    program = shutil.which("git", path=entries_outside("PATH", work))
    if program is None:
        return
    environment = {name: value for name, value in os.environ.items() if name not in _PLACES}
    command = [program, "config", "--list", "--null", "--show-origin", "--includes"]
    with suppress(subprocess.TimeoutExpired):
        # What hers include may be a pipe by now, of a cell's making.
        found = subprocess.run(command, cwd="/", env=environment, capture_output=True, check=False, timeout=GIT_S)
        yield from _read(os.fsdecode(found.stdout), work)


def _read(found: str, work: str) -> Iterator[tuple[str, str]]:
    words = found.split("\0")
    for origin, entry in zip(words[::2], words[1::2], strict=False):
        key, mark, value = entry.partition("\n")
        if not _is_in(origin.removeprefix("file:"), work):
            # A key without a value stands for true.
            yield key, value if mark else "true"


def _is_in(path: str, work: str) -> bool:
    return inside(path, work) or inside(os.path.realpath(path), work)


def _is_filter(key: str) -> bool:
    return key.startswith("filter.") and key.endswith((".clean", ".smudge"))


def _named(settings: dict[str, str], key: str, default: str) -> str:
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return os.path.expanduser(settings.get(key) or os.path.join(base, "git", default))


def _joined(paths: Iterable[str]) -> str:
    texts = []
    for path in paths:
        with suppress(OSError, ValueError):
            # Cells of another folder's kernel may have put a link, or a pipe, in its place.
            texts.append(text_of(path))
    return "\n".join(texts)
