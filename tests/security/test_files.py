"""Read and write: the working folder and the sandbox's own temp, and nothing else of the person's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from helpers import environment, leased
from jupyter_core.paths import jupyter_config_path, jupyter_data_dir, jupyter_path, jupyter_runtime_dir

from jupyter_codeact.errors import SandboxUnavailable
from jupyter_codeact.files import temporary
from jupyter_codeact.leading import inside
from jupyter_codeact.sandbox.bubblewrap import takes
from jupyter_codeact.sandbox.launch import open_sandbox
from jupyter_codeact.sandbox.repository import kept
from jupyter_codeact.settings import Settings

from .rooms import Cells, room

OUTSIDE = ("ENOENT", "EACCES", "EROFS", "EPERM", "EBUSY")


def test_the_working_folder_and_temp_are_its_own(closed: Cells, base: Path) -> None:
    closed("for p in ('a.txt', '/tmp/a', '/dev/shm/a'): open(p, 'w').write('mine')\nimport os; os.mkdir('made')")
    found = (base / "work" / "a.txt").stat()
    assert (base / "work" / "a.txt").read_text() == "mine"
    assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())


@pytest.mark.parametrize("path", ["{base}/secret.txt", "/proc/self/cwd/../secret.txt", "link"])
def test_it_reads_no_file_outside(closed: Cells, unprotected: Cells, base: Path, path: str) -> None:
    link = base / "work" / "link"
    if not link.is_symlink():
        link.symlink_to(base / "secret.txt")
    attack = f"print(open({path.format(base=base)!r}).read())"
    assert closed.attempt(attack) in OUTSIDE
    assert unprotected.attempt(attack) == "canary"


def test_it_reads_nothing_through_the_root_of_another_process(closed: Cells, unprotected: Cells, base: Path) -> None:
    attack = f"""
        import glob
        found = [pid for pid in glob.glob('/proc/[0-9]*') if os.access(pid + '/root{base}/secret.txt', os.R_OK)]
        print(bool(found))
    """
    assert closed.attempt(attack) == "False"
    assert unprotected.attempt(attack) == "True"


def test_it_lists_nothing_of_the_hosts(closed: Cells, unprotected: Cells) -> None:
    attack = "print([n for n in os.listdir('/etc') if n in ('shadow', 'hostname', 'ssh')], os.path.exists('/sys'))"
    assert closed.attempt(attack) == "[] False"
    assert "shadow" in unprotected.attempt(attack)


def test_it_knows_which_system_its_programs_are_of(closed: Cells, unprotected: Cells) -> None:
    """Where the machine says so: installers and wheels choose by it."""
    asked = "print(open('/etc/os-release').read())"
    assert closed.attempt(asked) == unprotected.attempt(asked)


def test_it_reads_no_name_of_hers(closed: Cells, unprotected: Cells) -> None:
    """Accounts and groups are the sandbox's own."""
    names = "print(*(line.partition(':')[0] for line in open('/etc/{}')))"
    attacks = [names.format("passwd"), names.format("group")]
    assert [closed.attempt(attack) for attack in attacks] == ["user", "user"]
    assert all("root" in unprotected.attempt(attack).split() for attack in attacks)


def test_its_user_has_a_name(closed: Cells) -> None:
    code = """
        import getpass, grp, os, pathlib, pwd, socket
        mine = pathlib.Path('of_whom.txt'); mine.touch()
        print(pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name, getpass.getuser(), mine.owner(),
            mine.group(), pwd.getpwuid(os.getuid()).pw_dir, socket.getservbyname('http'), socket.getprotobyname('tcp'))
        !whoami
    """
    assert closed(code).split() == [*["user"] * 5, "/home/sandbox", "80", "6", "user"]


def test_it_writes_nowhere_else(closed: Cells, unprotected: Cells, base: Path) -> None:
    """Its folders above the working folder are its own temp, where they are anything."""
    places = [str(base), "/", "/etc", "/usr/local", "/home", "/dev", "/var/tmp", sys.prefix, sys.base_prefix]
    attack = "print(open(os.path.join({!r}, 'codeact-canary'), 'w').write('x'))"
    said = {place: closed.attempt(attack.format(place)) for place in places}
    assert {place for place, answer in said.items() if answer not in OUTSIDE} <= {str(base)}
    assert not [place for place in places if Path(place, "codeact-canary").exists()]
    assert unprotected.attempt(attack.format(str(base))) == "1"
    assert Path(base, "codeact-canary").exists()


