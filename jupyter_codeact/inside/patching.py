"""What a run changed in its working folder, as git says. Runs in the kernel that runs the cells.

Stands alone: its source is sent with the call, to kernels that need not have this package.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from typing import Any

# Seconds for one command of git's: less than whoever asks for a patch waits.
GIT_S = 50
_FAILED = re.compile(r"clean filter '(.*)' failed$")
# Instead of a filter: what the file has in the last commit, and so no change of it; nothing of a new one.
_AS_COMMITTED = "git cat-file blob HEAD:%f || true"


def answer(name: str, arguments: str) -> str:
    """Call a function below with JSON, and return JSON."""
    return json.dumps(globals()[name](**json.loads(arguments)), ensure_ascii=True, default=str)


def patch(root: str) -> dict[str, Any]:
    """What changed in the folder ``root`` since its last commit, new files included; "" where it is no checkout.

    unfiltered: names of git's filters that do not work here. Changes of their files are left out, since what a filter
    is to keep out would be in them. Raises OSError where git says that it can't be known.
    """
    try:
        objects = os.path.join(root, _git(root, "rev-parse", "--git-path", "objects").strip())
        hashing = _git(root, "rev-parse", "--show-object-format").strip()
    except OSError:
        return {"patch": "", "unfiltered": []}
    # A repository of its own, so that what the person has staged stays as it is, and what her repository says of
    # showing changes (prefixes, tools, attributes) does not matter.
    with tempfile.TemporaryDirectory() as own:
        _git(own, "init", "-q", "--bare", "--template=", f"--object-format={hashing}", own)
        with open(os.path.join(own, "objects", "info", "alternates"), "w", encoding="utf-8") as file:
            file.write(objects + "\n")
        unfiltered: list[str] = []
        trees = _last_commit(root), _now(root, own, unfiltered)
        try:
            difference = _difference(own, *trees)
        except UnicodeDecodeError:
            # As text it would lose bytes on its way; what git takes for binary it writes in ASCII.
            os.mkdir(os.path.join(own, "info"))
            with open(os.path.join(own, "info", "attributes"), "w", encoding="utf-8") as file:
                file.write("* binary\n")
            difference = _difference(own, *trees)
    return {"patch": difference, "unfiltered": unfiltered}


def _last_commit(root: str) -> str:
    """Its tree, or the empty one where nothing was committed yet."""
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{tree}").strip()
    except OSError:
        return _git(root, "hash-object", "-t", "tree", os.devnull).strip()


def _now(root: str, own: str, unfiltered: list[str]) -> str:
    """The tree of all that lies in the folder, written into the repository ``own``.

    Filters that fail are put into ``unfiltered``.
    """
    index = os.path.join(own, "index")
    hers = os.path.join(root, _git(root, "rev-parse", "--git-path", "index").strip())
    if os.path.exists(hers):
        # With its time, by which git knows what may have changed in the same second.
        shutil.copy2(hers, index)
    environment = {**os.environ, "GIT_INDEX_FILE": index, "GIT_OBJECT_DIRECTORY": os.path.join(own, "objects")}
    filters = _filters(root)
    while True:
        settings = [word for name in filters for word in _filter(name, name in unfiltered)]
        # Hers is read-only in the sandbox.
        settings += ["-c", f"lfs.storage={own}/lfs"]
        try:
            _git(root, *settings, "add", "--all", environment=environment)
            # It looks once more at files as young as the index, through their filters.
            return _git(root, *settings, "write-tree", environment=environment).strip()
        except OSError as error:
            failed = _FAILED.search(str(error))
            if failed is None or failed[1] in unfiltered:
                raise
            unfiltered.append(failed[1])


def _filters(root: str) -> list[str]:
    """The names of the filters that git knows there."""
    try:
        keys = _git(root, "config", "--null", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process)$")
    except OSError:
        return []
    return sorted({key.partition(".")[2].rpartition(".")[0] for key in keys.split("\0") if key})


def _filter(name: str, is_missing: bool) -> list[str]:
    """Git's options: a filter has to work, or what it is to keep out goes in."""
    settings = {"required": "true"} | ({"clean": _AS_COMMITTED} if is_missing else {})
    return [word for key, value in settings.items() for word in ("-c", f"filter.{name}.{key}={value}")]


def _difference(own: str, before: str, after: str) -> str:
    plumbing = ("diff-tree", "-r", "-p", "--binary", "--no-ext-diff", "--no-textconv")
    return _git(own, f"--git-dir={own}", "-c", "core.quotePath=true", *plumbing, before, after)


def _git(folder: str, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """What git prints in a folder. Raises OSError with its words where it fails, and UnicodeDecodeError."""
    # The folder may belong to another user than the sandbox's.
    command = ["git", "-c", "safe.directory=*", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, env=environment, timeout=GIT_S, check=True)
    except subprocess.TimeoutExpired:
        raise OSError("git took too long") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        raise OSError(f"git says: {said[-1] if said else error.returncode}") from None
    return done.stdout.decode("utf-8")
