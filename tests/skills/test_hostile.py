"""What comes from elsewhere is refused with a reason where it is not what it seems; and each danger is real."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.git_https import git_over_https

from jupyter_codeact.errors import SkillError
from jupyter_codeact.skills.transfer import git
from jupyter_codeact.skills.transfer.imports import found_in
from jupyter_codeact.skills.transfer.placing import place

GOOD = "x = 1\n"
Entry = tuple[str | zipfile.ZipInfo, str | bytes]


def archive(*given: Entry) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in given:
            file.writestr(name, content)
    return whole.getvalue()


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def refused(work: Path, *given: Entry) -> str:
    (work / "a.zip").write_bytes(archive(*given))
    with pytest.raises(SkillError) as caught:
        found_in("a.zip", work)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.py", "leads out of its own folder"),
        ("a/../../evil.py", "leads out"),
        ("/etc/evil.py", "leads out"),
        ("./evil.py", "leads out"),
        ("a//evil.py", "leads out"),
        ("..\\evil.py", "has characters"),
        ("C:/evil.py", "has characters"),
        ("evil\x1b[2J.py", "has characters"),
        ("evil.py\u202e", "has characters"),
        ("fit.so", "compiled"),
        ("evil.pth", "compiled, or run by every Python"),
        ("os.py", "Python's own"),
        ("json/__init__.py", "Python's own"),
        ("sitecustomize.py", "Python's own"),
        ("OS.py", "in case only"),
        ("\uff4fs.py", "Python reads as others"),
        ("class.py", "can't be a module's name"),
        ("2fit.py", "can't be a module's name"),
        ("my-fit.py", "can't be a module's name"),
        ("numpy.py", "package of this environment"),
        ("fit/__init__.py", ""),
    ],
)
def test_names_that_mean_something_else(work: Path, name: str, reason: str) -> None:
    if reason:
        assert reason in refused(work, (name, GOOD))
    else:
        (work / "a.zip").write_bytes(archive((name, GOOD)))
        assert found_in("a.zip", work)[0].name == "fit"


def test_a_name_with_a_nul_in_it(work: Path) -> None:
    """The zip module cuts such a name off, and would show another one."""
    data = archive(("fit.pyXevil", GOOD)).replace(b"fit.pyXevil", b"fit.py\0evil")
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["fit.py"]
    (work / "a.zip").write_bytes(data)
    with pytest.raises(SkillError, match="has characters"):
        found_in("a.zip", work)


def test_an_entry_that_is_there_twice(work: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = archive(("fit.py", GOOD), ("fit.py", "evil = 1\n"))
    (work / "a.zip").write_bytes(data)
    zipfile.ZipFile(work / "a.zip").extractall(work / "twin")
    assert (work / "twin" / "fit.py").read_text() == "evil = 1\n"
    with pytest.raises(SkillError, match="is there twice"):
        found_in("a.zip", work)


def test_names_that_differ_in_case(work: Path) -> None:
    assert "differ in case only" in refused(work, ("fit.py", GOOD), ("Fit.py", GOOD))


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o600, stat.S_IFCHR | 0o600])
def test_links_and_devices_in_an_archive(work: Path, mode: int) -> None:
    assert "a link or a device" in refused(work, (special("fit.py", mode), "/etc/passwd"))


def test_a_bomb_is_refused_before_it_is_unpacked(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive(("fit.py", b"#" * 50_000_000))
    assert len(data) < 100_000
    (work / "a.zip").write_bytes(data)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_, **__: pytest.fail("unpacked"))
    with pytest.raises(SkillError, match="more than 4 MB"):
        found_in("a.zip", work)


def test_a_size_that_is_a_lie_ends_the_reading(work: Path) -> None:
    data = bytearray(archive(("fit.py", b"#" * 5_000_000)))
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = (100).to_bytes(4, "little")
    (work / "a.zip").write_bytes(data)
    with pytest.raises(SkillError, match="can't be read"):
        found_in("a.zip", work)


def test_folders_without_files_have_an_end_as_well(work: Path) -> None:
    """A cell makes a hundred thousand of them in no time."""
    for number in range(2001):
        (work / "project" / f"d{number % 40}" / str(number)).mkdir(parents=True)
    with pytest.raises(SkillError, match="more than 2000 folders"):
        found_in("project", work)


def test_too_many_files(work: Path) -> None:
    assert "more than 200 sources" in refused(work, *((f"m{n}.py", GOOD) for n in range(201)))
    assert "more than 2000 files" in refused(work, *((f"m{n}.csv", "") for n in range(2001)))


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"PK\x03\x04" + b"\0" * 40, b"\xff" * 1000, archive(("fit.py", GOOD))[:-30]],
    ids=["nothing", "two bytes", "a header of zeros", "noise", "one that is cut off"],
)
def test_what_is_no_archive(work: Path, content: bytes) -> None:
    (work / "a.whl").write_bytes(content)
    with pytest.raises(SkillError, match="can't be read"):
        found_in("a.whl", work)


def test_an_encrypted_entry(work: Path) -> None:
    data = bytearray(archive(("fit.py", GOOD)))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    (work / "a.zip").write_bytes(data)
    with pytest.raises(SkillError, match="is encrypted"):
        found_in("a.zip", work)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x = '\xff'\n", "no UTF-8"),
        (b"# coding: latin-1\nx = '\xe9'\n", "no UTF-8"),
        (b"def f(:\n", "can't be read as Python"),
        (b"x = 1\0\n", "can't be read as Python"),
        (b"-" * 300_000 + b"1", "can't be read as Python"),
        (b"", "no .py"),
    ],
)
def test_text_that_can_not_be_shown_or_read(work: Path, content: bytes, reason: str) -> None:
    path = work / ("fit.py" if content else "fit.txt")
    path.write_bytes(content)
    with pytest.raises(SkillError, match=reason):
        found_in(path.name, work)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"cells": 3}', '{"cells": [null, 3, {"cell_type": "code"}]}', "[" * 99999]
)
def test_notebooks_that_are_none(work: Path, content: str) -> None:
    (work / "a.ipynb").write_text(content)
    with pytest.raises(SkillError, match=r"is no notebook|nothing to import"):
        found_in("a.ipynb", work)


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        (["../fit.py"], "leads out of its own folder"),
        (["fit/__init__.py", "fit/../../evil.py"], "leads out"),
        (["fit/__init__.py", "/etc/evil.py"], "leads out"),
        (["fit/__init__.py", "other/evil.py"], "is no file of fit"),
        (["fit/__init__.py", "fit/evil.pth"], "compiled, or run by every Python"),
        (["fit/__init__.py", "fit/evil.txt"], "is no file of fit"),
        (["fit/__init__.py", "fit/a.py", "fit/A.py"], "differ in case only"),
        (["fit/__init__.py", "fit/__init__.py"], "is there twice"),
        (["fit/api.py"], "neither a module nor a package"),
        (["fit.py", "fit/__init__.py"], "neither a module nor a package"),
        (["fit/__init__.py", *(f"fit/m{n}.py" for n in range(200))], "more than 200 sources"),
        (["fit/__init__.py", "fit/class.py"], ""),
    ],
)
def test_paths_that_a_skill_notebook_says(work: Path, paths: list[str], reason: str) -> None:
    cells = [
        {"cell_type": "code", "metadata": {"jupyter_codeact": {"part": "file"}}, "source": f"%%writefile {path}\nx = 1"}
        for path in paths
    ]
    notebook = {"cells": cells, "metadata": {"jupyter_codeact": {"skill": "fit"}}}
    (work / "a.ipynb").write_text(json.dumps(notebook))
    if reason:
        with pytest.raises(SkillError, match=reason):
            found_in("a.ipynb", work)
    else:
        assert [*found_in("a.ipynb", work)[0].files] == paths


@pytest.mark.parametrize(
    "front", ["", "name: x", "---\nname: [\n---\n", "---\nname: 1\ndescription: x\n---\n", "---\n&a [*a]\n---\n"]
)
def test_a_skill_folder_with_a_wrong_front_matter(work: Path, front: str) -> None:
    (work / "fit" / "scripts").mkdir(parents=True)
    (work / "fit" / "SKILL.md").write_text(front)
    (work / "fit" / "scripts" / "fit.py").write_text(GOOD)
    with pytest.raises(SkillError, match="front matter") as caught:
        found_in("fit", work)
    assert "^" not in str(caught.value)
    assert ("line 2, column 8: " in str(caught.value)) is ("[" in front and "&" not in front)


def test_links_in_the_working_folder_lead_nowhere(work: Path, tmp_path: Path) -> None:
    """The sandbox can make them; what they lead to would be shown, stored, and then be readable in there."""
    (tmp_path / "secret.py").write_text("KEY = 'hers'\n")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key.py").write_text("KEY = 'hers'\n")
    (work / "fit.py").symlink_to(tmp_path / "secret.py")
    (work / "folder").symlink_to(tmp_path / "secrets")
    (work / "pkg").mkdir()
    (work / "pkg" / "in.py").symlink_to(tmp_path / "secret.py")
    os.mkfifo(work / "pipe.py")
    assert "hers" in (work / "fit.py").read_text()
    for name in ("fit.py", "folder", "folder/key.py", "pkg", "pipe.py"):
        with pytest.raises(SkillError, match=r"can't be read|a link or a device"):
            found_in(name, work)
    assert found_in(str(tmp_path / "secret.py"), work)[0].name == "secret"


def test_an_export_does_not_follow_a_link_out(work: Path, tmp_path: Path) -> None:
    (tmp_path / "hers").mkdir()
    (work / "out").symlink_to(tmp_path / "hers")
    (work / "fit.py").symlink_to(tmp_path / "hers" / "fit.py")
    for out in ("out", "out/fit.py"):
        with pytest.raises(SkillError, match="a link of the working folder is not followed"):
            place("fit.py", b"x", out, work)
    with pytest.raises(SkillError, match="is there already"):
        place("fit.py", b"x", "", work)
    place("fit.py", b"x", "", work, force=True)
    assert [*(tmp_path / "hers").iterdir()] == []
    (work / "out" / "twin.py").write_text("x")
    assert (tmp_path / "hers" / "twin.py").exists()


def test_nothing_that_is_read_runs(work: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (work / "fit.py").write_text(f"open({str(mark)!r}, 'w')\n")
    (work / "a.zip").write_bytes(archive(("fit.py", f"open({str(mark)!r}, 'w')\n"), ("setup.py", "1/0")))
    found_in("fit.py", work)
    found_in("a.zip", work)
    assert not mark.exists()
    subprocess.run([sys.executable, "fit.py"], cwd=work, check=True)
    assert mark.exists()


# ---- git


@pytest.fixture
def repository(work: Path) -> Callable[..., str]:
    def make(**files: str) -> str:
        folder = work / "repo"
        folder.mkdir()
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        return commit(folder)

    return make


def commit(folder: Path) -> str:
    run = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run([*run, *arguments], cwd=folder, check=True)
    return f"file://{folder}"


@pytest.mark.parametrize(
    "address", ["ssh://example.org/a", "git@example.org:a/b", "ext::sh -c x", "git://example.org/a", "ftp://a/b"]
)
def test_repositories_come_over_https_and_files_only(work: Path, address: str) -> None:
    with pytest.raises(SkillError, match="https, http or file only"):
        found_in(address, work)


def test_a_repository_has_no_hooks_run(
    repository: Callable[..., str], work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, mark, hooks = repository(fit=GOOD), tmp_path / "ran", tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (hooks / "post-checkout").chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text(f"[core]\n\thooksPath = {hooks}\n")
    assert found_in(address, work)[0].name == "fit"
    assert not mark.exists()
    subprocess.run(["git", "clone", "-q", address, str(tmp_path / "twin")], check=True)
    assert mark.exists()


@pytest.fixture
def over_https(repository: Callable[..., str], work: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A repository's address, and the certificate of its server."""
    if shutil.which("openssl") is None:
        if os.environ.get("CI"):
            pytest.fail("openssl is required in CI")
        pytest.skip("openssl is not installed: it makes the server's certificate")
    repository(fit=GOOD)
    with git_over_https(work, tmp_path) as (address, certificate):
        yield f"{address}/repo/.git", certificate


