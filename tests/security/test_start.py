"""What Python obeys before the trusted process begins: nothing of it may be of the sandbox's making."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import PATIENCE_S, environment
from jupyter_client.manager import start_new_kernel

from jupyter_codeact.errors import SandboxUnavailable
from jupyter_codeact.sandbox.launch import open_sandbox
from jupyter_codeact.sandbox.limits import OPEN_FILES

from .rooms import room

ROOT = Path(__file__).parents[2]
# A project that a .pth file names, one that code in a .pth file adds, one of PYTHONPATH.
WAYS = ("named", "added", "variable")
# Names that Python, a .pth file or our start look for.
NAMES = ("sitecustomize", "usercustomize", "hers", "jupyter_codeact", "zmq")


@pytest.fixture
def attacked(tmp_path: Path, work: Path) -> str:
    """The Python of an environment that has our package, and projects of hers in which cells have written modules."""
    python, packages = environment(tmp_path / "env")
    (packages / "others.pth").unlink()
    for entry in (entry for folder in site.getsitepackages() for entry in Path(folder).glob("*")):
        if entry.suffix != ".pth":
            (packages / entry.name).symlink_to(entry)
    (packages / "codeact.pth").write_text(f"{ROOT}\n")
    (packages / "a.pth").write_text(f"{work / 'named'}\nimport hers\n")
    (packages / "b.pth").write_text(f"import sys; sys.path.insert(0, {str(work / 'added')!r})\n")
    for way in WAYS:
        (work / way).mkdir()
        for name in NAMES:
            (work / way / f"{name}.py").write_text(f"open({str(tmp_path / f'ran-{way}')!r}, 'w')\n")
    return python


def test_what_a_cell_wrote_into_a_project_does_not_run_outside(
    attacked: str, work: Path, tmp_path: Path, kernelspec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_CODEACT_HOME", str(tmp_path / "home"))
    folder = tmp_path / "jupyter" / "kernels" / "attacked"
    shutil.copytree(kernelspec / "kernels" / "codeact", folder)
    spec = json.loads((folder / "kernel.json").read_text())
    spec["argv"] = [attacked, *spec["argv"][1:], "--python", sys.executable]
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("PYTHONPATH", str(work / "variable"))
    manager, client = start_new_kernel(kernel_name="attacked", cwd=str(work))
    try:
        assert client.execute_interactive("1", timeout=PATIENCE_S)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert not list(tmp_path.glob("ran-*"))


def test_without_that_start_it_would(attacked: str, work: Path, tmp_path: Path) -> None:
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(work / "variable")}
    command = [attacked, "-P", "-m", "jupyter_codeact.kernel", "--help"]
    subprocess.run(command, env=variables, capture_output=True, check=False)
    del variables["PYTHONPATH"]
    subprocess.run(command, env=variables, capture_output=True, check=False)
    assert {path.name for path in tmp_path.glob("ran-*")} == {f"ran-{way}" for way in WAYS}


def test_what_is_missing_is_one_line_that_says_where(attacked: str, tmp_path: Path) -> None:
    (link,) = tmp_path.glob("env/lib/*/site-packages/zmq")
    link.unlink()
    connection = tmp_path / "connection.json"
    connection.write_text("{}")
    command = [attacked, "-E", "-P", "-S", str(ROOT / "kernelspec" / "start.py"), "-f", str(connection)]
    variables = {**os.environ, "JUPYTER_CODEACT_SANDBOX": "none", "JUPYTER_CODEACT_HOME": str(tmp_path / "home")}
    answer = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"kernel of {tmp_path / 'env'} can't start: No module named 'zmq'" in answer.stderr.splitlines()[-1]


def test_another_python_is_asked_without_running_what_lies_in_a_project(attacked: str, tmp_path: Path) -> None:
    """It is asked outside the sandbox what it consists of."""
    with pytest.raises(SandboxUnavailable, match="another folder"):
        open_sandbox("bubblewrap", attacked, str(tmp_path / "env" / "lib"))
    assert not list(tmp_path.glob("ran-*"))
    subprocess.run([attacked, "-c", "1"], check=False, capture_output=True)
    assert list(tmp_path.glob("ran-*"))


def test_what_site_runs_inside_is_limited_as_well(tmp_path: Path, work: Path) -> None:
    python, _ = environment(tmp_path / "env", work, "import early")
    (work / "early.py").write_text("import resource, sys\nsys.limit = resource.getrlimit(resource.RLIMIT_NOFILE)\n")
    with room("bubblewrap", work, python) as cells:
        assert cells("import sys; print(sys.limit)") == str((OPEN_FILES, OPEN_FILES))
    with room("none", work, python) as cells:
        assert cells("import sys; print(sys.limit)") != str((OPEN_FILES, OPEN_FILES))


def test_the_environment_of_the_trusted_process_is_kept_where_cells_run_in_another(
    tmp_path: Path,
) -> None:
    python, packages = environment(tmp_path / "work" / "ours")
    other, _ = environment(tmp_path / "other")
    attack = f"print(open({str(packages / 'zmq.py')!r}, 'w').write('#'))"
    start = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]\n"
        "from security.rooms import room\nfrom pathlib import Path\n"
        f"with room(sys.argv[1], Path({str(tmp_path / 'work')!r}), {other!r}) as cells:\n"
        f"    print(cells.attempt({attack!r}))"
    )

    def said(kind: str) -> str:
        return subprocess.run([python, "-c", start, kind], capture_output=True, text=True, check=True).stdout.strip()

    assert said("bubblewrap") == "EROFS"
    assert said("none") == "1"


@pytest.mark.parametrize("part", ["", "bin", "lib"])
def test_the_environment_itself_is_no_working_folder(tmp_path: Path, part: str) -> None:
    python, _ = environment(tmp_path / "env")
    with pytest.raises(SandboxUnavailable, match="put the notebook into another folder"):
        open_sandbox("bubblewrap", python, str(tmp_path / "env" / part))
