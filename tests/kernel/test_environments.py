"""Cells run in the Python that was chosen for them: `setup_kernel.py --python PATH`."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import environment, history, shown, wheel
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_codeact.notebook.document import Document
from jupyter_codeact.sandbox.paths import interpreter
from jupyter_codeact.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def setup() -> dict[str, Any]:
    """What setup_kernel.py defines."""
    return runpy.run_path(str(ROOT / "setup_kernel.py"), run_name="setup_kernel")


@pytest.fixture
def add_kernel(setup: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """As `setup_kernel.py --user --python` does, in a user's folder for the test alone."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))

    def add(python: str) -> Path:
        setup["add_kernelspec"](Path(sys.executable), python, "--user")
        return tmp_path / "data" / "kernels"

    return add


@pytest.mark.usefixtures("sandbox")
async def test_cells_run_in_the_other_environment_and_the_agent_stays_in_ours(
    add_kernel: Callable[[str], Path], home: Path, work: Path, tmp_path: Path, script: Callable[..., None]
) -> None:
    """Packages that are installed there are skills, too, which the agent is given by name."""
    python, packages = environment(tmp_path / "torch" / ".venv")
    (packages / "marker_of_torch.py").write_text("")
    package = packages / "freeact_skills" / "search" / "google" / "stream"
    package.mkdir(parents=True)
    (package / "api.py").write_text('"""Search the web."""\n\n\ndef search(query: str) -> list:\n    return [query]\n')
    name = "freeact_skills.search.google.stream.api"
    script({"code": f"from {name} import search\nsearch('x')"}, {"text": "Found."})
    spec = json.loads((add_kernel(python) / "codeact-torch" / "kernel.json").read_text())
    assert spec["display_name"] == "Python 3 (CodeAct) [torch]"
    assert spec["argv"][0] == sys.executable
    place = "import sys, marker_of_torch; print(sys.prefix, sys.executable)"
    sources = (place, "%agent status", f"%%agent --review auto --skills {name}\nsearch for x")
    nb = new_notebook(cells=[new_code_cell(source) for source in sources])
    options: dict[str, Any] = {"kernel_name": "codeact-torch", "resources": {"metadata": {"path": str(work)}}}
    async with Document(nb, **options) as document:
        await document.run_cells()
    assert shown(nb.cells[0]).split() == [str(tmp_path / "torch" / ".venv"), python]
    assert "Error" not in shown(nb.cells[1])
    (told,) = [message["content"] for message in history(home) if message["message_type"] == "instance"]
    assert f"The skill `{name}` can be imported" in told
    assert "def search(query: str) -> list:" in told
    assert shown(nb.cells[3]) == "['x']"
    assert f"skills used: {name}" in shown(nb.cells[2])


def _executable(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def environment_without_packages(folder: Path) -> str:
    python, packages = environment(folder / "bare")
    (packages / "others.pth").unlink()
    return python


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: str(folder / "nothing"), "No such file or directory"),
        (str, "is a folder; name the Python in it"),
        (lambda folder: str((folder / "notes.txt").write_text("") or folder / "notes.txt"), "Permission denied"),
        (lambda folder: _executable(folder / "tool", "echo hello"), "is no Python that works"),
        (environment_without_packages, "pip install 'ipykernel>=7'"),
        (
            lambda folder: _executable(
                folder / "old", """echo '{"program": "old", "python": [3, 7], "ipykernel": 6}'"""
            ),
            "is Python 3.7; name one of 3.10 or newer",
        ),
    ],
    ids=["nothing", "folder", "no program", "no Python", "no ipykernel", "old"],
)
def test_what_is_no_python_for_cells_is_one_line(
    setup: dict[str, Any], tmp_path: Path, make: Callable[[Path], str], said: str
) -> None:
    with pytest.raises(setup["SetupError"], match=r"^[^\n]*$") as raised:
        setup["inner_python"](make(tmp_path))
    assert said in str(raised.value)


def test_a_script_that_starts_python_names_it(setup: dict[str, Any], tmp_path: Path) -> None:
    """As pyenv's do."""
    script = _executable(tmp_path / "python", f'exec {sys.executable} "$@"')
    assert setup["inner_python"](script) == Path(sys.executable)
    assert interpreter(script).program == sys.executable