def test_all_that_it_can_write_in_memory_has_a_size(closed: Cells) -> None:
    """Bubblewrap's own root and /dev are folders in memory, too, and belong to an ordinary user's sandbox."""
    mounts = [line.split() for line in closed("print(open('/proc/mounts').read())").splitlines()]
    # Where /tmp is a folder in memory, so is the working folder of this test.
    work = closed("import os; print(os.getcwd())").strip()
    writable = {
        place: options
        for _, place, kind, options, *_ in mounts
        if kind == "tmpfs" and "rw" in options.split(",") and place != work
    }
    assert set(writable) == {"/tmp", "/run", "/dev/shm", "/home/sandbox"}
    if takes("bwrap", "--size"):
        assert all("size=" in options for options in writable.values())


def test_the_library_is_read_and_not_changed_and_our_folders_are_not_even_seen(tmp_path: Path) -> None:
    """They may well lie in the working folder."""
    skills, runs = tmp_path / "data" / "codeact" / "skills", tmp_path / "data" / "codeact" / "runs"
    for folder, name in ((skills, "skill.py"), (runs, "run.traj")):
        folder.mkdir(parents=True)
        (folder / name).write_text("canary = 'as saved'\n")
    options = {"libraries": (str(skills),), "hidden": (str(tmp_path / "data" / "codeact"),)}
    attacks = {
        "change": f"print(open({str(skills / 'skill.py')!r}, 'a').write('#'))",
        "add": f"print(open({str(skills / 'other.py')!r}, 'w').write('#'))",
        "replace": f"os.rename('data', 'gone'); os.makedirs({str(skills)!r}); print(1)",
        "read a run": f"print(len(open({str(runs / 'run.traj')!r}).read()) > 0)",
        "write a run": f"print(open({str(runs / 'new.traj')!r}, 'w').write('#'))",
    }
    with room("bubblewrap", tmp_path, **options) as cells:
        assert cells("import skill; print(skill.canary)") == "as saved"
        for attack in attacks.values():
            assert cells.attempt(attack) in OUTSIDE
    assert (skills / "skill.py").read_text() == "canary = 'as saved'\n"
    with room("none", tmp_path, **options) as cells:
        assert [cells.attempt(attacks[name]) for name in ("change", "read a run", "replace")] == ["1", "True", "1"]


def test_the_environment_is_not_changed_even_where_it_lies_in_the_working_folder(tmp_path: Path) -> None:
    """What runs outside at the next start is started from there."""
    folder = tmp_path / "project" / "tools" / ".venv"
    python, packages = environment(folder)
    attacks = {
        "shadow a module": f"print(open({str(packages / 'zmq.py')!r}, 'w').write('#'))",
        "replace the program": f"os.remove({python!r}); print(1)",
        "rename it": "os.rename('project/tools/.venv', 'project/tools/other'); print(1)",
        "rename what it lies in": "os.rename('project/tools', 'project/other'); print(1)",
        "rename that": "os.rename('project', 'other'); print(1)",
    }
    with room("bubblewrap", tmp_path, python) as cells:
        cells("open('project/beside', 'w').write('this is hers')")
        for attack in attacks.values():
            assert cells.attempt(attack) in OUTSIDE
    assert subprocess.run([python, "-c", "1"], check=False).returncode == 0
    with room("none", tmp_path, python) as cells:
        assert [cells.attempt(attacks[name]) for name in ("shadow a module", "rename that")] == ["1", "1"]


