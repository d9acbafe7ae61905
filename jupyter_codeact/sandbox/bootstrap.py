"""What runs inside the sandbox: an ordinary ipykernel that knows where the skills are.

Stands alone: it is started by path, in environments that need not have this package.
"""

import contextlib
import importlib
import json
import os
import re
import select
import shlex
import site
import sys
from typing import Any, NoReturn

INSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inside")
INSTALLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "installs.py")
RESTART = "Note: you may need to restart the kernel to use updated packages."
# Outputs that may wait to be sent.
WAITING = 64
ELSEWHERE = "%{name} is answered outside the sandbox: write it in a cell of its own, without other code."
NOT_HERE = "%{name} is answered outside the sandbox, and not in a subshell: write it in a cell of the notebook."


def main() -> None:
    """Become a kernel on the connection file given with -f."""
    end_if_orphaned()
    # A group of our own, so that an interrupt reaches the cell's subprocesses too.
    with contextlib.suppress(PermissionError):
        os.setsid()
    # This file's folder; the shell puts the working folder there.
    sys.path[0] = INSIDE
    user_sites = own_sites()
    import_from(user_sites)
    import codeact_late

    codeact_late.defer()
    patient = bool(os.environ.pop("CODEACT_PATIENT", ""))
    answer_at(json.loads(os.environ.pop("CODEACT_SOCKETS", "{}")), patient)
    import codeact_debugger
    from codeact_app import IPKernelApp
    from codeact_kernel import ReplyingKernel
    from codeact_skills import SkillWatch
    from codeact_streams import OutStream, limit_outputs

    del sys.path[0]
    codeact_debugger.defer()
    limit_outputs(int(os.environ.pop("CODEACT_OUTPUT_LIMIT", "0")))
    outstream = f"{OutStream.__module__}.{OutStream.__name__}"
    app = IPKernelApp.instance(kernel_class=ReplyingKernel, outstream_class=outstream)
    app.initialize(sys.argv[1:])
    codeact_late.complete()
    libraries = _folders("CODEACT_SKILLS")
    prepare(app.shell, libraries, SkillWatch(app.shell, libraries))
    serve_pip(app.shell, user_sites)
    app.start()


def end_if_orphaned() -> None:
    """End where whoever started us has died by now: then nobody reads what we print.

    Bubblewrap dies with its parent, but only from when it has asked for that, which it does before it starts us.
    """
    output = select.poll()
    output.register(1, 0)
    if any(event & select.POLLERR for _, event in output.poll(0)):
        os._exit(1)


def _folders(variable: str) -> list[str]:
    """Any sign may stand in a folder's name, a colon too."""
    return list(json.loads(os.environ.pop(variable, "[]")))


def own_sites() -> list[str]:
    """Where packages lie that were installed in the sandbox, and then hers; nowhere outside of one."""
    if "CODEACT_USER_SITE" not in os.environ:
        return []
    version = "python{}.{}".format(*sys.version_info)
    folder = os.path.expanduser(f"~/.local/lib/{version}/site-packages")
    with contextlib.suppress(OSError):
        os.makedirs(folder, exist_ok=True)
    folders = [folder, *_folders("CODEACT_USER_SITE")]
    # For the Pythons that cells start, which would take one with a colon for two.
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in folders if os.pathsep not in path)
    return folders


def import_from(user_sites: list[str]) -> None:
    """Look there before looking into the environment, and at what their .pth files name."""
    before = [path for path in sys.path if path not in user_sites]
    sys.path[:] = before
    for folder in user_sites:
        site.addsitedir(folder)
    found = sys.path[len(before) :]
    at = next((i for i, path in enumerate(before) if path.endswith("-packages")), len(before))
    sys.path[:] = before[:at] + found + before[at:]


def serve_pip(shell: Any, user_sites: list[str]) -> None:
    """Have `%pip` and `!pip` install where this user may, and what they installed found at once."""
    if not user_sites:
        return
    zmqshell: Any = importlib.import_module("ipykernel.zmqshell")
    # What the shell's own method calls: that looks for a command's variables where it was called, and is in tracebacks.
    python, system = shlex.quote(sys.executable), zmqshell.system
    pip = re.compile(rf"^\s*(?:(?:{re.escape(python)}|python3?)\s+-m\s+)?pip3?(?=\s|$)")

    def system_or_pip(command: str) -> Any:
        command, replaced = pip.subn(lambda _: f"{python} {shlex.quote(INSTALLS)}", command)
        result = system(command)
        if replaced:
            import_from(user_sites)
            importlib.invalidate_caches()
        return result

    def run_pip(line: str) -> None:
        """Run pip in this kernel's sandbox, as in `%pip install ./name.whl`."""
        shell.system(f"{python} -m pip {line}")
        # IPython says so whatever came of it, also below our advice to go on without a restart.
        if shell.user_ns.get("_exit_code") == 0:
            print(RESTART)

    zmqshell.system = system_or_pip
    shell.register_magic_function(run_pip, "line", "pip")


def answer_at(sockets: dict[str, int], patient: bool) -> None:
    """Have addresses answered at sockets that were bound outside, where this process may bind nothing.

    patient: outputs wait until they can be sent, instead of being lost.
    """
    import zmq

    bind = zmq.Socket.bind

    def bind_or_take(socket: Any, address: str) -> Any:
        if address in sockets:
            socket.setsockopt(zmq.USE_FD, sockets.pop(address))
        if patient and socket.type in (zmq.PUB, zmq.XPUB):
            socket.setsockopt(zmq.XPUB_NODROP, 1)
            socket.sndhwm = WAITING
        return bind(socket, address)

    if sockets:
        setattr(zmq.Socket, "bind", bind_or_take)  # noqa: B010  its type is a decorated one


def prepare(shell: Any, libraries: list[str], watch: Any) -> None:
    """Make skills importable, keep them fresh, and say where our magics are answered."""
    # Behind all else: a skill hides no module that other code imports.
    sys.path.extend(libraries)
    if libraries:
        shell.events.register("pre_run_cell", watch.before_cell)
        shell.events.register("post_run_cell", watch.after_cell)
    for name in ("agent", "skill"):
        shell.register_magic_function(_elsewhere(shell, name), "line_cell", name)


def _elsewhere(shell: Any, name: str) -> Any:
    def magic(line: str, cell: str | None = None) -> NoReturn:
        from IPython.core.error import UsageError

        in_subshell = shell.get_parent().get("header", {}).get("subshell_id")
        raise UsageError((NOT_HERE if in_subshell else ELSEWHERE).format(name=name))

    magic.__doc__ = ELSEWHERE.format(name=name) + f" `%{name}?` shows its help."
    return magic


if __name__ == "__main__":
    main()
