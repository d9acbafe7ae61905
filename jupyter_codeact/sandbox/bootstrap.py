"""What runs inside the sandbox: an ordinary ipykernel that knows where the skills are.

Stands alone: it is started by path, in environments that need not have this package.
"""

import contextlib
import importlib
import json
import os
import sys
from typing import Any, NoReturn

ELSEWHERE = "%{name} is answered outside the sandbox: write it in a cell of its own, without other code."


def main() -> None:
    """Become a kernel on the connection file given with -f."""
    # A group of our own, so that an interrupt reaches the cell's subprocesses too.
    with contextlib.suppress(PermissionError):
        os.setsid()
    del sys.path[0]  # this file's folder; the shell puts the working folder there
    limit(json.loads(os.environ.pop("CODEACT_LIMITS", "{}")))
    answer_at(json.loads(os.environ.pop("CODEACT_SOCKETS", "{}")))
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize(sys.argv[1:])
    prepare(app.shell, [path for path in os.environ.pop("CODEACT_SKILLS", "").split(os.pathsep) if path])
    app.start()


def limit(wishes: dict[str, int]) -> None:
    """Take less of the machine, for good: here, where the kernel counts this sandbox's processes alone."""
    if wishes:
        import resource

        for name, wish in wishes.items():
            which = getattr(resource, name)
            hard = resource.getrlimit(which)[1]
            most = wish if hard == resource.RLIM_INFINITY else min(wish, hard)
            resource.setrlimit(which, (most, most))


def answer_at(sockets: dict[str, int]) -> None:
    """Have addresses answered at sockets that were bound outside, where this process may bind nothing."""
    import zmq

    bind = zmq.Socket.bind

    def bind_or_take(socket: Any, address: str) -> Any:
        if address in sockets:
            socket.setsockopt(zmq.USE_FD, sockets.pop(address))
        return bind(socket, address)

    if sockets:
        setattr(zmq.Socket, "bind", bind_or_take)  # noqa: B010  its type is a decorated one


def prepare(shell: Any, libraries: list[str]) -> None:
    """Make skills importable, keep them fresh, and say where our magics are answered."""
    sys.path.extend(libraries)
    if libraries:
        watch = SkillWatch(shell, libraries)
        shell.events.register("pre_run_cell", watch.before_cell)
        shell.events.register("post_run_cell", watch.after_cell)
    for name in ("agent", "skill"):
        shell.register_magic_function(_elsewhere(name), "line_cell", name)


def _elsewhere(name: str) -> Any:
    def magic(line: str, cell: str | None = None) -> NoReturn:
        from IPython.core.error import UsageError

        raise UsageError(ELSEWHERE.format(name=name))

    return magic


class SkillWatch:
    """Keeps skills fresh: what was saved since the last cell is found, and what is in use is reloaded.

    Functions and classes that were imported by name follow their module, as with %autoreload.
    """

    def __init__(self, shell: Any, libraries: list[str]) -> None:
        self.shell = shell
        self.libraries = [os.path.join(path, "") for path in libraries]
        self.seen: dict[str, int] = {}

    def before_cell(self, _info: Any = None) -> None:
        """Cheap when nothing changed: one stat a library and one a loaded skill."""
        changed = [folder for folder in self.libraries if self._changed(folder)]
        if changed:
            importlib.invalidate_caches()
        for module in self._loaded():
            if self._changed(module.__file__):
                self._reload(module)

    def after_cell(self, _result: Any = None) -> None:
        """Note the skills that the cell imported, as they were when it did."""
        for module in self._loaded():
            if module.__file__ not in self.seen:
                self._changed(module.__file__)

    def _loaded(self) -> list[Any]:
        places = tuple(self.libraries)
        return [m for m in list(sys.modules.values()) if str(getattr(m, "__file__", "")).startswith(places)]

    def _changed(self, path: str) -> bool:
        with contextlib.suppress(OSError):
            now = os.stat(path).st_mtime_ns
            before, self.seen[path] = self.seen.get(path), now
            return before != now
        return False

    def _reload(self, module: Any) -> None:
        from IPython.extensions.autoreload import superreload

        try:
            superreload(module)
        except Exception:  # noqa: BLE001 the person's own module: whatever it raises is shown, and her cell runs
            print(f"{module.__name__} was changed and can't be reloaded:", file=sys.stderr)
            self.shell.showtraceback()


if __name__ == "__main__":
    main()
