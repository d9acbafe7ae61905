"""Modules that the kernel runs late: whoever uses them finds what a plain Python has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_codeact import sandbox

INSIDE = Path(sandbox.__file__).parent / "inside"
LATE = f"""
import sys
sys.path.insert(0, {str(INSIDE)!r})
import codeact_late, codeact_parts
del sys.path[0]
codeact_late.defer()
codeact_parts.leave_out()
from jupyter_client import write_connection_file
import jupyter_client.session
outline = jupyter_client
del jupyter_client
codeact_parts.complete()
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
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout, done.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize("use", USES)
def test_a_late_module_is_the_module(use: str) -> None:
    assert said(LATE + USES[use]) == said(USES[use])


def test_whoever_took_the_package_early_has_it_too() -> None:
    code = "print(outline.KernelManager is __import__('jupyter_client').KernelManager, outline.write_connection_file)"
    assert said(LATE + code)[0].startswith("True <function write_connection_file")
    assert said(LATE + "outline.none")[1] == "AttributeError: module 'jupyter_client' has no attribute 'none'"


def test_what_has_not_been_used_has_not_run() -> None:
    use = "import asyncio, platformdirs, ssl, jupyter_client.session\n"
    others = "print([name for name in ('_ssl', 'jupyter_client.manager', 'platformdirs.api') if name in sys.modules])"
    late = LATE.replace("codeact_parts.complete()", use)
    assert said(late + others)[0] == "[]\n"
    assert said("import sys\n" + use + others)[0] == "['_ssl', 'jupyter_client.manager', 'platformdirs.api']\n"


def test_a_module_that_breaks_says_so_each_time(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("before = 1\n1 / 0")
    late = LATE.replace(
        "codeact_late.defer()",
        f"sys.path.append({str(tmp_path)!r})\ncodeact_late.LATE = {{'broken'}}\ncodeact_late.defer()",
    )
    tries = "import broken\nfor _ in range(2):\n    try: broken.after\n    except ZeroDivisionError as e: print(e)"
    assert said(late + tries)[0] == "division by zero\n" * 2
