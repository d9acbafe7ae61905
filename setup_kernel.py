#!/usr/bin/env python3
"""Set up the CodeAct kernel from this clone: environment, package, kernelspec, sandbox.

Uses the virtual environment it runs in; outside of one it makes .venv beside itself. Run it again at any
time: what is up to date is left alone.
"""

# ruff: noqa: T201 (a script for the terminal)

import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

# Before anything that an older Python cannot read.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(f"setup_kernel.py needs Python 3.11 or newer; this is {sys.version.split()[0]}")

EXAMPLES = """\
examples:
  python3 setup_kernel.py                    set up only
  python3 setup_kernel.py --demo             set up, then the demonstration; needs no key
  python3 setup_kernel.py --test -k proxy    set up, then the tests; what follows --test goes to pytest
  python3 setup_kernel.py --user             offer the kernel in every JupyterLab of this user
  python3 setup_kernel.py --python ~/torch/bin/python
                                             a kernel "codeact-torch" whose cells run in that environment
"""
ROOT = Path(__file__).resolve().parent
BIN = "Scripts" if os.name == "nt" else "bin"
SUDO = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
STAMP = ".jupyter-codeact-setup.json"
INSTALLED = ("kernels/codeact/kernel.json", "labextensions/jupyter-codeact/package.json")
# An installation is out of date when one of these changes; the Python modules are read from the clone itself.
STAMPED = (
    *("pyproject.toml", "install.json", "kernelspec/*"),
    *("labextension/*.json", "labextension/yarn.lock", "labextension/src/**/*", "labextension/style/*"),
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MANAGERS = {
    "apt-get": "apt-get install -y",
    "dnf": "dnf install -y",
    "pacman": "pacman -Sy --noconfirm",
    "zypper": "zypper --non-interactive install",
    "apk": "apk add",
}
# Settings of the system that keep ordinary users from making namespaces, and what lets bubblewrap make them.
APPARMOR = (
    "sudo apt install apparmor-profiles && sudo cp /usr/share/apparmor/extra-profiles/bwrap-userns-restrict "
    "/etc/apparmor.d/ && sudo systemctl reload apparmor"
)
FORBIDDEN = (
    ("kernel/unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", APPARMOR),
)
ANOTHER = "name a Python, such as ~/torch/bin/python"
# What --python names has to say; understood by any Python 3, and like -P, which older ones lack.
LOOK = """
import sys
sys.path[:] = filter(None, sys.path)
import json
try:
    import ipykernel
    version = int(ipykernel.__version__.split(".")[0])
except ImportError:
    version = 0
print(json.dumps({"program": sys.executable, "python": list(sys.version_info[:2]), "ipykernel": version}))
"""


class SetupError(Exception):
    """What happened and what to do about it."""


def main() -> int:
    try:
        return run(parse())
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here", file=sys.stderr)
        return 130


def parse() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES, formatter_class=raw)
    parser.add_argument("--demo", action="store_true", help="then run the demonstration")
    parser.add_argument("--model", metavar="NAME", help="with --demo: a model, by its litellm name")
    parser.add_argument("--user", action="store_true", help="install the kernelspec for the user")
    parser.add_argument("--python", metavar="PATH", help="add a kernelspec whose cells run with this Python")
    parser.add_argument("--test", nargs=argparse.REMAINDER, metavar="ARG", help="then run the tests")
    options = parser.parse_args()
    if options.model and not options.demo:
        parser.error("--model goes with --demo")
    return options


def run(options: argparse.Namespace) -> int:
    python = environment()
    install(python, {"demo"} if options.test is None else {"demo", "test"})
    if options.user or options.python:
        with stage("kernelspec"):
            add_kernelspec(python, options.python, "--user" if options.user else "--sys-prefix")
    with stage("sandbox (bubblewrap)"):
        problem = sandbox_problem()
    if options.test is not None:
        return run_tests(python, options.test, problem)
    if problem:
        raise SetupError(problem)
    if options.demo:
        model = ["--model", options.model] if options.model else []
        return subprocess.run([python, "-P", "-m", "jupyter_codeact", "demo", *model], check=False).returncode
    print(f"ready: {python.with_name('jupyter')} lab, then choose the kernel Python 3 (CodeAct)")
    return 0


