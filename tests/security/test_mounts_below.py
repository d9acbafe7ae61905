"""As root, what is mounted below a working folder is there for its cells, as it is for an ordinary user's."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from .rooms import AS_ROOT

REPOSITORY = Path(__file__).parent.parent.parent
PROBE = ["unshare", "--mount", "mount", "-t", "tmpfs", "probe", "/mnt"]
pytestmark = [
    pytest.mark.skipif(not AS_ROOT, reason="only root mounts, and lends folders"),
    pytest.mark.skipif(
        AS_ROOT and subprocess.run(PROBE, capture_output=True, check=False).returncode != 0,
        reason="nothing can be mounted here",
    ),
]
BEGINNING = """
import os, subprocess, sys
from pathlib import Path
sys.path[:0] = [{repository!r}, {repository!r} + "/tests"]
from tests.security.rooms import answering, room
work = Path({work!r})
def host(command):
    subprocess.run(command, shell=True, cwd=work, check=True)
"""
Script = Callable[..., list[str]]


@pytest.fixture
def script(work: Path) -> Script:
    """`script(mount, python)`: the lines that a script prints, with mounts in `work` that nobody else sees."""

    def run(mount: str, python: str) -> list[str]:
        source = BEGINNING.format(repository=str(REPOSITORY), work=str(work)) + textwrap.dedent(python)
        command = ["unshare", "--mount", "sh", "-e", "-c", f'{mount}\nexec "$0" -c "$1"', sys.executable, source]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def test_what_is_there_is_read_and_what_is_written_there_is_kept(script: Script, work: Path) -> None:
    """A volume of Docker's, say: it would be missed, and results be lost under it."""
    (work / "data").mkdir()
    said = script(
        "mount -t tmpfs volume data && echo 1 > data/in.csv",
        """
        with room("bubblewrap", work) as cells:
            print(cells("import os; print(os.listdir('data'), open('data/result.txt', 'w').write('hours'))"))
        found = os.stat(work / "data" / "result.txt")
        print((work / "data" / "result.txt").read_text(), found.st_uid, found.st_gid)
        host("umount data")
        print(os.listdir(work / "data"))
        """,
    )
    assert said == ["['in.csv'] 5", "hours 0 0", "[]"]


def test_each_is_as_it_is_mounted_and_seen_on_the_host(script: Script, work: Path) -> None:
    """Flags, names, files, mounts on mounts, over one another, and under others."""
    for name in ("a b/c", "fixed", "stacked", "upper/lower"):
        (work / name).mkdir(parents=True)
    (work / "file").touch()
    said = script(
        """
        mount -t tmpfs a 'a b/c'; mkdir 'a b/c/d\\040'; mount -t tmpfs b 'a b/c/d\\040'; touch 'a b/c/d\\040/found'
        mount -t tmpfs -o noexec c fixed; cp /bin/true fixed/run; mount -o remount,ro fixed
        mount -t tmpfs d stacked; touch stacked/under; mount -t tmpfs e stacked; touch stacked/over
        mount -t tmpfs g upper/lower; mount -t tmpfs h upper; mkdir upper/lower; touch upper/lower/over
        echo other > upper/other; mount --bind upper/other file
        """,
        r"""
        with room("bubblewrap", work) as cells:
            print(cells("import os; print([*os.walk('a b')][-1][-1], os.listdir('upper/lower'))"))
            print(cells("print(os.listdir('stacked'), open('file').read().strip())"))
            print(cells.attempt("import subprocess; subprocess.run(['fixed/run'])"))
            print(cells.attempt("open('fixed/new', 'w')"))
        """,
    )
    assert said == ["['found'] ['over']", "['over'] other", "EACCES", "EROFS"]


