"""Modules that the kernel runs late: whoever uses them finds what a plain Python has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from helpers import PATIENCE_S

from jupyter_codeact import sandbox

INSIDE = Path(sandbox.__file__).parent / "inside"
LATE = f"""
import sys
sys.path.insert(0, {str(INSIDE)!r})
import codeact_late
del sys.path[0]
codeact_late.defer()
from jupyter_client import write_connection_file
import jupyter_client.session
outline = jupyter_client
del jupyter_client
codeact_late.complete()
"""
USES = {
    "names": "import ssl\nprint(ssl.create_default_context().verify_mode, type(ssl), ssl)",
    "names taken from it": "from ssl import SSLContext, CERT_NONE\nprint(SSLContext, CERT_NONE)",
    "all of its names": "import ssl, asyncio.sslproto\nprint(dir(ssl), dir(asyncio.sslproto), sorted(vars(ssl)))",
    "a star": "from jupyter_client import *\nprint(KernelManager, find_connection_file.__module__)",
    "a version": "import jupyter_client\nprint(jupyter_client.__version__)",
    "a name that it hasn't": "import platformdirs\nprint(getattr(platformdirs, 'none', None))\nplatformdirs.none",
    "a part": "from jupyter_client import session\nimport jupyter_client\nprint(session is jupyter_client.session)",
    "a part, by its path": (
        "import jupyter_client.manager as m\n"
        "from jupyter_client import KernelManager\nprint(m, KernelManager is m.KernelManager)"
    ),
    "all of a package": "import jupyter_client as j\nprint(dir(j), j)",
    "names of its parts": (
        "import jupyter_client as j, jupyter_client.connect as c\n"
        "print(j.session.Session is c.Session if hasattr(c, 'Session') else j.session.Session)\n"
        "print(j.write_connection_file is c.write_connection_file, j.connect is c)"
    ),
    "another in its place": "import ssl\nssl.SSLContext = 1\nssl.OPENSSL_VERSION\nprint(ssl.SSLContext)",
    "the usual way to trust all": (
        "import ssl\nssl._create_default_https_context = ssl._create_unverified_context\n"
        "print(ssl._create_default_https_context().verify_mode)"
    ),
    "those who have it": "import asyncio, http.client, ssl\nprint(asyncio.base_events.ssl is http.client.ssl is ssl)",
    "its type, its doc, its names": (
        "import asyncio.sslproto, platformdirs, ssl\n"
        "for m in (ssl, platformdirs, asyncio.sslproto): print(type(m), m.__doc__, sorted(vars(m)))"
    ),
    "a name taken away": "import ssl\ndel ssl.HAS_SNI\nprint(hasattr(ssl, 'HAS_SNI'))",
    "sent by name": (
        "import joblib.externals.cloudpickle as c, pickle, ssl\n"
        "print(pickle.loads(c.dumps(lambda: ssl.OPENSSL_VERSION))())"
    ),
    "looked for, and not imported": (
        "import importlib.util\nfor name in ('ssl', 'jupyter_client'): print(importlib.util.find_spec(name).origin)\n"
        "import jupyter_client.session\nprint(jupyter_client.session.Session)"
    ),
    "finders that somebody wraps": (
        "class Wrapped:\n    def __init__(self, finder): self.find_spec = finder.find_spec\n"
        "sys.meta_path[:] = [Wrapped(finder) for finder in sys.meta_path]\n"
        "import jupyter_client, ssl\nprint(jupyter_client.KernelManager, ssl.SSLContext)"
    ),
    "all that is loaded": (
        "import asyncio\nfor m in sys.modules.values(): getattr(m, '__warningregistry__', None)\nprint('well')"
    ),
    "something in the place of what it uses": (
        "import socket, ssl\nclass Guard(socket.socket): pass\nsocket.socket = Guard\n"
        "print(ssl.create_default_context().verify_mode, ssl.SSLSocket.__mro__)"
    ),
    "its source": "import inspect, ssl\nprint(len(inspect.getsource(ssl)), ssl.__spec__.origin)",
    "a reload": "import importlib, ssl\nimportlib.reload(ssl)\nprint(ssl.SSLContext)",
    "many threads": (
        "import ssl, threading\nat = threading.Barrier(8)\nfound = []\n"
        "def ask():\n    at.wait()\n    found.append(ssl.create_default_context().verify_mode)\n"
        "threads = [threading.Thread(target=ask) for _ in range(8)]\n"
        "[t.start() for t in threads]\n[t.join() for t in threads]\nprint(found)"
    ),
    "TLS in asyncio": (
        "import asyncio, ssl\ncontext = ssl.create_default_context()\n"
        "async def main():\n"
        "    server = await asyncio.start_server(lambda r, w: w.close(), '127.0.0.1', 0)\n"
        "    host, port = server.sockets[0].getsockname()\n"
        "    try: await asyncio.open_connection(host, port, ssl=context)\n"
        "    except OSError as error: print(type(error).__mro__[-3:])\n"
        "    server.close()\n"
        "asyncio.run(main())"
    ),
}


def said(code: str) -> tuple[str, str]:
    """What it prints, and the last line of its error."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return done.stdout, done.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize("use", USES)
def test_a_late_module_is_the_module(use: str) -> None:
    assert said(LATE + USES[use]) == said("import sys\n" + USES[use])


def test_whoever_took_the_package_early_has_it_too() -> None:
    code = "print(outline.KernelManager is __import__('jupyter_client').KernelManager, outline.write_connection_file)"
    assert said(LATE + code)[0].startswith("True <function write_connection_file")
    assert said(LATE + "outline.none")[1] == "AttributeError: module 'jupyter_client' has no attribute 'none'"


def test_what_has_not_been_used_has_not_run() -> None:
    use = "import asyncio, platformdirs, ssl, jupyter_client.session\n"
    others = "print([name for name in ('_ssl', 'jupyter_client.manager', 'platformdirs.api') if name in sys.modules])"
    late = LATE.replace("codeact_late.complete()", use)
    assert said(late + others)[0] == "[]\n"
    assert said("import sys\n" + use + others)[0] == "['_ssl', 'jupyter_client.manager', 'platformdirs.api']\n"


def test_a_module_of_that_name_in_the_folder_is_not_taken_for_it(tmp_path: Path) -> None:
    """A plain kernel has imported its own when the folder gets on the path."""
    for name in ("debugpy", "jupyter_client", "platformdirs", "psutil"):
        (tmp_path / f"{name}.py").write_text("mine = 1")
    here = f"sys.path.insert(0, {str(tmp_path)!r})\n"
    names = (
        "for name in ('debugpy', 'jupyter_client', 'platformdirs', 'psutil'): print(__import__(name).__version__ > '')"
    )
    assert said(LATE + here + names) == ("True\n" * 4, "")
    assert said("import sys\n" + here + names)[0] == ""


def test_a_module_that_breaks_says_so_each_time(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("before = 1\n1 / 0")
    late = LATE.replace(
        "codeact_late.defer()",
        f"sys.path.append({str(tmp_path)!r})\n"
        "codeact_late.LATE = {'broken': {}}\ncodeact_late.defer()\nimport broken",
    )
    tries = (
        "for ask in (lambda: broken.after, lambda: __import__('broken')) * 2:\n"
        "    try: ask()\n    except ZeroDivisionError as e: print(e)"
    )
    assert said(late + tries) == ("division by zero\n" * 4, "")
