"""Calls into the kernel: how they are written and read back, and what the patch of a folder has in it."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact import inside
from jupyter_codeact.errors import SandboxError
from jupyter_codeact.inside import functions


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("text", ["", "'", '"""', "\\", "ü😀\n\ud800", "{}", "'); import os; ('"])
def test_arguments_arrive_as_they_were_sent(temp: Path, text: str) -> None:
    scope: dict[str, Any] = {}
    call = inside.expression("keep", {"name": "x.txt", "text": text})
    answer = eval(call, scope)
    path = Path(inside.value(repr(answer)))
    assert path == temp / "agent-outputs" / "x.txt"
    assert path.read_text() == text.encode(errors="replace").decode()
    assert set(scope) == {"__builtins__"}


@pytest.mark.parametrize("text", ["", "1", "'x'", "print(1)", "'[' * 9", "'{'", "[" * 9999, "__import__('os')"])
def test_an_answer_that_is_none_is_an_error_of_the_sandboxs(text: str) -> None:
    with pytest.raises(SandboxError):
        inside.value(text)


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@x.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("*.pyc\n")
    (folder / "a.py").write_text("x = 1\n")
    (folder / "b.py").write_text("y = 1\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    monkeypatch.chdir(folder)
    return folder


def test_the_patch_has_all_that_changed_and_applies_to_a_clean_clone(checkout: Path, tmp_path: Path) -> None:
    (checkout / "a.py").write_text("x = 2\n")
    (checkout / "b.py").unlink()
    (checkout / "new.bin").write_bytes(bytes(range(256)))
    (checkout / "a.pyc").write_text("ignored")
    git(checkout, "add", "a.py")
    before = git(checkout, "status", "--porcelain"), sorted((checkout / ".git" / "objects").rglob("*"))
    patch = functions.patch()
    assert (git(checkout, "status", "--porcelain"), sorted((checkout / ".git" / "objects").rglob("*"))) == before
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(checkout), str(clone))
    (tmp_path / "x.patch").write_text(patch)
    git(clone, "apply", str(tmp_path / "x.patch"))
    assert (clone / "a.py").read_text() == "x = 2\n"
    assert not (clone / "b.py").exists()
    assert (clone / "new.bin").read_bytes() == bytes(range(256))
    assert not (clone / "a.pyc").exists()


def test_no_change_and_no_checkout_are_no_patch(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert functions.patch() == ""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text("x")
    assert functions.patch() == ""


def test_a_picture_is_made_smaller_and_kept(temp: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    import base64
    import io

    made = io.BytesIO()
    image.new("RGBA", (3000, 1000), "red").save(made, "PNG")
    data = base64.b64encode(made.getvalue()).decode()
    small = image.open(io.BytesIO(base64.b64decode(functions.shrink(data, 1024))))
    assert small.size == (1024, 341)
    assert Path(functions.keep_picture("p.png", data)).read_bytes() == made.getvalue()