@pytest.mark.parametrize("named", ["missing", "by a link", "relative"])
def test_what_is_obeyed_outside_can_not_be_made_or_changed_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """A folder of configuration that isn't there yet, or is found by another name than the working folder's."""
    work, other = tmp_path / "work", tmp_path / "other name"
    (work / "skills").mkdir(parents=True)
    other.symlink_to(work)
    monkeypatch.chdir(work)
    if named == "by a link":
        (work / "deep" / "config").mkdir(parents=True)
    place = {"missing": work / "deep/config", "by a link": other / "deep/config", "relative": "deep/config"}[named]
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(place))
    options = {"libraries": (str(other / "skills"),), "hidden": Settings.from_environment().hidden}
    attacks = {
        "configure": "os.makedirs('deep/config', exist_ok=True); print(open('deep/config/x.py', 'w').write('#'))",
        "change": "print(open('skills/new.py', 'w').write('#'))",
        "replace": "os.rename('deep', 'gone'); os.makedirs('deep/config'); print(1)",
    }
    with room("bubblewrap", work, **options) as cells:
        for attack in attacks.values():
            assert cells.attempt(attack) in OUTSIDE
    with room("none", work, **options) as cells:
        assert [cells.attempt(attack) for attack in attacks.values()] == ["1", "1", "1"]


def test_an_environment_is_kept_by_whichever_name_it_is_started(tmp_path: Path) -> None:
    """A home that is a link, as on machines with many users: the working folder's true name is another one."""
    (tmp_path / "data").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "data")
    python, packages = environment(tmp_path / "home" / ".venv")
    attack = f"print(open({str(packages.resolve() / 'zmq.py')!r}, 'w').write('#'))"
    with room("bubblewrap", tmp_path / "data", python) as cells:
        assert cells("import sys; print(sys.prefix)") == str(tmp_path / "home" / ".venv")
        assert cells.attempt(attack) in OUTSIDE
    with room("none", tmp_path / "data", python) as cells:
        assert cells.attempt(attack) == "1"


@pytest.mark.parametrize("what", ["environment", "configuration", "library"])
def test_a_link_in_the_working_folder_to_what_is_obeyed_outside_is_refused(tmp_path: Path, what: str) -> None:
    """It could be replaced, and the next start would obey what took its place."""
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    work.mkdir()
    python = str(work / "tools" / "bin" / "python")
    if what == "environment":
        environment(elsewhere)
    else:
        elsewhere.mkdir()
    (work / "tools").symlink_to(elsewhere)
    options = {
        "environment": {"python": python},
        "configuration": {"hidden": (str(work / "tools"),)},
        "library": {"libraries": (str(work / "tools"),)},
    }[what]
    with pytest.raises(SandboxUnavailable, match=f"found through {work}/tools, a link.* put a real folder"):
        open_sandbox("bubblewrap", **{"python": sys.executable, "work": str(work), **options})
    with room("none", work, **options) as cells:
        assert cells.attempt("os.remove('tools'); os.mkdir('tools'); print(1)") == "1"


def test_a_folder_of_settings_is_no_working_folder(tmp_path: Path) -> None:
    for given in ({"hidden": (str(tmp_path),)}, {"libraries": (str(tmp_path),)}):
        with pytest.raises(SandboxUnavailable, match="put the notebook into another folder"):
            open_sandbox("bubblewrap", sys.executable, str(tmp_path), **given)