def test_a_repository_comes_over_https_from_a_server_that_is_known(
    over_https: tuple[str, Path], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And from one whose certificate nobody has signed, nothing: git without the check would take it."""
    address, certificate = over_https
    with pytest.raises(SkillError, match=r"can't be fetched: .*CERTIFICATE_VERIFY_FAILED"):
        found_in(address, work)
    unchecked = ["git", "-c", "http.sslVerify=false", "clone", "-q", address, str(work / "twin")]
    subprocess.run(unchecked, check=True)
    assert (work / "twin" / "fit.py").read_text() == GOOD
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    (found,) = found_in(address, work)
    assert found.files == {"fit.py": GOOD}


def test_a_password_in_an_address_is_neither_shown_nor_remembered(
    over_https: tuple[str, Path], command: Callable[..., Any], sandbox: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notes are read by everybody who gets the skill."""
    address = over_https[0].replace("//", "//ann:s3cret@")
    monkeypatch.setenv("SSL_CERT_FILE", str(over_https[1]))
    refused = command("skill", "import", address.replace("repo", "nowhere"), "--yes")
    done = command("skill", "import", address, "--yes")
    log = command("skill", "log", "fit")
    assert (refused.code, done.code, log.code) == (2, 0, 0)
    assert f"from {over_https[0]}" in log.out
    assert "s3cret" not in "".join([refused.err, done.out, done.err, log.out])


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("https://ann:s3cret@example.org/a#b", "https://example.org/a#b"),
        ("https://token@example.org", "https://example.org"),
        ("https://a@b@example.org/c@d#e@f", "https://example.org/c@d#e@f"),
        ("a@b.py", "a@b.py"),
        ("https://example.org/~a@b", "https://example.org/~a@b"),
    ],
)
def test_addresses_without_their_passwords(source: str, shown: str) -> None:
    assert git.without_password(source) == shown


def test_links_in_a_repository(work: Path) -> None:
    (work / "repo").mkdir()
    (work / "repo" / "fit.py").symlink_to("/etc/passwd")
    with pytest.raises(SkillError, match="a link or a submodule"):
        found_in(commit(work / "repo"), work)


def test_a_repository_that_is_too_large(
    repository: Callable[..., str], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = repository(fit=f"# {os.urandom(100_000).hex()}\n")
    assert found_in(address, work)
    monkeypatch.setattr(git, "DISK_BYTES", 10_000)
    with pytest.raises(SkillError, match="can't be fetched"):
        found_in(address, work)


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    late = pytest.raises(SkillError, match="did not come within 1 seconds")
    with socket.create_server(("127.0.0.1", 0)) as server, late:
        git.fetched(f"http://127.0.0.1:{server.getsockname()[1]}/a", time_s=1)


def test_no_repository_at_all(work: Path) -> None:
    with pytest.raises(SkillError, match="can't be fetched"):
        found_in(f"file://{work}/nowhere", work)