def test_one_whose_owners_cannot_be_mapped_is_read_by_what_everybody_may(script: Script, work: Path) -> None:
    """As a folder of the network's. What is mounted on it is read as well."""
    (work / "unmapped").mkdir()
    said = script(
        "mount -t sysfs a unmapped && mount -t tmpfs b unmapped/fs && echo 1 > unmapped/fs/in.csv"
        " && echo 2 > unmapped/fs/secret && chmod 600 unmapped/fs/secret && chmod 777 unmapped/fs",
        """
        with room("bubblewrap", work) as cells:
            print(cells("import os; print('kernel' in os.listdir('unmapped'))"))
            print(cells("print(open('unmapped/fs/in.csv').read().strip())"))
            print(cells.attempt("print(open('unmapped/fs/secret').read())"))
            print(cells.attempt("print(open('unmapped/fs/new', 'w'))"))
        """,
    )
    assert said == ["True", "1", "EACCES", "EROFS"]


def test_what_is_covered_is_covered_with_what_is_mounted_there(script: Script, work: Path) -> None:
    """On it, below it, and above it."""
    for name in ("on", "below/deep", "above"):
        (work / name).mkdir(parents=True)
    said = script(
        "mount -t tmpfs a on; mount -t tmpfs b below/deep; mount -t tmpfs c above; mkdir above/covered; "
        "touch on/key below/deep/key above/covered/key above/seen",
        """
        hidden = tuple(str(work / name) for name in ("on", "below", "above/covered"))
        look = "import os; print(sorted(os.path.join(at, name) for at, _, names in os.walk('.') for name in names))"
        with room("bubblewrap", work, hidden=hidden) as cells:
            print(cells(look))
        with room("bubblewrap", work) as cells:
            print(cells(look))
        """,
    )
    everything = ["./above/covered/key", "./above/seen", "./below/deep/key", "./on/key"]
    assert said == ["['./above/seen']", str(everything)], "the danger is real"


@pytest.mark.parametrize("home", [".", "her"])
def test_in_her_home_a_dot_entry_is_covered_which_is_a_mount_or_has_one(script: Script, work: Path, home: str) -> None:
    for name in (".ssh", ".config/deep", "data"):
        (work / home / name).mkdir(parents=True)
    (work / home / ".netrc").touch()
    said = script(
        f"cd {home}; mount -t tmpfs a .ssh; mount -t tmpfs b .config/deep; mount -t tmpfs c data; "
        "touch .ssh/key .config/deep/key data/seen; mount --bind /etc/hostname .netrc",
        f"""
        os.environ["HOME"] = str(work / {home!r})
        with room("bubblewrap", work) as cells:
            print(cells("import os; print([n for _, _, names in os.walk('.') for n in names if n != '.netrc'])"))
            print(cells("import os; print(os.path.getsize({home!r} + '/.netrc'))"))
            print(cells("print(open({home!r} + '/data/new', 'w').write('x'))"))
        print(sorted(os.listdir(work / {home!r} / "data")))
        """,
    )
    assert said == ["['seen']", "0", "1", "['new', 'seen']"]


def test_a_library_and_a_repository_may_lie_there(script: Script, work: Path) -> None:
    """Where what is kept read-only is bound over it, and folders above are kept from being moved."""
    (work / "volume").mkdir()
    said = script(
        "mount -t tmpfs a volume; mkdir -p volume/deep/skills; echo 'x = 1' > volume/deep/skills/mine.py;"
        "mkdir .git; mount -t tmpfs b .git; touch .git/HEAD",
        """
        with room("bubblewrap", work, libraries=(str(work / "volume" / "deep" / "skills"),)) as cells:
            print(cells("import mine; print(mine.x)"))
            print(cells.attempt("open('volume/deep/skills/mine.py', 'w')"))
            print(cells.attempt("open('.git/config', 'w')"))
            print(cells.attempt("os.rename('volume/deep', 'volume/moved')"))
            print(cells.attempt("print(open('volume/new', 'w').write('x'))"))
        """,
    )
    assert said == ["1", "EROFS", "EROFS", "EBUSY", "1"]


def test_in_a_kept_home_it_is_there_as_well(script: Script, tmp_path: Path) -> None:
    said = script(
        "true",
        f"""
        from jupyter_codeact.sandbox.homes import open_home
        kept = {str(tmp_path / "homes")!r}
        home = open_home(kept, sys.executable, str(work))
        cache = Path(home.path, "cache")
        cache.mkdir()
        home.close()
        host(f"mount -t tmpfs a {{cache}}; touch {{cache}}/found")
        with room("bubblewrap", work, homes_folder=kept) as cells:
            print(cells("import os; print(os.listdir(os.path.expanduser('~/cache')))"))
        """,
    )
    assert said == ["['found']"]