@pytest.mark.parametrize("folder", [".ssh", ".config/x"])
def test_a_dot_folder_of_her_home_is_no_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """A cell of a kernel above may have put a link to it in the place of a notebook's folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "project").symlink_to(tmp_path / folder)
    with pytest.raises(
        SandboxUnavailable, match=r"in a dot folder of your home.* put the notebook into another folder"
    ):
        open_sandbox("bubblewrap", sys.executable, str(tmp_path / "project"))
    with room("none", tmp_path / "project") as cells:
        assert cells.attempt("print(open('authorized_keys', 'w').write('x'))") == "1"


def test_every_place_where_jupyter_looks_is_covered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As jupyter_core says, but for what belongs to the environment or the system."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_CONFIG_PATH",
        "JUPYTER_PATH",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
    ):
        for value in (None, f"{tmp_path}/a{os.pathsep}{tmp_path}/b" if name.endswith("PATH") else f"{tmp_path}/c"):
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
            places = [*jupyter_config_path(), *jupyter_path(), jupyter_runtime_dir(), jupyter_data_dir()]
            hidden = Settings.from_environment().hidden
            hers = [place for place in places if not place.startswith((sys.prefix, "/usr", "/etc"))]
            assert len(hers) > 2
            assert not [place for place in hers if not any(inside(place, folder) for folder in hidden)]


def test_in_her_home_her_dot_files_are_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor can new ones be made, which her shell would obey."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (".ssh/id_ed25519", ".netrc", ".config/gcloud/key", "dotfiles/aws/credentials", "notes/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("canary")
    (tmp_path / ".aws").symlink_to(tmp_path / "dotfiles" / "aws")
    reads = [".ssh/id_ed25519", ".netrc", ".config/gcloud/key", ".aws/credentials", "dotfiles/aws/credentials"]
    writes = [".ssh/authorized_keys", ".netrc", ".profile", ".config/autostart", "dotfiles/aws/config"]
    read, write = "print(len(open({!r}).read()))", "print(open({!r}, 'w').write('x'))"
    with room("bubblewrap", tmp_path) as cells:
        assert not {cells.attempt(read.format(name)) for name in reads} & {"6"}
        assert all(cells.attempt(write.format(name)) in OUTSIDE for name in writes)
        assert cells.attempt("os.rename('dotfiles', 'others'); print(1)") in OUTSIDE
        assert cells.attempt(write.format("notes/b.txt")) == "1"
        assert cells.attempt(read.format("notes/a.txt")) == "6"
        # Editors put a new file in the place of the old one, and what lay over that is gone with it.
        for name in (".netrc", ".pgpass"):
            (tmp_path / "new").write_text("canary")
            (tmp_path / "new").rename(tmp_path / name)
            assert cells.attempt(read.format(name)) != "6"
    assert not (tmp_path / ".profile").exists()
    with room("none", tmp_path) as cells:
        assert [cells.attempt(read.format(name)) for name in [*reads, ".pgpass"]] == ["6"] * (len(reads) + 1)
        assert cells.attempt(write.format(".profile")) == "1"


WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", folder, *WHO, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    git(folder.parent, "init", "-q", "--template=", str(folder))
    (folder / "a.txt").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return folder


# Programs for her `git status`, in another folder's settings; in a repository that the index has as a submodule; …
RUNS = "printf '[core]\\n\\tfsmonitor = touch {proof}; false\\n' >>"
OTHER_SETTINGS = f"cp -r .git c; mv c .git/c; {RUNS} .git/c/config; echo c > .git/commondir"
MADE = f"git init -q {{0}}; git -C {{0}} {' '.join(WHO)} commit -qm one --allow-empty; {RUNS} {{0}}/.git/config"
OTHERS_REPOSITORY = f"{MADE.replace('{0}', 'sub')}; git add sub"


@pytest.mark.parametrize(
    ("kind", "attack"),
    [
        ("folder", f"{RUNS} .git/config"),
        ("folder", "mv .git old; " + MADE.replace("{0}", ".")),
        ("folder", OTHER_SETTINGS),
        ("folder", OTHERS_REPOSITORY),
        ("named folder", f"{RUNS} .bare/config"),
        ("named folder", "rm .git; " + MADE.replace("{0}", ".")),
        ("worktree", "rm .git; " + MADE.replace("{0}", ".")),
        ("submodule", "rm deep/sub/.git; " + MADE.replace("{0}", "deep/sub")),
        ("submodule", "mv deep/sub old; " + MADE.replace("{0}", "deep/sub")),
        ("submodule", "mv deep old; " + MADE.replace("{0}", "deep/sub")),
        ("submodule of another branch", "rm deep/sub/.git; " + MADE.replace("{0}", "deep/sub")),
        ("submodule not checked out", MADE.replace("{0}", "deep/sub")),
        ("submodule not checked out, nor its folder", MADE.replace("{0}", "deep/sub")),
        ("repository in it", f"{RUNS} deep/sub/.git/config"),
    ],
)
def test_what_git_would_run_outside_is_not_changed(tmp_path: Path, kind: str, attack: str) -> None:
    """Any `git status` of hers obeys the repository's settings, and in each submodule those of what lies there."""
    work, whole = tmp_path / "work", repository(tmp_path / "whole")
    if kind == "worktree":
        git(whole, "worktree", "add", "-q", str(work))
    else:
        repository(work)
    if kind == "named folder":
        (work / ".git").rename(work / ".bare")
        (work / ".git").write_text("gitdir: ./.bare\n")
    elif kind == "repository in it":
        (work / "deep").mkdir()
        repository(work / "deep" / "sub")
        git(work, "add", "deep/sub")
    elif kind.startswith("submodule"):
        git(work, "submodule", "--quiet", "add", str(whole), "deep/sub")
        git(work, "commit", "-qm", "two")
    if kind.startswith("submodule not checked out"):
        git(tmp_path, "clone", "-q", str(work), "clone")
        work = tmp_path / "clone"
    if kind.endswith("nor its folder"):
        (work / "deep" / "sub").rmdir()
        (work / "deep").rmdir()
    if kind == "submodule of another branch":
        git(work, "rm", "-q", "--cached", "deep/sub")
    proof, ran = tmp_path / "proof", []
    for sandbox in ("bubblewrap", "none"):
        with room(sandbox, work) as cells:
            cells(f"import subprocess; subprocess.run({attack.replace('{proof}', str(proof))!r}, shell=True)")
        if kind == "submodule of another branch":
            git(work, "reset", "-q")
        git(work, "status")
        ran.append(proof.exists())
    assert ran == [False, True]