def test_no_path_of_a_person_keeps_its_dots(
    setup: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the sandbox sees is told by names, and an environment's Python is a link that must not be followed.

    Python 3.10 says the path that it was started by as it was.
    """
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    answer = json.dumps({"program": f"{tmp_path}/work/../python", "python": [3, 10], "ipykernel": 7})
    _executable(tmp_path / "python", f"echo '{answer}'")
    assert setup["inner_python"]("../python") == tmp_path / "python"
    with pytest.raises(setup["SetupError"], match=f"^{tmp_path}/nothing cannot be run"):
        setup["inner_python"]("../nothing")
    monkeypatch.setattr(sys, "executable", f"{sys.prefix}/lib/../bin/python")
    assert interpreter(sys.executable).program == f"{sys.prefix}/bin/python"
    assert Settings.from_environment({"JUPYTER_CODEACT_HOME": "../home"}).root == tmp_path / "home"


def test_a_link_to_python_from_elsewhere_is_followed(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    found = interpreter(str(tmp_path / "python"))
    assert found.program == os.path.realpath(sys.executable)


@pytest.fixture(scope="module")
def conda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Conda's environments are copies of Python with a prefix of their own, beside no other one, and no pyvenv.cfg."""
    prefix = tmp_path_factory.mktemp("conda") / "env"
    library, base = Path(sysconfig.get_path("stdlib")), f"{sys.base_prefix}/lib".encode()
    (prefix / "bin").mkdir(parents=True)
    binary = Path(os.path.realpath(sys.executable)).read_bytes()
    # As conda writes another prefix into a program: where the one of this Python's shared library stands.
    (prefix / "bin" / "python").write_bytes(
        binary.replace(base + b"\0", b"$ORIGIN/../lib".ljust(len(base), b"\0") + b"\0")
    )
    (prefix / "bin" / "python").chmod(0o755)
    others = shutil.ignore_patterns("site-packages", "dist-packages", "test", "idlelib", "config-*")
    shutil.copytree(library, prefix / "lib" / library.name, ignore=others, copy_function=_linked)
    for shared in library.parent.glob("libpython*.so.*"):
        _linked(str(shared), str(prefix / "lib" / shared.name))
    # Debian's Python looks elsewhere than others.
    where = [prefix / "bin" / "python", "-c", "import site; print(site.getsitepackages()[-1])"]
    packages = Path(subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip())
    packages.mkdir(parents=True, exist_ok=True)
    (packages / "others.pth").write_text("\n".join(site.getsitepackages()))
    return prefix


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target)


@pytest.mark.usefixtures("sandbox", "home")
async def test_cells_run_in_an_environment_without_a_pyvenv_cfg(
    add_kernel: Callable[[str], Path], work: Path, conda: Path
) -> None:
    """Nor into one that its distribution manages can packages be installed: they go into the sandbox's home."""
    python = conda / "bin" / "python"
    (conda / "lib" / os.path.basename(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED").write_text("")
    kernels = add_kernel(str(python))
    [name] = os.listdir(kernels)
    place = "import sys, zlib; print(sys.prefix, sys.base_prefix, sys.executable)"
    found = wheel(work, "thing", "v = 1").name
    by_itself = f"import subprocess; subprocess.run([sys.executable, '-m', 'pip', 'install', {found!r}]).returncode"
    cells = [place, by_itself, f"%pip install --user ./{found}", "import thing; print(thing.__file__)"]
    nb = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    async with Document(nb, kernel_name=name, resources={"metadata": {"path": str(work)}}) as document:
        await document.run_cells()
    assert shown(nb.cells[0]).split() == [str(conda), str(conda), str(python)]
    assert "externally-managed" in shown(nb.cells[1])
    assert shown(nb.cells[3]).startswith("/home/sandbox/.local/")


def test_an_environment_without_a_pyvenv_cfg_is_read_whole(conda: Path, tmp_path: Path) -> None:
    python = conda / "bin" / "python"
    found = interpreter(str(python))
    assert found.program == str(python)
    assert set(found.environment) == {str(conda), str(conda / "bin")}
    assert str(conda) in found.readable(str(tmp_path / "work"))
    assert str(conda / "bin") not in found.readable(str(tmp_path / "work"))
    assert found.holds(str(conda / "lib" / os.path.basename(sysconfig.get_path("stdlib")) / "site-packages"))


def test_projects_of_hers_are_read_where_they_are_installed_from_and_no_more_of_them(tmp_path: Path) -> None:
    """A .pth file names a project's root, or its sources; setuptools writes a module that maps names to places."""
    flat, src, mapped = (tmp_path / name for name in ("flat", "with_src", "mapped"))
    for package in (flat / "flat_package", src / "src" / "package", mapped / "mapped_package"):
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
    for name in ("pyproject.toml", ".env", "data.csv", "module.py"):
        (flat / name).write_text("")
    (mapped / "single.py").write_text("")
    python, packages = environment(tmp_path / "env", flat, src / "src", Path.home())
    places = {"mapped_package": str(mapped / "mapped_package"), "single": str(mapped / "single")}
    (packages / "__editable___mapped_1_finder.py").write_text(f"MAPPING: dict[str, str] = {places!r}\n")
    readable = interpreter(python).readable(str(tmp_path / "work"))
    hers = {path for path in readable if path.startswith(str(tmp_path)) and not path.startswith(str(tmp_path / "env"))}
    assert hers == {
        *(str(flat / name) for name in ("flat_package", "module.py")),
        str(src / "src"),
        *(str(mapped / name) for name in ("mapped_package", "single.py")),
    }
    assert str(Path.home()) not in readable
    # In the working folder they are hers to change.
    inside = {path for path in interpreter(python).readable(str(tmp_path)) if path.startswith(str(tmp_path))}
    assert inside == {str(tmp_path / "env")}
    subprocess.run([python, "-c", "import flat_package, package"], check=True)


def test_setup_imports_nothing_of_the_folder_that_it_is_started_in(
    setup: dict[str, Any], add_kernel: Callable[[str], Path], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell may have put it there."""
    for module in ("json", "pip", "venv", "ensurepip", "jupyter_client", "ipykernel"):
        (work / f"{module}.py").write_text(f"open('ran-{module}', 'w').close()\n")
    monkeypatch.chdir(work)
    subprocess.run([sys.executable, "-c", "import json"], check=True)
    assert (work / "ran-json").exists()
    (work / "ran-json").unlink()
    assert setup["can"](sys.executable, "import json, venv, ensurepip")
    add_kernel(sys.executable)
    assert [path.name for path in work.glob("ran-*")] == []