def run_tests(python: Path, arguments: list[str], problem: str) -> int:
    """Run the tests even where no sandbox can be made: most of them need none."""
    with stage("Chromium, for the browser tests"):
        remedy = install_program("chromium", BROWSERS)
    if remedy:
        print(f"the browser tests will skip: no Chromium. To have it: {remedy}")
    if problem:
        print(problem, file=sys.stderr)
    variables = os.environ | {"VIRTUAL_ENV": str(python.parent.parent)}
    tests = subprocess.run([ROOT / "scripts" / "test", *arguments], env=variables, check=False)
    return tests.returncode or (1 if problem else 0)


def environment() -> Path:
    """Find the environment's Python; make the environment where there is none that works."""
    if sys.prefix != sys.base_prefix:
        return Path(sys.executable)
    python = ROOT / ".venv" / BIN / "python"
    whole = python.exists() and (python.parents[1] / STAMP).exists()
    if not whole and not can(python, "import pip"):
        with stage("virtual environment .venv"):
            if not can(sys.executable, "import ensurepip, venv"):
                raise SetupError(f"this Python makes no environments; type: {SUDO}apt install python3-venv")
            call(sys.executable, "-P", "-m", "venv", "--clear", ROOT / ".venv")
    return python


def install(python: Path, extras: set[str]) -> None:
    """Install the clone in editable mode, unless nothing has changed since the last time."""
    home = python.parents[1]
    stamp, current = home / STAMP, fingerprint()
    known = json.loads(stamp.read_text()) if stamp.exists() else {"hash": "", "extras": []}
    files = [home / "share/jupyter" / name for name in INSTALLED]
    if known["hash"] == current and extras <= set(known["extras"]) and all(map(Path.exists, files)):
        return
    wanted = sorted(extras | set(known["extras"]))
    with stage("package and JupyterLab extension, some minutes the first time"):
        if not can(python, "import pip"):
            call(python, "-I", "-m", "ensurepip")  # It hands that on to the Python that it starts.
        call(python, "-P", "-m", "pip", "install", "--editable", f"{ROOT}[{','.join(wanted)}]")
        absent = [str(file) for file in files if not file.exists()]
        if absent:
            raise SetupError(f"the package was installed without {', '.join(absent)}: please report this")
    stamp.write_text(json.dumps({"hash": current, "extras": wanted}))


def fingerprint() -> str:
    """Hash all that decides what an installation puts into the environment."""
    digest = hashlib.sha256(f"{ROOT} {sys.version}".encode())
    for path in sorted(path for pattern in STAMPED for path in ROOT.glob(pattern) if path.is_file()):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def add_kernelspec(python: Path, inner: str | None, where: str) -> None:
    """Install a kernelspec that starts this environment's proxy by its absolute path."""
    spec, name = json.loads((ROOT / "kernelspec/kernel.json").read_text()), "codeact"
    spec["argv"][0] = str(python)
    if inner:
        path = inner_python(inner)
        suffix = kernel_suffix(path)
        name = f"codeact-{suffix.lower()}"
        spec["argv"] += ["--python", str(path)]
        spec["display_name"] += f" [{suffix}]"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "kernelspec", folder, dirs_exist_ok=True)
        Path(folder, "kernel.json").write_text(json.dumps(spec, indent=1))
        call(python, "-P", "-m", "jupyter_client.kernelspecapp", "install", folder, "--name", name, where)