def test_what_the_host_does_not_have_there_is_seen(script: Script, work: Path, tmp_path: Path) -> None:
    """It is put into what is lent when bubblewrap begins, as by a name that led elsewhere."""
    for name in ("data", "elsewhere"):
        (work / name).mkdir()
    program = tmp_path / "bin" / "bwrap"
    program.parent.mkdir()
    lent = 'for at in /tmp/codeact-*/work /run/*/codeact-*/work "$TMPDIR"/codeact-*/work; do [ ! -d "$at/elsewhere" ]'
    program.write_text(
        f'#!/bin/sh\n{lent} || mount --move "$at/data" "$at/elsewhere"; done\nexec /usr/bin/bwrap "$@"\n'
    )
    program.chmod(0o755)
    said = script(
        "mount -t tmpfs a data; touch data/in.csv",
        f"""
        from jupyter_codeact.errors import SandboxUnavailable
        os.environ["PATH"] = {str(program.parent)!r} + ":" + os.environ["PATH"]
        with answering("bubblewrap", work) as cells:
            print(cells("import os; print(os.listdir('data'), os.listdir('elsewhere'))"))
            try:
                cells.sandbox.check_place()
            except SandboxUnavailable as error:
                print(str(error).split(" is no longer")[0])
        """,
    )
    assert said == ["[] ['in.csv']", str(work / "elsewhere")]


def test_what_was_mounted_since_it_was_opened_is_seen(script: Script, work: Path) -> None:
    """As when a kernel in reserve is asked to serve: what its cells write there would lie under the mount."""
    (work / "data").mkdir()
    said = script(
        "true",
        """
        from jupyter_codeact.errors import SandboxUnavailable
        with answering("bubblewrap", work) as cells:
            cells.sandbox.check_place()
            host("mount -t tmpfs a data")
            print(cells("print(open('data/new', 'w').write('x'))"))
            try:
                cells.sandbox.check_place()
            except SandboxUnavailable as error:
                print(str(error).split(" is no longer")[0])
        host("umount data; ls data")
        """,
    )
    assert sorted(said) == [str(work / "data"), "1", "new"], "the danger is real"


SWAP = """
from jupyter_codeact.sandbox import idmap
steps = []
def swap(event, given):
    # Each walk begins with the folder above the mount.
    if event == "open" and given[0] == "above":
        steps.append(given)
        if len(steps) == {first}:
            host("mv above before; mv other above")
        if len(steps) == {last}:
            host("mv above other; mv before above")
sys.addaudithook(swap)
host("mkdir ../lent; mount --make-rprivate /")
try:
    idmap.lend(str(work), str(work.parent / "lent"), 60706)
except OSError as error:
    print(error.filename, error.strerror)
print(len(steps))
"""


@pytest.mark.parametrize(("first", "last", "walks"), [(1, 9, 1), (1, 2, 1), (2, 3, 3), (3, 9, 3)])
def test_a_folder_above_it_that_is_swapped_meanwhile_leads_nowhere(
    script: Script, work: Path, first: int, last: int, walks: int
) -> None:
    """Neither where it is taken from nor where it is put."""
    for name in ("above/data", "other/data"):
        (work / name).mkdir(parents=True)
    said = script("mount -t tmpfs a above/data", SWAP.format(first=first, last=last))
    assert said == [f"{work}/above/data the folders above it are being moved", str(walks)]
    (work.parent / "lent").rmdir()


def test_the_working_folder_itself_must_be_one_that_can_be_mapped(script: Script, work: Path) -> None:
    (work / "unmapped").mkdir()
    said = script(
        "mount -t sysfs a unmapped",
        """
        from jupyter_codeact.sandbox import idmap
        helper = [sys.executable, "-I", "-S", idmap.__file__, "60706", "unmapped", "/mnt", "--", "true"]
        print(subprocess.run(helper, cwd=work, capture_output=True, text=True).stderr.strip())
        """,
    )
    assert said == ["codeact: unmapped can't be lent to the sandbox's user: Invalid argument."]