@pytest.mark.parametrize("line", ["a\0b", f"{'./' * 3000}.bare"])
def test_a_repository_of_a_cells_making_keeps_no_kernel_from_starting(tmp_path: Path, line: str) -> None:
    """No path is as long as what one may write there, and none has a zero in it."""
    repository(tmp_path / "work").joinpath(".git").rename(tmp_path / "work" / ".bare")
    named = tmp_path / "work" / ".git"
    named.write_text(f"gitdir: {line}\n")
    assert kept(str(tmp_path / "work")) == [str(named)]


@pytest.mark.parametrize("held", [".git/index", ".git/modules/deep/sub/config"])
def test_a_repository_that_can_not_be_read_is_not_taken_for_none(tmp_path: Path, held: str) -> None:
    """Its submodules would not be known, and a cell could put repositories of its own in their place."""
    work = repository(tmp_path / "work")
    git(work, "submodule", "--quiet", "add", str(repository(tmp_path / "whole")), "deep/sub")
    with leased(work / held), pytest.raises(SandboxUnavailable, match=rf"{held} can't be read .* Nothing was run"):
        kept(str(work))
    assert str(work / "deep" / "sub" / ".git") in kept(str(work))


def test_nor_is_a_submodule_that_can_not_be_looked_at(tmp_path: Path) -> None:
    """An ordinary user's cell can close the folder that it lies in, and open it again later; this is as closed."""
    work = repository(tmp_path / "work")
    git(work, "submodule", "--quiet", "add", str(repository(tmp_path / "whole")), "deep/sub")
    (work / "deep").rename(tmp_path / "away")
    (work / "deep").symlink_to("deep")
    with pytest.raises(SandboxUnavailable, match=r"deep/sub.* can't be read"):
        kept(str(work))


def test_a_split_index_is_read_and_those_from_before_are_not(tmp_path: Path) -> None:
    """Git keeps old parts of an index for two weeks, of a size that would be too much."""
    work = repository(tmp_path / "work")
    git(work, "submodule", "--quiet", "add", str(repository(tmp_path / "whole")), "deep/sub")
    shutil.rmtree(work / ".git" / "modules")
    shutil.rmtree(work / "deep")
    git(work, "update-index", "--split-index")
    (part,) = (work / ".git").glob("sharedindex.*")
    with part.with_name(f"sharedindex.{'ab' * 20}").open("wb") as old:
        old.truncate(2**30)
    assert str(work / "deep" / "sub") in kept(str(work))
    with part.open("r+b") as now:
        now.truncate(2**30)
    with pytest.raises(SandboxUnavailable, match="larger than 256 MB"):
        kept(str(work))