def inner_python(wish: str) -> Path:
    """Find the program that ``wish`` starts, which may be a script such as pyenv's; it must be able to run cells."""
    # Not resolved: the Python of an environment is a link to another one.
    path = Path(os.path.abspath(Path(wish).expanduser()))
    if path.is_dir():
        raise SetupError(f"{path} is a folder; name the Python in it, such as {path / BIN / 'python'}")
    try:
        answer = subprocess.run([path, "-c", LOOK], capture_output=True, text=True, check=False)
        found = json.loads(answer.stdout)
    except OSError as error:
        raise SetupError(f"{path} cannot be run ({error.strerror}); {ANOTHER}") from None
    except ValueError:
        raise SetupError(f"{path} is no Python that works; {ANOTHER}") from None
    if found["python"] < [3, 10]:
        version = ".".join(map(str, found["python"]))
        raise SetupError(f"{path} is Python {version}; name one of 3.10 or newer, which ipykernel 7 needs")
    if found["ipykernel"] < 7:
        raise SetupError(f"{path} has no ipykernel of version 7; type: {path} -m pip install 'ipykernel>=7'")
    return Path(os.path.abspath(found["program"]))


def kernel_suffix(python: Path) -> str:
    """`torch` for ~/torch/bin/python and for ~/torch/.venv/bin/python."""
    names = (part.name for part in python.parents if part.name not in {BIN, ".venv", "venv", "env"})
    return re.sub(r"[^A-Za-z0-9._-]", "-", next(names, "")) or "system"


def sandbox_problem() -> str:
    """Install bubblewrap where that is possible and try it: '' or what stands in the way, and the remedy."""
    if not sys.platform.startswith("linux"):
        return ""  # Docker or a gateway takes its place.
    remedy = install_program("bubblewrap", ("bwrap",))
    if remedy:
        return f"the kernel runs code in bubblewrap, which is not installed; type: {remedy}"
    trial = "bwrap --unshare-pid --unshare-net --ro-bind / / --proc /proc --dev /dev true"
    answer = subprocess.run(trial.split(), capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        return ""
    remedies = [f"type: {remedy}" for name, value, remedy in FORBIDDEN if SUDO and setting(name) == value]
    remedies.append("inside a container, start that with --privileged or work outside of it")
    return f"bubblewrap cannot make a sandbox here ({answer.stderr.strip()}); {remedies[0]}"


def setting(name: str) -> str:
    path = Path("/proc/sys", name)
    return path.read_text().strip() if path.exists() else ""


def install_program(package: str, programs: Sequence[str]) -> str:
    """See to it that one of the programs is there: '' or the command that a person has to type."""
    if any(map(shutil.which, programs)):
        return ""
    manager = next(filter(shutil.which, MANAGERS), None)
    if manager is None:
        return f"the installation command of your system, for {package}"
    command = f"{MANAGERS[manager]} {package}"
    for step in ("apt-get update", command) if manager == "apt-get" else (command,):
        if not SUDO:
            with suppress(SetupError):  # The look below tells; one of many package sources may well fail.
                call(*step.split())
    return "" if any(map(shutil.which, programs)) else SUDO + command


def can(python: Path | str, code: str) -> bool:
    """Whether this Python exists and runs the code."""
    if not Path(python).exists():
        return False
    return subprocess.run([python, "-P", "-c", code], capture_output=True, check=False).returncode == 0


def call(*command: str | Path) -> None:
    """Run a command; what it prints is shown only where it fails."""
    variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, env=variables, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, check=False)
    if done.returncode:
        output, words = done.stdout.decode(errors="replace"), shlex.join(map(str, command))
        raise SetupError(f"{output}\nThis failed with status {done.returncode}, its output is above: {words}")


@contextmanager
def stage(title: str) -> Iterator[None]:
    """One line on the screen: what is done, then the seconds that it took."""
    print(f"{title} ... ", end="", flush=True)
    start = time.monotonic()
    try:
        yield
    except BaseException:
        print("stopped", flush=True)
        raise
    print(f"{time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