def test_what_git_passes_over_keeps_no_kernel_from_starting(tmp_path: Path) -> None:
    work = repository(tmp_path / "work")
    (work / ".git" / "sharedindex.tmp").mkdir()
    (work / ".git" / "modules").mkdir()
    (work / ".git" / "modules" / "loop").symlink_to("loop")
    assert kept(str(work)) == [str(work / ".git")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files of two users")
@pytest.mark.parametrize("closed", [".git", ".git/index", ".git/modules/deep", "deep/sub"])
def test_nor_does_a_repository_of_another_user_s_that_is_closed_to_her(closed: str) -> None:
    """Her git does not obey it, nor can a cell put anything in the place of a missing submodule's folder there."""
    with temporary("work") as folder:
        os.chmod(folder, 0o755)
        work = repository(Path(folder, "work"))
        git(work, "submodule", "--quiet", "add", str(repository(Path(folder, "whole"))), "deep/sub")
        if closed == "deep/sub":
            shutil.rmtree(work / "deep" / "sub")
        else:
            (work / closed).chmod(0)
        os.seteuid(65534)
        try:
            found = kept(str(work))
        finally:
            os.seteuid(0)
    assert str(work / ".git") in found


def test_it_has_nobody_wait_who_opens_what_it_only_reads(closed: Cells, unprotected: Cells, base: Path) -> None:
    """By a lease a program keeps all others waiting, for 45 seconds at a time, or has them told that it is busy."""
    file = base / "work" / "read.txt"
    file.write_text("read")
    attack = """
        import fcntl, signal
        held = os.open('read.txt', os.O_RDONLY)
        fcntl.fcntl(held, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        print('leased')
    """
    assert closed.attempt(attack) == "EINVAL"
    closed("os.close(held)")
    assert unprotected.attempt(attack) == "leased"
    with pytest.raises(BlockingIOError):
        os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    unprotected("os.close(held)")


def test_a_repository_is_read_in_cells_and_changed_in_a_terminal(tmp_path: Path) -> None:
    work = repository(tmp_path / "work")
    git(work, "submodule", "--quiet", "add", str(repository(tmp_path / "whole")), "sub")
    git(work, "commit", "-qm", "two")
    changes = ["git add .", "git commit -qam three", "git stash || echo busy", "git config a.b c", "mv .git old"]
    with room("bubblewrap", work) as cells:
        cells("print('two', file=open('a.txt', 'a')); print('two', file=open('sub/a.txt', 'a'))")
        assert cells(
            "!git status --short | cat; git log --oneline | wc -l; git diff a.txt | tail -1 | cat"
        ).split() == [*("M", "a.txt", "m", "sub", "2", "+two")]
        for change in changes:
            said = cells(f"!{change} 2>&1")
            assert "Read-only file system" in said or "busy" in said, (change, said)
    assert git(work, "status", "--short").split() == ["M", "a.txt", "m", "sub"]
    git(work, "stash")
    git(work, "commit", "-qm", "three", "--allow-empty")


def test_the_temp_of_other_programs_is_covered_and_no_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other kernels' sandboxes are reached there."""
    temp = tmp_path / "tmp"
    temp.mkdir()
    (temp / "secret.txt").write_text("canary")
    monkeypatch.setattr("tempfile.tempdir", str(temp))
    attack = "print(open('tmp/secret.txt').read())"
    with room("bubblewrap", tmp_path) as cells:
        assert cells.attempt(attack) in OUTSIDE
    with pytest.raises(SandboxUnavailable, match="put the notebook into another folder"):
        open_sandbox("bubblewrap", sys.executable, str(temp))
    with room("none", tmp_path) as cells:
        assert cells.attempt(attack) == "canary"


def test_a_users_installs_that_are_not_there_yet_are_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What any kernel of this Python would import, in other folders too."""
    python, _ = environment(tmp_path / "env")
    settings = tmp_path / "env" / "pyvenv.cfg"
    settings.write_text(settings.read_text().replace("packages = false", "packages = true"))
    monkeypatch.setenv("PYTHONUSERBASE", str(tmp_path / "work" / "base"))
    work = tmp_path / "work"
    work.mkdir()
    ask = [python, "-c", "import site; print(site.getusersitepackages())"]
    place = subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()
    attack = f"os.makedirs({place!r}, exist_ok=True); print(open({place!r} + '/jinja2.py', 'w').write('#'))"
    with room("bubblewrap", work, python) as cells:
        assert cells.attempt(attack) in OUTSIDE
    with room("none", work, python) as cells:
        assert cells.attempt(attack) == "1"


@pytest.mark.parametrize("entry", ["", ".", "bin", "{work}/bin"])
def test_no_program_of_the_working_folder_is_run_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    """Not even where her PATH leads there, as `PATH=~/bin:$PATH` does in the home, and an empty entry anywhere."""
    work = tmp_path / "work"
    for folder in (work, work / "bin"):
        folder.mkdir()
        for name in ("bwrap", "setpriv", "prlimit"):
            (folder / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/proof\n")
            (folder / name).chmod(0o755)
    monkeypatch.chdir(work)
    plain = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{entry.format(work=work)}{os.pathsep}{plain}")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/lib:")
    with room("bubblewrap", work) as cells:
        assert cells("print(1)") == "1"
        environment = Path(f"/proc/{cells.sandbox.process.pid}/environ").read_bytes().split(b"\0")
        assert b"LD_LIBRARY_PATH=/usr/lib" in environment
        assert f"PATH={plain}".encode() in environment
    assert not (tmp_path / "proof").exists()
    subprocess.run(["bwrap"], check=True)
    assert (tmp_path / "proof").exists()


def test_the_sockets_we_connect_to_cannot_be_replaced(base: Path) -> None:
    """A link in their place would lead the trusted process to another socket of the host's."""
    attack = "os.remove({0!r}); os.symlink('/run/other', {0!r}); print('swapped')"
    with room("bubblewrap", base / "work") as cells:
        folder = cells.sandbox.folder
        for name in ("s-1", "connection.json"):
            assert cells.attempt(attack.format(f"{folder.shown}/{name}")) in OUTSIDE
        assert cells.attempt(f"os.rename({folder.shown!r}, '/tmp/x'); print(1)") in OUTSIDE
        assert cells.attempt(f"print(os.listdir({folder.path!r}))") == "['k']"
    with room("none", base / "work") as cells:
        assert cells.attempt(attack.format(f"{cells.sandbox.folder.shown}/s-5")) == "swapped"


def test_nothing_it_inherits_is_a_file_that_it_could_reopen(closed: Cells, tmp_path: Path) -> None:
    """A log, say: it can be opened anew for writing, whatever it was opened for."""
    attack = """
        import glob
        for path in glob.glob('/proc/self/fd/*'):
            if os.path.isfile(path) and not os.readlink(path).startswith('/tmp/ipython/'):
                os.truncate(path, 0)
                print('truncated', os.readlink(path))
    """
    assert closed.attempt(attack) == ""
    log = tmp_path / "log"
    log.write_text("canary")
    with log.open("a") as file:
        subprocess.run([sys.executable, "-c", "import os\n" + textwrap.dedent(attack)], stdout=file, check=True)
    assert "canary" not in log.read_text()


def test_no_file_of_the_working_folder_becomes_a_program_of_its_owners(closed: Cells, unprotected: Cells) -> None:
    """On disk it would be hers, and anybody on the host could run it as her."""
    made = "open('tool', 'w').close()\n"
    attacks = [
        made + "os.chmod('tool', 0o4755); print(oct(os.stat('tool').st_mode))",
        made + "with open('tool') as f: os.fchmod(f.fileno(), 0o4755); print(oct(os.stat('tool').st_mode))",
        "os.close(os.open('other', os.O_CREAT | os.O_WRONLY, 0o4755)); print(oct(os.stat('other').st_mode))",
        "os.mknod('third', 0o104755); print(oct(os.stat('third').st_mode))",
    ]
    assert [closed.attempt(attack) for attack in attacks] == ["EPERM"] * len(attacks)
    assert [unprotected.attempt(attack) for attack in attacks] == ["0o104755"] * len(attacks)
